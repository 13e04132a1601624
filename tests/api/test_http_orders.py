"""Service orders by HTTP, on a whole house over a network in memory: what is carried is what the test reports."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.replay_room import replayer
from control_plane.live import Live
from control_plane.orders.declaring import restore
from control_plane.policy.activation import adopt
from control_plane.receiving import receive_feed
from control_plane.rehearsing import check as check_repair
from domain.clock import ManualClock
from domain.errors import BadInput
from domain.execution import StepState
from domain.orders import OrderState
from tests.attacks.ring_house import RingHouse, ring_house
from tests.stage import PERIOD_S
from tests.stage import ring as ring_of_routers

CIRCUIT = "circuit:archive"
GOOD = {"throughput": 9.5, "loss": 0.0, "delay": 3.0}


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingHouse]:
    """A house in which no order is accepted."""
    house = ring_house(ManualClock(datetime(2026, 1, 12, 12, tzinfo=UTC)), tmp_path_factory.mktemp("idle"))
    yield house
    house.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 12, 12, tzinfo=UTC))


@pytest.fixture
def ring(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    house = ring_house(clock, tmp_path)
    yield house
    house.close()


def wish(mbps: float = 10.0, **more: Any) -> dict[str, Any]:
    circuit = {"id": "archive", "source": "node:a", "destination": "node:c", "mbps": mbps, "protected": True}
    return {"customer": "Harbour Clinic", "name": "to the archive", "circuits": [circuit], "max_delay_ms": 20} | more


def ordered(ring: RingHouse, **more: Any) -> dict[str, Any]:
    answer = ring.post("all_roles", "/orders", wish(**more))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def stands(ring: RingHouse, order: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ring.get("viewer", f"/orders/{order['order']['id']}").json()
    return found


def signed(ring: RingHouse, order: dict[str, Any]) -> None:
    """Let the order wait at the gate, and sign it."""
    ring.walk(1.0)
    held = stands(ring, order)
    assert held["state"] == OrderState.HELD, held
    for who in ("approver_a", "approver_b"):
        if stands(ring, order)["state"] == OrderState.HELD:
            answer = ring.post(who, f"/proposals/{held['proposal_id']}/approve", {"because": "it fits"})
            assert answer.status_code == 200, answer.text


def live(ring: RingHouse, seconds: float, measured: dict[str, float] | None, neighbour: float = 0.0) -> None:
    """Let time pass while this is measured on the circuit, and the demand beside it loses such a share."""
    for _ in range(int(seconds / PERIOD_S)):
        rows = [[CIRCUIT, metric, value] for metric, value in (measured or {}).items()]
        rows += [["demand:a-b", "loss", neighbour]]
        ring.network.say({"type": "readings", "source": "pm-2", "time": ring.clock.now().isoformat(), "rows": rows})
        receive_feed(ring.house.road, "network", 0.0)
        ring.walk(PERIOD_S)


def test_an_order_waits_for_people_is_carried_out_measured_and_taken_back(ring: RingHouse) -> None:
    adopt(ring.house.road)
    order = ordered(ring)
    assert order["state"] == OrderState.ACKNOWLEDGED
    signed(ring, order)
    live(ring, 6.0, GOOD)
    active = stands(ring, order)
    assert active["state"] == OrderState.COMPLETED, active["because"]
    assert "carries 9.5 of 10 Mbit/s" in active["because"]
    assert ring.network.state(CIRCUIT)["administrative"] == "unlocked"
    assert ring.house.road.live.snapshot().value(CIRCUIT, "administrative") == "unlocked"

    again = ring.post("all_roles", f"/orders/{order['order']['id']}/cancel", {"because": "it moves"})
    assert again.status_code == 200
    signed(ring, order)
    live(ring, 6.0, None)

    gone = stands(ring, order)
    assert gone["state"] == OrderState.CANCELLED, gone["because"]
    assert ring.network.state(CIRCUIT)["administrative"] == "locked"
    assert [incident.resolution for incident in ring.incidents()] == ["restored", "restored"]
    replays = replayer(ring.house.road.ledger, ring.house.models.store)
    found = [replays.replay(decision) for decision in replays.decisions()]
    assert [(replayed.identical, replayed.stages) for replayed in found if not replayed.identical] == []
    assert len(found) >= 2


def test_whoever_ordered_does_not_sign_it(ring: RingHouse) -> None:
    order = ordered(ring)
    ring.walk(1.0)
    held = stands(ring, order)

    answer = ring.post("all_roles", f"/proposals/{held['proposal_id']}/approve", {"because": "mine"})

    assert answer.status_code == 403
    assert stands(ring, order)["state"] == OrderState.HELD


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        (GOOD | {"loss": 0.3}, "loses 30.00% (promised 1.00%)"),
        (GOOD | {"delay": 50.0}, "takes 50.00 ms (promised 20)"),
        (GOOD | {"throughput": 0.0}, "carries 0 of 10 Mbit/s"),
        (None, f"nobody measures yet what {CIRCUIT} carries"),
    ],
)
def test_what_does_not_carry_what_was_ordered_is_undone(
    ring: RingHouse, measured: dict[str, float] | None, told: str
) -> None:
    order = ordered(ring)
    signed(ring, order)

    live(ring, 16.0, measured)

    failed = stands(ring, order)
    assert failed["state"] == OrderState.FAILED
    assert told in failed["because"]
    assert ring.network.state(CIRCUIT)["administrative"] == "locked"
    assert ring.incidents()[0].resolution == "rolled_back"


def test_a_circuit_that_harms_what_shares_its_link_is_undone(ring: RingHouse) -> None:
    beside = {"id": "archive", "source": "node:a", "destination": "node:b", "mbps": 10.0}
    order = ordered(ring, circuits=[beside], max_delay_ms=2.5)  # the direct link alone is quick enough
    signed(ring, order)

    live(ring, 0.5, None)  # until it is active, all is well
    live(ring, 16.0, GOOD | {"delay": 1.2}, neighbour=0.4)

    failed = stands(ring, order)
    assert failed["state"] == OrderState.FAILED
    assert "demand:a-b loses 40.0%, more than before" in failed["because"]
    assert ring.network.state(CIRCUIT)["administrative"] == "locked"


def test_a_circuit_that_cannot_be_taken_back_stays_what_it_is(ring: RingHouse) -> None:
    order = ordered(ring)
    signed(ring, order)
    live(ring, 6.0, GOOD)
    ring.network.lies = True
    ring.post("all_roles", f"/orders/{order['order']['id']}/cancel", {"because": "it moves"})
    signed(ring, order)
    live(ring, 4.0, GOOD)

    found = stands(ring, order)
    assert found["state"] == OrderState.COMPLETED
    assert found["because"].startswith("it was not taken back: ")
    assert ring.house.road.live.snapshot().value(CIRCUIT, "administrative") == "unlocked"


def test_a_device_that_says_done_and_does_nothing_is_found_out(ring: RingHouse) -> None:
    order = ordered(ring)
    ring.network.lies = True
    signed(ring, order)
    live(ring, 4.0, GOOD)

    failed = stands(ring, order)
    assert failed["state"] == OrderState.FAILED
    assert f"no change can be read back on {CIRCUIT}" in failed["because"]
    assert [step.state for step in ring.steps()] == [StepState.DONE]  # by its own word; nothing is undone that is not


def test_a_persons_no_rejects_an_order(ring: RingHouse) -> None:
    order = ordered(ring)
    ring.walk(1.0)
    held = stands(ring, order)
    ring.post("approver_a", f"/proposals/{held['proposal_id']}/reject", {"because": "not this year"})
    ring.walk(1.0)

    found = stands(ring, order)
    assert (found["state"], found["because"]) == (OrderState.REJECTED, "its plan was rejected: not this year")
    assert ring.incidents()[0].state == "closed"
    assert ring.post("all_roles", f"/orders/{order['order']['id']}/cancel", {"because": "x"}).status_code == 409


def test_what_waits_is_cancelled_at_once(ring: RingHouse) -> None:
    order = ordered(ring)
    ring.walk(1.0)

    answer = ring.post("all_roles", f"/orders/{order['order']['id']}/cancel", {"because": "changed our mind"})
    ring.walk(1.0)

    assert answer.json()["state"] == OrderState.CANCELLED
    assert [proposal.state for proposal in ring.proposals()] == ["withdrawn"]
    assert ring.incidents()[0].state == "closed"
    assert CIRCUIT not in ring.network._states


def test_what_does_not_fit_is_rejected_with_the_rate_that_would(ring: RingHouse) -> None:
    order = ordered(ring, mbps=200.0)

    assert order["state"] == OrderState.REJECTED
    assert "80% is the limit" in order["because"]
    assert 0 < order["order"]["fits_share"] < 0.5
    assert ring.incidents() == []
    assert CIRCUIT not in ring.house.road.live.elements
    assert ordered(ring, mbps=10.0)["state"] == OrderState.ACKNOWLEDGED  # its ids are free


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"circuits": [{"source": "node:a", "destination": "node:x", "mbps": 1}]}, "`node:x` is no routing node"),
        ({"circuits": [{"source": "node:a", "destination": "power:a", "mbps": 1}]}, "`power:a` is no routing node"),
        ({"circuits": [{"source": "node:a", "destination": "node:a", "mbps": 1}]}, "starts and ends"),
        ({"circuits": [{"source": "node:a", "destination": "node:b", "mbps": 0}]}, "mbps"),
        ({"circuits": [{"source": "node:a", "destination": "node:b", "mbps": -5}]}, "mbps"),
        ({"circuits": [{"source": "node:a", "destination": "node:b", "mbps": "NaN"}]}, "mbps"),
        ({"circuits": []}, "circuits"),
        ({"max_loss": 1.5}, "max_loss"),
        ({"max_delay_ms": 0}, "max_delay_ms"),
        ({"customer": "\x1b[31m"}, "customer"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_orders_get_a_clear_error_and_leave_nothing(idle: RingHouse, change: dict[str, Any], reason: str) -> None:
    answer = idle.post("all_roles", "/orders", wish() | change)

    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"code", "reason"}
    assert reason in answer.json()["reason"]
    assert idle.get("viewer", "/orders").json() == []


def test_the_same_order_twice_is_refused(ring: RingHouse) -> None:
    ordered(ring, external_id="PO-1")

    same_name = ring.post(
        "all_roles", "/orders", wish(external_id="PO-1", circuits=[wish()["circuits"][0] | {"id": "b"}])
    )
    same_circuit = ring.post("all_roles", "/orders", wish(external_id="PO-2"))

    assert (same_name.status_code, same_circuit.status_code) == (409, 409)
    assert "`PO-1` already" in same_name.json()["reason"]
    assert f"`{CIRCUIT}` is used already" in same_circuit.json()["reason"]
    assert ring.get("viewer", "/orders/PO-1").json()["order"]["external_id"] == "PO-1"
    assert ring.get("viewer", "/orders/PO-2").status_code == 404


def test_nobody_activates_a_circuit_beside_the_orders(ring: RingHouse) -> None:
    order = ordered(ring)
    ring.walk(1.0)
    step = {"kind": "activate_circuit", "target": CIRCUIT, "source": "node:a", "destination": "node:c", "mbps": 99.0}
    plan = {"steps": [step | {"slice_id": order["order"]["slice"]["id"]}]}

    asked = {"incident_id": order["order"]["incident_id"], "plan": plan, "because": "more than was ordered"}
    assert ring.post("all_roles", "/proposals", asked).status_code == 201
    ring.walk(1.0)

    other = next(proposal for proposal in ring.proposals() if proposal.requester == "all_roles")
    assert other.state == "withdrawn"
    assert "only its way can be chosen" in other.state_reason
    with pytest.raises(BadInput, match="activated or taken out of service by an order"):
        check_repair(ring.house.road, other.plan)


def test_a_house_that_starts_again_reads_what_was_stored_between_two_orders(ring: RingHouse) -> None:
    road = ring.house.road
    ordered(ring)
    between = road.live.snapshot()
    ordered(ring, circuits=[wish()["circuits"][0] | {"id": "mirror", "mbps": 1.0}])
    now = road.live.snapshot()

    road.live = Live(ring_of_routers(), ring.clock, period_s=PERIOD_S, lateness_s=60.0)
    restore(road)

    assert road.live.circuits == {CIRCUIT, "circuit:mirror"}
    assert road.live.snapshot().digest == now.digest
    assert road.live.past(between.body(), between.topology.digest) == between
    with pytest.raises(BadInput, match="belongs to inventory"):
        road.live.past(between.body(), "0" * 64)
