"""Defect 2: a crash after the effect and before the checkpoint executes again, or loses the human's decision."""

from dataclasses import replace

import pytest

from adapters.store.checkpoints import MemoryWakes
from control_plane import flow
from domain.clock import ManualClock
from domain.execution import StepState
from domain.proposals import Proposal
from tests.defects.naive import naive_graph, resume
from tests.stage import Stage, make_stage


class Crash(Exception):
    """The process ends here."""


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    return make_stage(clock)


class CrashingList(list[str]):
    """Effects that happen, whereupon the process ends, once."""

    crashes = 1

    def append(self, effect: str) -> None:
        super().append(effect)
        if self.crashes:
            self.crashes -= 1
            raise Crash


def crashed_at(stage: Stage, proposal: Proposal, point: str) -> None:
    def watch(passed: str, _ref: str) -> None:
        if passed == point:
            raise Crash

    stage.road.watchers.append(watch)
    with pytest.raises(Crash):
        flow.walk(stage.road, stage.graph, proposal.incident_id)
    stage.road.watchers.clear()


def another_process(stage: Stage) -> Stage:
    """Return the same house started again: nothing but the ledger is left, not even the checkpoints."""
    road = replace(stage.road, worker="another process")
    return replace(stage, road=road, graph=flow.build(road, MemoryWakes().saver()))


def test_the_defect_is_there_where_the_checkpoint_is_the_authority() -> None:
    effects = CrashingList()
    graph = naive_graph(effects)
    graph.invoke({"decision": ""}, {"configurable": {"thread_id": "one"}})

    with pytest.raises(Crash):
        resume(graph)
    resume(graph)

    assert effects == ["acted", "acted"]


@pytest.mark.parametrize("point", ["begun", "intended", "sent", "acted", "settled", "verifying"])
def test_a_crash_anywhere_around_the_effect_repeats_nothing(stage: Stage, point: str) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    crashed_at(stage, proposal, point)

    another_process(stage).walk_all()

    assert len(stage.network.journal) == 1
    assert stage.ledger.read(lambda tables: tables.steps.find())[0].state is StepState.DONE


@pytest.mark.parametrize("point", ["intended", "sent", "acted"])
def test_where_a_device_keeps_no_keys_nothing_is_sent_a_second_time(clock: ManualClock, point: str) -> None:
    stage = make_stage(clock, keyed=False)
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    crashed_at(stage, proposal, point)

    another_process(stage).walk_all()

    assert len(stage.network.journal) <= 1


@pytest.mark.parametrize("point", ["begun", "intended", "sent"])
def test_the_decision_of_the_person_is_never_lost(stage: Stage, point: str) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    crashed_at(stage, proposal, point)

    again = another_process(stage)
    again.walk_all()

    said = again.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id))
    assert [(approval.person, approval.choice) for approval in said] == [("one", "approve")]
    assert len(stage.network.journal) == 1
