"""Traffic in the plant, against what one finds with pen and paper."""

import numpy as np
import pytest

from adapters.network.emulated.demands import thinned
from adapters.network.emulated.physics import Routes, Topology, hashed, route, traffic
from domain.network import Demand, Inventory, Link, Node, NodeKind, TerminationPoint

#: A diamond a-b-d and a-c-d of equal cost, with a slow direct link a-d.
EDGES = {"ab": 1, "bd": 1, "ac": 1, "cd": 1, "ad": 9}


def diamond(*demands: Demand) -> Topology:
    points = [TerminationPoint(id=f"{e}:{n}", node=n, name=f"{e}:{n}") for e in EDGES for n in e]
    links = [
        Link(id=e, source=f"{e}:{e[0]}", destination=f"{e}:{e[1]}", capacity_mbps=100, delay_ms=2, metric=cost)
        for e, cost in EDGES.items()
    ]
    nodes = tuple(Node(id=n, kind=NodeKind.ROUTER, name=n) for n in "abcd")
    inventory = Inventory(
        name="diamond", nodes=nodes, termination_points=tuple(points), links=tuple(links), demands=demands
    )
    return Topology.of(inventory)


def routed(topology: Topology, *, down: str = "", via: int | None = None, weight: np.ndarray | None = None) -> Routes:
    metric = np.repeat(np.array([float(cost) for cost in EDGES.values()]), 2)
    usable = np.repeat(np.array([edge != down for edge in EDGES]), 2)
    vias = [via for _ in topology.demands]
    return route(topology, metric, usable, vias, np.ones(10) if weight is None else weight)


def flowing(topology: Topology, routes: Routes, mbps: float, clean: np.ndarray | None = None):
    whole = np.ones(10) if clean is None else clean
    return traffic(topology, routes, np.array([mbps]), clean=whole, queue=np.zeros(10), buffer_ms=10)


AD = Demand(id="d", source="a", destination="d", mbps=60)


def loads(topology: Topology, routes: Routes, mbps: float = 60) -> dict[str, float]:
    return dict(zip(EDGES, flowing(topology, routes, mbps).load[::2].tolist(), strict=True))


def test_equal_paths_share_by_their_hash_weights():
    topology = diamond(AD)
    weight = np.ones(10)
    weight[2 * list(EDGES).index("ab")] = 3.0

    assert loads(topology, routed(topology)) == {"ab": 30, "bd": 30, "ac": 30, "cd": 30, "ad": 0}
    assert loads(topology, routed(topology, weight=weight)) == {"ab": 45, "bd": 45, "ac": 15, "cd": 15, "ad": 0}


def test_traffic_goes_round_a_link_that_cannot_be_used():
    topology = diamond(AD)

    assert loads(topology, routed(topology, down="bd")) == {"ab": 0, "bd": 0, "ac": 60, "cd": 60, "ad": 0}


def test_a_waypoint_decides_the_way():
    topology = diamond(AD)

    assert loads(topology, routed(topology, via=2)) == {"ab": 0, "bd": 0, "ac": 60, "cd": 60, "ad": 0}


def test_a_share_of_a_demand_takes_its_waypoint_and_the_rest_the_shortest_way():
    topology = diamond(AD)
    metric = np.repeat(np.array([1.0, 1.0, 2.0, 2.0, 9.0]), 2)

    routes = route(topology, metric, np.ones(10, dtype=bool), [2], np.ones(10), [0.25])

    assert loads(topology, routes) == {"ab": 45, "bd": 45, "ac": 15, "cd": 15, "ad": 0}
    clean = np.ones(10)
    clean[2 * list(EDGES).index("cd")] = 0.6
    assert flowing(topology, routes, 60, clean).loss[0] == pytest.approx(0.25 * 0.4)


def test_hashes_put_a_little_more_or_less_onto_a_list_and_all_or_nothing_exactly():
    parts = hashed(np.array([1.0, 0.5, 0.5, 0.01]), np.array([1.2, 1.2, 0.9, 1.1]))

    assert parts[0] == 1.0
    assert parts[1:].tolist() == pytest.approx([1.2 / 2.2, 0.9 / 1.9, 0.011 / 1.001])


def test_a_full_link_drops_what_is_over_its_capacity():
    topology = diamond(AD)

    flow = flowing(topology, routed(topology, down="bd"), 125)

    # 125 offered to two links of 100 in a row: each lets 100/125 of what it is offered through
    assert flow.loss[0] == pytest.approx(1 - 0.8 * 0.8)
    assert flow.utilisation.max() == pytest.approx(1.25)


def test_losses_multiply_along_a_path_and_average_over_equal_paths():
    topology = diamond(AD)
    clean = np.ones(10)
    clean[2 * list(EDGES).index("ab")] = 0.9
    clean[2 * list(EDGES).index("bd")] = 0.5

    flow = flowing(topology, routed(topology), 60, clean)

    assert flow.loss[0] == pytest.approx(1 - (0.5 * 0.9 * 0.5 + 0.5))
    assert flow.delay[0] == pytest.approx(4)


def test_a_demand_without_a_way_loses_everything():
    topology = diamond(Demand(id="d", source="a", destination="b", mbps=1))
    usable = np.zeros(10, dtype=bool)

    routes = route(topology, np.ones(10), usable, [None], np.ones(10))
    flow = flowing(topology, routes, 1)

    assert flow.loss[0] == 1.0
    assert np.isnan(flow.delay[0])


def test_a_day_does_not_start_congested():
    topology = diamond(AD)
    routes = routed(topology)

    base = thinned(np.array([900.0]), routes, topology.capacity, most=0.65)

    assert flowing(topology, routes, float(base[0])).utilisation.max() == pytest.approx(0.65)
