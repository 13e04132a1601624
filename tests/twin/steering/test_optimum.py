"""The bound on the worst link utilisation, against cases worked out on paper; its two forms agree."""

import pytest

from domain.network import Inventory
from tests.twin.small_networks import network, square
from twin.evaluate import evaluate
from twin.reference import from_topohub
from twin.snapshot import Snapshot
from twin.steering.optimum import optimum

FORMS = pytest.mark.parametrize("whole", [10**9, 0], ids=["by arcs", "by paths"])


def bound(inventory: Inventory, whole: int) -> float | None:
    return optimum(evaluate(Snapshot.of(inventory)), whole=whole)


@FORMS
def test_two_ways_share_in_proportion_to_their_capacity(whole: int) -> None:
    inventory = network(
        [("a", "b", 1, 100.0), ("b", "d", 1, 100.0), ("a", "c", 5, 50.0), ("c", "d", 5, 50.0)], [("a", "d", 90.0)]
    )

    assert bound(inventory, whole) == pytest.approx(90 / 150, rel=1e-4)


@FORMS
def test_a_bridge_is_the_bound_whatever_lies_around_it(whole: int) -> None:
    ring = [("a", "b", 1, 100.0), ("b", "c", 1, 100.0), ("c", "a", 1, 100.0)]

    assert bound(network([*ring, ("c", "z", 1, 40.0)], [("a", "z", 30.0)]), whole) == pytest.approx(0.75, rel=1e-4)


@FORMS
def test_each_direction_of_a_link_counts_by_itself(whole: int) -> None:
    assert bound(network([("a", "b", 1, 10.0)], [("a", "b", 4.0), ("b", "a", 6.0)]), whole) == pytest.approx(0.6)


@FORMS
def test_parallel_links_share(whole: int) -> None:
    assert bound(network([("a", "b", 1, 10.0), ("a", "b", 7, 30.0)], [("a", "b", 20.0)]), whole) == pytest.approx(0.5)


@FORMS
def test_without_traffic_that_can_flow_the_bound_is_zero(whole: int) -> None:
    idle = square(mbps=0.0)
    apart = network([("a", "b", 1, 10.0), ("c", "d", 1, 10.0)], [("a", "c", 5.0)])

    assert (bound(idle, whole), bound(apart, whole)) == (0.0, 0.0)


def test_both_forms_find_the_same_bound_on_a_reference_network() -> None:
    inventory = from_topohub("topozoo/Abilene")

    assert bound(inventory, 0) == pytest.approx(bound(inventory, 10**9), rel=2e-4)


def test_no_time_is_no_bound() -> None:
    assert optimum(evaluate(Snapshot.of(square())), 0.0, whole=0) is None
