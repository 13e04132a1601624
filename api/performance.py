"""Plays one incident on a network to its end, unattended: who breaks it is given, who signs is played here.

Whoever performs is an outsider: it plays the people at the gate, and watches. What was really wrong is asked for by
the caller, after the end, so nothing that is reported can have leaked into a decision.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from api.bootstrap import House
from control_plane.cards import Card
from control_plane.executor import execution_id_of
from control_plane.gate import WAITING
from control_plane.proposing import repairs
from control_plane.tables import Tables
from domain.diagnosis import Diagnosis
from domain.errors import Conflict, Gone
from domain.identity import Principal, Role
from domain.incidents import Incident, IncidentState, Resolution
from domain.proposals import Proposal

_BASELINE_S = 2.0
_READING_S = 2.0  # how long a person reads a card
_WAIT_S = 0.05

Tell = Callable[[str, str], None]


class Performance:
    """One performance. `about` says what it is of (network, seed, story); `make_fault` breaks something."""

    def __init__(
        self, house: House, about: Mapping[str, Any], make_fault: Callable[[], None], tell: Tell, limit_s: float
    ) -> None:
        self.house, self.about, self.make_fault, self.tell = house, dict(about), make_fault, tell
        self.limit_s = limit_s
        self.people = [self._person("approver-one", Role.ENGINEER), self._person("approver-two", Role.CHANGE_MANAGER)]
        self.marks: dict[str, float] = {}
        self.first_seen: dict[str, float] = {}
        self._foretold: set[str] = set()
        house.road.watchers.append(self._mark)

    def perform(self) -> dict[str, Any]:
        """Play until the incident is over or the time is, and return the report; what was wrong is not in it."""
        self.tell("network", ", ".join(f"{name} {value}" for name, value in self.about.items()))
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
        report = self._report(incident)
        if report["score"]:
            self.tell("score", report["score"])
        return report

    def _person(self, name: str, also: Role) -> Principal:
        """Make one of the people at the gate; `also` is the role in which they sign what hurts and cannot be undone."""
        roles = frozenset({Role.APPROVER, Role.OPERATOR, also})
        return self.house.issuer.issue(name, roles, person=name)[0]

    def _inject(self) -> None:
        self.make_fault()
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
                self._foretell(card)
                because = "the rehearsal is sound and the cause is plausible" if sound else "no rehearsal supports it"
                decide = self.house.commands.approve if sound else self.house.commands.reject
                decide(person, card.proposal.id, because)
                self.tell("gate", f"{person.name} {'approved' if sound else 'rejected'} {card.proposal.title}")
            except (Conflict, Gone) as late:
                self.tell("gate", late.reason)

    def _foretell(self, card: Card) -> None:
        """Tell, once and before anybody signs, what is predicted to suffer after the plan."""
        if card.forecast and card.proposal.id not in self._foretold:
            self._foretold.add(card.proposal.id)
            self.tell("forecast", card.forecast)

    def _report(self, incident: Incident | None) -> dict[str, Any]:
        audit = self.house.queries.verify_audit(self.people[0])
        self.marks["recorded"] = time.monotonic()
        report: dict[str, Any] = {
            **self.about,
            "incident": None,
            "injected": [],
            "diagnosis": None,
            "proposal": None,
            "decision": None,
            "approvals": [],
            "execution": None,
            "forecast": "",
            "score": "",
            "outcome": Resolution.UNRESOLVED.value,
            "audit": {"records": audit.records, "verified": audit.verified},
            "seconds": self._seconds(),
        }
        if incident is not None:
            report |= self._told_of(incident)
        return report

    def _told_of(self, incident: Incident) -> dict[str, Any]:
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
            "forecast": card.forecast if card else "",
            "score": card.score if card else "",
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
