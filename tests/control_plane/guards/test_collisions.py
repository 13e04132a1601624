"""Two plans that are safe alone and unsafe together are both held, and never run at the same time."""

import pytest

from control_plane import flow
from control_plane.guards import collisions, locks
from control_plane.ports import Ledger, Written
from control_plane.tables import Tables
from domain.clock import ManualClock
from domain.errors import Conflict
from domain.guards import Collision
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from tests.control_plane.guards.people import Crash, crash, sent, when
from tests.control_plane.guards.two_ways import OVER_X_1, OVER_X_2, OVER_Y_2, ask, move_to, now_of, report
from tests.stage import Stage, make_stage


@pytest.fixture
def stage(clock: ManualClock, ledger: Ledger) -> Stage:
    return move_to(make_stage(clock, ledger=ledger))


def found(stage: Stage) -> list[Collision]:
    return stage.ledger.read(lambda tables: tables.collisions.find())


def colliding(stage: Stage, proposal: Proposal) -> bool:
    return stage.ledger.read(lambda tables: collisions.collides(tables, now_of(stage, proposal)))


def approve(stage: Stage, proposal: Proposal) -> None:
    """Have as many people sign as it takes."""
    for person in (stage.one, stage.two):
        if now_of(stage, proposal).state is ProposalState.HELD:
            stage.commands.approve(person, proposal.id, "yes")


def begun(stage: Stage, proposal: Proposal) -> None:
    """Have a plan approved and begun; its process ends before its first step."""
    approve(stage, proposal)
    with pytest.raises(Crash), when(stage, "begun", crash):
        flow.act(stage.road, proposal.incident_id)
    stage.road.watchers.clear()


def test_each_alone_is_sound(stage: Stage) -> None:
    for steps in (OVER_X_1, OVER_X_2, OVER_Y_2):
        proposal = ask(move_to(make_stage(stage.clock)), steps)
        assert proposal.state is ProposalState.HELD, proposal.state_reason


def test_safe_alone_and_unsafe_together_is_found_in_both_orders_and_named(stage: Stage) -> None:
    one, two = ask(stage, OVER_X_1), ask(stage, OVER_X_2)

    collision = found(stage)[0]

    assert (collision.safe_together, set(collision.elements) >= {"link:x-t"}) == (False, True)
    assert any("one of them alone" in reason for reason in collision.reasons)
    assert colliding(stage, one)
    assert colliding(stage, two)
    assert [one.state, two.state] == [ProposalState.HELD, ProposalState.HELD]


def test_plans_that_touch_nothing_in_common_are_not_rehearsed_together(stage: Stage) -> None:
    one, two = ask(stage, OVER_X_1), ask(stage, OVER_Y_2)

    assert found(stage) == []
    assert not colliding(stage, one)
    assert not colliding(stage, two)


def test_plans_that_touch_and_are_safe_together_may_both_go_on(clock: ManualClock, ledger: Ledger) -> None:
    stage = move_to(make_stage(clock, ledger=ledger), spare_mbps=50.0)
    one, two = ask(stage, OVER_X_1), ask(stage, OVER_X_2)

    begun(stage, one)
    approve(stage, two)

    assert found(stage)[0].safe_together
    assert now_of(stage, two).state is ProposalState.GRANTED


def test_while_one_runs_the_other_cannot_be_granted(stage: Stage) -> None:
    one, two = ask(stage, OVER_X_1), ask(stage, OVER_X_2)
    begun(stage, one)

    with pytest.raises(Conflict, match="is being carried out and touches"):
        approve(stage, two)

    assert now_of(stage, two).state is ProposalState.HELD


def test_another_tenants_plan_on_the_same_ground_counts_and_is_not_named(stage: Stage) -> None:
    one, two = ask(stage, OVER_X_1), ask(stage, OVER_X_2)
    begun(stage, one)

    def moved_away(tables: Tables) -> Written[None]:
        lock = tables.influence_locks.get(one.id)
        assert lock is not None
        assert tables.influence_locks.swap(lock, lock.but(tenant="other"))
        return Written(None, (Entry(kind="test", actor="test", event_time=stage.clock.now()),))

    stage.ledger.do(moved_away)

    with pytest.raises(Conflict, match="a plan of another tenant is being carried out") as refused:
        approve(stage, two)

    assert one.id not in refused.value.reason


def test_the_one_that_began_first_is_not_stopped_by_the_one_that_waits(stage: Stage) -> None:
    one = ask(stage, OVER_X_1)
    begun(stage, one)
    ask(stage, OVER_X_2)

    report(stage)
    flow.act(stage.road, one.incident_id)

    assert sent(stage) == ["step:0"]


def test_the_ground_is_free_again_when_the_first_is_over(stage: Stage) -> None:
    one = ask(stage, OVER_X_1)
    approve(stage, one)
    held = stage.ledger.read(lambda tables: tables.influence_locks.find(held=True))
    stage.commands.stop(stage.operator, one.id, "no")

    freed = stage.ledger.read(lambda tables: tables.influence_locks.find(held=True))

    assert [lock.id for lock in held] == [one.id]
    assert freed == []


def test_two_plans_that_set_the_same_thing_collide_whatever_the_twin_says(stage: Stage) -> None:
    ask(stage, OVER_Y_2)
    ask(stage, OVER_X_2)

    assert found(stage)[0].reasons == ("both set `via` of `demand:2`",)


def test_a_lock_of_a_plan_that_is_over_holds_up_nobody_even_if_nobody_released_it(stage: Stage) -> None:
    one, two = ask(stage, OVER_X_1), ask(stage, OVER_X_2)
    begun(stage, one)
    about = stage.ledger.read(lambda tables: tables.rehearsals.get(two.rehearsal_id))

    def against() -> list[str]:
        return stage.ledger.read(lambda tables: locks.against(stage.road, tables, two, about))

    before = against()
    over = now_of(stage, one)
    from control_plane.ports import Written
    from domain.records import Entry

    made = Entry(kind="test.plan.settled", actor="test", event_time=stage.clock.now())
    stage.ledger.do(lambda tables: Written(tables.proposals.swap(over, over.but(state=ProposalState.SETTLED)), (made,)))

    assert "is being carried out and touches" in before[0]
    assert against() == []


def test_what_is_rehearsed_anew_is_held_against_the_others_anew(stage: Stage) -> None:
    one, two = ask(stage, OVER_X_1), ask(stage, OVER_X_2)
    stage.commands.reject(stage.one, one.id, "the other is better")

    assert not colliding(stage, two)
