"""The worst that one more failure does to a state."""

import pytest

from tests.twin.small_networks import network, square
from twin.snapshot import Snapshot
from twin.steering.failures import worst_after_failure


def test_the_other_way_takes_all_when_one_fails() -> None:
    found = worst_after_failure(Snapshot.of(square(mbps=80.0)))

    assert found.worst == pytest.approx(0.8)
    assert found.tried == 4
    assert found.link in {"l0", "l1", "l2", "l3"}


def test_a_failure_that_only_loses_traffic_is_not_worse_than_the_state_itself() -> None:
    found = worst_after_failure(Snapshot.of(network([("a", "b", 1, 10.0)], [("a", "b", 5.0)])))

    assert (found.worst, found.link) == (0.5, "")


def test_the_worst_of_all_failures_is_what_failing_each_alone_says() -> None:
    lopsided = network([("a", "b", 1, 100.0), ("a", "c", 5, 50.0), ("c", "b", 5, 100.0)], [("a", "b", 40.0)])

    found = worst_after_failure(Snapshot.of(lopsided))

    assert (found.worst, found.link, found.tried) == (0.8, "l0", 3)


def test_a_network_without_links_has_nothing_to_fail() -> None:
    assert worst_after_failure(Snapshot.of(network([], []))).tried == 0
