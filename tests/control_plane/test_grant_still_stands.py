"""What was granted is looked at again before every step and every resend, and what was undone stays undone."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from adapters.network.in_memory import InMemoryNetwork
from control_plane import correlating, flow
from control_plane.ports import Ledger
from domain.actions import DrainLink, InterfaceUp
from domain.alarms import AlarmType
from domain.clock import ManualClock
from domain.execution import Execution, ExecutionState, StepState
from domain.incidents import Resolution
from domain.proposals import ProposalState
from tests.stage import CULPRIT, Stage, make_stage

TWO_STEPS = (InterfaceUp(target=CULPRIT), DrainLink(target="link:c-d", previous_metric=10))


class Crash(Exception):
    """The process ends here."""


def crash_at(stage: Stage, point: str, part: str = "") -> Callable[[], None]:
    """Let the road end at a point; returns what mends it."""

    def watch(passed: str, ref: str) -> None:
        if passed == point and part in ref:
            raise Crash

    stage.road.watchers.append(watch)
    return lambda: stage.road.watchers.remove(watch)


def execution(stage: Stage) -> Execution:
    return stage.ledger.read(lambda tables: tables.executions.find())[-1]


def granted(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "plausible")


def test_an_intent_that_never_happened_is_not_sent_once_its_grant_has_expired(
    clock: ManualClock, ledger: Ledger
) -> None:
    stage = make_stage(clock, ledger=ledger)
    granted(stage)
    mend = crash_at(stage, "intended")
    with pytest.raises(Crash):
        stage.walk_all()
    mend()

    clock.advance(2 * 24 * 3600)
    stage.walk_all()

    assert stage.network.journal == []
    step = stage.ledger.read(lambda tables: tables.steps.find())[0]
    assert step.state is StepState.FAILED
    assert "the grant expired" in step.note


def test_a_fact_that_changes_between_the_grant_and_the_first_step_stops_it(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger)
    granted(stage)
    mend = crash_at(stage, "begun")
    with pytest.raises(Crash):
        stage.walk_all()
    mend()

    stage.network.put(CULPRIT, administrative="unlocked")
    stage.walk_all()

    assert stage.network.journal == []
    assert execution(stage).outcome.resolution is Resolution.UNRESOLVED


class Interrupted(InMemoryNetwork):
    """A network that lets something happen at the very moment at which somebody reads a state for the second time."""

    reads = 0

    def state(self, element: str) -> Mapping[str, str]:
        self.reads += 1
        if self.reads == 2:
            self.meanwhile()
        return super().state(element)


def test_a_worker_that_looks_while_another_acts_undoes_nothing(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger)
    granted(stage)
    incident = stage.proposal().incident_id

    def another_worker_acts() -> None:
        mend = crash_at(stage, "settled")
        with pytest.raises(Crash):
            flow.act(stage.road, incident)
        mend()

    stage.network.__class__, stage.network.meanwhile = Interrupted, another_worker_acts
    flow.act(stage.road, incident)

    assert stage.network.reads > 2
    assert len(stage.network.journal) == 1
    assert execution(stage).state is ExecutionState.VERIFYING


class Watched(InMemoryNetwork):
    """A network that lets something happen at one reading of a state, counted from the beginning."""

    reads, at = 0, 0

    def state(self, element: str) -> Mapping[str, str]:
        self.reads += 1
        if self.reads == self.at:
            self.meanwhile()
        return super().state(element)


def test_what_is_declared_after_the_last_look_at_the_rules_still_stops_the_step(clock: ManualClock) -> None:
    """The last reading before an intent is the state that the step finds: whoever hangs there gives others time."""

    def carried_out(at: int) -> Stage:
        stage = make_stage(clock)
        granted(stage)
        reads: list[int] = []
        stage.network.__class__, stage.network.at = Watched, at
        stage.network.meanwhile = lambda: stage.commands.declare_freeze(
            stage.operator, "", clock.now(), clock.now() + timedelta(hours=1), "holiday"
        )
        stage.road.watchers.append(lambda point, _: reads.append(stage.network.reads) if point == "intended" else None)
        flow.act(stage.road, stage.proposal().incident_id)
        stage.network.before_intent = reads[0] if reads else 0
        return stage

    last = carried_out(at=0).network.before_intent
    stage = carried_out(at=last)

    assert stage.network.reads >= last > 0
    assert stage.network.journal == []
    assert "a freeze is in force" in execution(stage).note


def test_a_freeze_declared_in_the_middle_of_a_plan_stops_it_and_has_it_undone(
    clock: ManualClock, ledger: Ledger
) -> None:
    stage = make_stage(clock, ledger=ledger, steps=TWO_STEPS)
    granted(stage)
    mend = crash_at(stage, "settled")
    with pytest.raises(Crash):
        stage.walk_all()
    mend()

    stage.commands.declare_freeze(stage.operator, "", clock.now(), clock.now() + timedelta(hours=1), "holiday")
    stage.walk_all()

    assert [key.split(":", 1)[1] for key in stage.network.journal] == ["step:0", "inverse:0"]
    assert execution(stage).outcome.resolution is Resolution.ROLLED_BACK


def test_a_plan_that_is_being_undone_is_never_taken_up_again(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, keyed=False)
    granted(stage)
    stage.walk_all()
    mend = crash_at(stage, "intended", "inverse")
    with pytest.raises(Crash):
        stage.suffer(20)
    mend()
    stage.walk_all()
    doubtful = stage.ledger.read(lambda tables: tables.steps.find(state=StepState.IN_DOUBT))[0]

    stage.commands.settle_doubt(stage.operator, doubtful.id, happened=True, because="I looked")
    stage.walk_all()

    assert execution(stage).state is ExecutionState.SETTLED
    assert execution(stage).outcome.resolution is Resolution.UNRESOLVED


def test_an_inverse_that_the_device_only_says_it_did_is_no_rollback(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger)
    granted(stage)
    stage.walk_all()

    stage.network.lies = True
    stage.suffer(20)

    assert stage.network.state(CULPRIT)["administrative"] == "unlocked"
    assert execution(stage).outcome.resolution is Resolution.UNRESOLVED


def test_what_was_put_off_comes_back_and_then_expires(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger)
    proposal = stage.begin()
    stage.commands.defer(stage.one, proposal.id, clock.now() + timedelta(minutes=5), "after the handover")

    clock.advance(301)
    stage.walk_all()
    back = stage.proposal().state
    clock.advance(stage.road.settings.proposal_s)
    stage.walk_all()

    assert back is ProposalState.HELD
    assert stage.ledger.read(lambda tables: tables.proposals.get(proposal.id)).state is ProposalState.EXPIRED


def test_planned_work_that_overruns_opens_an_incident(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger)
    ends = clock.now() + timedelta(minutes=10)
    elements = [CULPRIT, "tp:b-a"]
    work = stage.commands.declare_planned_work(
        stage.operator, "CHG-1", elements, [], [AlarmType.LINK_DOWN], clock.now(), ends
    )
    stage.raise_alarms()
    before = stage.ledger.read(lambda tables: tables.incidents.count())

    clock.advance(601)
    correlating.work_over(stage.road, work.id)
    flow.correlate(stage.road)

    assert before == 0
    assert stage.ledger.read(lambda tables: tables.incidents.count()) == 1


def test_nothing_is_undone_when_nobody_can_see_whether_it_recovered(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger)
    granted(stage)
    stage.walk_all()

    for _ in range(60):
        clock.advance(0.5)
        stage.walk_all()

    assert [key.split(":", 1)[1] for key in stage.network.journal] == ["step:0"]
    assert execution(stage).outcome.resolution is Resolution.UNRESOLVED
    assert "nobody can see" in execution(stage).outcome.because
