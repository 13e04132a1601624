"""Where an ordered circuit goes, by figures worked out on paper; and why it cannot be had."""

from datetime import UTC, datetime

import pytest

from domain.changes import ScaleDemand, SetAdministrative
from domain.errors import BadInput, Conflict
from domain.network import Administrative, Inventory
from domain.orders import CircuitWish, OrderKind, OrderWish, ServiceOrder, declared, decomposed, undeclared
from tests.twin.small_networks import Edge, network, square
from twin.evaluate import evaluate
from twin.placing.bounds import Bounds, committed
from twin.placing.configuring import fitted
from twin.placing.place import Placement, place, planned
from twin.snapshot import Snapshot

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
#: `a` to `d`: the short way over `b`, a longer one over `c`, both of 100 Mbit/s; every link takes 1 ms.
DIAMOND: list[Edge] = [("a", "b", 1, 100.0), ("b", "d", 1, 100.0), ("a", "c", 1, 100.0), ("c", "d", 2, 100.0)]


def order(known: Inventory, *circuits: CircuitWish, delay: float = 100.0, loss: float = 0.01) -> ServiceOrder:
    kind = OrderKind.CIRCUIT if len(circuits) == 1 else OrderKind.SLICE
    wish = OrderWish(kind=kind, customer="acme", name="line", circuits=circuits, max_delay_ms=delay, max_loss=loss)
    return decomposed(wish, "order_1", known, ordered_by="engineer", person="Ada", at=NOW)


def circuit(
    mbps: float, source: str = "a", destination: str = "d", *, id: str = "x", protected: bool = False
) -> CircuitWish:
    return CircuitWish(id=id, source=source, destination=destination, mbps=mbps, protected=protected)


def placed(known: Inventory, made: ServiceOrder, bounds: Bounds = Bounds()) -> Placement:  # noqa: B008  # frozen
    return place(planned(Snapshot.of(known), made), made.circuit_ids, made.protected, bounds)


def test_an_order_becomes_locked_demands_a_slice_with_the_promise_and_a_service() -> None:
    made = order(square(), circuit(10.0), circuit(5.0, "b", "c", id="y", protected=True), delay=7.0, loss=0.002)

    assert made.circuit_ids == ("circuit:x", "circuit:y")
    assert {each.administrative for each in made.circuits} == {"locked"}
    assert (made.slice.max_delay_ms, made.slice.max_loss) == (7.0, 0.002)
    assert {each.slice_id for each in made.circuits} == {made.slice.id}
    assert made.service.demands == made.circuit_ids
    assert made.protected == ("circuit:y",)
    assert made.customer.name == "Acme Ports"  # the customer that is known by this id


def test_what_is_declared_offers_nothing_until_it_is_unlocked_and_can_be_taken_out_again() -> None:
    known = square()
    made = order(known, circuit(10.0))

    grown = declared(known, [made])
    state = evaluate(Snapshot.of(grown))

    assert state.impact() == evaluate(Snapshot.of(known)).impact()
    assert declared(grown, [made]) is grown
    assert undeclared(grown, [made]).demands == known.demands
    assert undeclared(known, [made]) is known


def test_an_idle_network_takes_the_default_way() -> None:
    found = placed(network(DIAMOND), order(network(DIAMOND), circuit(50.0)))

    way = found.ways[0]
    assert (way.via, way.link) == (None, "l0")
    assert way.fullest == pytest.approx(0.5)
    assert way.delay_ms == pytest.approx(2.0, abs=0.5)  # two links of 1 ms, and what waits in them


def test_a_full_default_way_is_left_for_a_waypoint() -> None:
    known = network(DIAMOND, [("a", "b", 60.0)])  # l0 has 20 Mbit/s left below 80 %

    found = placed(known, order(known, circuit(30.0)))

    assert found.ways[0].via == "c"
    assert found.ways[0].fullest == pytest.approx(0.3)


def test_the_way_that_leaves_the_fullest_link_least_full_is_taken() -> None:
    known = network(DIAMOND, [("a", "b", 40.0)])  # 70 % would be allowed on l0, and 30 % on the other way is less

    assert placed(known, order(known, circuit(30.0))).ways[0].via == "c"


def test_what_fits_nowhere_is_refused_with_the_rate_that_would() -> None:
    known = network(DIAMOND, [("a", "b", 60.0), ("a", "c", 60.0)])

    found = placed(known, order(known, circuit(40.0)))

    assert not found.ways
    assert "would be 100% full, and 80% is the limit" in found.refused
    assert found.fits_share == pytest.approx(0.5, abs=0.01)  # 20 of 40 Mbit/s, rounded down
    assert found.fits_share is not None
    assert found.fits_share <= 0.5


def test_a_delay_that_no_way_keeps_is_no_matter_of_rate() -> None:
    found = placed(network(DIAMOND), order(network(DIAMOND), circuit(1.0), delay=1.5))

    assert "1.5 ms is promised" in found.refused
    assert found.fits_share == 0.0


def test_a_slower_way_is_not_taken_where_the_promise_is_tight() -> None:
    long = [*DIAMOND[:2], ("a", "c", 1, 100.0), ("c", "e", 1, 100.0), ("e", "d", 1, 100.0)]
    known = network(long, [("a", "b", 60.0)])

    loose = placed(known, order(known, circuit(30.0), delay=10.0))
    tight = placed(known, order(known, circuit(30.0), delay=2.5))

    assert loose.ways[0].via in {"c", "e"}
    assert not tight.ways


def test_a_protected_circuit_needs_a_second_way() -> None:
    line = network([("a", "b", 1, 100.0), ("b", "d", 1, 100.0)])

    alone = placed(line, order(line, circuit(10.0)))
    guarded = placed(line, order(line, circuit(10.0, protected=True)))

    assert alone.ways
    assert "there is no way for `circuit:x` when `l0` fails" in guarded.refused


def test_a_protected_circuit_needs_room_on_the_second_way_too() -> None:
    known = network(DIAMOND, [("a", "c", 60.0)])  # 40 more on l2 are 100 %, beyond the 95 % after a failure

    assert placed(known, order(known, circuit(30.0, protected=True))).ways
    refused = placed(known, order(known, circuit(40.0, protected=True)))

    assert "`l2` would be 100% full when" in refused.refused
    assert refused.fits_share == pytest.approx(35 / 40, abs=0.01)


def test_a_circuit_answers_only_for_what_it_adds() -> None:
    known = network([*DIAMOND, ("x", "y", 1, 10.0)], [("x", "y", 30.0)])  # l4 loses traffic, and is not on the way

    assert placed(known, order(known, circuit(10.0, protected=True))).ways


def test_the_circuits_of_a_slice_are_placed_together_or_not_at_all() -> None:
    known = network(DIAMOND)
    both = placed(known, order(known, circuit(70.0), circuit(60.0, id="y")))
    three = placed(known, order(known, circuit(70.0), circuit(60.0, id="y"), circuit(30.0, id="z")))

    assert {way.circuit: way.via for way in both.ways} == {"circuit:x": None, "circuit:y": "c"}
    assert not three.ways
    assert three.refused


@pytest.mark.parametrize("mbps", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(mbps: float) -> None:
    with pytest.raises(ValueError, match="mbps"):
        circuit(mbps)


def test_ids_are_used_once() -> None:
    known = declared(square(), [order(square(), circuit(1.0))])

    with pytest.raises(Conflict, match="`circuit:x` is used already"):
        order(known, circuit(1.0))
    with pytest.raises(Conflict, match="`circuit:x` is used already"):
        order(square(), circuit(1.0), circuit(2.0, "b", "c"))


def test_a_circuit_leads_somewhere_and_one_order_has_one_circuit() -> None:
    with pytest.raises(BadInput, match="starts and ends at `a`"):
        order(square(), circuit(1.0, "a", "a"))
    two = OrderWish(customer="acme", name="two", circuits=(circuit(1.0), circuit(1.0, id="y")))
    with pytest.raises(BadInput, match="order several as a slice"):
        decomposed(two, "order_1", square(), ordered_by="engineer", person="Ada", at=NOW)


def test_what_names_no_router_is_refused_before_anything_is_placed() -> None:
    with pytest.raises(BadInput, match="`nowhere`, which is no routing node"):
        planned(Snapshot.of(square()), order(square(), circuit(1.0, "nowhere")))


def test_limits_are_shares_of_a_link() -> None:
    for wrong in (0.0, 1.5, float("nan")):
        with pytest.raises(BadInput, match="correct the limits"):
            Bounds(normal=wrong)


def test_a_circuit_with_a_waypoint_is_one_line_at_its_head_end_and_is_checked() -> None:
    known = network(DIAMOND, [("a", "b", 60.0)])

    bent = fitted(Snapshot.of(known), order(known, circuit(30.0)), Bounds())
    direct = fitted(Snapshot.of(network(DIAMOND)), order(network(DIAMOND), circuit(30.0)), Bounds())

    added = [line for line in bent.diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert bent.placement.ways[0].via == "c"
    assert "after/a" in bent.diff
    assert len(added) == 1
    assert "policy circuit:x" in added[0]
    assert (direct.diff, direct.checked) == ("", True)


def test_a_circuit_in_service_counts_with_what_it_may_send_and_not_with_what_it_sends() -> None:
    first, second = (order(network(DIAMOND, []), circuit(50.0, id=id)) for id in "xy")
    second = second.but(slice=second.slice.but(id="slice:2"), service=second.service.but(id="service:2"))
    known = Snapshot.of(declared(network(DIAMOND, []), [first]))
    quiet = known.with_changes(
        [
            SetAdministrative(element="circuit:x", state=Administrative.UNLOCKED),
            ScaleDemand(demand="circuit:x", factor=0.1),
        ]
    )

    assert committed(quiet).value("circuit:x", "mbps") == pytest.approx(50.0)
    assert committed(known) is known
    assert [way.via for way in fitted(quiet, second, Bounds()).placement.ways] == ["c"]


def test_protection_that_would_take_hours_to_work_out_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    known = square()
    monkeypatch.setattr("twin.placing.place._MOST_FAILURES", 1)

    with pytest.raises(BadInput, match="times too large for that here; order it without protection"):
        placed(known, order(known, circuit(1.0, protected=True)))
    assert placed(known, order(known, circuit(1.0))).ways
