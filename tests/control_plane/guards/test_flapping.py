"""What is set back and forth too often is locked for automation: people decide, and are told."""

from control_plane.guards import flapping
from control_plane.ports import Ledger, Written
from domain.actions import Action, InterfaceDown, InterfaceUp
from domain.clock import ManualClock
from domain.execution import Step
from domain.gate import RightKind
from domain.proposals import Plan, Proposal
from domain.records import Entry
from tests.control_plane.guards.people import granted, sent
from tests.stage import CULPRIT, Stage, make_stage

UP, DOWN = InterfaceUp(target=CULPRIT), InterfaceDown(target=CULPRIT)


def asking(stage: Stage, action: Action, requester: str) -> Proposal:
    plan = Plan(steps=(action,))
    return stage.proposals()[0].but(id=stage.road.id("prop"), requester=requester, plan=plan, plan_digest=plan.digest)


def do(stage: Stage, action: Action, requester: str) -> None:
    """Let a plan of this one action be intended."""
    proposal = asking(stage, action, requester)
    step = Step(
        id=f"{proposal.id}:step:0",
        execution_id=proposal.id.replace("prop", "exec"),
        kind=RightKind.STEP,
        index=0,
        action=action,
        worker="test",
        intended_at=stage.clock.now(),
    )
    made = Entry(kind="test.step.intended", actor="test", event_time=stage.clock.now())
    stage.ledger.do(lambda tables: Written(flapping.touch(tables, proposal, step), (made,)))
    stage.clock.advance(1)


def against(stage: Stage, action: Action, requester: str) -> list[str]:
    proposal = asking(stage, action, requester)
    return stage.ledger.read(lambda tables: flapping.flaps(stage.road, tables, proposal))


def test_two_agents_that_disagree_are_both_held(stage: Stage) -> None:
    stage.begin()
    for _ in range(2):
        do(stage, UP, "agent:provisioning")
        do(stage, DOWN, "agent:steering")

    said = against(stage, UP, "agent:provisioning")
    other = against(stage, UP, "agent:steering")

    assert "agent:provisioning, agent:steering" in said[0]
    assert "locked for automation" in other[0]


def test_what_is_set_to_the_same_value_again_and_again_does_not_flap(stage: Stage) -> None:
    stage.begin()
    for _ in range(20):
        do(stage, UP, "agent:provisioning")

    assert against(stage, UP, "agent:provisioning") == []


def test_another_element_is_not_locked(stage: Stage) -> None:
    stage.begin()
    for _ in range(3):
        do(stage, UP, "agent:provisioning")
        do(stage, DOWN, "agent:provisioning")

    assert against(stage, InterfaceDown(target="tp:c-d"), "agent:provisioning") == []


def test_the_lock_ends_with_the_window(stage: Stage) -> None:
    stage.begin()
    for _ in range(3):
        do(stage, UP, "agent:provisioning")
        do(stage, DOWN, "agent:provisioning")
    locked = against(stage, UP, "agent:provisioning")

    stage.clock.advance(stage.road.settings.budget_window_s)

    assert locked
    assert against(stage, UP, "agent:provisioning") == []


def test_a_step_and_its_inverse_count_as_back_and_forth(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger)
    granted(stage)
    stage.walk_all()
    stage.suffer(20)

    touches = stage.ledger.read(lambda tables: tables.touches.find(element=CULPRIT))
    assert sent(stage) == ["step:0", "inverse:0"]
    assert [touch.value for touch in sorted(touches, key=lambda touch: touch.at)] == ["unlocked", "locked"]
