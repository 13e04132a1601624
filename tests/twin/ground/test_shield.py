"""The shield takes away what policy forbids, loses traffic or comes too late; the check sees each of them."""

from collections.abc import Sequence

import pytest

from domain.changes import SetLoss, SetVia
from domain.network import Inventory, Slice
from tests.twin.small_networks import network
from twin.ground.candidates import Table
from twin.ground.checks import violations
from twin.ground.episode import Course
from twin.snapshot import Snapshot


def two_ways(detour: float = 100.0, delay_ms: float = 1.0, bound_ms: float = 10.0) -> Inventory:
    """`a` to `d` over `b` (preferred, half of it full), or over `c`: two demands of 40, in a slice with a bound."""
    edges = [("a", "b", 1, 160.0), ("b", "d", 1, 160.0), ("a", "c", 2, detour), ("c", "d", 2, detour)]
    plain = network(edges, [("a", "d", 40.0), ("a", "d", 40.0)])
    slow = {"l2", "l3"}
    return plain.but(
        links=tuple(link.but(delay_ms=delay_ms) if link.id in slow else link for link in plain.links),
        slices=(Slice(id="prompt", name="Prompt", max_loss=0.0, max_delay_ms=bound_ms),),
        demands=tuple(demand.but(slice_id="prompt") for demand in plain.demands),
    )


def offer(snapshot: Snapshot, closed: Sequence[str] = ()) -> Table:
    course = Course(snapshot, frozenset(closed))
    return course.node(course.start()).table


def test_a_detour_with_room_is_on_offer_and_violates_nothing() -> None:
    snapshot = Snapshot.of(two_ways())

    assert offer(snapshot).allowed[1:].any()
    assert violations(snapshot, [SetVia(demand="d0", via="c")], frozenset()) == ()


@pytest.mark.parametrize(
    ("inventory", "closed", "said"),
    [
        (two_ways(), ("c",), "which is closed"),
        (two_ways(detour=30.0), (), "more are lost"),
        (two_ways(delay_ms=6.0), (), "breaks its delay bound"),
    ],
    ids=["closed by policy", "too narrow", "too slow"],
)
def test_what_would_break_a_promise_is_not_on_offer_and_the_check_would_see_it(
    inventory: Inventory, closed: Sequence[str], said: str
) -> None:
    snapshot = Snapshot.of(inventory)

    assert not offer(snapshot, closed).allowed[1:].any()
    assert said in violations(snapshot, [SetVia(demand="d0", via="c")], frozenset(closed))[0]


def test_nobody_is_sent_over_a_link_that_loses_packets() -> None:
    snapshot = Snapshot.of(two_ways()).with_changes([SetLoss(link="l2", share=0.1)])

    assert not offer(snapshot).allowed[1:].any()
    assert violations(snapshot, [SetVia(demand="d0", via="c")], frozenset()) != ()


def test_to_stop_is_always_allowed_and_all_there_is_in_an_idle_network() -> None:
    idle = Snapshot.of(network([("a", "b", 1, 10.0), ("b", "c", 1, 10.0)]))

    assert offer(idle).allowed.tolist() == [True]
