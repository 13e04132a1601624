"""The one road, top to bottom.

    receive → correlate → diagnose → propose → rehearse → judge → gate → act → verify → record

`receive` and `correlate` are called by the doors and the worker, before there is an incident to walk for.
From `diagnose` on, `walk` takes one incident as far as it goes by itself. Every step asks the ledger where the
matter stands, does its part if it is its turn, and commits change, record and outbox rows together; so a step
that is entered twice does nothing the second time, and a crash anywhere loses and repeats nothing.
"""

import contextlib
from datetime import timedelta
from itertools import pairwise
from typing import Any, TypeAlias, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import interrupt

from control_plane import correlating, judging, proposing, receiving, ways
from control_plane.approvals.matters import reminders
from control_plane.approvals.verdict import asked_next
from control_plane.autonomy import disagreements
from control_plane.executor import advance, execution_id_of, load
from control_plane.gate import WAITING, entry, expire, make_grant, moved, withdraw
from control_plane.guards import collisions, freshness, passing
from control_plane.judging import brief
from control_plane.orders import standing as orders
from control_plane.ports import Written
from control_plane.preflight import begin
from control_plane.replay import pins
from control_plane.replay.tape import listening, recording
from control_plane.road import Road
from control_plane.roster import asking
from control_plane.tables import Tables
from domain.decisions import Ruling
from domain.diagnosis import Diagnosis, Verdict
from domain.errors import BadInput, Conflict, NotFound
from domain.execution import ExecutionState, Outcome
from domain.identity import Principal
from domain.incidents import Incident, IncidentClass, IncidentState, Resolution
from domain.keeping import Pin
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from domain.rehearsal import Rehearsal

#: A diagnosis that lacked sight is made anew at least this often.
_LONGEST_BLIND_S = 60.0
#: With these outcomes of its repair, an incident is over.
_OVER = frozenset({Resolution.RESTORED, Resolution.NOT_OURS})

# --- before there is an incident ------------------------------------------------------------------------------------

receive = receiving.receive_alarms
correlate = correlating.correlate_new


# --- the road of one incident ---------------------------------------------------------------------------------------


def diagnose(road: Road, incident_id: str) -> None:
    """Have the agent for this class of incident rank causes, unless its newest diagnosis stands or a plan runs."""
    incident, standing = _incident(road, incident_id)
    if incident.state is IncidentState.CLOSED or _fits(road, incident, standing) or _acting(road, incident_id):
        return
    case, agent = ways.WAYS[incident.about].gather(road, incident), road.diagnostician_for(incident)
    with recording() as tape:
        diagnosis = agent.diagnose(case)
    pin = pins.of_diagnosis(road, agent.card.name, case, tape, diagnosis)

    def change(tables: Tables) -> Written[None]:
        if not tables.incidents.swap(incident, incident.but(diagnosis_id=diagnosis.id)):
            return Written(None)  # alarms arrived meanwhile: their own wake has it diagnosed anew
        tables.evidence.add(*case.evidence)
        tables.diagnoses.add(diagnosis)
        pins.keep(road, tables, pin, tape)
        again_s = _look_again_s(road, incident, diagnosis)
        again = () if again_s is None else (road.wake(incident_id, again_s),)
        if diagnosis.verdict is Verdict.CANNOT_TELL:
            again = (*again, asking.message(road, incident_id))
        return Written(None, (_diagnosed(road, incident, diagnosis, pin),), again)

    road.ledger.do(change)
    road.notice("diagnosed", incident_id)
    ordered = incident.about is IncidentClass.SERVICE_ORDER  # nothing recovers there: it ends with its reason
    if diagnosis.verdict is Verdict.NO_FAULT and not incident.open_alarms and not ordered:
        _close_by_itself(road, incident_id, *_recovered(road, incident_id))


def propose(road: Road, incident_id: str) -> None:
    """Hand the diagnosis to the planning agents, through the plane; a changed diagnosis withdraws what rested on it."""
    incident, diagnosis = _incident(road, incident_id)
    if incident.state is IncidentState.CLOSED or diagnosis is None or incident.proposed_for == diagnosis.id:
        return
    if _acting(road, incident_id):
        return
    proposing.ask_planners(road, incident, diagnosis)
    road.notice("proposed", incident_id)


def rehearse(road: Road, incident_id: str) -> None:
    """Run each drafted plan, its inverse, and doing nothing; this run alone counts as the rehearsal."""
    for proposal in _proposals(road, incident_id, ProposalState.DRAFTED):
        snapshot, way = road.live.snapshot(), ways.way_of(road, incident_id)
        try:
            with recording() as tape:
                rehearsal = way.rehearse(listening(road), proposal, snapshot)
        except BadInput as error:
            _withdraw(road, proposal, f"it cannot be rehearsed: {error.reason}")
            continue
        tape.snapshots[snapshot.digest] = snapshot
        pin = pins.of_rehearsal(road, way.about, proposal, tape, rehearsal)

        def change(
            tables: Tables, old: Proposal = proposal, made: Rehearsal = rehearsal, pin: Pin = pin, tape: Any = tape
        ) -> Written[None]:
            tables.rehearsals.add(made)
            pins.keep(road, tables, pin, tape)
            new = moved(
                tables,
                old,
                ProposalState.REHEARSED,
                "; ".join(made.reasons),
                at=road.clock.now(),
                rehearsal_id=made.id,
            )
            said: dict[str, Any] = {
                "sound": made.sound,
                "lost_now": made.nothing.expected.lost_mbps,
                "recovers": len(made.recovers),
                "pinned": pin.inputs_digest,
            }
            if made.blast is not None:
                said["forecast"] = made.blast.told
            if made.trial is not None:
                said["trial"] = made.trial.model_dump(mode="json")
            refs = (made.id, made.snapshot_digest)
            return Written(None, (entry(road, "rehearse.proposal.rehearsed", "plane", new, refs, **said),))

        road.ledger.do(change)
        road.notice("rehearsed", proposal.id)


def judge(road: Road, incident_id: str) -> None:
    """Ask the policy book: allow makes a grant at once, hold waits for people, deny ends it."""
    for proposal in _proposals(road, incident_id, ProposalState.REHEARSED):
        collisions.look(road, proposal.id)

        def change(tables: Tables, old: Proposal = proposal) -> Written[None]:
            about, now = brief(road, tables, old), road.clock.now()
            decision, pinned = pins.decided(road, tables, about, now, judging.judge(road, about, now, about.signatures))
            answer = decision.judgement.answer
            against = passing.against(road, tables, about) if answer is Ruling.ALLOW else ()
            answer = Ruling.HOLD if against else answer
            state = {
                Ruling.ALLOW: ProposalState.GRANTED,
                Ruling.HOLD: ProposalState.HELD,
                Ruling.DENY: ProposalState.DENIED,
            }[answer]
            because = "; ".join((*(rule.because for rule in decision.judgement.rules), *against))
            next_role = asked_next(road, about, now) if answer is Ruling.HOLD else old.next_role
            new = moved(tables, old, state, because, at=now, decision_id=decision.id, next_role=next_role)
            if answer is Ruling.ALLOW:
                make_grant(road, tables, about, about.yes)
            rules = [rule.id for rule in decision.judgement.rules]
            said = {"answer": answer, "rules": rules, "because": because, "errors": list(decision.judgement.errors)}
            said |= {"guards": list(against)} if against else {}
            said["tickets"] = [ticket.id for ticket in tables.tickets.find(incident_id=incident_id)]
            later = reminders(road, new) if answer is Ruling.HOLD else ()
            told = passing.announce(road, tables, about, against)
            made = entry(
                road,
                "judge.proposal.decided",
                "plane",
                new,
                (decision.id,),
                context=decision.context,
                pinned=pinned,
                **said,
            )
            return Written(None, (made, *told.entries), (*later, *told.messages))

        road.ledger.do(change)
        road.notice("judged", proposal.id)


def gate(road: Road, incident_id: str) -> bool:
    """Expire what nobody decided in time, bring back what was put off; say whether anything still waits for people."""
    now = road.clock.now()
    for proposal in _proposals(road, incident_id, ProposalState.DEFERRED):
        if proposal.deferred_until is not None and proposal.deferred_until <= now < proposal.expires_at:
            _bring_back(road, proposal)
    for proposal in _proposals(road, incident_id, *WAITING, ProposalState.GRANTED):
        if now < proposal.expires_at:
            freshness.look(road, proposal)
            continue

        def change(tables: Tables, old: Proposal = proposal) -> Written[None]:
            _, made = expire(road, tables, old)
            return Written(None, (made,), (asking.message(road, old.id),))

        road.ledger.do(change)
    return bool(_proposals(road, incident_id, *WAITING))


def act(road: Road, incident_id: str) -> None:
    """Carry out what was granted: look at the world once more, then step by step (`executor.advance`)."""
    for proposal in _proposals(road, incident_id, ProposalState.GRANTED):
        begin(road, proposal)
    for proposal in _proposals(road, incident_id, ProposalState.EXECUTING):
        advance(road, execution_id_of(proposal.id))


def verify(road: Road, incident_id: str) -> None:
    """Measure whether it worked and whether it was us; come back while it is too early to tell."""
    for proposal in _proposals(road, incident_id, ProposalState.EXECUTING):
        matter = load(road, execution_id_of(proposal.id))
        if matter.execution.state is not ExecutionState.VERIFYING:
            continue
        again_s = ways.verify(road, matter)
        if again_s is not None:
            road.come_back(incident_id, again_s)
    _close_if_over(road, incident_id)


def close(road: Road, incident_id: str, resolution: Resolution, because: str, by: Principal | None = None) -> Incident:
    """Close an incident and withdraw what still waits in it.

    Raises:
        NotFound: there is no such incident.
        IllegalMove: it is closed already.
        Conflict: a repair is being carried out, or (unless a person closes it) an alarm stands.
    """

    def change(tables: Tables) -> Written[Incident]:
        incident = tables.incidents.get(incident_id)
        if incident is None:
            raise NotFound(f"there is no incident `{incident_id}`; `nocturne incidents` lists them")
        closed = incident.closed(resolution, because, road.clock.now())
        left = [p for p in tables.proposals.find(incident_id=incident_id) if p.live]
        running = next((p for p in left if p.state is ProposalState.EXECUTING), None)
        if running is not None:
            raise Conflict(f"plan `{running.id}` is being carried out; stop it before you close the incident")
        if by is None and tables.alarms.count(incident_id=incident_id, cleared=False):
            raise Conflict(f"an alarm of incident `{incident_id}` stands; it stays open")
        tables.incidents.swap(incident, closed)
        made = [withdraw(road, tables, p, f"the incident was closed: {because}")[1] for p in left]
        made += disagreements.closed(road, tables, closed)
        fields = {"resolution": resolution, "because": because, **(by.on_behalf_of if by else {})}
        made.append(
            Entry(
                kind="verify.incident.closed",
                actor=by.name if by else "plane",
                refs=(incident_id,),
                fields=fields,
                event_time=road.clock.now(),
                tenant=incident.tenant,
                residency=incident.region,
            )
        )
        return Written(closed, tuple(made))

    closed = road.ledger.do(change)
    road.notice("closed", incident_id)
    return closed


# --- where a matter stands ------------------------------------------------------------------------------------------


def _incident(road: Road, incident_id: str) -> tuple[Incident, Diagnosis | None]:
    def read(tables: Tables) -> tuple[Incident | None, Diagnosis | None]:
        incident = tables.incidents.get(incident_id)
        return incident, tables.diagnoses.get(incident.diagnosis_id or "") if incident else None

    incident, diagnosis = road.ledger.read(read)
    if incident is None:
        raise BadInput(f"there is no incident `{incident_id}`")
    return incident, diagnosis


def _fits(road: Road, incident: Incident, diagnosis: Diagnosis | None) -> bool:
    """Say whether the diagnosis is about the alarms as they are now, and it is not yet time to look again."""
    if diagnosis is None or diagnosis.revision < incident.revision:
        return False
    again_s = _look_again_s(road, incident, diagnosis)
    return again_s is None or road.clock.now() < diagnosis.made_at + timedelta(seconds=again_s)


def _look_again_s(road: Road, incident: Incident, diagnosis: Diagnosis) -> float | None:
    """Return how long a diagnosis stands by itself, in seconds; None: until the alarms change.

    A provisional one is made anew when the alarms have settled; one that names no cause yet, with each new sample of
    telemetry until then. One that could not tell, or was made while sources
    were silent, is made anew after ever longer waits: telemetry may be back, and no alarm would say so.
    """
    settle_s = road.settings.settle_s
    if incident.about is not IncidentClass.NETWORK:
        return None  # each new outcome has it looked at anew
    if diagnosis.provisional:
        return settle_s if diagnosis.verdict is Verdict.CAUSE else min(settle_s, road.live.period_s)
    if diagnosis.verdict is Verdict.CANNOT_TELL or diagnosis.degraded_by:
        stood_s = (diagnosis.made_at - incident.last_known_at).total_seconds()
        return min(max(stood_s, settle_s), _LONGEST_BLIND_S)
    return None


def _proposals(road: Road, incident_id: str, *states: ProposalState) -> list[Proposal]:
    return road.ledger.read(lambda tables: tables.proposals.find(incident_id=incident_id, state=states))


def _acting(road: Road, incident_id: str) -> bool:
    """Say whether a repair is granted or being carried out: the ground is not moved under it."""
    busy = _proposals(road, incident_id, ProposalState.GRANTED, ProposalState.EXECUTING)
    return any(proposing.repairs(proposal) for proposal in busy)


def _bring_back(road: Road, proposal: Proposal) -> None:
    def change(tables: Tables) -> Written[None]:
        because = "the time it was put off to has come"
        held = moved(tables, proposal, ProposalState.HELD, because, at=road.clock.now())
        made = entry(road, "gate.proposal.held", "plane", held)
        return Written(None, (made,), (asking.message(road, held.id),))

    road.ledger.do(change)


def _withdraw(road: Road, proposal: Proposal, because: str) -> None:
    road.ledger.do(lambda tables: Written(None, (withdraw(road, tables, proposal, because)[1],)))


def _diagnosed(road: Road, incident: Incident, diagnosis: Diagnosis, pin: Pin) -> Entry:
    top = diagnosis.top
    return Entry(
        kind="diagnose.incident.diagnosed",
        actor=diagnosis.made_by,
        refs=(incident.id, diagnosis.id, *(top.evidence_ids[:32] if top else ())),
        event_time=road.clock.now(),
        tenant=incident.tenant,
        residency=incident.region,
        fields={
            "verdict": diagnosis.verdict,
            "revision": diagnosis.revision,
            "provisional": diagnosis.provisional,
            "cause": top.element if top else "",
            "fault": top.fault if top else "",
            "confidence": top.confidence if top else 0.0,
            "candidate_set": list(diagnosis.candidate_set),
            "not_checked": list(diagnosis.not_checked),
            "next_role": "" if top else "operator",
            "pinned": pin.inputs_digest,
        },
    )


def _last_outcome(road: Road, incident_id: str) -> Outcome | None:
    """Return what came of the incident's newest settled repair, or None when there is none."""
    repairs = [p for p in _proposals(road, incident_id, ProposalState.SETTLED) if proposing.repairs(p)]
    return load(road, execution_id_of(repairs[-1].id)).execution.outcome if repairs else None


def _recovered(road: Road, incident_id: str) -> tuple[Resolution, str]:
    """Say how an incident ended in which nothing is wrong any more: only a repair that was credited is ours."""
    outcome = _last_outcome(road, incident_id)
    if outcome is None:
        return Resolution.NOT_OURS, "it recovered before anything was done; not by us"
    if outcome.resolution in _OVER:
        return outcome.resolution, outcome.because
    return Resolution.NOT_OURS, f"it recovered, not by the plan that was tried: {outcome.because}"


def _close_if_over(road: Road, incident_id: str) -> None:
    """Close the incident when its repair is settled and no alarm stands; otherwise it stays with people."""
    incident, _ = _incident(road, incident_id)
    if incident.about is IncidentClass.SERVICE_ORDER:
        ended = road.ledger.read(lambda tables: orders.ended(tables, incident))
        if ended and incident.state is IncidentState.OPEN:
            _close_by_itself(road, incident_id, *ended)
        return
    outcome = _last_outcome(road, incident_id)
    if incident.state is IncidentState.CLOSED or outcome is None or outcome.resolution not in _OVER:
        return
    _close_by_itself(road, incident_id, outcome.resolution, outcome.because)


def _close_by_itself(road: Road, incident_id: str, resolution: Resolution, because: str) -> None:
    """Close an incident that is over; one with an alarm that came meanwhile, or a ticket on its way, stays open."""
    with contextlib.suppress(Conflict):
        close(road, incident_id, resolution, because)


# --- the graph: it sleeps and wakes; the ledger knows ---------------------------------------------------------------


Graph: TypeAlias = CompiledStateGraph[Any, Any, Any, Any]


class Here(TypedDict):
    """All that the graph remembers: which incident. Where it stands is in the ledger."""

    incident: str


def build(road: Road, saver: BaseCheckpointSaver[str]) -> Graph:
    """Wire the steps. Its checkpoints are a convenience: `walk` enters from the top every time."""

    def stop_at_gate(here: Here) -> dict[str, str]:
        waits = gate(road, here["incident"])
        if waits and not _proposals(road, here["incident"], ProposalState.GRANTED, ProposalState.EXECUTING):
            interrupt({"waits_for": "a person", "incident": here["incident"]})
        return {}

    def node(step: Any) -> Any:
        return lambda here: step(road, here["incident"]) or {}

    graph = StateGraph(Here)
    nodes: dict[str, Any] = {step.__name__: node(step) for step in (diagnose, propose, rehearse, judge, act, verify)}
    for name, run in (nodes | {"gate": stop_at_gate}).items():
        graph.add_node(name, run)
    order = [START, "diagnose", "propose", "rehearse", "judge", "gate", "act", "verify", END]
    for here, there in pairwise(order):
        graph.add_edge(here, there)
    return graph.compile(checkpointer=saver)


def walk(road: Road, graph: Graph, incident_id: str) -> None:
    """Enter the road of an incident from the top; a lost, late, early or double wake is harmless."""
    with road.turn(incident_id):
        graph.invoke({"incident": incident_id}, {"configurable": {"thread_id": incident_id}}, durability="exit")
