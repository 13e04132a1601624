"""Pulling and releasing a kill switch: off in one transaction; a long tail of plans is stopped in further ones.

Once it is committed, no step in its reach is intended any more: the executor looks at the switches in the very
transaction that intends. What is in flight is undone or handed over, as the person chose.
"""

from control_plane.gate import WAITING, entry, moved, withdraw
from control_plane.guards.switches import reaches, switch_id
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.decisions import Ruling
from domain.errors import Conflict, NotFound
from domain.execution import Execution, ExecutionState
from domain.guards import InFlight, Switch, SwitchKind
from domain.identity import Principal
from domain.incidents import IncidentState
from domain.proposals import Proposal, ProposalState
from domain.records import Entry

#: So many plans are stopped in one transaction: it must not keep others waiting.
_AT_ONCE = 20
_RUNS = frozenset({ExecutionState.RUNNING, ExecutionState.VERIFYING})


def pull(
    road: Road, tables: Tables, who: Principal, kind: SwitchKind, name: str, because: str, in_flight: InFlight
) -> Written[Switch]:
    """Switch off, withdraw what is granted, and halt what runs. Pulling a switch that is off again is allowed."""
    old = tables.switches.get(switch_id(who.tenant, kind, name))
    new = Switch(
        id=switch_id(who.tenant, kind, name),
        tenant=who.tenant,
        kind=kind,
        name=name,
        off=True,
        in_flight=in_flight,
        by=who.name,
        because=because,
        changed_at=road.clock.now(),
    )
    _put(tables, old, new)
    stopped = _stop_some(road, tables, new, _AT_ONCE)
    rest = Message(id=road.id("msg"), topic="switched", ref=new.id, due_at=road.clock.now())
    return Written(new, (_entry(road, "plane.switch.off", new), *stopped.entries), (*stopped.messages, rest))


def sweep(road: Road, switch_id: str) -> None:
    """Errand: stop what a pulled switch reaches and has not stopped yet, some at a time, until nothing is left.

    Nothing of it can start meanwhile; this only says so on each plan. So it is off at once.
    """

    def change(tables: Tables) -> Written[bool]:
        switch = tables.switches.get(switch_id)
        if switch is None or not switch.off:
            return Written(False)
        stopped = _stop_some(road, tables, switch, _AT_ONCE)
        return Written(bool(stopped.result), stopped.entries, stopped.messages)

    while road.ledger.do(change):
        pass


def _stop_some(road: Road, tables: Tables, switch: Switch, most: int) -> Written[int]:
    """Withdraw what is granted and halt what runs, at most so many; the result says how many there were."""
    entries: list[Entry] = []
    incidents: list[str] = []
    for proposal in _in_reach(road, tables, switch, ProposalState.EXECUTING, ProposalState.GRANTED):
        if proposal.state is ProposalState.GRANTED:
            because = f"{switch.title} was pulled by {switch.by}: {switch.because}"
            entries.append(withdraw(road, tables, proposal, because)[1])
            _look_anew(tables, proposal.incident_id)
        elif halted := _halt(tables, proposal, switch):
            fields = {"because": switch.because, "switch": switch.id, "in_flight": switch.in_flight}
            fields |= {"execution_state": halted.state}
            entries.append(entry(road, "act.execution.halted", switch.by, proposal, (halted.id,), **fields))
        else:
            continue
        incidents.append(proposal.incident_id)
        if len(incidents) == most:
            break
    return Written(len(incidents), tuple(entries), _wakes(road, incidents))


def release(road: Road, tables: Tables, who: Principal, kind: SwitchKind, name: str, because: str) -> Written[Switch]:
    """Switch on again. What only the switch held is rehearsed and judged anew, on what is known now.

    Raises:
        NotFound: this switch was never pulled.
        Conflict: it is on already.
    """
    old = tables.switches.get(switch_id(who.tenant, kind, name))
    if old is None:
        raise NotFound(f"there is no kill switch `{kind}:{name}`; `nocturne guards` lists those that there are")
    if not old.off:
        raise Conflict(f"{old.title} is on already; there is nothing to release")
    new = old.but(off=False, by=who.name, because=because, changed_at=road.clock.now())
    _put(tables, old, new)
    entries, incidents = [_entry(road, "plane.switch.on", new)], []
    for proposal in _in_reach(road, tables, new, *WAITING):
        decision = tables.decisions.get(proposal.decision_id or "")
        if decision is not None and decision.judgement.answer is Ruling.ALLOW:
            again = moved(tables, proposal, ProposalState.DRAFTED, f"{new.title} was released")
            entries.append(entry(road, "propose.proposal.renewed", who.name, again, (new.id,), because=because))
        incidents.append(proposal.incident_id)
    return Written(new, tuple(entries), _wakes(road, incidents))


def _in_reach(road: Road, tables: Tables, switch: Switch, *states: ProposalState) -> list[Proposal]:
    found = tables.proposals.find(state=states)
    return [proposal for proposal in found if reaches(road, switch, proposal)]


def _halt(tables: Tables, proposal: Proposal, switch: Switch) -> Execution | None:
    """Turn an execution to what the person chose; None when it is over, or is on that way already."""
    old = next(iter(tables.executions.find(proposal_id=proposal.id)), None)
    if old is None or old.state is ExecutionState.SETTLED or _halted(old, switch):
        return None
    note = f"{switch.title} was pulled: {switch.because}"
    new = old.but(stopped_by=switch.by, note=note)
    if switch.in_flight is InFlight.HAND_OVER:
        new = new.but(handed_over=True)
    if old.state is ExecutionState.RUNNING or (old.state in _RUNS and switch.in_flight is InFlight.UNDO):
        new = new.but(state=ExecutionState.STOPPING)
    tables.executions.swap(old, new)
    return new


def _halted(execution: Execution, switch: Switch) -> bool:
    """Say whether an execution is on the way that the switch wants already."""
    if switch.in_flight is InFlight.HAND_OVER:
        return execution.handed_over and execution.state is not ExecutionState.RUNNING
    return bool(execution.stopped_by) and execution.state not in _RUNS


def _look_anew(tables: Tables, incident_id: str) -> None:
    """Have the incident diagnosed anew: whoever asked for the plan may ask again, and wait for the release."""
    incident = tables.incidents.get(incident_id)
    if incident is not None and incident.state is IncidentState.OPEN:
        tables.incidents.swap(incident, incident.but(revision=incident.revision + 1))


def _put(tables: Tables, old: Switch | None, new: Switch) -> None:
    if old is None:
        tables.switches.add(new)
    else:
        tables.switches.swap(old, new)


def _wakes(road: Road, incident_ids: list[str]) -> tuple[Message, ...]:
    return tuple(road.wake(incident_id) for incident_id in dict.fromkeys(incident_ids))


def _entry(road: Road, kind: str, switch: Switch) -> Entry:
    return Entry(
        kind=kind,
        actor=switch.by,
        refs=(switch.id,),
        event_time=road.clock.now(),
        tenant=switch.tenant,
        fields={
            "switch": switch.kind,
            "name": switch.name,
            "because": switch.because,
            "in_flight": switch.in_flight,
        },
    )
