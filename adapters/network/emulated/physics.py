"""What traffic does in the plant: shortest paths, unequal splits over equal paths, overload, loss and delay.

Routing is found anew only when the state of the network changes; between two changes the load is linear in the
demands, so a tick costs one sparse product. Unlike the twin's, a node's split over equal next hops follows hidden
weights (flows are hashed, and hashes are uneven).
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from domain.network import Inventory

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Hop(NamedTuple):
    """A part of a demand's path: `split` is the share of what is at `tail` that takes this arc."""

    tail: int
    head: int
    arc: int
    split: float


#: One waypoint segment: where it starts, where it ends, and its hops in the order in which traffic meets them.
Segment = tuple[int, int, tuple[Hop, ...]]


@dataclass(frozen=True)
class Topology:
    """The inventory as arrays. Link i is arc 2i (source to destination) and arc 2i+1 (back); `a ^ 1` is the way back.

    `sender[a]` and `receiver[a]` are the termination points of arc a.
    """

    nodes: tuple[str, ...]
    links: tuple[str, ...]
    demands: tuple[str, ...]
    sender: tuple[str, ...]
    receiver: tuple[str, ...]
    tail: tuple[int, ...]
    head: tuple[int, ...]
    outgoing: tuple[tuple[int, ...], ...]
    capacity: Floats
    delay: Floats
    ends: tuple[tuple[int, int], ...]
    node_at: dict[str, int]
    link_at: dict[str, int]
    demand_at: dict[str, int]
    arc_at: dict[str, int]

    @classmethod
    def of(cls, inventory: Inventory) -> "Topology":
        """Return the arrays of an inventory whose references hold."""
        host = {point.id: point.node for point in inventory.termination_points}
        links = inventory.links
        demands = inventory.demands
        used = {host[tp] for link in links for tp in (link.source, link.destination)}
        used |= {node for demand in demands for node in (demand.source, demand.destination)}
        nodes = tuple(node.id for node in inventory.nodes if node.id in used)
        at = {node: index for index, node in enumerate(nodes)}
        sender = tuple(tp for link in links for tp in (link.source, link.destination))
        receiver = tuple(tp for link in links for tp in (link.destination, link.source))
        tail = tuple(at[host[tp]] for tp in sender)
        outgoing: list[list[int]] = [[] for _ in nodes]
        for arc, node in enumerate(tail):
            outgoing[node].append(arc)
        return cls(
            nodes=nodes,
            links=tuple(link.id for link in links),
            demands=tuple(demand.id for demand in demands),
            sender=sender,
            receiver=receiver,
            tail=tail,
            head=tuple(at[host[tp]] for tp in receiver),
            outgoing=tuple(tuple(arcs) for arcs in outgoing),
            capacity=np.repeat(np.array([link.capacity_mbps for link in links], dtype=float), 2),
            delay=np.repeat(np.array([link.delay_ms for link in links], dtype=float), 2),
            ends=tuple((at[demand.source], at[demand.destination]) for demand in demands),
            node_at=at,
            link_at={link.id: index for index, link in enumerate(links)},
            demand_at={demand.id: index for index, demand in enumerate(demands)},
            arc_at={tp: arc for arc, tp in enumerate(sender)},
        )


class Way(NamedTuple):
    """Segments one after the other, and the part of a demand that is hashed onto them."""

    part: float
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Routes:
    """Where each demand goes: its ways (none: nowhere), and its share on each arc (demands × arcs)."""

    paths: tuple[tuple[Way, ...], ...]
    shares: Any


def route(
    topology: Topology,
    metric: Floats,
    usable: Flags,
    vias: Sequence[int | None],
    weight: Floats,
    parts: Sequence[float] | None = None,
) -> Routes:
    """Return the routes of all demands.

    Args:
        topology: the network, n nodes and m arcs.
        metric: IGP metric per arc (m).
        usable: whether traffic may be sent over the arc (m).
        vias: waypoint node per demand, or None.
        weight: positive hash weight per arc (m); next hops share in proportion.
        parts: what of each demand goes through its waypoint, the rest goes directly; None: all of them as a whole.
    """
    router = Router(topology, metric, usable, weight, targets=_targets(topology, vias))
    bent = parts if parts is not None else [1.0] * len(vias)
    paths = tuple(router.ways(*ends, via, part) for ends, via, part in zip(topology.ends, vias, bent, strict=True))
    return Routes(paths, _shares(paths, len(topology.demands), len(topology.tail)))


def hashed(share: Floats, weight: Floats) -> Floats:
    """Return what of each demand really goes onto a segment list that is to have this share; all or nothing is exact.

    Flows, not packets, are hashed onto the lists, and some flows are bigger: `weight` is how much bigger those on the
    list are, in the mean.
    """
    return np.asarray(share * weight / (share * weight + (1.0 - share)))


def _targets(topology: Topology, vias: Sequence[int | None]) -> set[int]:
    return {end for _, end in topology.ends} | {via for via in vias if via is not None}


def _shares(paths: Sequence[tuple[Way, ...]], demands: int, arcs: int) -> Any:
    rows, columns, values = [], [], []
    for row, ways in enumerate(paths):
        for whole, (start, _, hops) in ((way.part, segment) for way in ways for segment in way.segments):
            present = {start: whole}
            for tail, head, arc, split in hops:
                part = present[tail] * split
                present[head] = present.get(head, 0.0) + part
                rows.append(row)
                columns.append(arc)
                values.append(part)
    return csr_matrix((values, (rows, columns)), shape=(demands, arcs), dtype=float)


class Router:
    """Shortest-path distances to a set of nodes in one state of the network, and paths along them."""

    def __init__(self, topology: Topology, metric: Floats, usable: Flags, weight: Floats, targets: set[int]) -> None:
        self._topology, self._usable = topology, usable.tolist()
        self._metric, self._weight = metric.tolist(), weight.tolist()
        self._distance = _distances(topology, metric, usable, sorted(targets))
        self._segments: dict[tuple[int, int], Segment | None] = {}

    def path(self, source: int, destination: int, via: int | None) -> tuple[Segment, ...] | None:
        """Return the segments from source to destination; a policy whose waypoint is out of reach is not used."""
        if via is not None and via not in (source, destination):
            first, second = self.segment(source, via), self.segment(via, destination)
            if first is not None and second is not None:
                return first, second
        direct = self.segment(source, destination)
        return None if direct is None else (direct,)

    def ways(self, source: int, destination: int, via: int | None, part: float) -> tuple[Way, ...]:
        """Return the way through the waypoint and, unless all goes there, the direct one; none when there is none."""
        bent, direct = self.path(source, destination, via), self.path(source, destination, None)
        found = [Way(part, bent)] if bent is not None else []
        if part < 1.0 and direct is not None:
            found.append(Way(1.0 - part, direct))
        return tuple(found)

    def segment(self, source: int, target: int) -> Segment | None:
        """Return the way to `target` (one of the targets), or None when there is none."""
        key = (source, target)
        if key not in self._segments:
            self._segments[key] = self._found(source, target)
        return self._segments[key]

    def _found(self, source: int, target: int) -> Segment | None:
        distance = self._distance[target]
        if distance[source] == np.inf:
            return None
        hops: list[Hop] = []
        queue, seen = [(-distance[source], source)], {source}
        while queue:
            _, node = heapq.heappop(queue)
            if node == target:
                continue
            arcs = self._next(node, distance)
            whole = sum(self._weight[arc] for arc in arcs)
            for arc in arcs:
                head = self._topology.head[arc]
                hops.append(Hop(node, head, arc, self._weight[arc] / whole))
                if head not in seen:
                    seen.add(head)
                    heapq.heappush(queue, (-distance[head], head))
        return source, target, tuple(hops)

    def _next(self, node: int, distance: list[float]) -> list[int]:
        head, metric, usable = self._topology.head, self._metric, self._usable
        here = distance[node]
        return [
            arc for arc in self._topology.outgoing[node] if usable[arc] and distance[head[arc]] + metric[arc] == here
        ]


def _distances(topology: Topology, metric: Floats, usable: Flags, targets: list[int]) -> dict[int, list[float]]:
    """Distances from every node to each target: Dijkstra on the arcs turned around."""
    if not targets:
        return {}
    size = len(topology.nodes)
    cost = np.full((size, size), np.inf)
    tail, head = np.array(topology.tail, dtype=int), np.array(topology.head, dtype=int)
    np.minimum.at(cost, (head[usable], tail[usable]), metric[usable])
    cost[np.isinf(cost)] = 0.0
    found = np.atleast_2d(dijkstra(csr_matrix(cost), directed=True, indices=targets))
    return {target: row.tolist() for target, row in zip(targets, found, strict=True)}


@dataclass(frozen=True)
class Traffic:
    """What flows. Per arc: `load` (Mbit/s offered), `utilisation`, `lost` (share of what enters). Per demand:
    `mbps` offered, `loss` (share), `delay` (milliseconds one way, NaN where nothing arrives).
    """

    load: Floats
    utilisation: Floats
    lost: Floats
    mbps: Floats
    loss: Floats
    delay: Floats


def traffic(
    topology: Topology, routes: Routes, mbps: Floats, *, clean: Floats, queue: Floats, buffer_ms: float
) -> Traffic:
    """Return what flows when the demands offer `mbps`.

    An arc that is offered more than its capacity drops the rest. Queueing delay is `queue` x load / (1 - load), the
    mean wait of M/M/1 in units of its service time, at most `buffer_ms`.

    Args:
        topology: the network.
        routes: where the demands go.
        mbps: offered traffic per demand.
        clean: share that an arc lets through when it is not full; 0 for a dead arc.
        queue: service time per arc in milliseconds, hidden.
        buffer_ms: what a full buffer holds.
    """
    load = np.asarray(routes.shares.T @ mbps).ravel()
    utilisation = load / topology.capacity
    through = clean * np.minimum(1.0, 1.0 / np.maximum(utilisation, 1e-12))
    busy = np.minimum(utilisation, 0.999)
    wait = np.minimum(queue * busy / (1.0 - busy), buffer_ms)
    delay = np.asarray(routes.shares @ (topology.delay + wait)).ravel()
    loss = _losses(routes, through)
    delay[loss >= 1.0] = np.nan
    return Traffic(load, utilisation, 1.0 - through, mbps, loss, delay)


def _losses(routes: Routes, through: Floats) -> Floats:
    """Share lost per demand, followed hop by hop for those demands that meet an arc which loses anything."""
    loss = np.array([0.0 if ways else 1.0 for ways in routes.paths])
    lossy = (through < 1.0).astype(float)
    if not lossy.any():
        return loss
    passing = through.tolist()
    for row in np.flatnonzero(np.asarray(routes.shares @ lossy).ravel() > 0.0).tolist():
        loss[row] = 1.0 - sum(way.part * _delivered(way.segments, passing) for way in routes.paths[row])
    return loss


def _delivered(path: Sequence[Segment], passing: list[float]) -> float:
    whole = 1.0
    for start, end, hops in path:
        present = {start: 1.0}
        for tail, head, arc, split in hops:
            present[head] = present.get(head, 0.0) + present[tail] * split * passing[arc]
        whole *= present.get(end, 0.0)
    return whole
