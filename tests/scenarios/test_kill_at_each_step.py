"""Kill −9 at each step of the road, then start again: at most one effect in the plant's journal, no decision lost.

Effects are counted in the plant's own journal, a process that survives, never in our tables.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.network.emulated.launcher import RunningPlant, start_plant
from domain.diagnosis import FaultKind
from tests.stage import CULPRIT, ring

ROOT = Path(__file__).parents[2]
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


@pytest.fixture(params=[True, False], ids=["keyed", "not-keyed"])
def plant(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningPlant]:
    with start_plant(ring(), 7, tmp_path / "plant", keyed=request.param) as plant:
        plant.umpire().inject(FaultKind.INTERFACE_LOCKED, CULPRIT)
        yield plant


def live(folder: Path, plant: RunningPlant, point: str = "") -> subprocess.CompletedProcess[str]:
    """Run a house until it ends, or until it kills itself."""
    command = [sys.executable, "-m", "tests.scenarios.house_process", str(folder), plant.url, *filter(None, [point])]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def effects(plant: RunningPlant) -> list[str]:
    return [line["key"] for line in plant.umpire().journal() if line["target"] == CULPRIT]


@pytest.mark.slow
@pytest.mark.parametrize("forget", [False, True], ids=["checkpoints-kept", "checkpoints-deleted"])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_repeats_and_loses_nothing(plant: RunningPlant, tmp_path: Path, point: str, forget: bool) -> None:
    folder = tmp_path / "house"

    killed = live(folder, plant, point)
    if forget:
        for checkpoint in folder.glob("wakes.db*"):
            checkpoint.unlink()
    survived = live(folder, plant)

    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert survived.returncode == 0, survived.stderr[-2000:]
    report = json.loads(survived.stdout.splitlines()[-1])
    assert report["ended"], survived.stderr[-2000:]
    assert report["verified"]
    assert effects(plant) == sorted(set(effects(plant)))
    assert len(effects(plant)) == 1
    assert "restored" in report["incidents"]
