"""What works when something else does not: worked out on paper."""

import pytest

from domain.changes import SetAdministrative, SetOperational
from domain.errors import BadInput
from domain.network import Administrative, Dependency, DependencyKind, NodeKind, Operational
from tests.twin.small_networks import cell_site, network, square
from twin.evaluate import Prediction, evaluate
from twin.snapshot import Snapshot, span_failure


def down(*elements: str) -> list[SetOperational]:
    return [SetOperational(element=element, state=Operational.DISABLED) for element in elements]


def unavailable(prediction: Prediction) -> set[str]:
    return set(prediction.impact().unavailable)


def test_everything_works_where_nothing_is_broken() -> None:
    assert unavailable(evaluate(Snapshot.of(cell_site()))) == set()


def test_what_needs_all_its_supports_falls_with_any_of_them() -> None:
    assert unavailable(evaluate(Snapshot.of(cell_site()), down("power"))) == {"power", "gnb", "cell"}


def test_what_needs_one_of_two_falls_only_with_both() -> None:
    kinds = {"x": NodeKind.POWER, "y": NodeKind.POWER}
    feeds = Dependency(dependent="a", on=("x", "y"), kind=DependencyKind.POWERED_BY, needs=1)
    snapshot = Snapshot.of(network([("a", "b", 1, 1.0)], kinds=kinds, dependencies=[feeds]))
    assert evaluate(snapshot, down("x")).available("a")
    assert not evaluate(snapshot, down("x", "y")).available("a")


def test_two_of_three_is_neither_one_nor_all() -> None:
    kinds = dict.fromkeys("xyz", NodeKind.POWER)
    feeds = Dependency(dependent="a", on=("x", "y", "z"), kind=DependencyKind.POWERED_BY, needs=2)
    snapshot = Snapshot.of(network([("a", "b", 1, 1.0)], kinds=kinds, dependencies=[feeds]))
    assert evaluate(snapshot, down("y")).available("a")
    assert not evaluate(snapshot, down("y", "z")).available("a")


def test_a_node_takes_its_interfaces_its_links_and_their_far_ends_with_it() -> None:
    assert unavailable(evaluate(Snapshot.of(square()), down("b"))) == {"b", "l0", "l0.a", "l0.b", "l1", "l1.a", "l1.b"}


def test_a_locked_interface_takes_its_link_down_at_both_ends() -> None:
    locked = SetAdministrative(element="l0.b", state=Administrative.LOCKED)
    assert unavailable(evaluate(Snapshot.of(square()), [locked])) == {"l0", "l0.a", "l0.b"}


def test_a_gnb_is_not_served_by_a_gateway_that_the_core_does_not_reach() -> None:
    cut = evaluate(Snapshot.of(cell_site()), down("l0"))
    assert cut.available("gw")
    assert not cut.reachable("gw")
    assert not cut.available("cell")


def test_links_of_one_span_fail_together() -> None:
    snapshot = Snapshot.of(square())
    failed = evaluate(snapshot, span_failure(snapshot.inventory, "span-a"))
    assert not failed.available("l0")
    assert not failed.available("l2")
    assert failed.loss("d0") == 1.0


def test_an_unknown_span_is_refused() -> None:
    with pytest.raises(BadInput, match="`span-zero`"):
        span_failure(square(), "span-zero")


def test_an_unknown_operational_state_is_not_a_failure() -> None:
    unknown = SetOperational(element="b", state=Operational.UNKNOWN)
    assert unavailable(evaluate(Snapshot.of(square()), [unknown])) == set()


def test_asking_whether_a_demand_works_is_refused() -> None:
    with pytest.raises(BadInput, match="`d0`"):
        evaluate(Snapshot.of(square())).available("d0")
