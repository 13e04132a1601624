"""The least that the worst link utilisation can be: a multi-commodity flow, solved in one of two forms.

Minimise θ subject to flow conservation and Σ flow ≤ θ · capacity on every arc. No routing of the same traffic over the
same arcs is below it (the bound of Fortz and Thorup, INFOCOM 2000). Small problems are written down whole, one
commodity per destination. Large ones are grown path by path (column generation): the prices of the arcs say which
shorter path each commodity would rather take, and by duality
    θ ≥ Σ mbps · (cheapest way) / Σ capacity · price
for any prices whatever, so what is returned is a bound in either form.
"""

from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse import csgraph

from twin.evaluate import Prediction
from twin.steering.scene import carried
from twin.steering.ways import Places
from twin.topology import Floats

#: Variables (destinations × arcs) up to which the flow is written down whole.
WHOLE = 5_000
#: Commodities above which nothing is worked out: that would take minutes.
MOST_COMMODITIES = 6_000
#: The bound is near enough when it is within this share of a flow that exists.
_GAP = 1e-4


class _Flow(NamedTuple):
    """Commodities (begin, end, amount) and arcs (tail, head, capacity); amounts and capacities share a scale."""

    begin: Places
    end: Places
    amount: Floats
    tail: Places
    head: Places
    capacity: Floats
    nodes: int


def optimum(present: Prediction, time_limit_s: float = 60.0, *, whole: int = WHOLE) -> float | None:
    """Return the least worst utilisation of a state, or None when it is too large or takes too long.

    Demands that do not arrive are left out, as they load no link. A large problem's bound is at most 0.01 % low.

    Args:
        present: the state; its routing does not matter, its arcs and demands do.
        time_limit_s: for the solver.
        whole: variables up to which the flow is written down whole.
    """
    topology, usable = present.topology, present.routing.ask.usable
    arcs = np.flatnonzero(usable & (topology.tail != topology.head))
    flowing = carried(present)
    if not flowing.any():
        return 0.0
    pairs = np.column_stack([topology.source[flowing], topology.destination[flowing]]).astype(np.int64)
    unique, member = np.unique(pairs, axis=0, return_inverse=True)
    scale = float(present.capacity[arcs].max())
    flow = _Flow(
        begin=unique[:, 0],
        end=unique[:, 1],
        amount=np.bincount(member.ravel(), present.demand_mbps[flowing]) / scale,
        tail=topology.tail[arcs].astype(np.int64),
        head=topology.head[arcs].astype(np.int64),
        capacity=present.capacity[arcs] / scale,
        nodes=len(topology.routers),
    )
    if len(np.unique(flow.end)) * len(arcs) <= whole:
        return _by_arcs(flow, time_limit_s)
    return _by_paths(flow, perf_counter() + time_limit_s) if len(unique) <= MOST_COMMODITIES else None


def _by_arcs(flow: _Flow, time_limit_s: float) -> float | None:
    arcs, goals = len(flow.tail), np.unique(flow.end)
    enters = np.zeros((len(goals), flow.nodes))
    enters[np.searchsorted(goals, flow.end), flow.begin] = flow.amount
    place, ones = np.arange(arcs), np.ones(arcs)
    ends = (np.concatenate([flow.tail, flow.head]), np.concatenate([place, place]))
    leaves = sparse.csr_array((np.concatenate([ones, -ones]), ends), shape=(flow.nodes, arcs))
    # the balance at the destination follows from the others; a node that nothing touches has no balance
    kept = np.tile(np.isin(np.arange(flow.nodes), ends[0]), len(goals))
    kept[np.arange(len(goals)) * flow.nodes + goals] = False
    balance = sparse.block_diag([leaves] * len(goals), format="csr")[kept]
    together = sparse.hstack([sparse.eye_array(arcs)] * len(goals) + [-flow.capacity[:, None]], format="csr")
    cost = np.zeros(len(goals) * arcs + 1)
    cost[-1] = 1.0
    found = linprog(
        cost,
        A_ub=together,
        b_ub=np.zeros(arcs),
        A_eq=sparse.hstack([balance, sparse.csr_array((balance.shape[0], 1))], format="csr"),
        b_eq=enters.ravel()[kept],
        method="highs",
        options={"time_limit": time_limit_s},
    )
    return float(found.fun) if found.status == 0 else None


def _by_paths(flow: _Flow, deadline: float) -> float | None:
    arcs, count = len(flow.tail), len(flow.begin)
    owners, paths = _cheapest(flow, 1.0 / flow.capacity)[1:]
    best = 0.0
    while (left := deadline - perf_counter()) > 0:
        share = sparse.hstack([paths.T @ sparse.diags_array(flow.amount[owners]), -flow.capacity[:, None]])
        ones = sparse.csr_array((np.ones(len(owners)), (owners, np.arange(len(owners)))), (count, len(owners) + 1))
        found = linprog(
            np.append(np.zeros(len(owners)), 1.0),
            A_ub=share.tocsr(),
            b_ub=np.zeros(arcs),
            A_eq=ones,
            b_eq=np.ones(count),
            method="highs",
            options={"time_limit": left},
        )
        if found.status != 0:
            return None
        price = np.maximum(-found.ineqlin.marginals, 0.0)
        ways, who, offered = _cheapest(flow, price)
        best = max(best, float(flow.amount @ ways) / float(flow.capacity @ price))
        if found.fun - best <= _GAP * found.fun:
            return best
        pays = found.eqlin.marginals[who] - flow.amount[who] * ways[who] > 1e-9
        owners, paths = np.concatenate([owners, who[pays]]), sparse.vstack([paths, offered[pays]], format="csr")
    return None


def _cheapest(flow: _Flow, price: Floats) -> tuple[Floats, Places, Any]:
    """Return per commodity the price of its cheapest way, and those ways: whose each is, and (ways, arcs) 0 or 1."""
    floor = 1e-9 * float(price.max(initial=1e-9))  # a sparse graph has no edges of weight zero
    order = np.lexsort((price, flow.head, flow.tail))
    tails, heads = flow.tail[order], flow.head[order]
    first = np.append(True, (np.diff(tails) != 0) | (np.diff(heads) != 0))
    arcs, tails, heads = order[first], tails[first], heads[first]
    graph = sparse.csr_array((price[arcs] + floor, (tails, heads)), shape=(flow.nodes, flow.nodes))
    arc_at = dict(zip(zip(tails.tolist(), heads.tolist(), strict=True), arcs.tolist(), strict=True))
    roots, row = np.unique(flow.begin, return_inverse=True)
    _, before = csgraph.dijkstra(graph, indices=roots, return_predecessors=True)
    who, used = [], []
    for number, (begin, end) in enumerate(zip(flow.begin.tolist(), flow.end.tolist(), strict=True)):
        back = before[row[number]]
        while end != begin:
            who.append(number)
            used.append(arc_at[int(back[end]), end])
            end = int(back[end])  # noqa: PLW2901  # walks back along the tree
    ways = sparse.csr_array((np.ones(len(who)), (who, used)), shape=(len(flow.begin), len(price)))
    return np.asarray(ways @ price, np.float64), np.arange(len(flow.begin)), ways
