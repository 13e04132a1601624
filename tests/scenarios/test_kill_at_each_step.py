"""Kill −9 at each step of the road, then start again: at most one effect in the plant's journal, no decision lost.

Effects are counted in the plant's own journal, in a process that survives, never in our tables.
"""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.network.emulated.launcher import RunningPlant, start_plant
from domain.diagnosis import FaultKind
from tests.postgresql import fresh_database
from tests.scenarios.forking import run_house
from tests.stage import CULPRIT, ring

POINTS = (
    "correlated",
    "diagnosed",
    "proposed",
    "rehearsed",
    "judged",
    "proposal granted",
    "begun",
    "intended",
    "sent",
    "acted",
    "settled",
    "verifying",
    "verified",
    "closed",
)
#: Those between the decision and its effect are run with every selection of tests; the rest are slow together.
FAST = ("proposal granted", "intended", "acted")
#: Where a kept checkpoint could mislead: it names another step than the ledger does.
WITH_CHECKPOINTS = ("diagnosed", "judged", "proposal granted", "intended", "sent", "verifying")
#: Before these nothing was committed that could be repeated: the plant's keys make no difference.
FROM_INTENT_ON = POINTS[POINTS.index("intended") :]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    return tmp_path / "house"


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[RunningPlant]:
    with start_plant(ring(), 7, tmp_path / "plant") as plant:
        plant.umpire().inject(FaultKind.INTERFACE_LOCKED, CULPRIT)
        yield plant


@pytest.fixture
def unkeyed_plant(tmp_path: Path) -> Iterator[RunningPlant]:
    """A plant that does again what it is sent again."""
    with start_plant(ring(), 7, tmp_path / "plant", keyed=False) as plant:
        plant.umpire().inject(FaultKind.INTERFACE_LOCKED, CULPRIT)
        yield plant


def die(folder: Path, plant: RunningPlant, point: str) -> None:
    """Run a house that is killed at `point`."""
    killed = run_house(folder, plant.url, "--kill-at", point)
    assert killed.returncode == -signal.SIGKILL, (killed.stdout, killed.stderr[-2000:])


def survive(folder: Path, plant: RunningPlant, *options: str) -> dict[str, Any]:
    """Run a house to its end on what another one left; return its report."""
    survivor = run_house(folder, plant.url, *options)
    assert survivor.returncode == 0, survivor.stderr[-2000:]
    report: dict[str, Any] = json.loads(survivor.stdout.splitlines()[-1])
    assert report["ended"], (report, survivor.stderr[-2000:])
    return report


def effects(plant: RunningPlant) -> list[str]:
    """Return the keys of everything that really happened to the culprit."""
    return [line["key"] for line in plant.umpire().journal() if line["target"] == CULPRIT]


def nothing_is_repeated_or_lost(plant: RunningPlant, house: Path, point: str, *, forget: bool) -> None:
    die(house, plant, point)
    if forget:
        for checkpoint in house.glob("wakes.db*"):
            checkpoint.unlink()
    report = survive(house, plant)

    assert len(effects(plant)) == 1, report
    assert report["resolutions"] == ["restored"], report
    assert report["verified"], report


@pytest.mark.parametrize("point", FAST)
def test_a_kill_between_decision_and_effect_repeats_and_loses_nothing(
    plant: RunningPlant, house: Path, point: str
) -> None:
    nothing_is_repeated_or_lost(plant, house, point, forget=True)


@pytest.mark.slow
@pytest.mark.parametrize("point", [point for point in POINTS if point not in FAST])
def test_a_kill_repeats_and_loses_nothing_with_every_checkpoint_deleted(
    plant: RunningPlant, house: Path, point: str
) -> None:
    nothing_is_repeated_or_lost(plant, house, point, forget=True)


@pytest.mark.slow
@pytest.mark.parametrize("point", WITH_CHECKPOINTS)
def test_a_kill_repeats_and_loses_nothing_with_checkpoints_kept(plant: RunningPlant, house: Path, point: str) -> None:
    nothing_is_repeated_or_lost(plant, house, point, forget=False)


@pytest.mark.slow
@pytest.mark.parametrize("point", [point for point in FROM_INTENT_ON if point != "intended"])
def test_a_kill_after_sending_repeats_nothing_where_the_network_does_not_refuse_it(
    unkeyed_plant: RunningPlant, house: Path, point: str
) -> None:
    nothing_is_repeated_or_lost(unkeyed_plant, house, point, forget=True)


@pytest.mark.slow
@pytest.mark.parametrize("point", FAST)
def test_a_kill_repeats_and_loses_nothing_on_postgresql(
    plant: RunningPlant, house: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_database() as address:
        monkeypatch.setenv("NOCTURNE_DATABASE", address)
        nothing_is_repeated_or_lost(plant, house, point, forget=False)

    assert not (house / "nocturne.db").exists()


@pytest.mark.slow
def test_an_intent_that_a_kill_left_untold_waits_for_a_person_and_is_not_sent_again(
    unkeyed_plant: RunningPlant, house: Path
) -> None:
    die(house, unkeyed_plant, "intended")

    report = survive(house, unkeyed_plant, "--settle-doubt")

    assert "act.execution.escalated" in report["records"]
    assert "act.step.settled_by_hand" in report["records"]
    assert effects(unkeyed_plant) == []
    assert report["outcomes"] == ["unresolved"]
    assert report["verified"]
