"""What holds the plane back: kill switches, breakers, budgets, locks on what a plan touches, collisions."""

from enum import StrEnum

from domain.base import Stored, Utc, Word
from domain.identity import ANY


class SwitchKind(StrEnum):
    ALL = "all"
    AGENT = "agent"
    DOMAIN = "domain"


class InFlight(StrEnum):
    """What becomes of plans that a kill switch catches in the middle."""

    UNDO = "undo"  # their done steps are undone, by the inverses' rights
    HAND_OVER = "hand_over"  # everything stays as it is, for people


class Switch(Stored):
    """A kill switch; the id is `tenant:kind:name`. While it is off, nothing in its reach starts a step."""

    tenant: str = "default"
    kind: SwitchKind
    name: str = ANY
    off: bool
    in_flight: InFlight = InFlight.UNDO
    by: str
    because: str
    changed_at: Utc

    @property
    def title(self) -> str:
        """The switch in words."""
        return "the kill switch of everything" if self.kind is SwitchKind.ALL else f"the kill switch of `{self.name}`"


class BreakerState(StrEnum):
    CLOSED = "closed"  # all is well
    OPEN = "open"  # too much went wrong: nothing passes without a person
    HALF_OPEN = "half_open"  # one may try


class Breaker(Stored):
    """A circuit breaker; the id is `tenant:requester:action class`.

    `recent` says of the last outcomes, the newest last, whether each was good. `trial` is the one proposal that a
    half-open breaker has let through.
    """

    tenant: str = "default"
    requester: str
    action: str
    state: BreakerState = BreakerState.CLOSED
    recent: tuple[bool, ...] = ()
    failures: int = 0
    trial: str = ""
    changed_at: Utc
    note: str = ""


class Usage(Stored):
    """What one requester used up in one window of time, in euros where it is spent; the id has the window's start."""

    tenant: str = "default"
    requester: str
    window_start: Utc
    plans: int = 0
    steps: int = 0
    spend: float = 0.0


class InfluenceLock(Stored):
    """What a granted plan rests on or touches, until its execution ends; the id is the proposal's."""

    tenant: str = "default"
    rehearsal_id: str
    elements: tuple[str, ...]
    held: bool = True
    taken_at: Utc
    released_at: Utc | None = None


class Collision(Stored):
    """Two plans that wait or run and touch each other: what their joint rehearsal said.

    The id is made of both rehearsals' ids: whatever is rehearsed anew is held against the others anew.
    """

    tenant: str = "default"
    proposal_id: str
    other_id: str
    rehearsal_ids: tuple[str, str]
    elements: tuple[str, ...]
    safe_together: bool
    reasons: tuple[str, ...] = ()
    made_at: Utc


class Touch(Stored):
    """One setting of one attribute by a step or an inverse; the id is the step's."""

    tenant: str = "default"
    element: str
    attribute: str
    value: str
    proposal_id: str
    requester: str
    at: Utc


class Hindrances(Word):
    """What speaks against granting a plan now, whatever the rules say.

    `stops` hold for everybody; `holds` for what no person has signed.
    """

    stops: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.stops, *self.holds)
