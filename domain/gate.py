"""The gate: what one person says (Approval), and the right to execute that follows (Grant).

A grant has one `Right` per step and one per inverse, each consumed once.
"""

from enum import StrEnum

from pydantic import Field

from domain.base import Stored, Utc
from domain.rehearsal import Fact


class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    CHANGE = "change"
    DEFER = "defer"


class Approval(Stored):
    """What one person said of one plan. `person` is the human behind `account`."""

    proposal_id: str
    plan_digest: str
    rehearsal_id: str = Field(default="", description="what was known of the plan when it was signed")
    choice: Choice
    account: str
    person: str
    because: str
    made_at: Utc


class Grant(Stored):
    """The right to carry out this plan, under these rules, on this state of the network, once, until `expires_at`.

    `chain_version` is the version of the approval chain: which roles had to sign and how often.
    """

    proposal_id: str
    plan_digest: str
    policy_version: str
    chain_version: str
    rehearsal_id: str
    facts: tuple[Fact, ...]
    approval_ids: tuple[str, ...]
    made_at: Utc
    expires_at: Utc


class RightKind(StrEnum):
    STEP = "step"
    INVERSE = "inverse"


class Right(Stored):
    """May be consumed once, by one execution."""

    grant_id: str
    kind: RightKind
    index: int
    consumed_by: str | None = None
    consumed_at: Utc | None = None
