"""Everything that somebody can ask to be shown. Reading changes nothing and needs a role that reads."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from control_plane.commands import need
from control_plane.executor import execution_id_of
from control_plane.gate import WAITING
from control_plane.judging import ask, brief
from control_plane.lineage import Lineage, lineage
from control_plane.model_record import VersionView, version_views
from control_plane.ports import Narrator
from control_plane.road import Road
from control_plane.tables import Shelf, Tables
from domain.alarms import Alarm
from domain.answers import Answer
from domain.base import Stored, Word
from domain.bookkeeping import Quarantined, Tally, Ticket
from domain.decisions import Decision
from domain.diagnosis import Diagnosis
from domain.errors import BadInput, NotFound
from domain.evidence import Evidence
from domain.execution import Execution, Step
from domain.gate import Approval
from domain.identity import Principal, Role
from domain.incidents import Incident, IncidentState
from domain.measurements import Metric
from domain.proposals import TRANSITIONS, Proposal, ProposalState
from domain.records import Record, first_break
from domain.rehearsal import Rehearsal
from policies.engine import signatures_needed
from twin.evaluate import evaluate
from twin.snapshot import Snapshot

T = TypeVar("T")
S = TypeVar("S", bound=Stored)

READERS = (Role.VIEWER, Role.OPERATOR, Role.APPROVER, Role.AUDITOR)


class IncidentView(Word):
    """An incident with what is known of it."""

    incident: Incident
    alarms: tuple[Alarm, ...]
    diagnosis: Diagnosis | None
    evidence: tuple[Evidence, ...]
    proposals: tuple[Proposal, ...]


class Card(Word):
    """All that a person needs to decide on one proposal.

    `diagnosis` is what the plan was made from, `latest` the incident's newest, which still asks for the plan.
    """

    proposal: Proposal
    incident: Incident
    diagnosis: Diagnosis | None
    latest: Diagnosis | None
    rehearsal: Rehearsal | None
    decision: Decision | None
    approvals: tuple[Approval, ...]
    signatures_needed: int | None
    execution: Execution | None
    steps: tuple[Step, ...]
    evidence: tuple[Evidence, ...]
    alarms: tuple[Alarm, ...]


class AuditVerdict(Word):
    """Whether the chain verifies, and where it breaks if not.

    `steps` counts what the executor has intended, `steps_recorded` what the record says of it: they must agree.
    """

    records: int
    verified: bool
    first_bad: str = ""
    reason: str = ""
    steps: int = 0
    steps_recorded: int = 0


class Queries:
    """The reading half of the service layer."""

    def __init__(self, road: Road, narrator: Narrator) -> None:
        self._road, self._narrator = road, narrator

    # --- what waits, and what is going on ---

    def inbox(self, who: Principal) -> list[Card]:
        """Return the proposals that wait for people, the oldest first."""
        need(who, *READERS)
        return self._read(
            lambda t: [self._card(t, p) for p in t.proposals.find(state=WAITING) if p.tenant == who.tenant]
        )

    def card(self, who: Principal, id: str) -> Card:
        """Return the card of a proposal, or of an incident's newest proposal; an unambiguous part of an id will do."""
        need(who, *READERS)
        return self._read(lambda tables: self._card(tables, self._some_proposal(tables, who, id)))

    def incidents(
        self, who: Principal, *, state: IncidentState | None = None, limit: int = 100, after: str | None = None
    ) -> list[Incident]:
        """Return incidents, the newest first."""
        need(who, *READERS)
        where = {"tenant": who.tenant} | ({"state": state} if state else {})
        return self._read(lambda t: t.incidents.find(newest=True, limit=limit, after=after, **where))

    def incident(self, who: Principal, id: str) -> IncidentView:
        """Return an incident with its alarms, diagnosis, evidence and proposals."""
        need(who, *READERS)

        def read(tables: Tables) -> IncidentView:
            incident = one(tables.incidents, id)
            if incident is None or incident.tenant != who.tenant:
                raise NotFound(f"there is no incident `{id}`; `nocturne incidents` lists them")
            return IncidentView(
                incident=incident,
                alarms=tuple(tables.alarms.find(incident_id=incident.id)),
                diagnosis=tables.diagnoses.get(incident.diagnosis_id or ""),
                evidence=tuple(tables.evidence.find(incident_id=incident.id)),
                proposals=tuple(tables.proposals.find(incident_id=incident.id)),
            )

        return self._read(read)

    def alarms(self, who: Principal, *, limit: int, offset: int, **equal: object) -> tuple[list[Alarm], int]:
        """Return one page of alarms in a stable order, and how many there are."""
        need(who, *READERS, Role.FEED)
        return self._read(lambda tables: page(tables.alarms, limit, offset, equal))

    def alarm(self, who: Principal, id: str) -> Alarm:
        """Return one alarm. Raises NotFound."""
        need(who, *READERS, Role.FEED)
        return found(self._read(lambda tables: tables.alarms.get(id)), "alarm", id)

    def tickets(self, who: Principal, *, limit: int, offset: int, **equal: object) -> tuple[list[Ticket], int]:
        """Return one page of tickets in a stable order, and how many there are."""
        need(who, *READERS)
        return self._read(lambda tables: page(tables.tickets, limit, offset, equal))

    def ticket(self, who: Principal, id: str) -> Ticket:
        """Return one ticket. Raises NotFound."""
        need(who, *READERS)
        return found(self._read(lambda tables: tables.tickets.get(id)), "ticket", id)

    def quarantine(self, who: Principal, limit: int = 100) -> list[Quarantined]:
        """Return what was bad, the newest first, each with the rule it broke."""
        need(who, *READERS)
        return self._read(lambda tables: tables.quarantine.find(newest=True, limit=limit))

    def tallies(self, who: Principal) -> list[Tally]:
        """Return what each source sent: received = kept + late + rejected."""
        need(who, *READERS)
        return self._read(lambda tables: tables.tallies.find())

    def models(self, who: Principal) -> list[VersionView]:
        """Return the versions of every model slot: what serves, what waits, and how often each was wrong."""
        need(who, *READERS)
        return self._read(version_views)

    # --- the network ---

    def state(self, who: Principal, at: datetime | None = None) -> dict[str, Any]:
        """Return topology, loads, alarms, slices and pending actions, now or at a past moment.

        Predicted loads of the past are from the newest snapshot that a decision rested on by then; measured ones
        are of now only.
        """
        need(who, *READERS)
        now = self._road.clock.now()
        if at is not None and at > now:
            raise BadInput("the state of the future is not known; give a moment that has passed")
        moment = at or now
        snapshot, source = self._snapshot(at)
        prediction, inventory = evaluate(snapshot), snapshot.inventory
        return {
            "at": moment.isoformat(),
            "twin": {"digest": snapshot.digest, "source": source, "error": self._road.live.twin.fidelity()},
            "topology": _topology(snapshot),
            "predicted_loads": {
                link.id: round(prediction.utilisation(link.id), 4) for link in snapshot.inventory.links
            },
            "measured_loads": {} if at else self._measured_loads(snapshot),
            "impact": prediction.impact().model_dump(mode="json"),
            "kpis": self._road.live.kpis(moment),
            "slices": [item.model_dump(mode="json") for item in inventory.slices],
            "alarms": [alarm.model_dump(mode="json") for alarm in self._read(lambda t: _standing_at(t, moment))],
            "pending": self._pending_at(who, moment),
        }

    def health(self) -> dict[str, Any]:
        """Return OK, or DEGRADED with the sources that are silent. Needs no role: watchdogs ask it."""
        picture = self._road.live.picture(self._road.clock.now())
        missing = list(picture.silent_sources)
        return {
            "status": "DEGRADED" if missing else "OK",
            "missing_sources": missing,
            "fresh_share": round(picture.fresh_share, 4),
            "silent_elements": len(picture.silent),
            "late_readings": self._road.live.late_readings,
        }

    # --- the record ---

    def audit(self, who: Principal, ref: str | None = None, limit: int = 200, after: int = 0) -> list[Record]:
        """Return audit records, all or those that mention `ref`."""
        need(who, Role.AUDITOR, Role.OPERATOR, Role.APPROVER)
        return self._road.ledger.records(who.tenant, ref=ref, limit=limit, after=after)

    def verify_audit(self, who: Principal) -> AuditVerdict:
        """Verify the whole chain, and that record and executor agree on the steps; name the first bad record."""
        need(who, Role.AUDITOR, Role.OPERATOR, Role.APPROVER)
        before = self._step_ids()  # the road goes on meanwhile: what was there before must be recorded,
        records = self._road.ledger.records(who.tenant)
        after = self._step_ids()  # and what is recorded must be there afterwards
        recorded = {record.refs[0] for record in records if record.kind == "act.step.intended"}
        broken = first_break(records)
        counts = {"records": len(records), "steps": len(after & (before | recorded)), "steps_recorded": len(recorded)}
        if broken is not None:
            return AuditVerdict(**counts, verified=False, first_bad=broken.record_id, reason=broken.reason)
        if odd := sorted((before - recorded) | (recorded - after)):
            reason = f"executor and record do not agree on step `{odd[0]}`; follow `act.step.intended`"
            return AuditVerdict(**counts, verified=False, reason=reason)
        return AuditVerdict(**counts, verified=True)

    def _step_ids(self) -> set[str]:
        return self._read(lambda tables: {step.id for step in tables.steps.find()})

    def lineage(self, who: Principal, id: str) -> Lineage:
        """Return everything behind a proposal, down to raw events, and what came of it."""
        need(who, *READERS)
        return self._read(lambda tables: lineage(tables, self._some_proposal(tables, who, id)))

    def ask(self, who: Principal, question: str) -> Answer:
        """Answer a question from recorded facts, or refuse what the record cannot support."""
        need(who, *READERS)
        return self._narrator(question)

    # --- how it is done ---

    def _read(self, query: Callable[[Tables], T]) -> T:
        return self._road.ledger.read(query)

    def _some_proposal(self, tables: Tables, who: Principal, id: str) -> Proposal:
        proposal = one(tables.proposals, id)
        if proposal is None and (incident := one(tables.incidents, id)):
            of_incident = tables.proposals.find(incident_id=incident.id, newest=True)
            proposal = next((p for p in of_incident if p.state in WAITING), None) or next(iter(of_incident), None)
        if proposal is None or proposal.tenant != who.tenant:
            raise NotFound(f"there is no proposal `{id}`; `nocturne inbox` lists those that wait")
        return proposal

    def _card(self, tables: Tables, proposal: Proposal) -> Card:
        incident = tables.incidents.get(proposal.incident_id)
        assert incident is not None
        execution = tables.executions.get(execution_id_of(proposal.id))
        return Card(
            proposal=proposal,
            incident=incident,
            diagnosis=tables.diagnoses.get(proposal.diagnosis_id),
            latest=tables.diagnoses.get(incident.diagnosis_id or ""),
            rehearsal=tables.rehearsals.get(proposal.rehearsal_id or ""),
            decision=tables.decisions.get(proposal.decision_id or ""),
            approvals=tuple(tables.approvals.find(proposal_id=proposal.id)),
            signatures_needed=self._signatures_needed(tables, proposal),
            execution=execution,
            steps=tuple(tables.steps.find(execution_id=execution.id)) if execution else (),
            evidence=tuple(e for id in proposal.evidence_ids if (e := tables.evidence.get(id))),
            alarms=tuple(tables.alarms.find(incident_id=incident.id)),
        )

    def _signatures_needed(self, tables: Tables, proposal: Proposal) -> int | None:
        if proposal.state is ProposalState.DRAFTED or not proposal.rehearsal_id:
            return None
        about = brief(self._road, tables, proposal)
        return signatures_needed(self._road.book, ask(about, self._road.clock.now()))

    def _measured_loads(self, snapshot: Snapshot) -> dict[str, dict[str, Any]]:
        """Return the newest utilisation that each interface reported, with its age; what says nothing is not here."""
        loads, now = {}, self._road.clock.now()
        for point in snapshot.inventory.termination_points:
            seen = self._road.live.twin.observed(point.id, Metric.UTILISATION)
            if seen is not None and seen[0] is not None:
                loads[point.id] = {"utilisation": round(seen[0], 4), "age_s": round((now - seen[1]).total_seconds(), 1)}
        return loads

    def _pending_at(self, who: Principal, at: datetime) -> list[dict[str, Any]]:
        """Return the proposals that were neither settled nor refused at `at`, in the state that the record shows."""
        rows = []
        for proposal in self._read(lambda tables: tables.proposals.find(newest=True, limit=1000)):
            if proposal.made_at > at or proposal.tenant != who.tenant:
                continue
            states = [
                ProposalState(record.fields["state"].value)
                for record in self._road.ledger.records(who.tenant, ref=proposal.id)
                if record.event_time <= at and "state" in record.fields and record.kind.split(".")[1] == "proposal"
            ]
            state = states[-1] if states else ProposalState.DRAFTED
            if TRANSITIONS[state]:
                title, incident = proposal.title, proposal.incident_id
                rows.append({"id": proposal.id, "title": title, "state": state, "incident": incident})
        return rows

    def _snapshot(self, at: datetime | None) -> tuple[Snapshot, str]:
        if at is None:
            return self._road.live.snapshot(), "live"
        states = self._read(lambda tables: [s for s in tables.twin_states.find() if s.made_at <= at])
        if not states:
            return Snapshot.of(self._road.live.inventory), "inventory (no earlier snapshot was stored)"
        newest = max(states, key=lambda state: state.made_at)
        return Snapshot.load(newest.body, self._road.live.inventory), f"snapshot of {newest.made_at.isoformat()}"


def one(shelf: Shelf[S], id: str) -> S | None:
    """Return the record with this id or with exactly one id that holds it as a part (six characters at least)."""
    exact = shelf.get(id)
    if exact is not None or len(id) < 6:
        return exact
    matching = [record for record in shelf.find(newest=True, limit=2000) if id in record.id]
    if len(matching) > 1:
        raise BadInput(f"`{id}` names {len(matching)} things; give more of the id")
    return matching[0] if matching else None


def found(record: S | None, kind: str, id: str) -> S:
    """Return the record. Raises NotFound when there is none."""
    if record is None:
        raise NotFound(f"there is no {kind} `{id}`")
    return record


def page(shelf: Shelf[S], limit: int, offset: int, equal: Mapping[str, Any]) -> tuple[list[S], int]:
    """Return one page in order of id, and the total."""
    try:
        total = shelf.count(**equal)
        rows = shelf.find(limit=offset + limit, **equal)
    except KeyError as unknown:
        raise BadInput(f"one cannot filter by {unknown}") from unknown
    return rows[offset:], total


def _topology(snapshot: Snapshot) -> dict[str, Any]:
    inventory = snapshot.inventory
    ids = [
        *(node.id for node in inventory.nodes),
        *(point.id for point in inventory.termination_points),
        *(link.id for link in inventory.links),
    ]
    locked = [id for id in ids if snapshot.value(id, "administrative") == "locked"]
    return {"name": inventory.name, "nodes": len(inventory.nodes), "links": len(inventory.links), "locked": locked}


def _standing_at(tables: Tables, at: datetime) -> Sequence[Stored]:
    def stood(alarm: Alarm) -> bool:
        return alarm.event_time <= at and (alarm.cleared_time is None or alarm.cleared_time > at)

    return [alarm for alarm in tables.alarms.find(newest=True, limit=5000) if stood(alarm)]
