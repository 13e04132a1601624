"""The present state of every row: Dijkstra towards the destination, ECMP flows, and who uses which arc."""

import numpy as np

from twin.whatif.chains import close_window, open_window
from twin.whatif.compiled import (
    CHAINS,
    F1,
    FAR,
    GRAPH,
    I1,
    L1,
    LONG,
    MASK,
    NOTHING,
    ROWS,
    SHIFT,
    Chains,
    Floats,
    Graph,
    Ints,
    Longs,
    Rows,
    compiled,
    pop,
    push,
)


@compiled(LONG(GRAPH, LONG, I1, I1, L1))
def settle(graph: Graph, goal: int, distance: Ints, order: Ints, heap: Longs) -> int:
    """Dijkstra towards one node; fills `distance` and the order of settling, returns how many nodes settled."""
    rows, head, metric, back, _ = graph
    distance[:] = FAR
    distance[goal] = 0
    settled = 0
    size = push(heap, 0, goal)
    while size > 0:
        node, length = heap[0] & MASK, heap[0] >> SHIFT
        size = pop(heap, size)
        if length > distance[node]:
            continue
        order[settled] = node
        settled += 1
        for onward in range(rows[node], rows[node + 1]):
            arc, other = back[onward], head[onward]
            if length + metric[arc] < distance[other]:
                distance[other] = length + metric[arc]
                size = push(heap, size, (distance[other] << SHIFT) | other)
    return settled


@compiled(NOTHING(GRAPH, ROWS, LONG, I1, LONG, F1))
def _flow(graph: Graph, rows: Rows, row: int, order: Ints, settled: int, load: Floats) -> None:
    """Send what enters down the shortest paths in equal shares; fills flow and next hops of a row."""
    first, head, metric, _, place = graph
    distance, flow, hops, onward = rows.distance[row], rows.flow[row], rows.hops[row], rows.onward[row]
    for leg in range(rows.leg_rows[row], rows.leg_rows[row + 1]):
        if distance[rows.leg_node[leg]] < FAR:
            flow[rows.leg_node[leg]] += rows.leg_mbps[leg]
    for at in range(settled - 1, 0, -1):
        node = order[at]
        ways = 0
        for arc in range(first[node], first[node + 1]):
            if distance[head[arc]] + metric[arc] == distance[node]:
                ways += 1
                onward[node] = arc
        hops[node] = ways
        if flow[node] <= 0:
            continue
        share = flow[node] / ways
        for arc in range(first[node], first[node + 1]):
            if distance[head[arc]] + metric[arc] == distance[node]:
                load[place[arc]] += share
                if distance[head[arc]] > 0:
                    flow[head[arc]] += share


@compiled(NOTHING(GRAPH, CHAINS, ROWS, F1), allocates=True)
def fill(graph: Graph, chains: Chains, rows: Rows, load: Floats) -> None:
    """Write distance, flow and hops (zero before) of all rows; add their loads (Mbit/s per place)."""
    heap = np.empty(len(graph.head) + len(graph.rows) + 1, np.int64)
    order = np.empty(len(graph.rows), np.int32)
    saved = np.empty(4, np.int32)
    for row in range(len(rows.goal)):
        chain = rows.chain[row]
        if chain >= 0:
            open_window(graph, chains, chain, saved)
        settled = settle(graph, rows.goal[row], rows.distance[row], order, heap)
        _flow(graph, rows, row, order, settled, load)
        if chain >= 0:
            close_window(graph, chains, chain, saved)


@compiled(NOTHING(GRAPH, CHAINS, ROWS, I1, I1, LONG), allocates=True)
def list_users(graph: Graph, chains: Chains, rows: Rows, ends: Ints, users: Ints, number: int) -> None:
    """Go through all places that carry flow, row by row, and note the row there.

    Args:
        graph: of these rows.
        chains: of this graph.
        rows: see `Rows`.
        ends: per place, where its next user goes in `users`; moved on by one for each.
        users: written, unless it is empty: then the users are only counted.
        number: of the first row.
    """
    saved = np.empty(4, np.int32)
    for row in range(len(rows.goal)):
        chain = rows.chain[row]
        if chain >= 0:
            open_window(graph, chains, chain, saved)
        distance, flow = rows.distance[row], rows.flow[row]
        for node in range(len(distance)):
            if flow[node] <= 0 or distance[node] == 0:
                continue
            for arc in range(graph.rows[node], graph.rows[node + 1]):
                if distance[graph.head[arc]] + graph.metric[arc] == distance[node]:
                    if len(users) > 0:
                        users[ends[graph.place[arc]]] = number + row
                    ends[graph.place[arc]] += 1
        if chain >= 0:
            close_window(graph, chains, chain, saved)


@compiled(NOTHING(CHAINS, F1, LONG))
def unfold(chains: Chains, load: Floats, arcs: int) -> None:
    """Move the load of the chains' own arcs (places `arcs …`) to the arcs that they consist of."""
    for place in range(arcs, len(load)):
        if load[place] == 0:
            continue
        chain, backward = (place - arcs) >> 1, (place - arcs) & 1
        for at in range(chains.first[chain], chains.first[chain + 1]):
            load[chains.arcs[at] ^ backward] += load[place]
        load[place] = 0.0
