"""A customer's wish on a real plant: ordered, approved, carried and measured, taken back; and what can go wrong."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from adapters.network.emulated.launcher import start_plant
from control_plane.orders.desk import OrderView
from domain.diagnosis import FaultKind
from domain.errors import NotFound
from domain.identity import Principal, Role
from domain.measurements import Metric
from domain.orders import CircuitWish, OrderState, OrderWish
from tests.scenarios.scene import Scene, open_house
from tests.stage import ring

CIRCUIT = "circuit:clinic"


def wish(mbps: float = 10.0, *, protected: bool = True) -> OrderWish:
    circuit = CircuitWish(id="clinic", source="node:a", destination="node:c", mbps=mbps, protected=protected)
    return OrderWish(customer="Harbour Clinic", name="line to the archive", circuits=(circuit,), max_delay_ms=20.0)


def customer(scene: Scene) -> Principal:
    known = scene.read(lambda tables: tables.principals.find(name="engineer-one"))
    issue = partial(scene.house.issuer.issue, "engineer-one", frozenset({Role.ENGINEER}), person="engineer-one")
    return known[0] if known else issue()[0]


def reached(scene: Scene, order: OrderView, *states: OrderState) -> OrderView:
    """Wait until an order is in one of these states."""

    def look() -> OrderView | None:
        found = scene.house.desks.orders.order(scene.one, order.order.id)
        return found if found.state in states else None

    return scene.until(look)


def approve(scene: Scene, order: OrderView) -> None:
    held = reached(scene, order, OrderState.HELD)
    scene.approve(scene.proposal(held.proposal_id))


def carried(scene: Scene) -> float | None:
    """Return the Mbit/s that are measured on the circuit now; None when nobody says."""
    seen = scene.house.road.live.observed(CIRCUIT, Metric.THROUGHPUT)
    return None if seen is None else float(seen)


def test_a_circuit_is_ordered_carries_traffic_over_a_restart_and_is_taken_back(tmp_path: Path) -> None:
    with start_plant(ring(), 7, tmp_path / "plant") as plant, ExitStack() as closing:
        first = Scene(open_house(tmp_path / "house", plant), plant)
        first.house.start()
        ordered = first.house.desks.orders.place(customer(first), wish())
        with pytest.raises(NotFound):
            first.house.road.network.state(CIRCUIT)
        approve(first, ordered)
        active = reached(first, ordered, OrderState.COMPLETED, OrderState.FAILED)
        assert active.state is OrderState.COMPLETED, active.because
        assert first.house.road.network.state(CIRCUIT)["administrative"] == "unlocked"
        digest = first.house.road.live.snapshot().topology.digest
        first.house.close()

        house = open_house(tmp_path / "house", plant)
        closing.callback(house.close)
        house.start()
        second = Scene(house, plant)
        known = house.road.live.snapshot()
        flows = second.until(partial(carried, second))
        house.desks.orders.cancel(customer(second), ordered.order.id, "the archive moves away")
        approve(second, reached(second, ordered, OrderState.HELD))
        gone = reached(second, ordered, OrderState.CANCELLED, OrderState.FAILED)

        assert gone.state is OrderState.CANCELLED, gone.because
        assert (known.topology.digest, known.value(CIRCUIT, "administrative")) == (digest, "unlocked")
        assert 5.0 < flows < 15.0
        assert house.road.network.state(CIRCUIT)["administrative"] == "locked"
        assert [line["action"] for line in second.effects()] == ["activate_circuit", "deactivate_circuit"]
        assert second.intact()


def test_an_executor_that_lies_about_a_circuit_is_found_out(scene: Scene) -> None:
    scene.umpire.inject(FaultKind.LINK_DEGRADED, "link:c-d", size=1e-6, executor="lying")  # type: ignore[call-arg]
    ordered = scene.house.desks.orders.place(customer(scene), wish())
    approve(scene, ordered)

    found = reached(scene, ordered, OrderState.FAILED, OrderState.COMPLETED)

    assert found.state is OrderState.FAILED
    assert f"no change can be read back on {CIRCUIT}" in found.because
    assert scene.effects() == []
    with pytest.raises(NotFound):
        scene.house.road.network.state(CIRCUIT)
