"""One story, whatever stands behind the walls: memory, SQLite or PostgreSQL under a plant or under real routers.

Somebody locks an interface by mistake. The tests know neither which store keeps the matter nor which network it is in.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from adapters.network.emulated.launcher import start_plant
from control_plane import flow
from domain.errors import Conflict
from domain.identity import Principal
from domain.incidents import Resolution
from domain.proposals import ProposalState
from tests.lab.world import lab_world
from tests.scenarios.scene import Scene, World, open_house
from tests.scenarios.test_races import MANY, at_once, crowd
from tests.stage import CULPRIT, ring
from tests.stores import of_a_house

WORLDS: dict[str, Callable[[Path, ExitStack], tuple[World, str]]] = {
    "plant": lambda folder, closing: (closing.enter_context(start_plant(ring(), 7, folder)), CULPRIT),
    "routers": lambda folder, closing: closing.enter_context(lab_world(folder)),
}
BEHIND_THE_WALLS = [
    ("memory", "plant"),
    ("sqlite", "plant"),
    ("postgresql", "plant"),
    # a minute of real time; `tests/lab/test_smoke.py` plays the same mistake on routers over SQLite
    pytest.param(("postgresql", "routers"), marks=pytest.mark.slow),
]


@pytest.fixture(params=BEHIND_THE_WALLS, ids="-".join)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    store, network = request.param
    with ExitStack() as closing:
        world, culprit = WORLDS[network](tmp_path / "network", closing)
        kept = closing.enter_context(of_a_house(store))
        house = open_house(tmp_path / "house", world, **kept)
        closing.callback(house.close)
        house.start()
        yield Scene(house, world, culprit)


def test_fifty_approvals_at_once_make_one_repair_that_is_credited(scene: Scene) -> None:
    proposal, people = scene.break_culprit(), crowd(scene)

    def approve_and_wake(who: Principal) -> None:
        try:
            scene.house.commands.approve(who, proposal.id, "me first")
        finally:
            flow.walk(scene.house.road, scene.house.graph, proposal.incident_id)

    refusals = at_once([partial(approve_and_wake, who) for who in people])

    assert scene.closed().resolution is Resolution.RESTORED
    assert all(isinstance(refusal, Conflict) for refusal in refusals)
    assert len(refusals) < MANY
    assert scene.read(lambda tables: tables.grants.count(proposal_id=proposal.id)) == 1
    assert len(scene.effects()) == 1
    assert scene.intact()


def test_what_a_person_rejects_is_not_done_and_not_asked_again(scene: Scene) -> None:
    proposal = scene.break_culprit()

    scene.decide(partial(scene.house.commands.reject, scene.one, proposal.id, "the site is being worked on"))
    scene.house.worker.close()
    flow.walk(scene.house.road, scene.house.graph, proposal.incident_id)

    assert scene.proposal(proposal.id).state is ProposalState.REJECTED
    assert scene.settled_proposal() is None
    assert scene.effects() == []
    assert scene.intact()
