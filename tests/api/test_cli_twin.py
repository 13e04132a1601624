"""`nocturne twin` over a real socket: what is believed, what would follow, few moves, and scenes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli import app
from api.logs import configure
from domain.clock import ManualClock
from tests.attacks.ring_house import RingHouse, ring_house
from tests.served import served

Nocturne = Callable[..., Result]


@pytest.fixture
def ring(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    ring = ring_house(clock, tmp_path)
    yield ring
    ring.house.close()


@pytest.fixture
def twin(ring: RingHouse, clock: ManualClock) -> Iterator[Nocturne]:
    """Return `twin(*words)`, as a viewer."""
    configure("error", clock)
    with served(ring.door.app) as url:
        environment = {"NOCTURNE_URL": url, "NOCTURNE_TOKEN": ring.tokens["viewer"], "COLUMNS": "200"}
        yield lambda *words: CliRunner().invoke(app, ["twin", *words], env=environment)


def test_the_twin_is_shown(twin: Nocturne) -> None:
    told = twin("show")
    assert told.exit_code == 0
    assert "ring: 5 nodes, 4 links, 1 demands" in told.stdout
    assert "the twin is" in told.stdout  # fit or not, and why


def test_a_what_if_names_who_would_be_worse_off(twin: Nocturne, tmp_path: Path) -> None:
    told = twin("whatif", "--fail", "node:b")
    assert "worse off: " in told.stdout
    assert "demand:a-b" in told.stdout

    (tmp_path / "changes").write_text('[{"kind": "set_metric", "link": "link:a-b", "metric": 1000}]')
    found = json.loads(twin("whatif", "--changes", str(tmp_path / "changes"), "--json").stdout)
    assert next(load for load in found["busiest"] if load["link"] == "link:a-b")["then"] == 0


@pytest.mark.parametrize("text", ["{}", "no JSON"])
def test_what_are_no_changes_is_said(twin: Nocturne, tmp_path: Path, text: str) -> None:
    (tmp_path / "changes").write_text(text)
    done = twin("whatif", "--changes", str(tmp_path / "changes"))
    assert "BadInput" in repr(done.exception)


def test_few_moves_are_told_beside_the_optimum(twin: Nocturne) -> None:
    told = twin("steer", "--limit", "3").stdout
    assert [line.split()[0] for line in told.splitlines()[1:5]] == ["now", "after", "optimum", "N-1"]
    assert json.loads(twin("steer", "--json").stdout)["method"] in {"lp", "greedy", "none"}


def test_a_sweep_shows_the_worst_and_counts_all(twin: Nocturne) -> None:
    assert "4 failures in" in twin("sweep").stdout
    assert json.loads(twin("sweep", "nodes", "--json").stdout)["found"]["losing"] == 2
    assert twin("sweep", "moons").exit_code != 0


def test_the_twin_is_taken_away_as_json_and_as_a_scene(twin: Nocturne) -> None:
    assert {node["id"] for node in json.loads(twin("export").stdout)["nodes"]} >= {"node:a", "node:b"}
    assert twin("export", "--form", "usd").stdout.startswith("#usda 1.0\n")
    assert "no form" in str(twin("export", "--form", "dwg").exception)
