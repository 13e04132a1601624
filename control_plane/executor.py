"""Carrying out a granted plan: at most once, whatever crashes.

Each step consumes its right and commits its intent in one transaction, then acts, then commits what
happened. `advance` can be entered again at any point: it asks the ledger where the matter stands. An
intent without an outcome is read back, never simply sent again; when nobody can tell, a person decides.
"""

from datetime import timedelta
from typing import NamedTuple

from control_plane import outcomes
from control_plane.approvals import changes
from control_plane.autonomy import crediting
from control_plane.gate import consume, right_id
from control_plane.guards import breakers, budgets, flapping, locks, switches
from control_plane.ports import Hands, Seen, Written
from control_plane.relevance import read_state
from control_plane.road import Road
from control_plane.standing import on_record, reasons_against
from control_plane.tables import Tables
from domain.actions import Action
from domain.errors import NocturneError, NotFound, Refused, Unavailable
from domain.execution import Execution, ExecutionState, Outcome, Step, StepState
from domain.gate import RightKind
from domain.incidents import IncidentClass, IncidentState, Resolution
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from domain.rehearsal import Rehearsal

_POLL_S = 0.05
_ACTIVE = frozenset({ExecutionState.RUNNING, ExecutionState.STOPPING, ExecutionState.COMPENSATING})
#: What a plan brought is no news here: alarms tell of the network, and an order ends with its plan.
_NOT_ANEW = frozenset({IncidentClass.NETWORK, IncidentClass.SERVICE_ORDER})


class Matter(NamedTuple):
    """An execution with everything it needs."""

    execution: Execution
    proposal: Proposal
    rehearsal: Rehearsal
    steps: dict[str, Step]

    def step(self, kind: RightKind, index: int) -> Step | None:
        return self.steps.get(key_of(self.execution.id, kind, index))

    @property
    def unsettled(self) -> Step | None:
        """The step whose outcome is not known yet; there is at most one."""
        return next((step for step in self.steps.values() if step.state is StepState.INTENDED), None)


def key_of(execution_id: str, kind: RightKind, index: int) -> str:
    """Return the idempotency key of one sending."""
    return f"{execution_id}:{kind}:{index}"


def execution_id_of(proposal_id: str) -> str:
    """Return the id of a proposal's execution: there can be only one."""
    return proposal_id.replace("prop_", "exec_", 1)


def advance(road: Road, execution_id: str) -> Execution:
    """Carry an execution as far as it goes by itself: to verification, to a person, or to its end."""
    while True:
        matter = load(road, execution_id)
        if matter.execution.state not in _ACTIVE:
            return matter.execution
        if matter.unsettled:
            _see_through(road, matter, matter.unsettled)
        elif matter.execution.state is ExecutionState.RUNNING:
            _go_on(road, matter)
        elif matter.execution.handed_over:
            _leave(road, matter, matter.execution.note)
        elif matter.execution.state is ExecutionState.STOPPING:
            _turn(road, matter, ExecutionState.COMPENSATING, f"stopped by {matter.execution.stopped_by}")
        else:
            _undo_next(road, matter)


def load(road: Road, execution_id: str) -> Matter:
    """Read an execution and its parts. Raises NotFound."""

    def read(tables: Tables) -> Matter:
        execution = tables.executions.get(execution_id)
        proposal = tables.proposals.get(execution.proposal_id) if execution else None
        rehearsal = tables.rehearsals.get(proposal.rehearsal_id or "") if proposal else None
        if execution is None or proposal is None or rehearsal is None:
            raise NotFound(f"there is no execution `{execution_id}`")
        steps = {step.id: step for step in tables.steps.find(execution_id=execution_id)}
        return Matter(execution, proposal, rehearsal, steps)

    return road.ledger.read(read)


def _go_on(road: Road, matter: Matter) -> None:
    """Intend the next step, or hand over to verification when all are done."""
    plan = matter.proposal.plan.steps
    done = [matter.step(RightKind.STEP, index) for index in range(len(plan))]
    failed = next((step for step in done if step and step.state is StepState.FAILED), None)
    if failed:
        _turn(road, matter, ExecutionState.COMPENSATING, f"step {failed.index + 1} failed: {failed.note}")
        return
    index = next((index for index, step in enumerate(done) if step is None), None)
    if index is None:
        _turn(road, matter, ExecutionState.VERIFYING, "all steps are done")
        return
    reasons = _against(road, matter, index)
    if reasons:
        this = key_of(matter.execution.id, RightKind.STEP, index)
        _turn(road, matter, ExecutionState.COMPENSATING, f"before step {index + 1}: {'; '.join(reasons)}", unless=this)
        return
    _intend(road, matter, RightKind.STEP, index, plan[index])


def _against(road: Road, matter: Matter, index: int) -> list[str]:
    """Return why step `index` may not be sent now: the grant must stand, and the state be the one rehearsed so far."""
    later = matter.rehearsal.step_facts[index] if index < len(matter.rehearsal.step_facts) else ()
    return reasons_against(road, matter.proposal, later if index else matter.rehearsal.facts)


def _undo_next(road: Road, matter: Matter) -> None:
    """Intend the next inverse, last step first; settle when nothing is left to undo."""
    plan = matter.proposal.plan.steps
    for index in reversed(range(len(plan))):
        step, inverse = matter.step(RightKind.STEP, index), plan[index].inverse()
        if step is None or step.state is not StepState.DONE or step.took_effect is False or inverse is None:
            continue
        if matter.step(RightKind.INVERSE, index) is None:
            _intend(road, matter, RightKind.INVERSE, index, inverse)
            return
    resolution = Resolution.ROLLED_BACK if _put_back(matter) else Resolution.UNRESOLVED
    because = matter.execution.note or "the plan did not go through"
    checks, now = matter.execution.checks, road.clock.now()
    settle(road, matter.execution, Outcome(resolution=resolution, checks=checks, because=because, measured_at=now))


def _put_back(matter: Matter) -> bool:
    """Say whether every step that took effect was undone, and shows it: the device's word alone is not enough."""
    effective = [s for s in matter.steps.values() if s.kind is RightKind.STEP and s.state is StepState.DONE]
    effective = [step for step in effective if step.took_effect is not False]
    inverses = [matter.step(RightKind.INVERSE, step.index) for step in effective]
    return bool(effective) and all(inverse is not None and inverse.took_effect for inverse in inverses)


def _intend(road: Road, matter: Matter, kind: RightKind, index: int, action: Action) -> None:
    """Consume the right and commit the intent; then, and only then, act."""
    execution = matter.execution
    hands = road.hands_for(action)
    step = Step(
        id=key_of(execution.id, kind, index),
        execution_id=execution.id,
        kind=kind,
        index=index,
        action=action,
        worker=road.worker,
        before=dict(read_state(hands, action.target, action.absent)),
        intended_at=road.clock.now(),
    )

    def change(tables: Tables) -> Written[bool | str]:
        if tables.executions.get(execution.id) != execution:
            return Written(False)
        bars = switches.bars_step if kind is RightKind.STEP else switches.bars_inverse
        if barred := bars(road, tables, matter.proposal):
            return Written(barred)
        if kind is RightKind.STEP and (lapsed := on_record(road, tables, matter.proposal)):
            return Written(f"before step {index + 1}: {'; '.join(lapsed)}")
        if not consume(road, tables, right_id(execution.grant_id, kind, index), step.id):
            return Written(False)
        tables.steps.add(step)
        budgets.count_step(road, tables, matter.proposal, kind, index)
        flapping.touch(tables, matter.proposal, step)
        return Written(True, (_entry(road, matter, "act.step.intended", step),))

    intended = road.ledger.do(change)
    if isinstance(intended, str):
        _halt(road, matter, kind, intended)
    elif intended:
        road.notice("intended", step.id)
        _send(road, matter, step, hands)


def _halt(road: Road, matter: Matter, kind: RightKind, because: str) -> None:
    """Something came meanwhile that stands against the next step, or against undoing the last."""
    if kind is RightKind.STEP:
        _turn(road, matter, ExecutionState.COMPENSATING, because)
    else:
        _leave(road, matter, because)


def _leave(road: Road, matter: Matter, because: str) -> None:
    """Leave everything as it is, for people: nothing more is done, and nothing undone."""
    done = [step for step in matter.steps.values() if step.state is StepState.DONE]
    said = f"handed over to people with {len(done)} steps done, and left as it is: {because}"
    checks, now = matter.execution.checks, road.clock.now()
    unresolved = Outcome(resolution=Resolution.UNRESOLVED, checks=checks, because=said, measured_at=now)
    settle(road, matter.execution, unresolved)


def _send(road: Road, matter: Matter, step: Step, hands: Hands) -> None:
    if _called_off(road, matter, step):  # between the intent and here; what was not sent did not happen
        _settle_step(road, matter, step, StepState.FAILED, "the plan was stopped before this was sent")
        return
    try:
        hands.send(step.id, step.action)
    except Refused as refusal:
        _settle_step(road, matter, step, StepState.FAILED, f"the device refused: {refusal.reason}")
        return
    except Unavailable as silence:
        road.notice("unanswered", step.id)
        _read_back(road, matter, step, hands, f"no answer when sending: {silence.reason}")
        return
    road.notice("sent", step.id)
    _await(road, matter, step, hands)


def _see_through(road: Road, matter: Matter, step: Step) -> None:
    """Find out what became of an intent that was found without an outcome."""
    _read_back(road, matter, step, road.hands_for(step.action), "found without an outcome")


def _read_back(road: Road, matter: Matter, step: Step, hands: Hands, note: str) -> None:
    """Decide by looking. Only hands that refuse a second sending of a key may be sent one."""
    match hands.look(step.id):
        case Seen.DONE:
            _settle_step(road, matter, step, StepState.DONE, f"{note}; read back as done")
        case Seen.FAILED:
            _settle_step(road, matter, step, StepState.FAILED, f"{note}; read back as failed")
        case Seen.PENDING:
            _await(road, matter, step, hands)
        case Seen.ABSENT if hands.keyed and not _stopping(road, step.execution_id):
            _resend(road, matter, step, hands, note)
        case Seen.ABSENT if hands.keyed:
            _settle_step(road, matter, step, StepState.FAILED, f"{note}; it never happened, and the plan was stopped")
        case _:
            _settle_step(road, matter, step, StepState.IN_DOUBT, f"{note}; nobody can tell whether it happened")


def _resend(road: Road, matter: Matter, step: Step, hands: Hands, note: str) -> None:
    """Send what certainly never happened, under its own key, if its grant still stands and no switch bars it.

    Undoing needs no grant that stands; a switch that leaves everything to people bars it, too.
    """
    reasons = _against(road, matter, step.index) if step.kind is RightKind.STEP else []
    if barred := reasons or _barred(road, matter, step.kind):
        why = f"{note}; it never happened, and is not sent any more: {'; '.join(barred)}"
        _settle_step(road, matter, step, StepState.FAILED, why)
        return
    try:
        hands.send(step.id, step.action)
    except NocturneError as error:
        _settle_step(road, matter, step, StepState.IN_DOUBT, f"{note}; sent again under its key: {error.reason}")
        return
    _await(road, matter, step, hands)


def _await(road: Road, matter: Matter, step: Step, hands: Hands) -> None:
    """Wait until the device is done, an operator says stop, or its time is over."""
    deadline = road.clock.monotonic() + road.patience_s(step.action)
    while (seen := hands.look(step.id)) is Seen.PENDING:
        if _stopping(road, step.execution_id) or road.clock.monotonic() >= deadline:
            hands.cancel(step.id)
            seen = hands.look(step.id)
            break
        road.clock.sleep(_POLL_S)
    states = {Seen.DONE: StepState.DONE, Seen.FAILED: StepState.FAILED, Seen.ABSENT: StepState.FAILED}
    notes = {Seen.ABSENT: "cancelled before it happened", Seen.FAILED: "the device reports failure"}
    state = states.get(seen, StepState.IN_DOUBT)
    _settle_step(road, matter, step, state, notes.get(seen, "" if state is StepState.DONE else "it cannot be told"))


def _called_off(road: Road, matter: Matter, step: Step) -> bool:
    """Say whether somebody stopped the plan, or pulled a switch that reaches it, since the step was intended."""
    return bool(_barred(road, matter, step.kind)) or _stopping(road, step.execution_id)


def _barred(road: Road, matter: Matter, kind: RightKind) -> list[str]:
    """Return why a kill switch bars the next step, or undoing the last, or nothing."""
    bars = switches.bars_step if kind is RightKind.STEP else switches.bars_inverse
    barred = road.ledger.read(lambda tables: bars(road, tables, matter.proposal))
    return [barred] if barred else []


def _stopping(road: Road, execution_id: str) -> bool:
    execution = road.ledger.read(lambda tables: tables.executions.get(execution_id))
    return execution is not None and execution.state is ExecutionState.STOPPING


def _settle_step(road: Road, matter: Matter, step: Step, state: StepState, note: str) -> None:
    """Commit what became of a step; one that is in doubt stops the plan until a person decides."""
    road.notice("acted", step.id)
    after = dict(read_state(road.hands_for(step.action), step.action.target, step.action.absent))
    known = state is StepState.DONE and step.before and after  # a state that was not read proves nothing
    took_effect = step.action.took_effect(step.before, after) if known else None
    now = road.clock.now()
    settled = step.but(state=state, note=note, after=after, took_effect=took_effect, settled_at=now)

    def change(tables: Tables) -> Written[None]:
        if not tables.steps.swap(step, settled):
            return Written(None)
        entries = [_entry(road, matter, "act.step.settled", settled)]
        if state is StepState.IN_DOUBT:
            execution = tables.executions.get(step.execution_id)
            assert execution is not None
            tables.executions.swap(execution, execution.but(state=ExecutionState.IN_DOUBT, note=note))
            entries.append(_entry(road, matter, "act.execution.escalated", settled, next_role="operator"))
        return Written(None, tuple(entries))

    road.ledger.do(change)
    road.notice("settled", step.id)


def _turn(road: Road, matter: Matter, to: ExecutionState, because: str, *, unless: str = "") -> None:
    """Move an execution to its next state, unless somebody (an operator's stop) was faster.

    With `unless`, neither when that step was intended meanwhile: what looks changed is then what another worker did.
    """
    now, old = road.clock.now(), matter.execution
    changes: dict[str, object] = {"state": to, "note": because}
    if to is ExecutionState.VERIFYING:
        by_people = any(step.by_people for step in matter.proposal.plan.steps)
        patience_s = road.settings.crew_s if by_people else road.settings.verify_s
        changes |= {"acted_at": now, "verify_by": now + timedelta(seconds=patience_s)}
    new = old.but(**changes)

    def change(tables: Tables) -> Written[None]:
        if tables.steps.get(unless) or not tables.executions.swap(old, new):
            return Written(None)
        entry = Entry(
            kind=f"act.execution.{to}",
            actor="plane",
            refs=(old.id, old.proposal_id, old.incident_id),
            event_time=now,
            tenant=matter.proposal.tenant,
            residency=matter.proposal.region,
            fields={"because": because},
        )
        return Written(None, (entry,), (road.wake(old.incident_id),))

    road.ledger.do(change)
    road.notice(str(to), old.id)


def settle(road: Road, execution: Execution, outcome: Outcome) -> None:
    """Commit the outcome of an execution and settle its proposal."""
    now = road.clock.now()

    def change(tables: Tables) -> Written[None]:
        settled = execution.but(state=ExecutionState.SETTLED, outcome=outcome, settled_at=now)
        if not tables.executions.swap(execution, settled):
            return Written(None)
        proposal = tables.proposals.get(execution.proposal_id)
        assert proposal is not None
        over = proposal.moved(ProposalState.SETTLED, str(outcome.resolution))
        tables.proposals.swap(proposal, over)
        changes.follow(tables, over, now)
        locks.let_go(road, tables, over.id)
        tripped = breakers.count(road, tables, over, settled)
        credited = crediting.settled(road, tables, over, settled)
        entry = Entry(
            kind="verify.execution.settled",
            actor="plane",
            refs=(execution.id, execution.proposal_id, execution.incident_id, execution.grant_id),
            event_time=now,
            tenant=proposal.tenant,
            residency=proposal.region,
            fields={
                "resolution": outcome.resolution,
                "because": outcome.because,
                "checks": [check.model_dump(mode="json") for check in outcome.checks],
            },
        )
        _look_anew(tables, settled)
        asks = outcomes.asks(road, tables, settled)
        told = (road.wake(execution.incident_id), *asks, *credited.messages)
        return Written(None, (entry, *tripped, *credited.entries), told)

    road.ledger.do(change)
    road.notice("verified", execution.id)


def _look_anew(tables: Tables, settled: Execution) -> None:
    """What was done to a model, and did not end its trouble, is a new fact: the next answer follows from it."""
    incident = tables.incidents.get(settled.incident_id)
    over = settled.outcome is not None and settled.outcome.resolution is Resolution.RESTORED
    if incident is None or over or incident.about in _NOT_ANEW or incident.state is IncidentState.CLOSED:
        return
    tables.incidents.swap(incident, incident.but(revision=incident.revision + 1))


def _entry(road: Road, matter: Matter, kind: str, step: Step, **fields: object) -> Entry:
    return Entry(
        kind=kind,
        actor="plane",
        refs=(step.id, step.execution_id, matter.proposal.id, matter.execution.incident_id, matter.execution.grant_id),
        event_time=road.clock.now(),
        tenant=matter.proposal.tenant,
        residency=matter.proposal.region,
        fields={
            "action": step.action.model_dump(mode="json"),
            "state": step.state,
            "before": step.before,
            "after": step.after,
            "took_effect": step.took_effect,
            "note": step.note,
            "policy_version": road.book.version,
            **fields,
        },
    )
