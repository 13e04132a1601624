"""The state between a failure and convergence: fast reroute.

The router at the failed arc's tail sends the arc's whole load over a bypass: the shortest paths, with ECMP, to the
arc's head in the network without that link (its path after convergence). Bypasses are laid for the failure of one
link. When several links fail, a bypass that crosses another failed one is down itself, and its traffic is lost until
routing has converged. All this is linear in the load: load after = load + (failed arcs · load) × bypass matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from twin.whatif.base import Base
from twin.whatif.compiled import (
    B1,
    F1,
    FAR,
    GRAPH,
    I1,
    L1,
    LONG,
    MASK,
    SHIFT,
    Flags,
    Floats,
    Graph,
    Ints,
    Longs,
    compiled,
    pop,
    push,
)
from twin.whatif.scenarios import Scenario


@dataclass(frozen=True, eq=False)
class Bypasses:
    """`share[a, b]`: how much of arc `a`'s load is on arc `b` while `a` is bypassed; an empty row: no bypass."""

    share: csr_array


@compiled(LONG(GRAPH, B1, LONG, LONG, I1, F1, L1, F1))
def _detour(  # noqa: C901 - the cases of one loop
    graph: Graph, dead: Flags, begin: int, end: int, distance: Ints, flow: Floats, heap: Longs, share: Floats
) -> int:
    """Send 1 from one node to another past dead arcs; add to `share` per place. Returns the distance, or FAR.

    `flow` is clean before and after.
    """
    rows, head, metric, back, place = graph
    distance[:] = FAR
    distance[end] = 0
    size = push(heap, 0, end)
    while size > 0 and heap[0] & MASK != begin:
        node, length = heap[0] & MASK, heap[0] >> SHIFT
        size = pop(heap, size)
        if length > distance[node]:
            continue
        for onward in range(rows[node], rows[node + 1]):
            arc, other = back[onward], head[onward]
            if not dead[arc] and length + metric[arc] < distance[other]:
                distance[other] = length + metric[arc]
                size = push(heap, size, (distance[other] << SHIFT) | other)
    if distance[begin] >= FAR:
        return FAR
    size = push(heap, 0, ((FAR - distance[begin]) << SHIFT) | begin)
    flow[begin] = 1.0
    while size > 0:
        node = heap[0] & MASK
        size = pop(heap, size)
        amount, ways = flow[node], 0
        flow[node] = 0.0
        for arc in range(rows[node], rows[node + 1]):
            if not dead[arc] and distance[head[arc]] + metric[arc] == distance[node]:
                ways += 1
        for arc in range(rows[node], rows[node + 1]):
            other = head[arc]
            if not dead[arc] and distance[other] + metric[arc] == distance[node]:
                share[place[arc]] += amount / ways
                if other != end:
                    if flow[other] == 0:
                        size = push(heap, size, ((FAR - distance[other]) << SHIFT) | other)
                    flow[other] += amount / ways
    return int(distance[begin])


def bypasses(base: Base, links: Sequence[int]) -> Bypasses:
    """Lay the bypasses of some links (places); links that are out of service have none."""
    network, graph, at = base.network, base.state.full, base.state.full_at
    nodes, arcs = len(network.nodes), len(network.tail)
    dead, heap = np.zeros(len(graph.head), np.bool_), np.empty(len(graph.head) + nodes + 1, np.int64)
    distance, flow = np.empty(nodes, np.int32), np.zeros(nodes)
    rows, columns, values = list[Ints](), list[Ints](), list[Floats]()
    for arc in (arc for link in sorted(set(links)) for arc in (2 * link, 2 * link + 1)):
        if at[arc] < 0:
            continue
        share = np.zeros(arcs)
        dead[at[[arc, arc ^ 1]]] = True
        _detour(graph, dead, int(network.tail[arc]), int(network.head[arc]), distance, flow, heap, share)
        dead[at[[arc, arc ^ 1]]] = False
        used = np.flatnonzero(share).astype(np.int32)
        rows.append(np.full(len(used), arc))
        columns.append(used)
        values.append(share[used])
    if not rows:
        return Bypasses(csr_array((arcs, arcs)))
    places = (np.concatenate(rows), np.concatenate(columns))
    return Bypasses(csr_array((np.concatenate(values), places), shape=(arcs, arcs)))


def rerouted(base: Base, known: Bypasses, scenarios: Sequence[Scenario]) -> tuple[Floats, Floats]:
    """Return loads (scenarios, arcs) in Mbit/s, and Mbit/s lost per scenario, before routing has converged.

    What flows behind a loss is still counted, and traffic that meets two dead ends is lost twice; so both figures
    are upper bounds when more than one link fails, and exact when one does.
    """
    arcs, load = len(base.network.tail), base.load
    lost = np.full(len(scenarios), base.lost_mbps)
    rows, columns = [], []
    for number, scenario in enumerate(scenarios):
        down = _failed_arcs(base, scenario)
        inside = np.isin(base.network.tail[down], list(scenario.nodes))
        for arc in down[~inside]:
            way = known.share.indices[known.share.indptr[arc] : known.share.indptr[arc + 1]]
            if len(way) and not np.isin(way, down).any():
                rows.append(number)
                columns.append(arc)
            else:
                lost[number] += load[arc]
        lost[number] += _begun(base, scenario)
    moved = csr_array((load[columns], (rows, columns)), shape=(len(scenarios), arcs))
    after = np.asarray((moved @ known.share).todense()) + load
    for number, scenario in enumerate(scenarios):
        after[number, _failed_arcs(base, scenario)] = 0.0
    return after, np.minimum(lost, base.network.mbps.sum())


def _failed_arcs(base: Base, scenario: Scenario) -> Ints:
    links = np.array(scenario.links, np.int32)
    links = links[base.network.live[links]]
    return np.concatenate([2 * links, 2 * links + 1]).astype(np.int32)


def _begun(base: Base, scenario: Scenario) -> float:
    """Return the Mbit/s of demands that begin at failed nodes: they are lost before they meet a failed arc."""
    if not scenario.nodes:
        return 0.0
    begins = np.isin(base.network.source, list(scenario.nodes)) & (base.state.gone >= 0)
    return float(base.network.mbps[begins].sum())
