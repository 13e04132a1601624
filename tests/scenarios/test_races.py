"""Many at once on a real plant: one grant, one effect; and one process per folder."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from control_plane import flow
from domain.errors import Conflict, NocturneError
from domain.identity import Principal, Role
from domain.proposals import Proposal
from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import Scene, open_house

MANY = 50


def at_once(acts: list[Callable[[], object]]) -> list[NocturneError]:
    """Do everything at the same moment; return the refusals. Anything else that is raised fails the test."""
    barrier, refusals, broken = threading.Barrier(len(acts)), [], []

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except NocturneError as refusal:
            refusals.append(refusal)
        except Exception as error:  # noqa: BLE001  # told to the test by the line after the joins
            broken.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    return refusals


def crowd(scene: Scene) -> list[Principal]:
    """Return fifty approvers who are fifty people."""
    roles = frozenset({Role.APPROVER})
    return [scene.house.issuer.issue(f"approver-{n}", roles, person=f"person {n}")[0] for n in range(MANY)]


def granted_at_rest(scene: Scene) -> Proposal:
    """Return a granted repair in a house whose worker rests: nobody carries it out but the test."""
    proposal = scene.break_culprit()
    scene.house.worker.close()
    flow.judge(scene.house.road, proposal.incident_id)
    return scene.approve(proposal)


@pytest.mark.slow
@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "not-keyed"])
def test_two_wakes_in_two_threads_do_a_granted_plan_once(make_scene: MakeScene, *, keyed: bool) -> None:
    scene = make_scene(keyed=keyed)
    proposal = granted_at_rest(scene)

    road, graph = scene.house.road, scene.house.graph
    refusals = at_once([lambda: flow.walk(road, graph, proposal.incident_id)] * 2)

    assert refusals == []
    assert len(scene.effects()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "not-keyed"])
def test_two_workers_that_do_not_share_a_turn_do_a_granted_plan_once(make_scene: MakeScene, *, keyed: bool) -> None:
    scene = make_scene(keyed=keyed)
    proposal = granted_at_rest(scene)

    refusals = at_once([lambda: flow.act(scene.house.road, proposal.incident_id)] * 4)

    assert all(isinstance(refusal, Conflict) for refusal in refusals)
    assert len(scene.effects()) == 1


def test_two_houses_cannot_serve_one_folder(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="in use by process"):
        open_house(tmp_path / "house", scene.plant)
