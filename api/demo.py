"""The whole story in one run: a fault on the emulated network, and the road from its first alarm to the end.

The demo is an outsider: it injects a fault, plays the people at the gate, and watches. Only after the end
does it ask the plant what was really wrong (`injected`), so nothing it reports can have leaked into a decision.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adapters.network.emulated.launcher import RunningPlant, start_plant
from api import settings as house_settings
from api.bootstrap import House, build
from api.networks import inventory_of
from api.settings import Settings
from control_plane.executor import execution_id_of
from control_plane.gate import WAITING
from control_plane.proposing import repairs
from control_plane.queries import Card
from control_plane.tables import Tables
from domain.diagnosis import Diagnosis
from domain.errors import BadInput, Conflict, Gone
from domain.identity import Principal, Role
from domain.incidents import Incident, IncidentState, Resolution
from domain.network import Inventory
from domain.proposals import Proposal

STORIES = ("honest", "lying", "self-healing")
_STORY_WEIGHTS = (0.6, 0.2, 0.2)
_BASELINE_S = 2.0
_READING_S = 2.0  # how long a person reads a card
_WAIT_S = 0.05
_ROWS_PER_S = 12_000
_CREW_S = 20.0  # the emulated crew travels for seconds

Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class Story:
    """What kind of world the fault happens in. `heals_after_s` is None unless it heals by itself."""

    name: str
    heals_after_s: float | None
    executor: str


def story_of(seed: int, name: str = "any") -> Story:
    """Return the story of a seed, or the named one. Raises BadInput for a name that is no story."""
    if name not in {*STORIES, "any"}:
        raise BadInput(f"there is no story `{name}`; the stories are {', '.join(STORIES)} and any")
    rng = np.random.default_rng([seed, 0x57])
    chosen = str(rng.choice(STORIES, p=_STORY_WEIGHTS)) if name == "any" else name
    heals = float(rng.uniform(2.0, 3.0)) if chosen == "self-healing" else None
    return Story(chosen, heals, "lying" if chosen == "lying" else "honest")


def run(
    *, network: str | None = None, seed: int = 1, story: str = "any", tell: Tell | None = None, limit_s: float = 90.0
) -> dict[str, Any]:
    """Play one story to its end and return the report.

    Args:
        network: a network specification (`generated:200`, `topohub:topozoo/Abilene`, …).
        seed: of the network, the plant and the story.
        story: `honest`, `lying`, `self-healing`, or `any` to draw one from the seed.
        tell: told of each step (its name, what happened), for progress.
        limit_s: after this time the run is given up as `unresolved`.

    Returns:
        One object: `incident`, `injected`, `diagnosis`, `proposal`, `decision`, `approvals`, `execution`,
        `outcome`, `audit`, `seconds`, and what else helps to read it.
    """
    tell = tell or (lambda _step, _text: None)
    told = story_of(seed, story)
    with tempfile.TemporaryDirectory(prefix="nocturne-demo-") as folder:
        settings = house_settings.load(data=Path(folder), seed=seed, network=network, crew_s=_CREW_S)
        with stage(settings) as (house, plant):
            return _Play(house, plant, settings, told, tell, limit_s).perform()


@contextmanager
def stage(settings: Settings) -> Iterator[tuple[House, RunningPlant]]:
    """Start a plant and a house over it; end both."""
    inventory = inventory_of(settings.network, settings.seed)
    settings = settings.model_copy(update={"sampling_period_s": paced(settings.sampling_period_s, inventory)})
    with start_plant(inventory, settings.seed, settings.data, period_s=settings.sampling_period_s) as plant:
        house = build(settings, plant.network())
        try:
            house.start()
            yield house, plant
        finally:
            house.close()


def paced(period_s: float, inventory: Inventory) -> float:
    """Return the sampling period: the asked one, or what keeps a large network within one core of two."""
    rows = 4 * len(inventory.termination_points) + 3 * len(inventory.demands) + 4 * len(inventory.nodes)
    return max(period_s, round(rows / _ROWS_PER_S, 1))


class _Play:
    """One performance."""

    def __init__(
        self, house: House, plant: RunningPlant, settings: Settings, story: Story, tell: Tell, limit_s: float
    ) -> None:
        self.house, self.plant, self.settings, self.story, self.tell = house, plant, settings, story, tell
        self.limit_s = limit_s
        self.people = [self._person("approver-one"), self._person("approver-two")]
        self.marks: dict[str, float] = {}
        self.first_seen: dict[str, float] = {}
        house.road.watchers.append(self._mark)

    def perform(self) -> dict[str, Any]:
        self.tell("network", f"{self.settings.network}, seed {self.settings.seed}, story: {self.story.name}")
        time.sleep(_BASELINE_S)
        self._inject()
        deadline = time.monotonic() + self.limit_s
        incident = None
        while time.monotonic() < deadline:
            incident = self._main_incident()
            if incident is not None and self._over(incident):
                break
            self._decide()
            time.sleep(_WAIT_S)
        return self._report(incident)

    def _person(self, name: str) -> Principal:
        roles = frozenset({Role.APPROVER, Role.OPERATOR})
        return self.house.issuer.issue(name, roles, person=name)[0]

    def _inject(self) -> None:
        umpire = self.plant.umpire()
        kind, element = umpire.choose_fault(self.settings.seed)
        umpire.inject(kind, element, self_heals_after=self.story.heals_after_s, executor=self.story.executor)
        self.marks["injected"] = time.monotonic()
        self.tell("fault", "something went wrong in the network")

    def _mark(self, point: str, ref: str) -> None:
        if "injected" not in self.marks or point in self.marks or not self._is_about_the_repair(ref):
            return
        self.marks[point] = time.monotonic()
        self.tell(point, ref)

    def _is_about_the_repair(self, ref: str) -> bool:
        """Tickets walk the same road; their steps are not the story."""
        if not ref.startswith(("prop_", "exec_")):
            return True
        proposal_id = ref.split(":", maxsplit=1)[0].replace("exec_", "prop_", 1)
        proposal = self.house.road.ledger.read(lambda tables: tables.proposals.get(proposal_id))
        return proposal is not None and repairs(proposal)

    def _main_incident(self) -> Incident | None:
        """Return the incident that holds the most alarms."""
        incidents = self.house.road.ledger.read(lambda tables: tables.incidents.find())
        return max(incidents, key=lambda item: len(item.alarm_ids), default=None)

    def _over(self, incident: Incident) -> bool:
        if incident.state is IncidentState.CLOSED:
            return True
        repair = self._repair(incident)
        if repair is None:
            return False
        execution = self.house.road.ledger.read(lambda tables: tables.executions.get(execution_id_of(repair.id)))
        return execution is not None and execution.outcome is not None

    def _repair(self, incident: Incident) -> Proposal | None:
        """Return the incident's repair that came furthest: one that was carried out, else the newest."""

        def read(tables: Tables) -> Proposal | None:
            found = [p for p in tables.proposals.find(incident_id=incident.id) if repairs(p)]
            carried_out = [p for p in found if tables.executions.get(execution_id_of(p.id))]
            return next(iter([*reversed(carried_out), *reversed(found)]), None)

        return self.house.road.ledger.read(read)

    def _decide(self) -> None:
        """Be the people at the gate: read the card, then sign what was rehearsed as sound, two of them if need be."""
        for card in self.house.queries.inbox(self.people[0]):
            seen_at = self.first_seen.setdefault(card.proposal.id, time.monotonic())
            settled = card.diagnosis is not None and not card.diagnosis.provisional
            if card.proposal.state not in WAITING or time.monotonic() - seen_at < _READING_S or not settled:
                continue
            self._sign(card)

    def _sign(self, card: Card) -> None:
        signed = sum(approval.rehearsal_id == card.proposal.rehearsal_id for approval in card.approvals)
        for person in self.people[signed : signed + 1]:
            try:
                sound = card.rehearsal is not None and card.rehearsal.sound
                because = "the rehearsal is sound and the cause is plausible" if sound else "no rehearsal supports it"
                decide = self.house.commands.approve if sound else self.house.commands.reject
                decide(person, card.proposal.id, because)
                self.tell("gate", f"{person.name} {'approved' if sound else 'rejected'} {card.proposal.title}")
            except (Conflict, Gone) as late:
                self.tell("gate", late.reason)

    def _report(self, incident: Incident | None) -> dict[str, Any]:
        audit = self.house.queries.verify_audit(self.people[0])
        self.marks["recorded"] = time.monotonic()
        truth = self.plant.umpire().truth()
        report: dict[str, Any] = {
            "network": self.settings.network,
            "seed": self.settings.seed,
            "story": self.story.name,
            "incident": None,
            "injected": truth,
            "diagnosis": None,
            "proposal": None,
            "decision": None,
            "approvals": [],
            "execution": None,
            "outcome": Resolution.UNRESOLVED.value,
            "audit": {"records": audit.records, "verified": audit.verified},
            "seconds": self._seconds(),
        }
        if incident is not None:
            report |= self._about(incident)
        return report

    def _about(self, incident: Incident) -> dict[str, Any]:
        repair = self._repair(incident)
        view = self.house.queries.incident(self.people[0], incident.id)
        card = self.house.queries.card(self.people[0], repair.id) if repair else None
        diagnosis = (card.diagnosis if card and card.execution else None) or self._named_a_cause(incident)
        outcome = card.execution.outcome if card and card.execution else None
        resolution = outcome.resolution if outcome else view.incident.resolution or Resolution.UNRESOLVED
        return {
            "incident": view.incident.model_dump(mode="json"),
            "diagnosis": {
                "verdict": diagnosis.verdict,
                "provisional": diagnosis.provisional,
                "ranked": [
                    {"element": cause.element, "fault": cause.fault, "confidence": round(cause.confidence, 4)}
                    for cause in diagnosis.causes
                ],
                "candidate_set": list(diagnosis.candidate_set),
                "not_checked": list(diagnosis.not_checked),
                "baselines": {name: list(ranked[:5]) for name, ranked in diagnosis.baselines.items()},
            }
            if diagnosis
            else None,
            "proposal": card.proposal.model_dump(mode="json") if card else None,
            "decision": card.decision.model_dump(mode="json") if card and card.decision else None,
            "approvals": [a.model_dump(mode="json") for a in card.approvals] if card else [],
            "execution": card.execution.model_dump(mode="json") if card and card.execution else None,
            "outcome": resolution.value,
        }

    def _named_a_cause(self, incident: Incident) -> Diagnosis | None:
        """Return the newest diagnosis that named a cause; after a recovery the very newest says "no fault"."""
        found = self.house.road.ledger.read(lambda tables: tables.diagnoses.find(incident_id=incident.id, newest=True))
        return next((diagnosis for diagnosis in found if diagnosis.top), found[0] if found else None)

    def _seconds(self) -> dict[str, float]:
        """Return how long each step took, from the mark before it."""
        names = {
            "receive": "correlated",
            "diagnose": "diagnosed",
            "propose": "proposed",
            "rehearse": "rehearsed",
            "judge": "judged",
            "gate": "begun",
            "act": "verifying",
            "verify": "verified",
            "record": "recorded",
        }
        seconds, before = {}, self.marks.get("injected", 0.0)
        for step, mark in names.items():
            if mark in self.marks:
                seconds[step] = round(max(0.0, self.marks[mark] - before), 3)
                before = max(before, self.marks[mark])
        return seconds
