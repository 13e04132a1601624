"""Proposals: a plan that an agent asks for, and the states it goes through until it may be carried out."""

from enum import StrEnum

from pydantic import Field

from domain.actions import Action, ActionClass, Harm
from domain.base import Stored, Utc, Word
from domain.canonical import digest
from domain.errors import IllegalMove


class Plan(Word):
    """Ordered steps. Its digest is what an approval and a grant are bound to."""

    steps: tuple[Action, ...] = Field(min_length=1, max_length=64)

    @property
    def digest(self) -> str:
        return digest(self)

    @property
    def reversible(self) -> bool:
        return all(step.inverse() is not None for step in self.steps)

    @property
    def harm(self) -> Harm:
        """The worst harm among the steps."""
        order = list(Harm)
        return max((step.harm for step in self.steps), key=order.index)

    @property
    def classes(self) -> tuple[ActionClass, ...]:
        return tuple(dict.fromkeys(step.kind for step in self.steps))


class Draft(Word):
    """What a planning agent hands over: the plan and its reasons. It becomes a proposal only in the control plane."""

    plan: Plan
    title: str
    why: str
    evidence_ids: tuple[str, ...] = ()
    confidence: float = Field(ge=0, le=1)
    cause_element: str = ""
    alternatives: tuple[str, ...] = ()


class ProposalState(StrEnum):
    DRAFTED = "drafted"
    REHEARSED = "rehearsed"
    HELD = "held"
    DEFERRED = "deferred"
    GRANTED = "granted"
    EXECUTING = "executing"
    SETTLED = "settled"
    DENIED = "denied"
    REJECTED = "rejected"
    CHANGED = "changed"  # a person asked for another plan; that one is a new proposal
    WITHDRAWN = "withdrawn"  # a fact under it changed
    EXPIRED = "expired"


_S = ProposalState
#: A proposal that a newer diagnosis still asks for goes back to `drafted`: it is rehearsed and judged anew.
TRANSITIONS: dict[ProposalState, frozenset[ProposalState]] = {
    _S.DRAFTED: frozenset({_S.DRAFTED, _S.REHEARSED, _S.WITHDRAWN}),
    _S.REHEARSED: frozenset({_S.DRAFTED, _S.HELD, _S.GRANTED, _S.DENIED, _S.WITHDRAWN}),
    _S.HELD: frozenset({_S.DRAFTED, _S.GRANTED, _S.REJECTED, _S.CHANGED, _S.DEFERRED, _S.WITHDRAWN, _S.EXPIRED}),
    _S.DEFERRED: frozenset({_S.DRAFTED, _S.HELD, _S.GRANTED, _S.REJECTED, _S.CHANGED, _S.WITHDRAWN, _S.EXPIRED}),
    _S.GRANTED: frozenset({_S.EXECUTING, _S.HELD, _S.WITHDRAWN, _S.EXPIRED}),  # held again: a signature was taken back
    _S.EXECUTING: frozenset({_S.SETTLED}),
    _S.SETTLED: frozenset(),
    _S.DENIED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.CHANGED: frozenset(),
    _S.WITHDRAWN: frozenset(),
    _S.EXPIRED: frozenset(),
}


class Proposal(Stored):
    """`change_id` names the change record that people approve by approving this."""

    incident_id: str
    diagnosis_id: str
    change_id: str
    tenant: str = "default"
    region: str = "default"
    requester: str
    on_behalf_of: tuple[str, ...] = Field(default=(), description="accounts and persons for whom the requester asked")
    state: ProposalState = ProposalState.DRAFTED
    title: str
    why: str
    plan: Plan
    plan_digest: str
    evidence_ids: tuple[str, ...] = ()
    confidence: float
    cause_element: str = ""
    alternatives: tuple[str, ...] = ()
    rehearsal_id: str | None = None
    decision_id: str | None = None
    replaces: str | None = None
    deferred_until: Utc | None = None
    expires_at: Utc
    next_role: str = Field(default="approver", description="who is asked next when nobody answers")
    made_at: Utc
    state_reason: str = ""
    warned_at: Utc | None = Field(default=None, description="when people were last told that it expires soon")

    @property
    def live(self) -> bool:
        """True while something can still come of it."""
        return bool(TRANSITIONS[self.state])

    def moved(self, to: ProposalState, because: str = "", **changes: object) -> "Proposal":
        """Return this proposal in another state. Raises IllegalMove when the life of a proposal has no such step."""
        if to not in TRANSITIONS[self.state]:
            raise IllegalMove(f"proposal `{self.id}` is {self.state}; it cannot become {to}")
        return self.but(state=to, state_reason=because, **changes)
