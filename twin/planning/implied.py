"""Which demands cross which links, and what links must have carried by the histories of those."""

import warnings

import numpy as np

from twin.estimating.routes import routing_matrix
from twin.evaluate import predict
from twin.planning.history import LoadHistory
from twin.snapshot import Snapshot
from twin.topology import Floats, Topology

#: A link's load is implied when the demands with a history make up at least this share of it.
_ENOUGH = 0.95


def arcs_of(topology: Topology, element: str) -> list[int]:
    """Return both directions of a link, the outgoing one of a termination point; none for anything else."""
    if element in topology.link_at:
        return [2 * topology.link_at[element], 2 * topology.link_at[element] + 1]
    arc = int(topology.point_arc[topology.point_at[element]]) if element in topology.point_at else -1
    return [arc] if arc >= 0 else []


def crossing(snapshot: Snapshot, link: str) -> frozenset[str]:
    """Return the demands whose present paths cross a link, in either direction."""
    topology = snapshot.topology
    shares = routing_matrix(topology, predict(snapshot).routing)[arcs_of(topology, link)]
    return frozenset(topology.demands[at] for at in np.unique(shares.nonzero()[1]))


def with_implied_links(snapshot: Snapshot, history: LoadHistory) -> LoadHistory:
    """Return the history with the links that have none, as far as demands that have one account for their load.

    Each slot's load is the sum over the demands on their present paths, in the busier direction. A gap in a demand is
    filled with the middle of its other weeks at that slot.
    """
    topology = snapshot.topology
    demands = [name for name in history.elements if name in topology.demand_at]
    if not demands:
        return history
    seen = {arc // 2 for name in history.elements for arc in arcs_of(topology, name)}
    state = predict(snapshot)
    at = [topology.demand_at[name] for name in demands]
    shares = routing_matrix(topology, state.routing)[:, at]
    known = shares @ state.demand_mbps[at] >= _ENOUGH * state.arc_load
    free = [link for link in range(len(topology.links)) if link not in seen and known[2 * link] and known[2 * link + 1]]
    free = [link for link in free if state.arc_load[2 * link : 2 * link + 2].any()]
    if not free:
        return history
    flat = _filled(history.of(demands)).reshape(len(demands), -1)
    rows = [np.maximum(shares[2 * link] @ flat, shares[2 * link + 1] @ flat)[0] for link in free]
    implied = np.array(rows).reshape(len(free), *history.mbps.shape[1:])
    names = tuple(topology.links[link] for link in free)
    return LoadHistory((*history.elements, *names), np.concatenate([history.mbps, implied]), history.ends)


def _filled(loads: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a slot that was never measured has no middle
        middle = np.nanmedian(loads, axis=1, keepdims=True)
    return np.where(np.isnan(loads), np.where(np.isnan(middle), 0.0, middle), loads)
