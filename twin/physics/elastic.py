"""Who gets how much where elastic traffic meets a full line: max-min fair shares.

An elastic flow takes what it wants if that fits, and adapts where it does not. A share is max-min fair when no flow
can get more unless a flow that has no more than it gets less (Bertsekas & Gallager, "Data Networks", 6.5.2). Each flow
is spread over its paths in the fixed proportions of ECMP, so it uses of each arc a fixed multiple of its rate.
Inelastic traffic does not give way: elastic flows share what it leaves.
"""

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from scipy.sparse import csr_array

from domain.errors import BadInput
from twin.routing import Routing, legs_of
from twin.topology import Flags, Floats, Ints, Topology

#: Shares of a capacity below this are rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Sharing:
    """Elastic traffic in one state: `rate` per elastic demand (Mbit/s, in the order of `places`), loads per arc."""

    places: Ints
    wanted: Floats
    rate: Floats
    inelastic_load: Floats
    elastic_load: Floats

    @property
    def arc_load(self) -> Floats:
        """Mbit/s per arc: what inelastic traffic offers and what elastic traffic sends."""
        return self.inelastic_load + self.elastic_load

    def carried_share(self, demands: int) -> Floats:
        """Return, per demand of all, which share of its wish an elastic one sends; 1 for the others."""
        share = np.ones(demands)
        asks = self.wanted > 0
        share[self.places[asks]] = self.rate[asks] / self.wanted[asks]
        return share


def share_out(topology: Topology, routing: Routing, scale: float, capacity: Floats) -> Sharing | None:
    """Return how elastic demands share the network, or None where no traffic class is elastic.

    Args:
        topology: of the routing.
        routing: paths and Mbit/s of all demands, for `scale` 1.
        scale: factor on all demands.
        capacity: per arc, Mbit/s.
    """
    places = topology.elastic
    if not len(places):
        return None
    uses = usage(topology, routing, places)
    wanted = routing.ask.mbps[places] * scale
    inelastic = np.maximum(0.0, routing.arc_load * scale - uses.T @ wanted)
    inelastic[inelastic < _ROUNDING * capacity] = 0.0
    rate = max_min(uses, wanted, np.maximum(0.0, capacity - inelastic))
    return Sharing(places, wanted, rate, inelastic, np.asarray(uses.T @ rate))


def max_min(uses: Any, wanted: Floats, room: Floats) -> Floats:
    """Return the max-min fair rates of flows, by progressive filling.

    All rates rise together; a flow stops at what it wants, or at the level at which an arc on its way is full. The arc
    that fills at the lowest level is settled first; then those flows are taken out and the rest rises on.

    Args:
        uses: sparse (flows, arcs), what a flow uses of an arc per Mbit/s.
        wanted: per flow, Mbit/s, at least 0.
        room: per arc, Mbit/s, at least 0.

    Returns:
        Mbit/s per flow.

    Raises:
        BadInput: a wish or a room is negative or no number.
    """
    if not (np.isfinite(wanted).all() and (wanted >= 0).all() and not np.isnan(room).any() and (room >= 0).all()):
        raise BadInput("wishes and rooms must be numbers of at least 0 Mbit/s; correct the demands or capacities")
    by_wish = np.argsort(wanted, kind="stable")
    rate, columns = wanted[by_wish].astype(np.float64), uses[by_wish].tocsc()
    columns.sort_indices()
    wish, free = rate.copy(), np.ones(len(rate), np.bool_)
    tight = set(np.flatnonzero(columns.T @ rate > room * (1 + _ROUNDING)).tolist())
    levels = {arc: _level(columns, arc, wish, rate, free, room[arc]) for arc in sorted(tight)}
    rows = uses[by_wish].tocsr()
    while levels:
        arc = min(levels, key=lambda each: (levels[each], each))
        level = levels.pop(arc)
        users = columns.indices[columns.indptr[arc] : columns.indptr[arc + 1]]
        stopped = users[free[users] & (wish[users] > level)]
        rate[stopped] = level
        settled = users[free[users]]
        free[settled] = False
        met = {int(other) for user in settled for other in rows.indices[rows.indptr[user] : rows.indptr[user + 1]]}
        for other in met & levels.keys():
            levels[other] = _level(columns, other, wish, rate, free, room[other])
    answer = np.empty_like(rate)
    answer[by_wish] = rate
    return answer


def _level(columns: Any, arc: int, wish: Floats, rate: Floats, free: Flags, room: float) -> float:
    """Return the rate at which the free flows fill an arc, when each stops at its wish; infinite if they never do."""
    at = slice(columns.indptr[arc], columns.indptr[arc + 1])
    users, weight = columns.indices[at], columns.data[at]
    rising = free[users]
    left = max(0.0, room - float(weight[~rising] @ rate[users[~rising]]))
    wishes, weights = wish[users[rising]], weight[rising]  # in ascending order of wishes
    before = np.concatenate([[0.0], np.cumsum(weights * wishes)[:-1]])
    above = weights[::-1].cumsum()[::-1]
    full = np.flatnonzero(before + above * wishes > left * (1 + _ROUNDING))
    if not len(full):
        return np.inf
    return float(max(0.0, left - before[full[0]]) / above[full[0]])


def usage(topology: Topology, routing: Routing, places: Ints) -> Any:
    """Return a sparse (len(places), arcs) array: Mbit/s on an arc per Mbit/s of a demand, on all its legs."""
    legs = legs_of(topology, routing.ask, places)
    rows = routing.row_at[legs.ends].astype(np.int32)
    pointers = np.zeros(len(rows) + 1, np.int64)
    arcs, shares = np.zeros(0, np.int32), np.zeros(0)
    for write in (False, True):
        _legs(
            topology.out_rows,
            topology.out_arcs,
            topology.head,
            routing.ask.metric,
            routing.ask.usable,
            routing.distance,
            routing.order,
            routing.settled,
            routing.carries,
            legs.begins,
            rows,
            write,
            pointers,
            arcs,
            shares,
        )
        if not write:
            pointers = np.concatenate([[0], np.cumsum(pointers[1:])])
            arcs, shares = np.zeros(pointers[-1], np.int32), np.zeros(pointers[-1])
    crossed = np.diff(pointers)
    flow_of, parts = np.repeat(legs.demand, crossed), np.repeat(legs.share, crossed)
    return csr_array((shares * parts, (flow_of, arcs)), shape=(len(places), len(topology.tail)))


def _next_hops(out_rows: Any, out_arcs: Any, head: Any, metric: Any, usable: Any, distance: Any, node: Any) -> Any:
    """Count the arcs by which a node sends on."""
    hops = 0
    for at in range(out_rows[node], out_rows[node + 1]):
        arc = out_arcs[at]
        if usable[arc] and distance[head[arc]] + metric[arc] == distance[node]:
            hops += 1
    return hops


_I, _I2 = "int32[::1]", "int32[:,::1]"
_hops = nb.njit(f"int64({_I},{_I},{_I},{_I},boolean[::1],{_I},int64)", cache=True)(_next_hops)


def _spread_legs(
    out_rows: Any,
    out_arcs: Any,
    head: Any,
    metric: Any,
    usable: Any,
    distance: Any,
    order: Any,
    settled: Any,
    carries: Any,
    begins: Any,
    rows: Any,
    write: Any,
    pointers: Any,
    arcs: Any,
    shares: Any,
) -> None:
    """Send one unit down each leg; count the arcs it uses per leg in `pointers[1:]`, or write them where they begin."""
    flow = np.zeros(distance.shape[1])
    for leg in range(len(begins)):
        row, start, count = rows[leg], begins[leg], 0
        if not carries[row, start]:
            continue
        flow[start] = 1.0
        for place in range(settled[row] - 1, 0, -1):
            node = order[row, place]
            if flow[node] == 0.0:
                continue
            hops = _hops(out_rows, out_arcs, head, metric, usable, distance[row], node)
            for at in range(out_rows[node], out_rows[node + 1]):
                arc = out_arcs[at]
                if usable[arc] and distance[row, head[arc]] + metric[arc] == distance[row, node]:
                    flow[head[arc]] += flow[node] / hops
                    if write:
                        arcs[pointers[leg] + count] = arc
                        shares[pointers[leg] + count] = flow[node] / hops
                    count += 1
            flow[node] = 0.0
        flow[order[row, 0]] = 0.0
        if not write:
            pointers[leg + 1] = count


_legs = nb.njit(
    f"void({_I},{_I},{_I},{_I},boolean[::1],{_I2},{_I2},{_I},boolean[:,::1],{_I},{_I},boolean,int64[::1],{_I},"
    "float64[::1])",
    cache=True,
)(_spread_legs)
