"""Defect 3: code before an `interrupt()` runs again on resume: a ticket is opened twice."""

import pytest

from adapters.store.checkpoints import MemoryWakes
from control_plane import flow
from domain.clock import ManualClock
from tests.defects.naive import naive_graph, resume
from tests.stage import Stage, make_stage


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    return make_stage(clock, tickets=True)


def test_the_defect_is_there_where_the_wait_is_in_the_middle_of_a_node() -> None:
    tickets: list[str] = []
    graph = naive_graph([], before=lambda: tickets.append("opened"))

    graph.invoke({"decision": ""}, {"configurable": {"thread_id": "one"}})
    resume(graph)

    assert tickets == ["opened", "opened"]


def test_a_ticket_that_is_opened_before_the_wait_is_opened_once(stage: Stage) -> None:
    proposal = stage.begin()
    for _ in range(3):
        stage.walk_all()
    stage.commands.approve(stage.one, proposal.id, "yes")
    stage.walk_all()
    stage.settle()

    assert len(stage.ledger.read(lambda tables: tables.tickets.find())) == 1


def test_nothing_before_the_wait_happens_again_however_often_it_is_woken(stage: Stage) -> None:
    stage.begin()
    stage.walk_all()
    before = stage.kinds()

    for _ in range(5):
        stage.walk_all()
    flow.walk(stage.road, flow.build(stage.road, MemoryWakes().saver()), stage.proposal().incident_id)

    assert stage.kinds() == before
