"""`nocturne order` and `nocturne orders` over a real socket."""

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
CIRCUIT = ("circuit", "node:a", "node:c", "--mbps", "10", "--customer", "Harbour Clinic", "--id", "archive")


@pytest.fixture
def ring(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    ring = ring_house(clock, tmp_path)
    yield ring
    ring.house.close()


@pytest.fixture
def nocturne(ring: RingHouse, clock: ManualClock) -> Iterator[Nocturne]:
    configure("error", clock)
    with served(ring.door.app) as url:
        environment = {"NOCTURNE_URL": url, "NOCTURNE_TOKEN": ring.tokens["all_roles"], "COLUMNS": "200"}
        yield lambda *words: CliRunner().invoke(app, list(words), env=environment)


def test_an_order_is_made_listed_shown_and_taken_back(nocturne: Nocturne) -> None:
    assert nocturne("orders").stdout.startswith("No orders.")
    made = json.loads(nocturne("order", *CIRCUIT, "--protected", "--own-id", "PO-1", "--json").stdout)
    listed, shown = nocturne("orders").stdout, nocturne("order", "show", "PO-1").stdout
    gone = nocturne("order", "cancel", made["order"]["id"], "--because", "another year")

    assert made["state"] == "acknowledged"
    assert made["order"]["id"] in listed
    assert "circuit:archive: node:a to node:c, 10 Mbit/s, protected" in shown
    assert "at most 100 ms one way, 1.00% loss" in shown
    assert gone.exit_code == 0
    assert gone.stdout.splitlines()[0].endswith(": cancelled")


def test_a_slice_has_several_circuits_and_what_is_too_much_says_what_would_fit(nocturne: Nocturne) -> None:
    made = nocturne("order", "slice", "node:a,node:c,10", "node:c,node:a,5", "--customer", "Port", "--json")
    too_much = nocturne("order", "circuit", "node:a", "node:c", "--mbps", "500", "--customer", "Port")

    assert [circuit["mbps"] for circuit in json.loads(made.stdout)["order"]["circuits"]] == [10, 5]
    assert ": rejected" in too_much.stdout
    assert "Mbit/s would fit" in too_much.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("order", "slice", "node:a,node:c", "--customer", "Port"), "write SOURCE,DESTINATION,MBPS"),
        (("order", "circuit", "node:a", "node:x", "--mbps", "1", "--customer", "Port"), "`node:x` is no routing node"),
        (("order", "circuit", "node:a", "node:c", "--mbps", "nan", "--customer", "Port"), "finite numbers"),
        (("order", "circuit", "node:a", "node:c", "--mbps", "0", "--customer", "Port"), "mbps"),
        (("order", "show", "nothing"), "there is no order `nothing`"),
    ],
)
def test_a_mistake_is_one_clear_sentence(nocturne: Nocturne, words: tuple[str, ...], told: str) -> None:
    done = nocturne(*words)
    assert done.exit_code != 0
    assert told in str(done.exception)
