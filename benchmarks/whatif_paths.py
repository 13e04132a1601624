"""What others do: all routed anew after each failure, with networkx or with scipy's shortest paths.

Both share nothing with the house but the network: their own graphs, their own distances, their own flows.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from twin.whatif.network import Network

Loads = NDArray[np.float64]
#: Mbit/s per arc after links (places) have failed.
Method = Callable[[Network, Sequence[int]], Loads]


def by_networkx(network: Network, failed: Sequence[int]) -> Loads:
    """Route everything with `networkx.single_source_dijkstra_path_length`, once per destination."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(network.nodes)))
    for (head, tail), metric in _shortest_arcs(network, failed).items():
        graph.add_edge(head, tail, weight=metric)
    goals = np.unique(network.destination)
    return _loads(
        network, failed, {goal: nx.single_source_dijkstra_path_length(graph, goal) for goal in goals.tolist()}
    )


def by_scipy(network: Network, failed: Sequence[int]) -> Loads:
    """Route everything with one call of `scipy.sparse.csgraph.dijkstra`; flows go on hop by hop, all rows at once."""
    shortest, nodes = _shortest_arcs(network, failed), len(network.nodes)
    heads, tails = (np.array([pair[end] for pair in shortest], np.int64) for end in (0, 1))
    matrix = csr_array((np.array(list(shortest.values()), np.float64), (heads, tails)), shape=(nodes, nodes))
    goals, row = np.unique(network.destination, return_inverse=True)
    distance = dijkstra(matrix, indices=goals)
    live = np.repeat(network.usable, 2)
    live[[2 * link + side for link in failed for side in (0, 1)]] = False
    arcs = np.flatnonzero(live)
    tail, head = network.tail[arcs], network.head[arcs]
    used = (distance[:, head] + network.metric[arcs] == distance[:, tail]) & np.isfinite(distance[:, tail])
    ones, places = np.ones(len(arcs)), np.arange(len(arcs))
    leaves = csr_array((ones, (places, tail)), shape=(len(arcs), nodes))
    enters = csr_array((ones, (places, head)), shape=(len(arcs), nodes))
    share = used / np.maximum(1.0, (used @ leaves)[:, tail])
    moving, load = np.zeros((len(goals), nodes)), np.zeros(len(network.tail))
    np.add.at(moving, (row, network.source), network.mbps)
    while moving.any():
        onward = moving[:, tail] * share
        load[arcs] += onward.sum(axis=0)
        moving = onward @ enters
    return load


def _shortest_arcs(network: Network, failed: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return (head, tail) → metric of the shortest of parallel arcs: turned round, to search from destinations."""
    arcs: dict[tuple[int, int], int] = {}
    for arc in range(len(network.tail)):
        if network.usable[arc >> 1] and arc >> 1 not in failed:
            pair = int(network.head[arc]), int(network.tail[arc])
            arcs[pair] = min(arcs.get(pair, 2**30), int(network.metric[arc]))
    return arcs


def _loads(network: Network, failed: Sequence[int], distances: dict[int, dict[int, Any]]) -> Loads:
    onward: list[list[tuple[int, int, int]]] = [[] for _ in network.nodes]
    for arc, (tail, head, metric) in enumerate(zip(network.tail, network.head, network.metric, strict=True)):
        if network.usable[arc >> 1] and arc >> 1 not in failed:
            onward[tail].append((arc, int(head), int(metric)))
    entering: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for source, goal, mbps in zip(network.source.tolist(), network.destination.tolist(), network.mbps, strict=True):
        entering[goal][source] += mbps
    load = np.zeros(len(network.tail))
    for goal, flow in entering.items():
        distance = distances[goal]
        queue = [(-distance[node], node) for node in flow if node in distance]
        heapq.heapify(queue)
        while queue:
            length, node = heapq.heappop(queue)
            if node == goal:
                continue
            ways = [
                (arc, other) for arc, other, metric in onward[node] if distance.get(other, -1.0) + metric == -length
            ]
            for arc, other in ways:
                load[arc] += flow[node] / len(ways)
                if other not in flow:
                    heapq.heappush(queue, (-distance[other], other))
                flow[other] += flow[node] / len(ways)
    return load
