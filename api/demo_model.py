"""The story of a model that drifts, in one run on the emulated network, unattended.

The house begins with a ranker that was worn on purpose: the shipped one with the sign of its last layer turned, as if
it came from a world where the worst symptom spoke against a cause. Real incidents are played; each repair that
restores the network proves a cause, and the ranker's opinion is held against it. What follows is the road.
"""

import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from adapters.network.emulated.launcher import RunningPlant
from agents.cards import RETRAINING
from api import settings as house_settings
from api.bootstrap import House
from api.demo import stage
from api.demo_worn import put_worn
from api.performance import Tell
from control_plane.cards import Card
from control_plane.gate import WAITING
from control_plane.proposing import repairs
from control_plane.tables import Tables
from domain.diagnosis import FaultKind
from domain.errors import Conflict, Gone, Refused
from domain.gate import RightKind
from domain.identity import Principal, Role
from domain.incidents import Incident, IncidentClass, IncidentState
from domain.models import DIAGNOSIS_SLOT, ModelMove

T = TypeVar("T")

_BASELINE_S, _WAIT_S = 2.0, 0.05
#: One network incident may take so long; then the next is played.
_INCIDENT_S = 25.0
#: Outcomes to play for at most.
_MOST_INCIDENTS = 16
#: Faults that a device can mend by itself in seconds: so a repair proves a cause without a crew.
_KINDS = (FaultKind.INTERFACE_LOCKED, FaultKind.PROCESS_HUNG, FaultKind.CELL_LOCKED)
_RUN_LENGTH = 200.0


def run(
    *, network: str | None = None, seed: int = 1, tell: Tell | None = None, limit_s: float = 400.0
) -> dict[str, Any]:
    """Play the story and return the report.

    Args:
        network: a network specification; a small generated one by default.
        seed: of network, plant and faults.
        tell: told of each step (its name, what happened), for progress.
        limit_s: after this time the run is given up.

    Returns:
        One object: `worn`, `outcomes`, `incidents` (of models), `proposals`, `moves`, `versions`, `outcome`, `audit`,
        `seconds`, and what else helps to read it.
    """
    tell = tell or (lambda _step, _text: None)
    with tempfile.TemporaryDirectory(prefix="nocturne-demo-") as folder:
        settings = house_settings.load(
            data=Path(folder), database="", seed=seed, network=network, model_run_length=_RUN_LENGTH
        )
        with stage(settings, before_start=lambda house: _wear(house, tell)) as (house, plant):
            return _Play(house, plant, seed, tell, time.monotonic() + limit_s).perform()


def _wear(house: House, tell: Tell) -> None:
    worn = put_worn(house.road.ledger, house.models.store, house.clock)
    tell("worn", f"the slot {DIAGNOSIS_SLOT} serves {worn}: the shipped ranker with the sign of its last layer turned")


@dataclass
class _Play:
    """One performance."""

    house: House
    plant: RunningPlant
    seed: int
    tell: Tell
    deadline: float

    def perform(self) -> dict[str, Any]:
        began = time.monotonic()
        self.people = [self._person("approver-one"), self._person("approver-two")]
        self.said: set[str] = set()
        self.numbers = itertools.count()
        self.worn = self._serving()
        time.sleep(_BASELINE_S)
        played: list[dict[str, str]] = []
        seconds: dict[str, float] = {}
        while not self._switched() and len(played) < _MOST_INCIDENTS and time.monotonic() < self.deadline:
            if self._asked_for():  # something about the model waits, or is being done
                seconds.setdefault("drift", time.monotonic() - began)
                self._until(lambda: self._switched() or not self._asked_for())
            else:
                played += self._play_incident()
        self._until(lambda: not self._open(IncidentClass.AI_MODEL))
        seconds["story"] = time.monotonic() - began
        return self._report(played, seconds)

    # --- incidents of the network, one after the other ---

    def _play_incident(self) -> list[dict[str, str]]:
        """Break one thing that a device can mend, and have it repaired; the opinion on it is scored."""
        umpire = self.plant.umpire()
        kind, element = umpire.choose_fault(self.seed * 1000 + next(self.numbers))
        if kind not in _KINDS:
            return []
        try:
            umpire.inject(kind, element)
        except Refused:
            return []  # it has that fault already
        known = self._scored()
        self._until(lambda: self._scored() > known, _INCIDENT_S)
        umpire.calm()
        self._until(lambda: not self._open(IncidentClass.NETWORK), _INCIDENT_S / 2)
        said = self._newest_outcome() if self._scored() > known else {"right": "not proven"}
        played = {"fault": str(kind), "element": element} | said
        self.tell("incident", "  ".join(f"{name} {value}" for name, value in played.items()))
        return [played]

    def _until(self, done: Any, seconds: float = 1e9) -> bool:
        """Be the people at the gate until something has come about, or time is over."""
        until = min(self.deadline, time.monotonic() + seconds)
        while time.monotonic() < until:
            if done():
                return True
            self._decide()
            time.sleep(_WAIT_S)
        return False

    # --- the people ---

    def _decide(self) -> None:
        """Sign what was rehearsed as sound on a diagnosis that has settled, with as many people as it takes."""
        for card in self.house.queries.inbox(self.people[0]):
            settled = card.diagnosis is not None and not card.diagnosis.provisional
            sound = card.rehearsal is not None and card.rehearsal.sound
            if card.proposal.state in WAITING and settled and sound:
                self._sign(card)

    def _sign(self, card: Card) -> None:
        signed = sum(approval.rehearsal_id == card.proposal.rehearsal_id for approval in card.approvals)
        because = card.rehearsal.reasons[0] if card.rehearsal and card.rehearsal.reasons else "it is sound"
        for person in self.people[signed : signed + 1]:
            try:
                self.house.commands.approve(person, card.proposal.id, because[:500])
            except (Conflict, Gone):
                continue  # somebody or something was faster; the next look shows it
            if card.incident.about is IncidentClass.AI_MODEL:
                self.tell("gate", f"{person.name} approved: {card.proposal.title}; {because}")

    def _person(self, name: str) -> Principal:
        return self.house.issuer.issue(name, frozenset({Role.APPROVER, Role.OPERATOR}), person=name)[0]

    # --- what is so far ---

    def _open(self, about: IncidentClass) -> list[Incident]:
        return self._read(lambda tables: tables.incidents.find(about=about, state=IncidentState.OPEN))

    def _scored(self) -> int:
        return self._read(lambda tables: tables.model_outcomes.count())

    def _newest_outcome(self) -> dict[str, str]:
        found = self._read(lambda tables: max(tables.model_outcomes.find(), key=lambda outcome: outcome.known_time))
        return {"ranker": found.predicted, "cause": found.confirmed, "right": str(found.right).lower()}

    def _asked_for(self) -> bool:
        """Say whether something that the retraining agent has asked for is not settled yet."""
        found = self._read(lambda tables: tables.proposals.find(requester=RETRAINING.principal))
        return any(proposal.live for proposal in found)

    def _serving(self) -> str:
        return str(self.house.road.known_models().slots.state(DIAGNOSIS_SLOT)["version"])

    def _switched(self) -> bool:
        """Say whether another version serves; what was trained and switched on the way is told."""
        for move in self._moves():
            line = f"{move.kind} {move.version}: {move.state}{': ' + move.note if move.note else ''}"
            if line not in self.said:
                self.said.add(line)
                self.tell("model", line)
        return self._serving() != self.worn

    def _moves(self) -> list[ModelMove]:
        return self._read(lambda tables: tables.model_moves.find())

    def _read(self, query: Callable[[Tables], T]) -> T:
        return self.house.road.ledger.read(query)

    # --- the end ---

    def _report(self, played: Sequence[dict[str, str]], seconds: dict[str, float]) -> dict[str, Any]:
        incidents = self._read(lambda tables: tables.incidents.find(about=IncidentClass.AI_MODEL))
        audit = self.house.queries.verify_audit(self.people[0])
        first = incidents[0] if incidents else None
        return {
            "network": self.house.road.live.inventory.name,
            "seed": self.seed,
            "story": "model",
            "worn": self.worn,
            "incidents_played": list(played),
            "outcomes": [outcome.model_dump(mode="json", exclude={"sight"}) for outcome in self._read(_outcomes)],
            "incidents": [incident.model_dump(mode="json") for incident in incidents],
            "drift": self._drift(first) if first else None,
            "proposals": self._proposals(incidents),
            "moves": [move.model_dump(mode="json") for move in self._moves()],
            "versions": [view.model_dump(mode="json") for view in self.house.queries.models(self.people[0])],
            "outcome": str(first.resolution) if first and first.resolution else "unresolved",
            "audit": {"records": audit.records, "verified": audit.verified},
            "seconds": {name: round(value, 1) for name, value in seconds.items()},
        }

    def _drift(self, incident: Incident) -> dict[str, Any]:
        """Return the numbers of the first diagnosis that called it drift, and the alarm's own words."""
        found = self._read(lambda tables: tables.diagnoses.find(incident_id=incident.id))
        top = next((diagnosis.top for diagnosis in found if diagnosis.top), None)
        alarms = self._read(lambda tables: tables.alarms.find(incident_id=incident.id))
        return {"scores": top.scores if top else {}, "alarm": alarms[0].text if alarms else ""}

    def _proposals(self, incidents: Sequence[Incident]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for incident in incidents:
            asked = self.house.queries.incident(self.people[0], incident.id).proposals
            cards = [self.house.queries.card(self.people[0], proposal.id) for proposal in asked if repairs(proposal)]
            rows += [_asked(card) for card in cards]
        return rows


def _asked(card: Card) -> dict[str, Any]:
    trial = card.rehearsal.trial if card.rehearsal else None
    back = card.proposal.plan.steps[0].inverse()
    outcome = card.execution.outcome if card.execution else None
    return {
        "title": card.proposal.title,
        "why": card.proposal.why,
        "state": str(card.proposal.state),
        "trial": trial.model_dump(mode="json") if trial else None,
        "signatures": [approval.person for approval in card.approvals],
        "outcome": outcome.model_dump(mode="json") if outcome else None,
        "way_back": back.model_dump(mode="json") if back else None,
        "way_back_used": any(step.kind is RightKind.INVERSE for step in card.steps),
    }


def _outcomes(tables: Tables) -> list[Any]:
    return sorted(tables.model_outcomes.find(), key=lambda outcome: outcome.known_time)
