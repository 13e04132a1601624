"""Which share of a demand crosses which arc."""

from itertools import pairwise

import numpy as np
import pytest

from domain.changes import SetOperational, SetVia
from domain.network import Operational
from tests.twin.small_networks import network, square
from twin.estimating.routes import routing_matrix
from twin.evaluate import Prediction, evaluate
from twin.snapshot import Snapshot


def crossed(prediction: Prediction, demand: int = 0) -> dict[str, float]:
    """Return the share of a demand per sending termination point, where there is any."""
    topology = prediction.topology
    shares = routing_matrix(topology, prediction.routing).toarray()[:, demand]
    points = topology.link_ends.ravel()
    return {topology.points[points[arc]]: share for arc, share in enumerate(shares.tolist()) if share}


def test_equal_ways_share_a_demand_equally() -> None:
    ways = {"l0.a": 0.5, "l1.a": 0.5, "l2.a": 0.5, "l3.a": 0.5}
    assert ways == crossed(evaluate(Snapshot.of(square())))


def test_shares_split_again_at_each_fork() -> None:
    """From a over b, which forks, or over c: the fork gets a quarter on each of its ways."""
    edges = [("a", "b", 1, 9.0), ("a", "c", 1, 9.0), ("c", "e", 2, 9.0), ("b", "x", 1, 9.0), ("b", "y", 1, 9.0)]
    edges += [("x", "e", 1, 9.0), ("y", "e", 1, 9.0)]
    found = crossed(evaluate(Snapshot.of(network(edges, [("a", "e", 1.0)]))))
    assert found == {"l0.a": 0.5, "l1.a": 0.5, "l2.a": 0.5} | dict.fromkeys(("l3.a", "l4.a", "l5.a", "l6.a"), 0.25)


def test_a_waypoint_makes_two_legs_and_an_arc_may_be_crossed_twice() -> None:
    edges = [("a", "b", 1, 9.0), ("b", "c", 1, 9.0), ("b", "d", 1, 9.0)]
    inventory = network(edges, [("a", "d", 1.0)])
    found = crossed(evaluate(Snapshot.of(inventory), [SetVia(demand="d0", via="c")]))
    assert found == {"l0.a": 1.0, "l1.a": 1.0, "l1.b": 1.0, "l2.a": 1.0}


def test_what_has_no_path_crosses_nothing() -> None:
    down = [SetOperational(element=link, state=Operational.DISABLED) for link in ("l0", "l2")]
    assert crossed(evaluate(Snapshot.of(square()), down)) == {}


def test_many_demands_over_long_paths_are_all_there() -> None:
    """More crossings than the first guess of their number, so that the arrays must grow."""
    names = [f"n{number:02}" for number in range(40)]
    edges = [(a, b, 1, 9.0) for a, b in pairwise(names)]
    demands = [(a, b, 1.0) for a in names for b in names if a != b]
    prediction = evaluate(Snapshot.of(network(edges, demands)))
    shares = routing_matrix(prediction.topology, prediction.routing)
    assert shares.nnz == sum(abs(i - j) for i in range(40) for j in range(40))
    assert shares @ prediction.demand_mbps == pytest.approx(np.asarray(prediction.arc_load))
