"""What one unit of traffic between two routers puts on each arc, and how long its longest way takes.

All pairs are followed at once: a row of a sparse matrix is one unit of traffic, a column is (destination, node), and
one product moves every unit one hop down the shortest paths of its destination, in equal shares per next hop.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from twin import kernel
from twin.topology import Flags, Floats, Ints, Topology

Places = NDArray[np.int64]
_WHOLE = 1.0 - 1e-9


@dataclass(frozen=True, eq=False)
class Ways:
    """The ways between pairs of routing places.

    Attributes:
        begins: (pairs,) where each pair begins.
        ends: (pairs,) where it ends.
        share: (pairs, arcs) sparse; what one unit puts on each arc, nothing for a pair that is not connected.
        connected: (pairs,)
        delay_ms: (pairs,) propagation delay of the longest of the equal ways; infinite if not connected.
        first: (pairs,) the node after the first hop, where there is only one, else -1.
        last: (pairs,) the node before the last hop, where there is only one, else -1.
    """

    begins: Places
    ends: Places
    share: Any
    connected: Flags
    delay_ms: Floats
    first: Places
    last: Places

    @cached_property
    def _keys(self) -> Places:
        return self.begins * self._span + self.ends

    @cached_property
    def _span(self) -> int:
        return int(max(self.begins.max(initial=0), self.ends.max(initial=0))) + 1

    def rows(self, begins: Any, ends: Any) -> Places:
        """Return the row of each pair (any shape); every pair must have been asked for in `ways_between`."""
        wanted = np.asarray(begins, np.int64) * self._span + np.asarray(ends, np.int64)
        return np.searchsorted(self._keys, wanted)


def ways_between(topology: Topology, usable: Flags, metric: Ints, pairs: Places) -> Ways:
    """Follow one unit of traffic for each pair.

    Args:
        topology: of the network.
        usable: per arc.
        metric: per arc.
        pairs: (n, 2) routing places; repeated pairs are followed once.
    """
    unique = np.unique(pairs.reshape(-1, 2), axis=0)
    begins, ends = unique[:, 0].astype(np.int64), unique[:, 1].astype(np.int64)
    goals = np.unique(ends)
    distance = _distances(topology, usable, metric, goals.astype(np.int32))
    row = np.searchsorted(goals, ends)
    downhill = _downhill(topology, usable, metric, distance)
    share = _followed(topology, downhill, distance.shape[1], row * distance.shape[1] + begins)
    longest = _longest(topology, downhill, goals, distance)
    first, last = _only_hops(topology, share, begins, ends)
    return Ways(
        begins=begins,
        ends=ends,
        share=share,
        connected=distance[row, begins] < kernel.FAR,
        delay_ms=longest[row, begins],
        first=first,
        last=last,
    )


def _distances(topology: Topology, usable: Flags, metric: Ints, goals: Ints) -> Ints:
    """Return (goals, routers) distances; the twin's own kernel, with nothing to carry."""
    rows, routers, arcs = len(goals), len(topology.routers), len(topology.tail)
    distance = np.empty((rows, routers), np.int32)
    order, settled = np.empty((rows, routers), np.int32), np.zeros(rows, np.int32)
    carries, load = np.zeros((rows, routers), np.bool_), np.zeros((rows, arcs))
    kernel.route(
        topology.in_rows,
        topology.in_arcs,
        topology.out_rows,
        topology.out_arcs,
        topology.tail,
        topology.head,
        metric,
        usable,
        goals,
        np.zeros((rows, routers)),
        np.zeros((rows, routers), np.bool_),
        np.full(rows, -1, np.int32),
        distance,
        order,
        settled,
        carries,
        load,
        distance,
        order,
        settled,
        carries,
        load,
    )
    return distance


def _downhill(topology: Topology, usable: Flags, metric: Ints, distance: Ints) -> tuple[Places, Places]:
    """Return (row, arc) of every arc on a shortest path to the row's destination."""
    here, there = distance[:, topology.tail], distance[:, topology.head]
    rows, arcs = np.nonzero(usable & (here < kernel.FAR) & (there + metric == here))
    return rows, arcs


def _followed(topology: Topology, downhill: tuple[Places, Places], routers: int, starts: Places) -> Any:
    """Return (starts, arcs): what one unit from each start (row × routers + node) puts on each arc."""
    rows, arcs = downhill
    tails = rows * routers + topology.tail[arcs]
    heads = rows * routers + topology.head[arcs]
    states = max(int(starts.max(initial=0)) + 1, (int(rows.max(initial=0)) + 1) * routers)
    even = 1.0 / np.bincount(tails, minlength=states)[tails]
    hop = sparse.csr_array((even, (tails, heads)), shape=(states, states))
    onto = sparse.csr_array((even, (tails, arcs)), shape=(states, len(topology.tail)))
    here = sparse.csr_array((np.ones(len(starts)), (np.arange(len(starts)), starts)), shape=(len(starts), states))
    total = here @ onto
    while here.nnz:
        here = here @ hop
        total = total + here @ onto
    return sparse.csr_array(total)


def _longest(topology: Topology, downhill: tuple[Places, Places], goals: Places, distance: Ints) -> Floats:
    """Return (goals, routers): propagation delay in ms of the longest of the equal ways, infinite without one."""
    rows, arcs = downhill
    per_link = {link.id: link.delay_ms for link in topology.inventory.links}
    delay = np.repeat(np.array([per_link[name] for name in topology.links], np.float64), 2)
    longest = np.zeros(distance.shape)
    tails, heads = topology.tail[arcs], topology.head[arcs]
    while True:
        better = longest.copy()
        np.maximum.at(better, (rows, tails), delay[arcs] + longest[rows, heads])
        if np.array_equal(better, longest):
            break
        longest = better
    longest[distance >= kernel.FAR] = np.inf
    longest[np.arange(len(goals)), goals] = 0.0
    return longest


def _only_hops(topology: Topology, share: Any, begins: Places, ends: Places) -> tuple[Places, Places]:
    """Return the node after the only first hop and the node before the only last hop of each pair, or -1."""
    held = share.tocoo()
    pair, arc = held.row[held.data > _WHOLE], held.col[held.data > _WHOLE]
    first, last = np.full(len(begins), -1, np.int64), np.full(len(begins), -1, np.int64)
    leaves = topology.tail[arc] == begins[pair]
    first[pair[leaves]] = topology.head[arc[leaves]]
    arrives = topology.head[arc] == ends[pair]
    last[pair[arrives]] = topology.tail[arc[arrives]]
    return first, last
