"""How trouble travels: a directed graph over all elements, and quick answers about nearness in it.

An edge u → v says "trouble in u can become trouble in v". Kinds of edges: the dependency kinds (from what is
depended on), `contains` (node → its termination points), `terminates` (termination point → its link), `signals`
(link → its termination points), `adjacency` (link → the nodes at its ends, which lose a neighbour), `routes` (node or
link → the demands whose present paths use it), `loads` (demand → the links it fills) and `delivers` (demand or cell →
service). There are cycles: a link's end can bring the link down, and a link's failure shows at its ends.
"""

from collections.abc import Iterator

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from domain.network import Inventory
from twin import kernel
from twin.evaluate import Prediction, evaluate
from twin.snapshot import Snapshot
from twin.topology import Flags, Ints

#: What connects everything with everything: trouble may end here, but two elements are not near for sharing it.
_HUBS = frozenset({"demand", "service"})


def element_graph(inventory: Inventory) -> nx.DiGraph:
    """Return the graph. Nodes bear `kind` (a NodeKind value, `termination_point`, `link`, `demand` or `service`).

    Edges bear `kind` and `redundant` (the dependent can do without this one as long as others work). Paths are those
    of the declared state.
    """
    graph = nx.DiGraph(name=inventory.name)
    graph.add_nodes_from((node.id, {"kind": node.kind.value}) for node in inventory.nodes)
    graph.add_nodes_from((point.id, {"kind": "termination_point"}) for point in inventory.termination_points)
    graph.add_nodes_from((link.id, {"kind": "link"}) for link in inventory.links)
    graph.add_nodes_from((demand.id, {"kind": "demand"}) for demand in inventory.demands)
    graph.add_nodes_from((service.id, {"kind": "service"}) for service in inventory.services)
    for begin, end, kind, redundant in _edges(inventory):
        graph.add_edge(begin, end, kind=kind, redundant=redundant)
    return graph


def _edges(inventory: Inventory) -> Iterator[tuple[str, str, str, bool]]:
    yield from _structure(inventory)
    links = {link.id for link in inventory.links}
    for demand, path in demand_paths(evaluate(Snapshot.of(inventory))).items():
        for element, shared in path.items():
            yield element, demand, "routes", shared
            if element in links:
                yield demand, element, "loads", False
    for service in inventory.services:
        for part in (*service.demands, *service.cells):
            yield part, service.id, "delivers", False


def _structure(inventory: Inventory) -> Iterator[tuple[str, str, str, bool]]:
    node_of = {point.id: point.node for point in inventory.termination_points}
    for point, node in node_of.items():
        yield node, point, "contains", False
    for link in inventory.links:
        for end in (link.source, link.destination):
            yield end, link.id, "terminates", False
            yield link.id, end, "signals", False
            yield link.id, node_of[end], "adjacency", False
    for dependency in inventory.dependencies:
        for name in dependency.on:
            yield name, dependency.dependent, dependency.kind.value, dependency.needs < len(dependency.on)


def demand_paths(prediction: Prediction) -> dict[str, dict[str, bool]]:
    """Return, per demand, the nodes and links on its paths; True where only part of the demand passes."""
    topology, routing = prediction.topology, prediction.routing
    paths: dict[str, dict[str, bool]] = {}
    for place, demand in enumerate(topology.demands):
        via = int(routing.ask.via[place])
        begin, end = int(topology.source[place]), int(topology.destination[place])
        path = _way(prediction, [(begin, end)] if via < 0 else [(begin, via), (via, end)])
        if routing.ask.share[place] < 1:
            direct = _way(prediction, [(begin, end)])
            path = {element: path.get(element, True) or direct.get(element, True) for element in {**path, **direct}}
        paths[demand] = path
    return paths


def _way(prediction: Prediction, legs: list[tuple[int, int]]) -> dict[str, bool]:
    """Return the nodes and links on some legs, one after the other; True where only part of the traffic passes."""
    path: dict[str, bool] = {}
    for leg in legs:
        for element, share in _leg(prediction, *leg).items():
            path[element] = share < 1 - 1e-9 and path.get(element, True)
    return path


def _leg(prediction: Prediction, begin: int, end: int) -> dict[str, float]:
    """Return the share of what goes from `begin` to `end` that passes each node and link; empty when cut off."""
    topology, routing = prediction.topology, prediction.routing
    row = int(routing.row_at[end])
    distance, ask = routing.distance[row], routing.ask
    if not routing.carries[row, begin]:
        return {}
    flow = {begin: 1.0}
    shares: dict[str, float] = {}
    while flow:
        node = max(flow, key=lambda router: (distance[router], router))
        share = flow.pop(node)
        shares[topology.nodes[topology.routers[node]]] = share
        if node == end:
            continue
        arcs = topology.out_arcs[topology.out_rows[node] : topology.out_rows[node + 1]]
        ahead = distance[topology.head[arcs]] + ask.metric[arcs] == distance[node]
        hops = arcs[ask.usable[arcs] & ahead]
        for arc in hops:
            shares[topology.links[arc // 2]] = share / len(hops)
            onward = int(topology.head[arc])
            flow[onward] = flow.get(onward, 0.0) + share / len(hops)
    return shares


class Proximity:
    """Nearness in an element graph, fast enough to be asked for every pair of thousands of alarms."""

    def __init__(self, graph: nx.DiGraph, *, farthest: int = 8) -> None:
        """Prepare; distances beyond `farthest` hops (at most 254) count as unrelated."""
        self._graph = graph
        self._farthest = farthest
        self._place = {name: place for place, name in enumerate(graph)}
        self._names = list(graph)
        self._passes: Flags = np.array([graph.nodes[name].get("kind") not in _HUBS for name in graph], np.bool_)
        rows = [0]
        neighbours: list[int] = []
        for name in graph:
            around = {*graph.predecessors(name), *graph.successors(name)}
            neighbours.extend(self._place[other] for other in around)
            rows.append(len(neighbours))
        self._rows: Ints = np.array(rows, np.int32)
        self._neighbours: Ints = np.array(neighbours, np.int32)
        self._hops: dict[str, NDArray[np.uint8]] = {}
        self._upstream: dict[tuple[str, int], frozenset[str]] = {}

    def distance(self, a: str, b: str) -> int | None:
        """Return the undirected hops between two elements; None when far apart or unknown.

        Ways through a demand or a service do not count: sharing one does not make two elements near.
        """
        if a not in self._place or b not in self._place:
            return None
        if b in self._hops:
            a, b = b, a
        hops = int(self._hops_from(a)[self._place[b]])
        return None if hops > self._farthest else hops

    def upstream(self, a: str, k: int = 3) -> frozenset[str]:
        """Return the elements from which trouble reaches `a` within `k` steps, without `a`; empty when unknown.

        A demand that fills a link is upstream of it; what lies on the rest of that demand's path is not.
        """
        if a not in self._place:
            return frozenset()
        known = self._upstream.get((a, k))
        if known is None:
            known = self._upstream[a, k] = frozenset(self._ancestors(a, k))
        return known

    def _ancestors(self, element: str, k: int) -> set[str]:
        found: set[str] = set()
        edge = {element}
        for _ in range(k):
            reached: set[str] = set()
            for name in edge:
                for before, traits in self._graph.pred[name].items():
                    if before in found or before == element:
                        continue
                    found.add(before)
                    if traits.get("kind") != "loads":
                        reached.add(before)
            edge = reached
        return found

    def _hops_from(self, element: str) -> NDArray[np.uint8]:
        known = self._hops.get(element)
        if known is None:
            known = np.empty(len(self._names), np.uint8)
            place = self._place[element]
            kernel.hops_from(self._rows, self._neighbours, self._passes, place, self._farthest, known)
            self._hops[element] = known
        return known
