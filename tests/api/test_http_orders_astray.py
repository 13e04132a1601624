"""Service orders that do not go the straight way: other plans beside theirs, other orders on their links, silence."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from control_plane.orders.declaring import declare
from control_plane.receiving import receive_feed
from domain.clock import ManualClock
from domain.orders import CircuitWish, OrderState, OrderWish, decomposed
from tests.api.test_http_orders import CIRCUIT, GOOD, live, ordered, signed, stands, wish
from tests.attacks.ring_house import RingHouse, ring_house
from tests.stage import PERIOD_S


@pytest.fixture
def house(tmp_path: Path) -> Iterator[RingHouse]:
    house = ring_house(ManualClock(datetime(2026, 1, 12, 12, tzinfo=UTC)), tmp_path)
    yield house
    house.close()


def direct(id: str, mbps: float) -> dict[str, Any]:
    """A circuit for which the direct link alone is quick enough."""
    circuit = {"id": id, "source": "node:a", "destination": "node:b", "mbps": mbps}
    return wish(circuits=[circuit], max_delay_ms=2.5)


def activating(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The plan of an order's first circuit, as somebody at a door would send it."""
    circuit, promise = order["order"]["circuits"][0], order["order"]["slice"]
    step = {"kind": "activate_circuit", "target": circuit["id"], "slice_id": promise["id"]}
    step |= {name: circuit[name] for name in ("source", "destination", "mbps", "traffic_class")}
    step |= {name: promise[name] for name in ("max_loss", "max_delay_ms")}
    return {"steps": [step | changes]}


def test_a_stray_plan_in_its_matter_does_not_hide_what_became_of_an_order(house: RingHouse) -> None:
    order = ordered(house)
    house.walk(1.0)
    asked = {"incident_id": order["order"]["incident_id"], "plan": activating(order, mbps=99.0), "because": "more"}
    assert house.post("all_roles", "/proposals", asked).status_code == 201
    house.walk(1.0)

    signed(house, order)
    live(house, 0.5, None)
    running = house.post("all_roles", f"/orders/{order['order']['id']}/cancel", {"because": "too late"})
    live(house, 6.0, GOOD)

    assert (running.status_code, stands(house, order)["state"]) == (409, OrderState.COMPLETED)
    assert [incident.resolution for incident in house.incidents()] == ["restored"]
    assert house.post("all_roles", f"/orders/{order['order']['id']}/cancel", {"because": "it moves"}).status_code == 200


def test_whoever_ordered_does_not_sign_what_somebody_else_makes_of_it(house: RingHouse) -> None:
    order = ordered(house)
    house.walk(1.0)
    held = stands(house, order)
    other = activating(order, via=None if held["ways"][CIRCUIT] else "node:d")
    changed = house.post(
        "approver_a", f"/proposals/{held['proposal_id']}/change", {"plan": other, "because": "shorter"}
    )
    assert changed.status_code < 300, changed.text
    house.walk(1.0)

    again = stands(house, order)
    assert again["proposal_id"] != held["proposal_id"]
    answer = house.post("all_roles", f"/proposals/{again['proposal_id']}/approve", {"because": "mine"})
    assert answer.status_code == 403, answer.text
    assert house.post("approver_b", f"/proposals/{again['proposal_id']}/approve", {"because": "fine"}).is_success


def test_an_order_that_no_longer_fits_says_why(house: RingHouse) -> None:
    order = ordered(house)
    for link in house.house.road.live.inventory.links:
        house.house.road.live.twin.configured(link.source, "administrative", "locked", house.clock.now())
    house.walk(2.0)

    found = stands(house, order)
    assert (found["state"], found["because"]) == (OrderState.REJECTED, f"there is no way for `{CIRCUIT}`")


def test_two_orders_that_fit_one_by_one_are_not_both_carried_out(house: RingHouse) -> None:
    first, second = (house.post("all_roles", "/orders", direct(id, 50.0)).json() for id in ("one", "two"))
    signed(house, first)
    assert stands(house, second)["state"] == OrderState.HELD
    for _ in range(12):
        rows = [["circuit:one", metric, value] for metric, value in (GOOD | {"delay": 1.5}).items()]
        house.network.say({"type": "readings", "source": "pm-2", "time": house.clock.now().isoformat(), "rows": rows})
        receive_feed(house.house.road, "network", 0.0)
        house.walk(PERIOD_S)
    assert stands(house, first)["state"] == OrderState.COMPLETED  # and it sends a fifth of what it may send

    refused = stands(house, second)
    assert refused["state"] == OrderState.REJECTED
    assert "`link:a-b` would be" in refused["because"]
    assert house.post("approver_a", f"/proposals/{refused['proposal_id']}/approve", {"because": "x"}).status_code == 409


def test_a_neighbour_that_falls_silent_is_not_taken_for_well(house: RingHouse) -> None:
    order = house.post("all_roles", "/orders", direct("archive", 10.0)).json()
    live(house, 2.0, None)
    signed(house, order)
    for _ in range(40):
        rows = [[CIRCUIT, metric, value] for metric, value in (GOOD | {"delay": 1.5}).items()]
        house.network.say({"type": "readings", "source": "pm-2", "time": house.clock.now().isoformat(), "rows": rows})
        receive_feed(house.house.road, "network", 0.0)
        house.walk(PERIOD_S)

    failed = stands(house, order)
    assert failed["state"] == OrderState.FAILED, failed["because"]
    assert "demand:a-b was measured before, and nobody measures it now" in failed["because"]


def test_orders_that_are_taken_at_the_same_time_are_all_declared(house: RingHouse) -> None:
    road = house.house.road
    circuits = [CircuitWish(id=f"c{number}", source="node:a", destination="node:c", mbps=1.0) for number in range(12)]
    orders = [
        decomposed(
            OrderWish(customer="x", name="y", circuits=(circuit,)),
            road.id("order"),
            road.live.inventory,
            ordered_by="a",
            person="b",
            at=road.clock.now(),
        )
        for circuit in circuits
    ]

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda order: declare(road, order), orders))

    assert {f"circuit:{circuit.id}" for circuit in circuits} <= road.live.elements
