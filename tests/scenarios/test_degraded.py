"""A network that says less, or nothing: the house says so, stays up, is less sure, and takes no silence for health."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from adapters.network.emulated.client import EmulatedNetwork
from adapters.network.emulated.launcher import start_plant
from api import settings
from api.http.app import create_app
from control_plane.executor import execution_id_of
from control_plane.ports import Feed
from domain.diagnosis import Diagnosis, FaultKind
from domain.errors import Unavailable
from domain.identity import Role
from domain.incidents import IncidentState, Resolution
from tests.scenarios.conftest import MakeScene
from tests.scenarios.house_process import built
from tests.scenarios.scene import Scene, open_house
from tests.stage import CULPRIT, ring

pytestmark = pytest.mark.slow

PAGES = ("/health", "/state", "/incidents", "/inbox", "/quarantine", "/tallies")


class Deaf(EmulatedNetwork):
    """A plant some of whose sources are not heard any more, from when they are put into `cut`."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.cut: set[str] = set()

    def poll(self, after: int, *, wait_s: float = 0.0) -> Feed:
        feed = super().poll(after, wait_s=wait_s)
        heard = tuple(item for item in feed.items if item.get("source") not in self.cut)
        return Feed(items=heard, position=feed.position)


def health(scene: Scene) -> dict[str, Any]:
    return scene.house.queries.health()


def collectors(scene: Scene) -> list[str]:
    """Return the sources of readings."""
    return sorted(source for source in scene.house.road.live.history.sources() if "pm-" in source)


def blind(scene: Scene) -> bool:
    """Say whether the house says of every source of readings that it is silent."""
    said = health(scene)
    return said["status"] == "DEGRADED" and set(collectors(scene)) <= set(said["missing_sources"])


@pytest.fixture
def deaf_scene(tmp_path: Path) -> Any:
    """A running house that hears its plant by a network whose sources can be cut."""
    with start_plant(ring(), 7, tmp_path / "plant") as plant:
        network = Deaf(plant.url)
        house = built(tmp_path / "house", network)
        house.start()
        try:
            yield Scene(house, plant), network
        finally:
            house.close()
            network.close()


def test_a_dead_plant_is_named_and_no_page_fails(scene: Scene) -> None:
    sources = collectors(scene)
    scene.plant.kill()
    scene.until(lambda: blind(scene))

    roles = frozenset({Role.OPERATOR, Role.VIEWER, Role.APPROVER})
    _, token = scene.house.issuer.issue("looker", roles, person="looker")
    with TestClient(create_app(scene.house, settings.load()), headers={"Authorization": f"Bearer {token}"}) as client:
        answers = {page: client.get(page) for page in PAGES}

    assert {page: answer.status_code for page, answer in answers.items() if answer.status_code >= 500} == {}
    assert answers["/health"].json()["status"] == "DEGRADED"
    assert set(sources) <= set(answers["/health"].json()["missing_sources"])


def test_a_diagnosis_without_a_source_is_less_sure_and_names_it(deaf_scene: tuple[Scene, Deaf]) -> None:
    scene, network = deaf_scene
    scene.until(lambda: len(collectors(scene)) > 1)
    network.cut = set(collectors(scene))
    scene.until(lambda: blind(scene))

    scene.umpire.inject(FaultKind.INTERFACE_LOCKED, CULPRIT)
    unseeing = scene.until(lambda: newest(scene))
    network.cut = set()
    seeing = scene.until(lambda: found if (found := newest(scene)) and found.causes and not found.degraded_by else None)

    assert set(unseeing.degraded_by) == set(collectors(scene))
    assert sureness(unseeing) < sureness(seeing)


def newest(scene: Scene) -> Diagnosis | None:
    """Return the newest diagnosis that is not provisional."""
    found: Sequence[Diagnosis] = scene.read(lambda tables: tables.diagnoses.find(newest=True))
    return next((diagnosis for diagnosis in found if not diagnosis.provisional), None)


def sureness(diagnosis: Diagnosis) -> float:
    return diagnosis.top.confidence if diagnosis.top else 0.0


def test_a_blackout_in_the_middle_of_a_fault_is_never_healthy(deaf_scene: tuple[Scene, Deaf]) -> None:
    scene, network = deaf_scene
    proposal = scene.break_culprit()
    network.cut = {*collectors(scene), *(f"emulated:alarms-{n}" for n in range(1, 5))}
    scene.until(lambda: blind(scene))

    picture = scene.house.road.live.picture(scene.house.clock.now())

    assert CULPRIT not in picture.healthy
    assert picture.healthy == frozenset()
    assert scene.proposal(proposal.id).live
    incident = scene.incident()
    assert incident is not None
    assert incident.state is IncidentState.OPEN


def test_a_repair_whose_effect_nobody_sees_is_not_called_restored(deaf_scene: tuple[Scene, Deaf]) -> None:
    scene, network = deaf_scene
    proposal = scene.break_culprit()
    scene.on("verifying", execution_id_of(proposal.id), lambda: network.cut.update(collectors(scene)))

    scene.approve(proposal)
    scene.until(lambda: scene.execution(proposal))
    scene.settled(proposal)

    execution = scene.execution(proposal)
    assert execution is not None
    assert execution.outcome is not None
    assert execution.outcome.resolution is not Resolution.RESTORED


@pytest.mark.parametrize("met", [False, True], ids=["never-met", "met-and-lost"])
def test_a_house_that_finds_its_network_dead_loses_no_incident(
    make_scene: MakeScene, tmp_path: Path, *, met: bool
) -> None:
    scene = make_scene()
    proposal = scene.break_culprit()
    scene.house.close()
    met_before = scene.plant.network(timeout_s=0.5) if met else None
    os.kill(scene.plant.pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable):
            built(tmp_path / "house", met_before or scene.plant.network(timeout_s=0.5))
    finally:
        os.kill(scene.plant.pid, signal.SIGCONT)

    again = Scene(open_house(tmp_path / "house", scene.plant), scene.plant)
    again.house.start()
    try:
        again.approve(proposal)
        assert again.closed().resolution is Resolution.RESTORED
    finally:
        again.house.close()
    assert len(again.effects()) == 1
