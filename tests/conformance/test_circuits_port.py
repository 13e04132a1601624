"""What every network that carries ordered circuits must do; one that cannot refuses them, and nothing changes."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.network.emulated.launcher import start_plant
from adapters.network.in_memory import InMemoryNetwork
from control_plane.ports import Network, Seen
from control_plane.relevance import read_state
from domain.actions import NO_CIRCUIT, Action, ActivateCircuit, DeactivateCircuit
from domain.clock import ManualClock
from domain.errors import NotFound, Refused
from tests.lab.fixed import network_over
from tests.lab.recorded import Recorded
from tests.stage import ring


def emulated(folder: Path) -> Iterator[Network]:
    with start_plant(ring(), 4, folder, period_s=0.2) as plant:
        yield plant.network(timeout_s=2.0)


def in_memory(_folder: Path) -> Iterator[Network]:
    yield InMemoryNetwork(ring(), ManualClock(datetime(2026, 1, 12, 12, tzinfo=UTC)))


SUBJECTS: dict[str, Callable[[Path], Iterator[Network]]] = {"emulated": emulated, "in_memory": in_memory}


@pytest.fixture(scope="module", params=list(SUBJECTS))
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    yield from SUBJECTS[request.param](tmp_path_factory.mktemp("network"))


def circuit(name: str, *, via: str | None = None, source: str = "node:a", mbps: float = 10.0) -> ActivateCircuit:
    return ActivateCircuit(
        target=f"circuit:{name}", source=source, destination="node:c", mbps=mbps, slice_id=f"slice:{name}", via=via
    )


def sent(network: Network, key: str, action: Action) -> Seen:
    """Send an action and look until it is pending no more; at most ten seconds."""
    network.send(key, action)
    for _ in range(500):
        if (seen := network.look(key)) is not Seen.PENDING:
            return seen
        time.sleep(0.02)
    return Seen.PENDING


def test_a_circuit_that_is_not_there_yet_is_set_up_and_shows_its_way(network: Network) -> None:
    asked = circuit("new", via="node:d")
    before = read_state(network, asked.target, asked.absent)

    seen = sent(network, "new", asked)

    after = network.state(asked.target)
    assert seen is Seen.DONE
    assert (after["administrative"], after["via"]) == ("unlocked", "node:d")
    assert asked.took_effect(before, after)
    assert not asked.took_effect(after, after)


def test_the_inverse_takes_it_out_of_service_and_it_can_come_back(network: Network) -> None:
    asked = circuit("back", via="node:b")
    undo = asked.inverse()
    assert isinstance(undo, DeactivateCircuit)
    assert undo.inverse() == asked

    sent(network, "there", asked)
    between = network.state(asked.target)
    sent(network, "gone", undo)

    after = network.state(asked.target)
    assert undo.took_effect(between, after)
    assert (after["administrative"], after["via"]) == ("locked", "")
    assert sent(network, "again", asked) is Seen.DONE
    assert network.state(asked.target)["administrative"] == "unlocked"


def test_another_way_than_the_asked_one_is_no_effect(network: Network) -> None:
    asked = circuit("astray", via="node:b")
    before = read_state(network, asked.target, asked.absent)
    sent(network, "astray", circuit("astray", via=None))

    assert not asked.took_effect(before, network.state(asked.target))


@pytest.mark.parametrize(
    "wrong",
    [
        circuit("lost", source="node:nowhere"),
        circuit("lost", via="node:nowhere"),
        circuit("lost").inverse(),
    ],
    ids=["source", "waypoint", "unknown"],
)
def test_what_cannot_be_set_up_is_refused_and_leaves_nothing(network: Network, wrong: Action) -> None:
    with pytest.raises(Refused):
        network.send("lost", wrong)

    with pytest.raises(NotFound):
        network.state("circuit:lost")


def test_a_part_of_a_circuit_can_go_through_its_waypoint(network: Network) -> None:
    asked = circuit("shared", via="node:b").but(share=0.4)

    assert sent(network, "shared", asked) is Seen.DONE
    assert network.state(asked.target)["via"] == "node:b@0.40"
    assert asked.took_effect(NO_CIRCUIT, network.state(asked.target))


def test_what_carries_traffic_already_is_no_circuit_of_an_order(network: Network) -> None:
    taken = circuit("x").but(target="demand:a-b", slice_id="slice:1")

    with pytest.raises(Refused):
        network.send("taken", taken)
    with pytest.raises(Refused):
        network.send("taken-away", DeactivateCircuit(**taken.model_dump(exclude={"kind"})))


def test_routers_that_cannot_do_it_say_so() -> None:
    with network_over(Recorded()) as network, pytest.raises(Refused, match="routers take no `activate_circuit`"):
        network.send("circuit", circuit("lab"))
