"""Defect 4: editing state during the pause changed what was executed; anyone with the thread id could approve.

Here the pause holds no state worth editing: what is carried out is read from the ledger, and must be the plan that was
signed; and nobody approves by knowing an id.
"""

from contextlib import suppress

import pytest

from control_plane import flow
from control_plane.ports import Written
from domain.actions import InterfaceDown
from domain.errors import Conflict, NocturneError
from domain.proposals import Plan, ProposalState
from domain.records import Entry
from tests.attacks.ring_house import RingHouse
from tests.stage import Stage

OTHER = Plan(steps=(InterfaceDown(target="tp:c-d"),))


@pytest.mark.parametrize("when", ["before the signature", "after it"])
@pytest.mark.parametrize("with_digest", [False, True])
def test_a_plan_that_is_edited_in_the_store_is_not_carried_out(stage: Stage, when: str, with_digest: bool) -> None:
    proposal = stage.begin()
    edit = {"plan": OTHER} | ({"plan_digest": OTHER.digest} if with_digest else {})
    entry = Entry(kind="test.store.edited", actor="intruder", event_time=stage.clock.now())

    def meddle() -> None:
        old = stage.proposal()
        stage.ledger.do(lambda tables: Written(tables.proposals.swap(old, old.but(**edit)), (entry,)))

    if when == "before the signature":
        meddle()
        with pytest.raises(Conflict):
            stage.commands.approve(stage.one, proposal.id, "I read the card", proposal.plan_digest)
    else:
        stage.commands.approve(stage.one, proposal.id, "I read the card", proposal.plan_digest)
        meddle()
    with suppress(NocturneError):
        flow.act(stage.road, proposal.incident_id)

    assert stage.network.journal == []


def test_what_the_sleeping_graph_remembers_decides_nothing(stage: Stage) -> None:
    proposal = stage.begin()
    thread = {"configurable": {"thread_id": proposal.incident_id}}

    stage.graph.update_state(thread, {"incident": proposal.incident_id}, as_node="gate")
    stage.graph.invoke(None, thread)

    assert stage.network.journal == []
    assert stage.proposal().state is ProposalState.HELD


@pytest.mark.parametrize("who", ["viewer", "feed", "operator", "auditor", "robot"])
def test_knowing_the_id_approves_nothing(ring: RingHouse, who: str) -> None:
    proposal = ring.held()

    answer = ring.approve(who, proposal)
    ring.walk(1)

    assert answer.status_code == 403
    assert ring.network.journal == []
