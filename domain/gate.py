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
    ASK = "ask"


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
    role: str = Field(default="", description="the role in which it was given")
    delegation_id: str = Field(default="", description="the delegation by which this account signs for another")
    broken_glass_id: str = Field(default="", description="where it is an emergency signature")
    turn: int = Field(default=0, ge=0, description="how many had spoken of the proposal before")
    revoked_at: Utc | None = Field(default=None, description="when the signer took it back; then it counts no more")


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
    revoked_at: Utc | None = Field(default=None, description="when a signature under it was taken back")


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
