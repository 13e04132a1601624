"""One case of the road bench: a fault on the plant, and how long the house took to have a rehearsed repair for it.

The clock starts when the last alarm of the incident became durable and stops when the diagnosis of exactly these
alarms had been handed to the planners and a repair that stands was rehearsed. A diagnosis that is revised once the
alarms have settled, and changes its plan, stops the clock later: the first answer was not the answer.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any

from adapters.network.emulated.umpire import Umpire
from api.bootstrap import House
from control_plane.proposing import repairs
from control_plane.tables import Tables
from domain.diagnosis import Diagnosis, Verdict
from domain.errors import Conflict, Unavailable
from domain.identity import Principal
from domain.incidents import Incident, IncidentState
from domain.proposals import Proposal, ProposalState
from domain.records import Record

#: The two ways of diagnosing: with causal attribution and, as a baseline, without.
WITH, WITHOUT = "attribution", "no_attribution"

_LOOK_S = 0.02
_NOTICED_WITHIN_S = 15.0
_SETTLED_WITHIN_S = 30.0
_CALM_WITHIN_S = 30.0
_REST_S = 1.0
#: The points between the last alarm and a rehearsed repair, in order.
STEPS = ("correlated", "diagnosed", "proposed", "rehearsed")
#: Why there is no rehearsed repair, besides a verdict that names no cause.
NO_INCIDENT, NO_PLAN, UNSETTLED = "no incident", "no plan", "did not settle"


@dataclass
class Case:
    """What came of one fault. Times are seconds; `latency_s` is None when no repair was rehearsed, `why` says why.

    `revised`: the settled diagnosis asked for another plan than the first one. `attributed`: the settled diagnosis
    bears the causal model's answer (None: it names no cause); `settled_s`: how long it was after the last alarm.
    """

    arm: str
    fault: str
    element: str
    why: str = ""
    latency_s: float | None = None
    steps_s: dict[str, float] = field(default_factory=dict)
    scoring_s: float | None = None
    attribution_s: float | None = None
    rank: int | None = None
    baseline_ranks: dict[str, int | None] = field(default_factory=dict)
    alarms: int = 0
    revised: bool = False
    attributed: bool | None = None
    settled_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the case as plain data."""
        return asdict(self)

    def told(self) -> str:
        """Return the case in one line."""
        outcome = f"{self.latency_s:.3f} s" if self.latency_s is not None else self.why
        return f"{self.fault} at {self.element}: {outcome}, {self.alarms} alarms, truth at rank {self.rank}"


@dataclass(frozen=True)
class _Answer:
    """An incident at rest: its diagnoses in order, its standing repair, and the records of its time."""

    incident: Incident
    diagnoses: list[Diagnosis]
    repair: Proposal | None
    records: list[Record]

    @property
    def first(self) -> Diagnosis | None:
        """The first diagnosis of the alarms as they were in the end."""
        return next((found for found in self.diagnoses if found.revision >= self.incident.revision), None)


class Bench:
    """Injects faults into a plant under a running house and times the answers."""

    def __init__(self, house: House, umpire: Umpire, operator: Principal) -> None:
        self._house, self._umpire, self._operator = house, umpire, operator
        self._points: list[tuple[datetime, str, str]] = []
        house.road.watchers.append(lambda point, ref: self._points.append((house.clock.now(), point, ref)))

    def case(self, arm: str, seed: int) -> Case:
        """Let the fault of this seed happen, time the answer, and leave a calm network without open incidents."""
        kind, element = self._umpire.choose_fault(seed)
        case = Case(arm=arm, fault=str(kind), element=element)
        after = self._last_record()
        known = {incident.id for incident in self._incidents()}
        self._points.clear()
        self._umpire.inject(kind, element)
        try:
            self._judge(case, after, known)
        finally:
            self._calm()
        return case

    def _judge(self, case: Case, after: int, known: set[str]) -> None:
        if not self._until(lambda: self._opened(known), _NOTICED_WITHIN_S):
            case.why = NO_INCIDENT
            return
        settled = self._until(lambda: self._settled(known), _SETTLED_WITHIN_S)
        answer = self._answer(max(self._opened(known), key=lambda item: len(item.alarm_ids)), after)
        case.alarms = len(answer.incident.alarm_ids)
        _score(case, answer)
        if not settled or answer.first is None:
            case.why = UNSETTLED
            return
        durable, correlated = _last_durable(answer)
        newest = answer.diagnoses[-1]
        case.settled_s = (self._diagnosed(answer, newest) - durable).total_seconds()
        if answer.repair is None:
            case.why = NO_PLAN if newest.verdict is Verdict.CAUSE else str(newest.verdict)
            return
        diagnosed = self._diagnosed(answer, answer.first)
        proposed = self._point("proposed", answer.incident.id, diagnosed)
        rehearsed = self._point("rehearsed", answer.repair.id, diagnosed)
        case.latency_s = (rehearsed - durable).total_seconds()
        case.revised = answer.repair.made_at > proposed
        marks = (durable, correlated, diagnosed, proposed, rehearsed)
        spans = zip(STEPS, pairwise(marks), strict=True)
        case.steps_s = {step: (at - before).total_seconds() for step, (before, at) in spans}

    def _answer(self, incident: Incident, after: int) -> _Answer:
        def read(tables: Tables) -> tuple[list[Diagnosis], list[Proposal]]:
            return tables.diagnoses.find(incident_id=incident.id), tables.proposals.find(incident_id=incident.id)

        diagnoses, proposals = self._house.road.ledger.read(read)
        standing = [p for p in proposals if p.live and p.rehearsal_id and repairs(p)]
        records = self._house.road.ledger.records(after=after)
        return _Answer(incident, diagnoses, standing[-1] if standing else None, records)

    def _diagnosed(self, answer: _Answer, diagnosis: Diagnosis) -> datetime:
        """Return when a diagnosis had been committed."""
        recorded = next(record.known_time for record in answer.records if diagnosis.id in record.refs)
        return self._point("diagnosed", answer.incident.id, recorded)

    def _point(self, name: str, ref: str, after: datetime) -> datetime:
        """Return when the road passed a point for the first time after a moment."""
        for at, point, about in self._points:
            if point == name and about == ref and at >= after:
                return at
        raise Unavailable(f"the road never passed `{name}` for `{ref}`; its watchers are told too little to measure it")

    def _settled(self, known: set[str]) -> bool:
        """Say whether every alarm has its incident and every open incident a settled answer."""
        house = self._house

        def read(tables: Tables) -> bool:
            if tables.alarms.count(correlated=False):
                return False
            for incident in tables.incidents.find(state=IncidentState.OPEN):
                diagnosis = tables.diagnoses.get(incident.diagnosis_id or "")
                moving = tables.proposals.count(
                    incident_id=incident.id, state=(ProposalState.DRAFTED, ProposalState.REHEARSED)
                )
                ready = diagnosis is not None and not diagnosis.provisional and diagnosis.revision == incident.revision
                if incident.id not in known and (moving or not ready or incident.proposed_for != incident.diagnosis_id):
                    return False
            return True

        return house.road.ledger.read(read)

    def _calm(self) -> None:
        """End the fault and close what it left, so that the next case finds the network as this one did."""
        self._close_open()
        self._umpire.calm()
        self._until(lambda: not self._house.road.ledger.read(lambda t: t.alarms.count(cleared=False)), _CALM_WITHIN_S)
        time.sleep(_REST_S)
        self._close_open()

    def _close_open(self) -> None:
        """Close by hand: an incident that closes because the fault ended would teach that faults heal by themselves."""
        for incident in self._incidents():
            if incident.state is IncidentState.OPEN:
                self._until(partial(self._closed, incident.id), _SETTLED_WITHIN_S)

    def _closed(self, incident_id: str) -> bool:
        try:
            self._house.commands.close_incident(self._operator, incident_id, "the case is over")
        except Conflict:  # a ticket is being written, or it closed by itself
            incident = self._house.road.ledger.read(lambda tables: tables.incidents.get(incident_id))
            return incident is None or incident.state is IncidentState.CLOSED
        return True

    def _opened(self, known: set[str]) -> list[Incident]:
        return [incident for incident in self._incidents() if incident.id not in known]

    def _incidents(self) -> list[Incident]:
        return self._house.road.ledger.read(lambda tables: tables.incidents.find())

    def _last_record(self) -> int:
        return self._house.road.ledger.records()[-1].sequence

    def _until(self, condition: Callable[[], object], within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(_LOOK_S)
        return False


def _score(case: Case, answer: _Answer) -> None:
    """Note where the truth stands in the ranking, and what the ranking cost."""
    if not answer.diagnoses:
        return
    newest = answer.diagnoses[-1]
    case.rank = _rank([cause.element for cause in newest.causes], case.element)
    case.baseline_ranks = {name: _rank(ranked, case.element) for name, ranked in newest.baselines.items()}
    case.scoring_s, case.attribution_s = newest.seconds.get("scoring"), newest.seconds.get("attribution")
    case.attributed = None if newest.top is None else newest.top.counterfactual is not None


def _rank(elements: Iterable[str], element: str) -> int | None:
    return next((place for place, name in enumerate(elements, start=1) if name == element), None)


def _last_durable(answer: _Answer) -> tuple[datetime, datetime]:
    """Return when the newest alarm message of the incident became durable, and when it was correlated."""
    incident = answer.incident
    correlated = next(
        record.known_time
        for record in reversed(answer.records)
        if record.kind.startswith("correlate.incident.")
        and incident.id in record.refs
        and record.fields["revision"].value == incident.revision
    )
    ours = set(incident.alarm_ids)
    durable = max(
        record.known_time
        for record in answer.records
        if record.kind == "receive.alarms.kept"
        and record.known_time <= correlated
        and (ours.intersection(record.refs) or not record.refs)
    )
    return durable, correlated
