"""One unit of traffic on its shortest ways: shares, delays, and agreement with the twin's own routing."""

import numpy as np
import pytest

from domain.changes import SetOperational
from domain.network import Operational
from tests.twin.small_networks import network, square
from twin.evaluate import evaluate
from twin.generator import operator_network
from twin.snapshot import Snapshot
from twin.steering.scene import scene_of
from twin.steering.ways import Ways, ways_between

A, B, C, D = range(4)  # routing places of the square, sorted by id


def ways_of(snapshot: Snapshot, *pairs: tuple[int, int]) -> Ways:
    ask = evaluate(snapshot).routing.ask
    return ways_between(snapshot.topology, ask.usable, ask.metric, np.array(pairs, np.int64))


def test_equal_ways_carry_equal_shares() -> None:
    ways = ways_of(Snapshot.of(square()), (A, D), (A, B))

    both, straight = ways.share.toarray()[ways.rows([A, A], [D, B])]

    assert both.tolist() == [0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0]  # forward on every link, back on none
    assert straight.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_the_only_first_and_last_hops_are_known_and_branching_ones_are_not() -> None:
    ways = ways_of(Snapshot.of(square()), (A, D), (A, B))
    both, straight = ways.rows([A, A], [D, B])

    assert (ways.first[both], ways.last[both]) == (-1, -1)
    assert (ways.first[straight], ways.last[straight]) == (B, A)


def test_the_longest_of_the_equal_ways_is_the_delay() -> None:
    plain = square()
    links = tuple(link.but(delay_ms=delay) for link, delay in zip(plain.links, (1.0, 2.0, 4.0, 8.0), strict=True))

    ways = ways_of(Snapshot.of(plain.but(links=links)), (A, D))

    assert ways.delay_ms.tolist() == [12.0]


def test_a_pair_that_nothing_connects_loads_nothing_and_never_arrives() -> None:
    snapshot = Snapshot.of(network([("a", "b", 1, 10.0), ("c", "d", 1, 10.0)]))

    ways = ways_of(snapshot, (A, D), (A, A))

    assert ways.connected[ways.rows([A, A], [D, A])].tolist() == [False, True]
    assert ways.share.nnz == 0
    assert ways.delay_ms[ways.rows(A, D)] == np.inf


@pytest.mark.parametrize("seed", [1, 2])
def test_the_shares_of_all_demands_add_up_to_the_loads_of_the_twin(seed: int) -> None:
    plain = Snapshot.of(operator_network(seed, 150))
    broken = plain.with_changes([SetOperational(element=plain.topology.links[0], state=Operational.DISABLED)])
    present = evaluate(broken)
    scene = scene_of(present)

    load = scene.shares(np.arange(len(scene.demands)), scene.present).T @ scene.mbps

    assert load == pytest.approx(present.arc_load, abs=1e-6)
