"""Defect 1: two concurrent resumes of one interrupt both execute, and both are recorded as one person's decision."""

import threading
from collections.abc import Callable

import pytest

from control_plane import flow
from domain.clock import ManualClock
from tests.defects.naive import naive_graph, resume
from tests.stage import Stage, make_stage


def at_once(act: Callable[[], object], many: int) -> None:
    """Do the same in several threads at the same moment."""
    barrier = threading.Barrier(many)

    def run() -> None:
        barrier.wait()
        act()

    threads = [threading.Thread(target=run) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    return make_stage(clock)


def test_the_defect_is_there_where_the_checkpoint_is_the_authority() -> None:
    effects: list[str] = []
    both = threading.Barrier(2)
    graph = naive_graph(effects, before=lambda: both.wait() if begun else None)
    begun = False
    graph.invoke({"decision": ""}, {"configurable": {"thread_id": "one"}})
    begun = True

    at_once(lambda: resume(graph), 2)

    assert effects == ["acted", "acted"]


@pytest.mark.parametrize("many", [2, 8])
def test_two_wakes_of_one_granted_plan_execute_it_once(stage: Stage, many: int) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")

    at_once(lambda: flow.walk(stage.road, stage.graph, proposal.incident_id), many)
    at_once(lambda: flow.act(stage.road, proposal.incident_id), many)  # as workers of other processes come

    assert len(stage.network.journal) == 1


def test_two_wakes_make_one_decision_of_one_person(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")

    at_once(lambda: flow.walk(stage.road, stage.graph, proposal.incident_id), 4)

    kinds = [record.kind for record in stage.ledger.records(ref=proposal.id)]
    assert kinds.count("gate.proposal.approved") == 1
    assert kinds.count("act.execution.begun") == 1
    assert kinds.count("act.step.intended") == 1
