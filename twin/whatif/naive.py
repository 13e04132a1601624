"""The long way: all routed anew after a failure, by the kernel of `evaluate`. What the short way must agree with."""

import numpy as np

from twin import kernel
from twin.whatif.network import Floats, Ints, Network

#: Loads per destination and arc that are held at a time, in bytes.
_ROOM = 40_000_000


def recompute(network: Network) -> tuple[Floats, float]:
    """Route everything. Returns Mbit/s per arc, and the Mbit/s of demands without a path."""
    begins, ends, mbps, demand = network.legs
    usable = np.repeat(network.live, 2)
    nodes, arcs = len(network.nodes), len(network.tail)
    load, gone = np.zeros(arcs), np.zeros(len(network.mbps), np.bool_)
    goals = np.unique(ends)
    step = max(1, _ROOM // (8 * max(arcs, nodes)))
    for first in range(0, len(goals), step):
        some = goals[first : first + step]
        mine = np.flatnonzero((ends >= some[0]) & (ends <= some[-1]))
        row = np.searchsorted(some, ends[mine])
        enters = np.zeros((len(some), nodes))
        np.add.at(enters, (row, begins[mine]), mbps[mine])
        distance, loads = _rows(network, usable, some, enters)
        load += loads
        gone[demand[mine[distance[row, begins[mine]] >= kernel.FAR]]] = True
    return load, float(network.mbps[gone].sum())


def _rows(
    network: Network, usable: "np.ndarray[tuple[int], np.dtype[np.bool_]]", goals: Ints, enters: Floats
) -> tuple[Ints, Floats]:
    rows, nodes = enters.shape
    distance, order = np.empty((rows, nodes), np.int32), np.empty((rows, nodes), np.int32)
    settled, carries = np.zeros(rows, np.int32), np.zeros((rows, nodes), np.bool_)
    load = np.zeros((rows, len(network.tail)))
    sources = enters > 0
    kernel.route(
        *_by(network.head, nodes),
        *_by(network.tail, nodes),
        network.tail,
        network.head,
        network.metric,
        usable,
        goals,
        enters,
        sources,
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
    return distance, load.sum(axis=0)


def _by(end: Ints, nodes: int) -> tuple[Ints, Ints]:
    """Return arcs by one of their ends, as compressed rows."""
    arcs = np.argsort(end, kind="stable").astype(np.int32)
    return np.searchsorted(end[arcs], np.arange(nodes + 1)).astype(np.int32), arcs
