"""`nocturne twin` over a real socket: what is believed, what would follow, few moves, and scenes."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from api.cli import app
from api.logs import configure
from api.views.twin import steering_view
from domain.clock import ManualClock
from domain.errors import BadInput
from tests.attacks.ring_house import RingHouse, ring_house
from tests.control_plane.whatif.remembered_weeks import remember
from tests.served import served
from twin.configuration import generate, write

Nocturne = Callable[..., Result]


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 12, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def ring(clock: ManualClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingHouse]:
    """One house for all: none of these questions changes anything."""
    ring = ring_house(clock, tmp_path_factory.mktemp("ring"))
    yield ring
    ring.house.close()


@pytest.fixture(scope="module")
def address(ring: RingHouse) -> Iterator[str]:
    with served(ring.door.app) as url:
        yield url


@pytest.fixture
def twin(ring: RingHouse, address: str, clock: ManualClock) -> Nocturne:
    """Return `twin(*words)`, as a viewer."""
    configure("error", clock)
    environment = {"NOCTURNE_URL": address, "NOCTURNE_TOKEN": ring.tokens["viewer"], "COLUMNS": "200"}
    return lambda *words: CliRunner().invoke(app, ["twin", *words], env=environment)


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "is no list of changes"),
        ("no JSON", "not JSON at line 1"),
        ("", "not JSON at line 1"),
        ('[{"kind": "set_metric", "link": "link:a-b", "metric": NaN}]', "`NaN` is no JSON number"),
    ],
)
def test_what_are_no_changes_is_said(twin: Nocturne, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "changes").write_text(text)
    done = twin("whatif", "--changes", str(tmp_path / "changes"))
    assert isinstance(done.exception, BadInput)
    assert str(tmp_path / "changes") in done.exception.reason
    assert said in done.exception.reason


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "`--fail ELEMENT`"),
        (("--fail", "b"), "did you mean `node:b`?"),
        (("--fail", "node:moon"), "`nocturne twin export` lists all"),
        (("--fail", "node:b", "--hours", "nan"), "`--hours` takes"),
        (("--fail", "node:b", "--hours", "-1"), "`--hours` takes"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_to_write(
    twin: Nocturne, words: tuple[str, ...], said: str
) -> None:
    assert said in str(twin("whatif", *words).exception)


def test_delays_and_the_spread_of_overload_stand_beside_now(twin: Nocturne, tmp_path: Path) -> None:
    (tmp_path / "surge").write_text('[{"kind": "scale_demand", "demand": "demand:a-b", "factor": 10}]')

    told = twin("whatif", "--changes", str(tmp_path / "surge"), "--cascade").stdout

    assert "worst delay ms" in told
    assert "round 1, too full to stay up: link:a-b" in told
    assert "no link is so full" in twin("whatif", "--fail", "node:b", "--cascade").stdout


def test_few_moves_are_told_beside_the_optimum(twin: Nocturne) -> None:
    told = twin("steer", "--limit", "3").stdout
    assert [line.split()[0] for line in told.splitlines()[1:5]] == ["now", "after", "optimum", "N-1"]
    assert json.loads(twin("steer", "--json").stdout)["method"] in {"lp", "greedy", "none"}


def test_a_move_of_a_share_says_how_much_of_the_demand_it_takes() -> None:
    ways = [("node:c", 0.4, None, 1.0), (None, 1.0, "node:c", 1.0)]
    moves = [
        {"demand": f"d{number}", "via": via, "share": share, "previous": previous, "previous_share": was}
        for number, (via, share, previous, was) in enumerate(ways)
    ]
    worth = {"now": 0.9, "after": 0.5, "optimum": 0.5, "after_failure": None, "failing": "", "unrouted": ()}
    harm = {"lost_now": 3.25, "lost_after": 0.0, "late_after": ("d7",)}
    believed = {"source": "twin", "at": "2026-01-12T12:00:00Z", "digest": "0" * 64, "fidelity": {"reason": "fit"}}
    shadow = {"greedy": None, "learner": None, "version": "", "note": ""}
    found = {"moves": moves, "method": "lp", "believed": believed, "shadow": shadow} | worth | harm
    out = io.StringIO()

    Console(file=out, width=140).print(steering_view(found))

    rows = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert "d0 node:c (40% of it) the shortest way" in rows
    assert "d1 the shortest way node:c" in rows
    assert "lost: 3.2 Mbit/s now, 0.0 after" in rows
    assert "would be late: d7" in rows


def test_a_sweep_shows_the_worst_and_counts_all(twin: Nocturne) -> None:
    assert "4 failures in" in twin("sweep").stdout
    assert json.loads(twin("sweep", "nodes", "--json").stdout)["found"]["losing"] == 2
    assert twin("sweep", "moons").exit_code != 0


def test_the_twin_is_taken_away_as_json_and_as_a_scene(twin: Nocturne) -> None:
    assert {node["id"] for node in json.loads(twin("export").stdout)["nodes"]} >= {"node:a", "node:b"}
    assert twin("export", "--form", "usd").stdout.startswith("#usda 1.0\n")
    assert "no form" in str(twin("export", "--form", "dwg").exception)


def test_a_configuration_is_checked_on_the_network_of_the_running_house(
    twin: Nocturne, ring: RingHouse, tmp_path: Path
) -> None:
    text = write(generate(ring.house.road.live.inventory))
    (tmp_path / "sound").write_text(text)
    (tmp_path / "bad").write_text(text.replace("mtu 9000", "mtu 1400", 1))

    sound = twin("check", str(tmp_path / "sound"), "--live")
    bad = twin("check", str(tmp_path / "bad"), "--against", str(tmp_path / "sound"), "--live")

    assert sound.exit_code == 0
    assert "nothing blocks, 0 more\nfrom live, " in sound.stdout
    assert bad.exit_code == 1
    assert "BLOCKS   CFG-MTU-MISMATCH" in bad.stdout
    assert "-  mtu 9000" in bad.stdout


def test_capacity_is_planned_by_what_the_running_house_has_measured(
    twin: Nocturne, ring: RingHouse, clock: ManualClock
) -> None:
    assert "measured 0 whole hours" in str(twin("capacity", "--live").exception)
    remember(ring.house.road.ledger, clock, 12, {"tp:a-b": 57.0})

    found = json.loads(twin("capacity", "--live").stdout)
    table = twin("capacity", "--live", "--form", "csv")

    assert found["history"]["hours"] == 12 * 168
    assert [one["element"] for one in found["plan"]["upgrades"]] == ["link:a-b"]
    assert table.stdout.startswith("rank,element,")
    assert "the twin is" in table.stderr
