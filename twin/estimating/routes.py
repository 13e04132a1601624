"""The routing matrix: which share of each demand crosses each arc, in the state in which it was routed.

It is sparse, and `shares @ mbps` is the load per arc that `twin.routing` finds for those demands.
"""

from typing import Any, TypeAlias

import numba as nb
import numpy as np
from scipy.sparse import csr_matrix

from twin.kernel import FAR
from twin.routing import Routing, legs_of
from twin.topology import Flags, Floats, Ints, Topology

#: A sparse matrix of shape (measurements, demands); scipy publishes no types for it.
Shares: TypeAlias = Any

_I, _I2, _F, _B = "int32[::1]", "int32[:,::1]", "float64[::1]", "boolean[::1]"


def routing_matrix(topology: Topology, routing: Routing) -> Shares:
    """Return the share of each demand on each arc, shape (arcs, demands); above 1 where two legs share an arc.

    A demand with a waypoint has two legs, and three where only a share of it goes there. A demand (or leg) without a
    path has no share anywhere.
    """
    taken = legs_of(topology, routing.ask)
    rows = routing.row_at[taken.ends]
    by_row = np.argsort(rows, kind="stable")
    legs, arcs, shares = _crossings(
        topology.out_rows,
        topology.out_arcs,
        topology.head,
        routing.ask.metric,
        routing.ask.usable,
        routing.distance,
        routing.order,
        routing.settled,
        taken.begins[by_row],
        rows[by_row].astype(np.int32),
    )
    shape = (len(topology.tail), len(topology.demands))
    leg = by_row[legs]
    return csr_matrix((shares * taken.share[leg], (arcs, taken.demand[leg])), shape=shape)


@nb.njit(f"int64({_I},{_I},{_I},{_I},{_B},{_I},{_I},int64,{_F},int64,{_I},{_F})", cache=True)
def _send(
    out_rows: Ints,
    out_arcs: Ints,
    head: Ints,
    metric: Ints,
    usable: Flags,
    distance: Ints,
    order: Ints,
    begin: int,
    unit: Floats,
    count: int,
    arcs: Ints,
    shares: Floats,
) -> int:
    """Send one unit from the place `begin` in `order` to its first node, in equal shares per next hop.

    Writes what crosses each arc to `arcs` and `shares` from `count` on and returns where that ends; `unit` is scratch
    space of zeros, shape (nodes,), and is left so.
    """
    unit[order[begin]] = 1.0
    for place in range(begin, 0, -1):
        node = order[place]
        if unit[node] == 0.0:
            continue
        first = count
        for at in range(out_rows[node], out_rows[node + 1]):
            arc = out_arcs[at]
            if usable[arc] and distance[head[arc]] + metric[arc] == distance[node]:
                arcs[count] = arc
                count += 1
        share = unit[node] / (count - first)
        unit[node] = 0.0
        for crossing in range(first, count):
            shares[crossing] = share
            unit[head[arcs[crossing]]] += share
    unit[order[0]] = 0.0
    return count


@nb.njit(f"Tuple(({_I},{_I},{_F}))({_I},{_I},{_I},{_I},{_B},{_I2},{_I2},{_I},{_I},{_I})", cache=True)
def _crossings(
    out_rows: Ints,
    out_arcs: Ints,
    head: Ints,
    metric: Ints,
    usable: Flags,
    distance: Ints,
    order: Ints,
    settled: Ints,
    begins: Ints,
    rows: Ints,
) -> tuple[Ints, Ints, Floats]:
    """Return (leg, arc, share) of all that one unit per leg crosses; legs come sorted by row, and only so are fast."""
    nodes, most = distance.shape[1], len(usable)
    size = most + 8 * len(begins)
    legs, arcs, shares = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.float64)
    unit, rank = np.zeros(nodes), np.zeros(nodes, np.int32)
    ranked, count = -1, 0
    for leg in range(len(begins)):
        row = rows[leg]
        if distance[row, begins[leg]] >= FAR:
            continue
        if row != ranked:
            rank[order[row, : settled[row]]] = np.arange(settled[row]).astype(np.int32)
            ranked = row
        if count + most > len(arcs):
            legs = np.concatenate((legs, np.empty_like(legs)))
            arcs = np.concatenate((arcs, np.empty_like(arcs)))
            shares = np.concatenate((shares, np.empty_like(shares)))
        end = _send(
            out_rows,
            out_arcs,
            head,
            metric,
            usable,
            distance[row],
            order[row],
            rank[begins[leg]],
            unit,
            count,
            arcs,
            shares,
        )
        legs[count:end] = leg
        count = end
    return legs[:count].copy(), arcs[:count].copy(), shares[:count].copy()
