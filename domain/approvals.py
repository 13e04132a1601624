"""What surrounds an approval: what was asked before it, who may give it for somebody else, and what it approves."""

from enum import StrEnum

from pydantic import Field

from domain.base import Stored, Utc
from domain.identity import EVERYWHERE, Permission, Scope


class Enquiry(Stored):
    """A question that somebody asked before deciding. The proposal goes on waiting; its time does not stop."""

    proposal_id: str
    tenant: str = "default"
    asked_by: str
    person: str
    question: str
    asked_at: Utc
    advice: str = Field(default="", description="what the narrator read from the record; it decides nothing")
    cites: tuple[str, ...] = Field(default=(), description="the recorded facts that the advice rests on")
    answer: str = ""
    answered_by: str = ""
    answered_at: Utc | None = None

    @property
    def open(self) -> bool:
        """True while neither the record nor a person has answered."""
        return self.answered_at is None


class DelegationKind(StrEnum):
    DELEGATION = "delegation"  # a part of one's own rights, for a while
    STAND_IN = "stand_in"  # the same, while one is away: what comes to one goes to the other, too


class Delegation(Stored):
    """A strict part of one account's rights, lent to another for a time. Lent rights cannot be lent on."""

    kind: DelegationKind = DelegationKind.DELEGATION
    tenant: str = "default"
    from_account: str
    from_person: str
    to_account: str
    to_person: str
    permissions: frozenset[Permission]
    scope: Scope = EVERYWHERE
    starts_at: Utc
    ends_at: Utc
    because: str
    made_at: Utc
    revoked_at: Utc | None = None
    revoked_by: str = ""

    def lends(self, at: Utc) -> bool:
        """Say whether it is in force."""
        return self.starts_at <= at < self.ends_at and (self.revoked_at is None or at < self.revoked_at)


class ChangeState(StrEnum):
    """The life of a change record (TMF655, ITIL)."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ChangeKind(StrEnum):
    STANDARD = "standard"  # pre-approved
    NORMAL = "normal"
    EMERGENCY = "emergency"  # by broken glass


class ChangeRecord(Stored):
    """The record of one change, from the proposal that asks for it to what came of it. Its id is `chg_…`."""

    proposal_id: str
    incident_id: str
    tenant: str = "default"
    region: str = "default"
    kind: ChangeKind = ChangeKind.NORMAL
    state: ChangeState = ChangeState.REQUESTED
    title: str
    plan_digest: str
    requested_by: str
    approved_by: tuple[str, ...] = ()
    ticket_ids: tuple[str, ...] = ()
    made_at: Utc
    changed_at: Utc
    note: str = ""


class BrokenGlass(Stored):
    """One emergency signature: by one freshly authenticated person, for one plan, once, reviewed afterwards."""

    tenant: str = "default"
    proposal_id: str
    plan_digest: str
    account: str
    person: str
    because: str
    authenticated_at: Utc
    broken_at: Utc
    review_due: Utc
    reviewed_by: str = ""
    reviewed_at: Utc | None = None
    verdict: str = ""
