"""Who is on call, what they were told, and how one shift hands over to the next."""

from enum import StrEnum

from pydantic import Field

from domain.base import Stored, Utc
from domain.identity import ANY, Role


class Shift(Stored):
    """One person on call in a role, from `starts_at` to before `ends_at`. `order` 1 is asked first, 2 next."""

    tenant: str = "default"
    role: Role
    account: str
    person: str
    region: str = ANY
    domain: str = ANY
    order: int = Field(default=1, ge=1, le=9)
    starts_at: Utc
    ends_at: Utc
    declared_by: str
    withdrawn_at: Utc | None = None

    def on(self, at: Utc, region: str = "", domain: str = "") -> bool:
        """Say whether this person is on call at a moment, for a region and domain."""
        here = not region or self.region in {ANY, region}
        if self.withdrawn_at is not None:
            return False
        return self.starts_at <= at < self.ends_at and here and (not domain or self.domain in {ANY, domain})


class RosterGap(Stored):
    """A time in which nobody is on call in a role that is needed. `ends_at` is None where nobody comes afterwards."""

    tenant: str = "default"
    role: Role
    region: str
    domain: str = ANY
    starts_at: Utc
    ends_at: Utc | None = None
    found_at: Utc
    filled_at: Utc | None = None

    @property
    def open(self) -> bool:
        return self.filled_at is None


class NoticeKind(StrEnum):
    DECIDE = "decide"  # something waits for you
    EXPIRES = "expires"  # it expires soon
    ESCALATED = "escalated"  # whoever was asked did not answer
    GAP = "gap"  # nobody is on call
    ENQUIRY = "enquiry"  # somebody asks you about a proposal
    REVIEW = "review"  # something done in an emergency is to be reviewed
    CHANGED = "changed"  # a model, a book or a level of autonomy changes
    ALARM = "alarm"  # the plane itself found something wrong: runaway, breaker, coverage, trust


class Notice(Stored):
    """What one person is told. It goes out from the outbox and needs no grant; `ref` is what it is about.

    `mark` tells one reason to be told from the next: with the same mark nobody is told of the same thing twice.
    """

    tenant: str = "default"
    kind: NoticeKind
    to_account: str
    to_person: str = ""
    role: str = ""
    ref: str
    mark: str = ""
    text: str
    deadline: Utc | None = None
    next_role: str = ""
    made_at: Utc
    seen_at: Utc | None = None


class HandOver(Stored):
    """One person's pending matters, moved to another at a change of shift.

    `moved` holds the ids of what the arriving person now has to look after, `left` of what was left to others,
    because the arriving person may not act on it. `last_seen` is when the arriving person last took over or looked.
    """

    tenant: str = "default"
    from_person: str
    to_person: str
    to_account: str
    role: Role
    moved: tuple[str, ...]
    left: tuple[str, ...] = ()
    deadline: Utc | None = None
    last_seen: Utc | None = None
    made_at: Utc
    accepted_at: Utc | None = None


class Viewing(Stored):
    """What one person looked at before deciding on one proposal; the id is `person:proposal`."""

    tenant: str = "default"
    proposal_id: str
    account: str
    person: str
    opened_at: Utc
    evidence_opened: tuple[str, ...] = ()
    seconds: float = 0.0
    decided_at: Utc | None = None
    choice: str = ""


class SeededCard(Stored):
    """A card with a plan that is wrong on purpose. No proposal stands behind it, so it can never be carried out."""

    tenant: str = "default"
    shift: str
    shown_to: str
    card: str = Field(description="canonical JSON of what is shown")
    wrong: str = Field(description="what a careful reader finds wrong with it")
    mutation: str = Field(default="", description="how it was made from a recorded card")
    made_from: str = Field(default="", description="the proposal whose card it was made from")
    salt: str = Field(default="", description="of the commitment that stands in the record from the beginning")
    made_at: Utc
    expires_at: Utc | None = None
    person: str = ""
    choice: str = ""
    answered_at: Utc | None = None
