"""Which promises a state breaks, worked out on paper."""

import pytest

from domain.changes import SetOperational, SetVia
from domain.network import Inventory, Node, NodeKind, Operational, Radio, UserGroup
from tests.twin.small_networks import network, square
from twin.consequences import service_levels
from twin.evaluate import evaluate
from twin.physics.delay import BUFFER_MS
from twin.snapshot import Snapshot


def promised(inventory: Inventory, max_delay_ms: float) -> Snapshot:
    demands = tuple(demand.but(slice_id="gold") for demand in inventory.demands)
    slices = tuple(entry.but(max_delay_ms=max_delay_ms) for entry in inventory.slices)
    return Snapshot.of(inventory.but(demands=demands, slices=slices))


def test_a_broken_delay_bound_names_demand_slice_and_customer() -> None:
    # one way of two hops carries all 80 of 100: two hops of 1 ms and some queueing
    late = service_levels(evaluate(promised(square(), 2.0), [SetVia(demand="d0", via="c")]))
    assert (late.demands_late, late.slices_late, late.customers_late) == (("d0",), ("gold",), ("acme",))
    assert late.max_delay_ms is not None
    assert 2.0 < late.max_delay_ms < 3.0
    assert service_levels(evaluate(promised(square(), 3.0))).demands_late == ()


def test_a_slice_is_late_when_the_share_that_goes_the_long_way_is() -> None:
    long = network([("a", "d", 1, 100.0), ("a", "c", 1, 100.0), ("c", "d", 1, 100.0)], [("a", "d", 10.0)])
    split = SetVia(demand="d0", via="c", share=0.01)
    assert service_levels(evaluate(promised(long, 1.5))).slices_late == ()
    assert service_levels(evaluate(promised(long, 1.5), [split])).slices_late == ("gold",)


def test_overload_makes_late() -> None:
    levels = service_levels(evaluate(promised(square(mbps=300.0), 60.0)))
    assert levels.max_delay_ms == pytest.approx(2 * (1 + BUFFER_MS), rel=0.01)
    assert levels.slices_late == ("gold",)


def test_a_cut_off_demand_is_lost_and_not_late() -> None:
    down = [SetOperational(element="a", state=Operational.DISABLED)]
    levels = service_levels(evaluate(promised(square(), 1.0), down))
    assert (levels.max_delay_ms, levels.demands_late) == (None, ())


def test_what_elastic_traffic_goes_without_is_told() -> None:
    inventory = network([("a", "b", 1, 100.0)], [("a", "b", 130.0)]).but(elastic_classes=("best_effort",))
    assert service_levels(evaluate(Snapshot.of(inventory))).held_back_mbps == pytest.approx(30.0)
    assert service_levels(evaluate(Snapshot.of(inventory.but(elastic_classes=())))).held_back_mbps == 0.0


def test_radio_is_told_where_it_is_declared_and_is_unknown_elsewhere() -> None:
    users = (UserGroup(latitude=0.001, longitude=0.0, count=7, offered_mbps=100.0),)
    radio = Radio(power_dbm=46.0, prbs=100, users=users)
    cell = Node(id="cell", name="cell", kind=NodeKind.CELL, latitude=0.0, longitude=0.0, radio=radio)
    snapshot = Snapshot.of(Inventory(name="radio", nodes=(cell,)))
    busy = service_levels(evaluate(snapshot))
    assert (busy.cells_overloaded, busy.users_unserved) == (("cell",), 0)
    assert busy.radio_lost_mbps == pytest.approx(100.0 - 18 * 4.4)
    dark = service_levels(evaluate(snapshot, [SetOperational(element="cell", state=Operational.DISABLED)]))
    assert (dark.cells_overloaded, dark.users_unserved, dark.radio_lost_mbps) == ((), 7, 100.0)
    assert service_levels(evaluate(Snapshot.of(square()))).users_unserved is None
