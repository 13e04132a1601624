"""What a change sees of the store: one shelf per word, inside one transaction.

`SHELVES` is the whole table of contents; every adapter builds its shelves from it.
"""

from typing import NamedTuple, Protocol, TypeVar

from domain.alarms import Alarm
from domain.approvals import BrokenGlass, ChangeRecord, Delegation, Enquiry
from domain.autonomy import Credit, Disagreement, LevelMove, Realised, Standing, Waiver
from domain.base import Stored, Utc
from domain.bookkeeping import Configured, Cursor, HandOff, LateArrival, Quarantined, Secret, Tally, Ticket, TwinState
from domain.credentials import Credential
from domain.decisions import Decision
from domain.diagnosis import Diagnosis
from domain.evidence import Evidence
from domain.execution import Execution, Step
from domain.gate import Approval, Grant, Right
from domain.guards import Breaker, Collision, InfluenceLock, Switch, Touch, Usage
from domain.identity import Principal
from domain.incidents import Incident
from domain.keeping import Checkpoint, Pin, PolicyBook, PolicyInForce, Review, Tape
from domain.measurements import Batch, HourlyLoad
from domain.models import ModelMove, ModelOutcome, ModelVersion
from domain.orders import ServiceOrder
from domain.planned_work import ChangeWindow, Freeze, PlannedWork
from domain.proposals import Proposal
from domain.rehearsal import Rehearsal
from domain.roster import HandOver, Notice, RosterGap, SeededCard, Shift, Viewing

S = TypeVar("S", bound=Stored)


class Shelf(Protocol[S]):
    """All records of one word."""

    def add(self, *records: S) -> None:
        """Put new records on the shelf. Raises Conflict when an id is taken; then none of them is added."""

    def get(self, id: str) -> S | None:
        """Return the record with this id, or None."""

    def find(
        self, *, limit: int | None = None, newest: bool = False, after: str | None = None, **where: object
    ) -> list[S]:
        """Return records in order of id (`newest`: reverse), whose searchable fields equal the given values.

        A tuple, list or set as a value means "any of these". `after` skips up to and including that id.
        Raises KeyError for a field that is not searchable.
        """

    def count(self, **where: object) -> int:
        """Return how many records `find` would return."""

    def swap(self, old: S, new: S) -> bool:
        """Replace `old` by `new` (same id) if what is stored still equals `old`; say whether it did."""


class Message(Stored):
    """An outbox row: something to be done after the commit, at least once. `ref` is what it is about."""

    topic: str
    ref: str
    due_at: Utc


class Shelved(NamedTuple):
    """The word on a shelf and the fields (or properties) that one can search it by."""

    word: type[Stored]
    searchable: tuple[str, ...] = ()


SHELVES: dict[str, Shelved] = {
    "alarms": Shelved(
        Alarm,
        ("identity", "resource", "incident_id", "cleared", "correlated", "planned_work_id", "source", "tenant"),
    ),
    "batches": Shelved(Batch, ("source", "last_event_time")),
    "hourly_loads": Shelved(HourlyLoad),
    "quarantine": Shelved(Quarantined, ("source", "rule", "tenant")),
    "late": Shelved(LateArrival, ("source",)),
    "tallies": Shelved(Tally),
    "cursors": Shelved(Cursor),
    "configured": Shelved(Configured),
    "planned_work": Shelved(PlannedWork, ("change_id", "tenant")),
    "freezes": Shelved(Freeze, ("tenant",)),
    "change_windows": Shelved(ChangeWindow, ("tenant", "region")),
    "incidents": Shelved(Incident, ("state", "tenant", "about")),
    "evidence": Shelved(Evidence, ("incident_id", "element")),
    "diagnoses": Shelved(Diagnosis, ("incident_id",)),
    "hand_offs": Shelved(HandOff, ("incident_id", "receiver")),
    "proposals": Shelved(Proposal, ("incident_id", "state", "requester", "tenant")),
    "rehearsals": Shelved(Rehearsal, ("proposal_id",)),
    "twin_states": Shelved(TwinState),
    "decisions": Shelved(Decision, ("proposal_id",)),
    "approvals": Shelved(Approval, ("proposal_id", "person")),
    "grants": Shelved(Grant, ("proposal_id",)),
    "rights": Shelved(Right, ("grant_id",)),
    "executions": Shelved(Execution, ("proposal_id", "incident_id", "state")),
    "steps": Shelved(Step, ("execution_id", "state")),
    "tickets": Shelved(Ticket, ("incident_id", "status", "key", "cancel_key", "tenant")),
    "model_versions": Shelved(ModelVersion, ("slot", "status")),
    "model_moves": Shelved(ModelMove, ("slot", "state")),
    "model_outcomes": Shelved(ModelOutcome, ("slot", "version", "incident_id")),
    "enquiries": Shelved(Enquiry, ("proposal_id",)),
    "delegations": Shelved(Delegation, ("tenant", "to_account", "from_account")),
    "change_records": Shelved(ChangeRecord, ("tenant", "proposal_id", "state")),
    "broken_glass": Shelved(BrokenGlass, ("tenant", "proposal_id")),
    "shifts": Shelved(Shift, ("tenant", "role", "account")),
    "roster_gaps": Shelved(RosterGap, ("tenant", "open")),
    "notices": Shelved(Notice, ("tenant", "to_account", "ref", "kind")),
    "hand_overs": Shelved(HandOver, ("tenant", "to_account")),
    "viewings": Shelved(Viewing, ("tenant", "proposal_id", "person")),
    "seeded_cards": Shelved(SeededCard, ("tenant", "shift", "shown_to")),
    "switches": Shelved(Switch, ("tenant", "off")),
    "breakers": Shelved(Breaker, ("tenant", "state")),
    "usages": Shelved(Usage, ("requester",)),
    "influence_locks": Shelved(InfluenceLock, ("tenant", "held")),
    "collisions": Shelved(Collision, ("tenant", "proposal_id", "other_id")),
    "touches": Shelved(Touch, ("tenant", "element")),
    "credits": Shelved(Credit, ("tenant", "ground", "proposal_id")),
    "standings": Shelved(Standing, ("tenant", "ground")),
    "level_moves": Shelved(LevelMove, ("tenant", "ground")),
    "waivers": Shelved(Waiver, ("tenant", "ground")),
    "disagreements": Shelved(Disagreement, ("tenant", "proposal_id", "incident_id", "requester")),
    "realised": Shelved(Realised, ("tenant", "requester", "inside")),
    "pins": Shelved(Pin, ("kind", "ref")),
    "tapes": Shelved(Tape),
    "policy_books": Shelved(PolicyBook),
    "policy_in_force": Shelved(PolicyInForce),
    "checkpoints": Shelved(Checkpoint, ("tenant",)),
    "orders": Shelved(ServiceOrder, ("tenant", "incident_id", "cancel_id", "external_id")),
    "reviews": Shelved(Review, ("tenant", "kind", "ref")),
    "principals": Shelved(Principal, ("name", "tenant")),
    "secrets": Shelved(Secret),
    "credentials": Shelved(Credential, ("tenant", "account", "kind")),
}


class Tables(Protocol):
    """The shelves, as a change sees them."""

    alarms: Shelf[Alarm]
    batches: Shelf[Batch]
    hourly_loads: Shelf[HourlyLoad]
    quarantine: Shelf[Quarantined]
    late: Shelf[LateArrival]
    tallies: Shelf[Tally]
    cursors: Shelf[Cursor]
    configured: Shelf[Configured]
    planned_work: Shelf[PlannedWork]
    freezes: Shelf[Freeze]
    change_windows: Shelf[ChangeWindow]
    incidents: Shelf[Incident]
    evidence: Shelf[Evidence]
    diagnoses: Shelf[Diagnosis]
    hand_offs: Shelf[HandOff]
    proposals: Shelf[Proposal]
    rehearsals: Shelf[Rehearsal]
    twin_states: Shelf[TwinState]
    decisions: Shelf[Decision]
    approvals: Shelf[Approval]
    grants: Shelf[Grant]
    rights: Shelf[Right]
    executions: Shelf[Execution]
    steps: Shelf[Step]
    tickets: Shelf[Ticket]
    model_versions: Shelf[ModelVersion]
    model_moves: Shelf[ModelMove]
    model_outcomes: Shelf[ModelOutcome]
    enquiries: Shelf[Enquiry]
    delegations: Shelf[Delegation]
    change_records: Shelf[ChangeRecord]
    broken_glass: Shelf[BrokenGlass]
    shifts: Shelf[Shift]
    roster_gaps: Shelf[RosterGap]
    notices: Shelf[Notice]
    hand_overs: Shelf[HandOver]
    viewings: Shelf[Viewing]
    seeded_cards: Shelf[SeededCard]
    switches: Shelf[Switch]
    breakers: Shelf[Breaker]
    usages: Shelf[Usage]
    influence_locks: Shelf[InfluenceLock]
    collisions: Shelf[Collision]
    touches: Shelf[Touch]
    credits: Shelf[Credit]
    standings: Shelf[Standing]
    level_moves: Shelf[LevelMove]
    waivers: Shelf[Waiver]
    disagreements: Shelf[Disagreement]
    realised: Shelf[Realised]
    pins: Shelf[Pin]
    tapes: Shelf[Tape]
    policy_books: Shelf[PolicyBook]
    policy_in_force: Shelf[PolicyInForce]
    checkpoints: Shelf[Checkpoint]
    orders: Shelf[ServiceOrder]
    reviews: Shelf[Review]
    principals: Shelf[Principal]
    secrets: Shelf[Secret]
    credentials: Shelf[Credential]
