"""A clock that jumps, a store that is gone in the middle of a step: nothing is sent twice, nothing is lost."""

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.memory import MemoryLedger
from control_plane import flow
from control_plane.executor import advance
from control_plane.guards.reconcile import Reconciliation
from control_plane.ports import Change
from control_plane.worker import Worker
from domain.clock import ManualClock
from domain.errors import Unavailable
from domain.execution import ExecutionState, StepState
from domain.incidents import Resolution
from domain.proposals import ProposalState
from domain.records import Entry
from domain.roster import NoticeKind
from tests.control_plane.guards.people import execution, granted, sent, when
from tests.stage import CULPRIT, Stage, make_stage

DAY = 24 * 3600.0


class Failing(MemoryLedger):
    """A store that can be written only while `well` says so."""

    well: Callable[[], bool] = staticmethod(lambda: True)
    dark = False

    def do(self, change: Change[Any]) -> Any:
        if not self.well():
            raise Unavailable("the store is read-only, full or gone")
        return super().do(change)

    def read(self, query: Callable[[Any], Any]) -> Any:
        if self.dark:
            raise Unavailable("the store is gone")
        return super().read(query)


@pytest.fixture
def failing(clock: ManualClock) -> Stage:
    return make_stage(clock, ledger=Failing(clock))


def gone(stage: Stage, *, dark: bool) -> None:
    stage.ledger.well, stage.ledger.dark = (lambda: False), dark


def back(stage: Stage) -> None:
    stage.ledger.well, stage.ledger.dark = (lambda: True), False


@pytest.mark.parametrize("dark", [False, True], ids=["cannot be written", "is gone"])
@pytest.mark.parametrize("point", ["begun", "intended", "sent", "acted", "settled"])
def test_a_store_that_fails_in_the_middle_of_a_step_holds_the_plan_and_it_goes_on_afterwards(
    failing: Stage, point: str, *, dark: bool
) -> None:
    granted(failing)
    with pytest.raises(Unavailable), when(failing, point, lambda _: gone(failing, dark=dark)):
        failing.walk_all()
    failing.road.watchers.clear()
    held = list(failing.network.journal)

    back(failing)
    failing.walk_all()

    assert len(held) <= 1
    assert sent(failing) == ["step:0"]
    assert execution(failing).state is ExecutionState.VERIFYING


def test_nothing_is_sent_when_the_intent_cannot_be_committed(failing: Stage) -> None:
    granted(failing)

    with pytest.raises(Unavailable), when(failing, "begun", lambda _: gone(failing, dark=False)):
        failing.walk_all()

    assert failing.network.journal == []


@pytest.mark.parametrize("seconds", [DAY, -DAY], ids=["forward", "back"])
def test_a_clock_that_jumps_while_a_device_works_neither_ends_nor_prolongs_the_wait(
    stage: Stage, seconds: float
) -> None:
    granted(stage)
    stage.network.hold = True

    with when(stage, "sent", lambda _: stage.clock.jump(seconds)):
        before = stage.clock.monotonic()
        flow.act(stage.road, stage.proposal().incident_id)
        waited_s = stage.clock.monotonic() - before

    assert waited_s == pytest.approx(stage.road.settings.step_timeout_s, abs=0.2)
    assert stage.ledger.read(lambda tables: tables.steps.find())[0].state is StepState.FAILED


def test_a_grant_does_not_outlive_itself_because_the_clock_was_set_back(stage: Stage) -> None:
    proposal = granted(stage)

    stage.clock.jump(-DAY)
    flow.act(stage.road, proposal.incident_id)

    gone_now = stage.ledger.read(lambda tables: tables.proposals.get(proposal.id))
    assert stage.network.journal == []
    assert gone_now.state is ProposalState.WITHDRAWN
    assert "the clock was set back" in gone_now.state_reason


def test_a_grant_ends_early_when_the_clock_was_set_forward(stage: Stage) -> None:
    proposal = granted(stage)

    stage.clock.jump(DAY)
    flow.gate(stage.road, proposal.incident_id)
    flow.act(stage.road, proposal.incident_id)

    assert stage.network.journal == []


def test_what_lay_in_the_outbox_is_woken_when_the_clock_was_set_back(stage: Stage) -> None:
    stage.begin()
    worker = Worker(stage.road, stage.graph, feed="network")
    stage.ledger.done(stage.ledger.due(stage.clock.now(), limit=1000))

    worker._mind_the_clock()
    quiet = stage.ledger.due(stage.clock.now())
    stage.clock.jump(-DAY)
    worker._mind_the_clock()
    worker.close()

    assert quiet == []
    assert stage.proposal().incident_id in {message.ref for message in stage.ledger.due(stage.clock.now())}


def test_time_that_passes_as_it_should_wakes_nobody(stage: Stage) -> None:
    stage.begin()
    worker = Worker(stage.road, stage.graph, feed="network")
    stage.ledger.done(stage.ledger.due(stage.clock.now(), limit=1000))

    stage.clock.advance(0.5)
    worker._mind_the_clock()
    worker.close()

    assert stage.ledger.due(stage.clock.now()) == []


def test_a_round_of_the_guards_that_fails_stops_no_dispatcher(stage: Stage) -> None:
    worker = Worker(stage.road, stage.graph, feed="network")
    stage.ledger.close()

    with capture_logs() as told:
        worker._make_rounds()
    worker.close()

    assert [line["event"] for line in told] == ["guards_failed"]


def test_executor_and_record_agree_after_a_repair_and_its_rollback(stage: Stage) -> None:
    granted(stage)
    stage.walk_all()
    stage.suffer(20)

    assert execution(stage).outcome.resolution is Resolution.ROLLED_BACK
    assert Reconciliation(stage.road).look() == []


def test_a_step_that_only_the_record_knows_is_found_and_told_once(stage: Stage) -> None:
    from control_plane.ports import Written

    stage.begin()
    made = Entry(kind="act.step.intended", actor="plane", refs=("exec_nowhere:step:0",), event_time=stage.clock.now())
    stage.ledger.do(lambda _: Written(None, (made,)))

    odd = Reconciliation(stage.road).look()
    Reconciliation(stage.road).look()

    told = stage.ledger.read(lambda tables: tables.notices.find(kind=NoticeKind.ALARM))
    assert odd == ["exec_nowhere:step:0"]
    assert stage.kinds().count("plane.reconciliation.failed") == 1
    assert "do not agree" in told[0].text


def test_a_step_that_the_record_does_not_know_is_found(stage: Stage) -> None:
    from control_plane.ports import Written

    granted(stage)
    stage.walk_all()
    step = stage.ledger.read(lambda tables: tables.steps.find())[0]
    unsaid = step.but(id=step.id.replace("step:0", "step:7"), index=7)
    made = Entry(kind="test.step.smuggled", actor="test", event_time=stage.clock.now())
    stage.ledger.do(lambda tables: Written(tables.steps.add(unsaid), (made,)))

    assert Reconciliation(stage.road).look() == [unsaid.id]


def test_advancing_a_settled_execution_again_does_nothing(stage: Stage) -> None:
    granted(stage)
    stage.walk_all()
    stage.suffer(20)
    before = stage.kinds()

    advance(stage.road, execution(stage).id)

    assert stage.kinds() == before
    assert stage.network.state(CULPRIT)["administrative"] == "locked"
