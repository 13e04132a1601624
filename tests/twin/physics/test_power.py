"""Mains outages and batteries, worked out by hand."""

import math

import pytest

from domain.changes import SetAdministrative, SetOperational
from domain.errors import BadInput
from domain.network import Administrative, Dependency, DependencyKind, Inventory, NodeKind, Operational
from tests.twin.small_networks import cell_site, network
from twin.evaluate import evaluate
from twin.physics.power import course
from twin.snapshot import Snapshot


def with_battery(inventory: Inventory, **hours: float) -> Snapshot:
    nodes = (node.but(battery_hours=hours.get(node.id, 0.0)) for node in inventory.nodes)
    return Snapshot.of(inventory.but(nodes=tuple(nodes)))


def dark(*names: str) -> list[SetOperational]:
    return [SetOperational(element=name, state=Operational.DISABLED) for name in names]


def test_a_site_stays_up_until_its_battery_ends() -> None:
    site = with_battery(cell_site(), power=4.0)
    assert evaluate(site, dark("power"), hours=3.9).impact().unavailable == ("power",)
    assert evaluate(site, dark("power"), hours=4.0).impact().cells_down == ("cell",)


def test_without_a_horizon_the_batteries_are_empty() -> None:
    site = with_battery(cell_site(), power=4.0)
    assert evaluate(site, dark("power")).impact().cells_down == ("cell",)
    assert evaluate(site).impact().unavailable == ()


def test_a_battery_replaces_power_and_nothing_else() -> None:
    site = with_battery(cell_site(), power=4.0)
    assert evaluate(site, dark("power", "gw"), hours=1.0).impact().cells_down == ("cell",)


def test_mains_that_are_locked_for_work_are_mains_that_are_gone() -> None:
    locked = [SetAdministrative(element="power", state=Administrative.LOCKED)]
    assert evaluate(with_battery(cell_site(), power=4.0), locked, hours=1.0).available("cell")


def feeds(needs: int) -> Inventory:
    on = Dependency(dependent="a", on=("x", "y"), kind=DependencyKind.POWERED_BY, needs=needs)
    kinds = {"x": NodeKind.POWER, "y": NodeKind.POWER}
    return network([("a", "b", 1, 1.0)], kinds=kinds, dependencies=[on])


def test_of_two_feeds_the_longer_battery_decides_and_a_site_that_needs_both_has_the_shorter() -> None:
    either, both = with_battery(feeds(1), x=2.0, y=6.0), with_battery(feeds(2), x=2.0, y=6.0)
    assert [evaluate(either, dark("x", "y"), hours=hours).available("a") for hours in (1.0, 5.0, 6.0)] == [1, 1, 0]
    assert [evaluate(both, dark("x", "y"), hours=hours).available("a") for hours in (1.0, 2.0)] == [1, 0]


def test_a_battery_also_bridges_the_loss_of_what_feeds_its_power_node() -> None:
    inventory = cell_site()
    grid = inventory.nodes[0].but(id="grid", name="grid", kind=NodeKind.POWER)
    fed = Dependency(dependent="power", on=("grid",), kind=DependencyKind.POWERED_BY, needs=1)
    wider = inventory.but(nodes=(*inventory.nodes, grid), dependencies=(*inventory.dependencies, fed))
    site = with_battery(wider, power=4.0)
    assert evaluate(site, dark("grid"), hours=1.0).impact().unavailable == ("grid", "power")
    assert not evaluate(site, dark("grid"), hours=5.0).available("cell")


def test_an_outage_has_a_course() -> None:
    either = with_battery(feeds(1), x=2.0, y=6.0)
    stages = course(either, dark("x", "y"))
    assert [stage.hours for stage in stages] == [0.0, 2.0, 6.0]
    assert [stage.prediction.available("a") for stage in stages] == [True, True, False]


def test_an_outage_that_touches_no_battery_has_one_stage() -> None:
    assert [stage.hours for stage in course(with_battery(feeds(1), x=2.0), dark("y"))] == [0.0]
    assert len(course(Snapshot.of(cell_site()), dark("power"))) == 1


def test_a_battery_at_what_is_no_power_node_is_refused() -> None:
    with pytest.raises(BadInput, match="`gw`"):
        with_battery(cell_site(), gw=3.0)


@pytest.mark.parametrize("hours", [-1.0, math.nan, math.inf])
def test_a_horizon_that_is_none_is_refused(hours: float) -> None:
    with pytest.raises(BadInput, match="horizon"):
        evaluate(Snapshot.of(cell_site()), hours=hours)


def test_a_snapshot_that_has_the_outage_in_it_is_asked_for_a_horizon_as_well() -> None:
    site = with_battery(cell_site(), power=4.0).with_changes(dark("power"))
    assert not evaluate(site).available("cell")
    assert evaluate(site, hours=1.0).available("cell")
    assert not evaluate(site).available("cell")
