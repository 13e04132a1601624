"""What a real plant did not say: a lost answer is read back, silence is a doubt for a person, nothing is sent twice."""

import os
import signal

import pytest

from domain.execution import ExecutionState, StepState
from domain.incidents import Resolution
from domain.proposals import Proposal
from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import Scene
from tests.stage import CULPRIT

pytestmark = pytest.mark.slow

IMPATIENT_S = 0.5


@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "not-keyed"])
def test_an_answer_that_got_lost_is_read_back_and_the_action_not_sent_again(
    make_scene: MakeScene, *, keyed: bool
) -> None:
    scene = make_scene(keyed=keyed)
    proposal = scene.break_culprit()
    scene.umpire.lose_answers(1)

    scene.approve(proposal)
    incident = scene.closed()

    assert scene.steps(proposal)["step:0"].state is StepState.DONE
    assert len(scene.effects()) == 1
    assert incident.resolution is Resolution.RESTORED


def doubted(scene: Scene) -> Proposal:
    """Approve a repair whose device falls silent after the intent and before the sending; return it, in doubt."""
    proposal = scene.break_culprit()
    scene.on("intended", scene.key(proposal, "step:0"), lambda: os.kill(scene.plant.pid, signal.SIGSTOP))
    try:
        scene.approve(proposal)
        scene.until(scene.in_doubt)
    finally:
        os.kill(scene.plant.pid, signal.SIGCONT)
    return proposal


@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "not-keyed"])
def test_a_silent_device_leaves_a_step_in_doubt_and_a_person_who_looks_settles_it(
    make_scene: MakeScene, *, keyed: bool
) -> None:
    scene = make_scene(keyed=keyed, timeout_s=IMPATIENT_S)
    proposal = doubted(scene)
    execution = scene.execution(proposal)
    assert execution is not None
    assert execution.state is ExecutionState.IN_DOUBT
    scene.until(scene.effects)  # what lay in the device's queue is done when it wakes

    (step,) = scene.in_doubt()
    happened = scene.house.road.network.state(CULPRIT)["administrative"] == "unlocked"
    scene.house.commands.settle_doubt(scene.one, step.id, happened=happened, because="looked at the device")
    incident = scene.closed()

    assert happened
    assert len(scene.effects()) == 1
    assert incident.resolution is Resolution.RESTORED
    assert scene.intact()


def test_a_step_that_a_person_finds_undone_is_not_sent_again(make_scene: MakeScene) -> None:
    scene = make_scene(keyed=False, timeout_s=IMPATIENT_S)
    proposal = doubted(scene)

    (step,) = scene.in_doubt()
    scene.house.commands.settle_doubt(scene.one, step.id, happened=False, because="the counter shows no command")
    scene.settled(proposal)

    assert scene.steps(proposal)["step:0"].state is StepState.FAILED
    assert [line["key"] for line in scene.effects()] in ([], [step.id])
