"""An operator stops a plan on a real plant: nothing further is sent, and what is done is undone."""

import time
from functools import partial

import pytest

from control_plane.executor import execution_id_of
from domain.actions import DrainLink, InterfaceUp, SteerDemand
from domain.errors import Conflict
from domain.execution import StepState
from domain.incidents import Resolution
from domain.proposals import Plan
from tests.scenarios.scene import Scene
from tests.stage import CULPRIT

PLAN = Plan(
    steps=(
        InterfaceUp(target=CULPRIT),
        DrainLink(target="link:c-d", previous_metric=10),
        DrainLink(target="link:b-c", previous_metric=10),
        SteerDemand(target="demand:a-b", via="node:b"),
    )
)


def test_a_stop_in_flight_sends_no_further_step_and_undoes_the_done_ones_in_reverse(scene: Scene) -> None:
    proposal = scene.change(scene.break_culprit(), PLAN)
    marks: list[float] = []

    def stop() -> None:
        scene.house.commands.stop(scene.one, proposal.id, "the wrong link")
        marks.append(time.monotonic())

    scene.on("sent", scene.key(proposal, "step:2"), stop)
    scene.on("compensating", execution_id_of(proposal.id), lambda: marks.append(time.monotonic()))
    scene.approve(proposal, scene.people[1:])
    scene.settled(proposal)

    execution, steps = scene.execution(proposal), scene.steps(proposal)
    assert execution is not None
    assert execution.outcome is not None
    print(f"\nfrom the stop to where no step can be sent any more: {marks[1] - marks[0]:.3f} s")
    assert "step:3" not in steps
    assert execution.stopped_by == "approver-one"
    assert execution.outcome.resolution is Resolution.ROLLED_BACK
    done = [name for name, step in steps.items() if name.startswith("step") and step.state is StepState.DONE]
    happened = [line["key"].removeprefix(f"{execution.id}:") for line in scene.effects()]
    assert happened == [*done, *(name.replace("step", "inverse") for name in reversed(done))]
    assert scene.intact()


def test_a_step_that_was_accepted_and_is_not_done_yet_is_cancelled_by_a_stop(scene: Scene) -> None:
    proposal = scene.break_culprit()
    stop = partial(scene.house.commands.stop, scene.one, proposal.id, "not now")
    scene.on("sent", scene.key(proposal, "step:0"), stop)

    scene.approve(proposal)
    scene.settled(proposal)

    assert scene.steps(proposal)["step:0"].state is StepState.FAILED
    assert scene.effects() == []
    assert scene.house.road.network.state(CULPRIT)["administrative"] == "locked"


@pytest.mark.slow
def test_a_plan_that_is_over_cannot_be_stopped(scene: Scene) -> None:
    proposal = scene.break_culprit()
    scene.approve(proposal)
    scene.settled(proposal)

    with pytest.raises(Conflict, match="nothing to stop"):
        scene.house.commands.stop(scene.one, proposal.id, "too late")
