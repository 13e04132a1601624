"""What one failure costs: one row repaired, exactly, by touching only what changes in it.

Distances can only grow when arcs fail. So, for one destination:

1. *affected* are the nodes all of whose next hops are failed arcs or affected nodes; *changed* are these and the nodes
   that lose some of their next hops;
2. affected nodes get new distances by Dijkstra inside their set, started from its border;
3. what all changed nodes sent onward is withdrawn from their old next hops, all at once;
4. what then enters each node too much or too little goes down the new shortest paths, farthest nodes first. Where
   the old and the new way meet again, the two cancel and nothing goes further.
"""

from twin.whatif.compiled import (
    B1,
    F1,
    FAR,
    GRAPH,
    H1,
    I1,
    LONG,
    MASK,
    NOTHING,
    REAL,
    ROWS,
    SHIFT,
    WORK,
    Flags,
    Floats,
    Graph,
    Ints,
    Rows,
    Shorts,
    Work,
    compiled,
    pop,
    push,
)

#: A difference of flow below this share of the flow is rounding.
_ROUNDING = 1e-12


@compiled(NOTHING(GRAPH, B1, LONG, I1, H1, WORK, I1), inline=True)
def _find(graph: Graph, dead: Flags, count: int, distance: Ints, hops: Shorts, work: Work, found: Ints) -> None:
    """Step 1, from `work.failed[:count]`; writes how many nodes are changed and how many of them affected."""
    rows, head, metric, back, _ = graph
    removed, state, changed, affected = work.removed, work.state, work.changed, work.affected
    many = lost = 0
    for at in range(count):
        arc = work.failed[at]
        node = head[back[arc]]
        if distance[head[arc]] + metric[arc] == distance[node]:
            if removed[node] == 0:
                changed[many] = node
                many += 1
                state[node] = 2
            removed[node] += 1
            if removed[node] == hops[node]:
                state[node] = 1
                affected[lost] = node
                lost += 1
    at = 0
    while at < lost:
        node = affected[at]
        at += 1
        for onward in range(rows[node], rows[node + 1]):
            arc, other = back[onward], head[onward]
            if distance[node] + metric[arc] == distance[other] and not dead[arc]:
                if removed[other] == 0:
                    changed[many] = other
                    many += 1
                    state[other] = 2
                removed[other] += 1
                if removed[other] == hops[other]:
                    state[other] = 1
                    affected[lost] = other
                    lost += 1
    found[0], found[1] = many, lost


@compiled(LONG(GRAPH, B1, LONG, I1, F1, WORK), inline=True)
def _measure(  # noqa: C901, PLR0912 - the cases of one loop
    graph: Graph, dead: Flags, lost: int, distance: Ints, flow: Floats, work: Work
) -> int:
    """Step 2: write `work.new` of all nodes; return how many of the affected with traffic are cut off.

    Once all nodes with traffic have their distance the others do not matter: what they have then is no less than
    what they would get, which is no less than that of any node with traffic, so none is taken for a next hop.
    Written with few branches, since nobody can predict them.
    """
    rows, head, metric, back, _ = graph
    new, ways, way, heap, affected, border = work.new, work.ways, work.way, work.heap, work.affected, work.border
    for node in range(len(distance)):
        new[node] = distance[node]
    for at in range(lost):
        new[affected[at]] = FAR
    size = waiting = 0
    for at in range(lost):
        node = affected[at]
        waiting += flow[node] > 0
        best, count, which = FAR, 0, 0
        for arc in range(rows[node], rows[node + 1]):
            length = FAR if dead[arc] else new[head[arc]] + metric[arc]
            count = 1 if length < best else count + (length == best)
            which = arc if length < best else which
            best = min(best, length)
        border[at], ways[node], way[node] = best, count, which
    for at in range(lost):
        node, best = affected[at], border[at]
        new[node] = best
        if best < FAR:
            entry = (best << SHIFT) | node
            size = push(heap, size, entry)
    while size > 0 and waiting > 0:
        node, length = heap[0] & MASK, heap[0] >> SHIFT
        size = pop(heap, size)
        if length > new[node]:
            continue
        if flow[node] > 0:
            waiting -= 1
        for onward in range(rows[node], rows[node + 1]):
            arc, other = back[onward], head[onward]
            longer = length + metric[arc]
            # what is not affected is never that far away
            if longer <= new[other] and not dead[arc]:
                if longer < new[other]:
                    new[other], ways[other], way[other] = longer, 1, arc
                    entry = (longer << SHIFT) | other
                    size = push(heap, size, entry)
                else:
                    ways[other] += 1
    return waiting


@compiled(LONG(GRAPH, LONG, I1, F1, H1, I1, WORK, F1), inline=True)
def _withdraw(
    graph: Graph, many: int, distance: Ints, flow: Floats, hops: Shorts, onward: Ints, work: Work, load: Floats
) -> int:
    """Step 3: return how many nodes now have too much or too little (`work.touched`, `work.pending`)."""
    rows, head, metric, _, place = graph
    changed, pending, queued, touched = work.changed, work.pending, work.queued, work.touched
    count = 0
    for at in range(many):
        node = changed[at]
        if flow[node] <= 0:
            continue
        share = flow[node] / hops[node]
        # one way is the rule: no need to look for it
        first, last = rows[node], rows[node + 1]
        if hops[node] == 1:
            first, last = onward[node], onward[node] + 1
        for arc in range(first, last):
            other = head[arc]
            if distance[other] + metric[arc] == distance[node]:
                load[place[arc]] -= share
                if distance[other] > 0:
                    pending[other] -= share
                    if not queued[other]:
                        queued[other] = True
                        touched[count] = other
                        count += 1
        pending[node] += flow[node]
        if not queued[node]:
            queued[node] = True
            touched[count] = node
            count += 1
    return count


@compiled(NOTHING(GRAPH, B1, LONG, I1, F1, H1, I1, WORK, F1), inline=True)
def _send(  # noqa: C901, PLR0912 - the cases of one loop
    graph: Graph,
    dead: Flags,
    count: int,
    new: Ints,
    flow: Floats,
    hops: Shorts,
    onward: Ints,
    work: Work,
    load: Floats,
) -> None:
    """Step 4: farthest nodes first, so that all that enters a node is known when its turn comes."""
    rows, head, metric, _, place = graph
    pending, queued, heap, touched = work.pending, work.queued, work.heap, work.touched
    state, removed, more_ways, way = work.state, work.removed, work.ways, work.way
    size = 0
    for at in range(count - 1, -1, -1):  # the farthest were touched last
        node = touched[at]
        here = new[node]
        if here < FAR:
            entry = ((FAR - here) << SHIFT) | node
            size = push(heap, size, entry)
        else:
            pending[node], queued[node] = 0.0, False
    while size > 0:
        node, here = heap[0] & MASK, FAR - (heap[0] >> SHIFT)
        size = pop(heap, size)
        extra = pending[node]
        pending[node], queued[node] = 0.0, False
        if abs(extra) <= _ROUNDING * flow[node]:
            continue
        first, last = rows[node], rows[node + 1]
        if state[node] == 1:
            ways = more_ways[node]
            if ways == 1:
                first, last = way[node], way[node] + 1
        else:
            ways = hops[node] - removed[node]
            if hops[node] == 1:
                first, last = onward[node], onward[node] + 1
        share = extra / ways
        for arc in range(first, last):
            other = head[arc]
            there = new[other]
            if there + metric[arc] == here and not dead[arc]:
                load[place[arc]] += share
                if there > 0:
                    pending[other] += share
                    if not queued[other]:
                        queued[other] = True
                        entry = ((FAR - there) << SHIFT) | other
                        size = push(heap, size, entry)


@compiled(REAL(ROWS, LONG, WORK, I1, LONG), inline=True)
def _cut_off(rows: Rows, row: int, work: Work, gone: Ints, mark: int) -> float:
    """Return the Mbit/s of demands that are cut off by this; `gone[demand] = mark`, so that none counts twice."""
    lost = 0.0
    for leg in range(rows.leg_rows[row], rows.leg_rows[row + 1]):
        node, demand = rows.leg_node[leg], rows.leg_demand[leg]
        if work.state[node] == 1 and work.new[node] >= FAR and 0 <= gone[demand] != mark:
            gone[demand] = mark
            lost += rows.leg_mbps[leg]
    return lost


@compiled(REAL(GRAPH, ROWS, LONG, B1, LONG, WORK, F1, I1, LONG))
def repair(
    graph: Graph, rows: Rows, row: int, dead: Flags, count: int, work: Work, load: Floats, gone: Ints, mark: int
) -> float:
    """Move the load of one row to where it flows once routing has converged after `work.failed[:count]`.

    Args:
        graph: of the row, its window open.
        rows: see `Rows`.
        row: which.
        dead: per arc of the graph, whether it is one of the failed.
        count: how many arcs have failed.
        work: scratch; `failed` holds the arcs, the rest is clean before and after.
        load: per place, Mbit/s; altered.
        gone: per demand, the last mark under which it was counted as lost, or -1 where it has no path anyway; altered.
        mark: of this scenario, from 1.

    Returns:
        Mbit/s of demands that have no path any more and were not counted under this mark yet.
    """
    distance, flow, hops, onward = rows.distance[row], rows.flow[row], rows.hops[row], rows.onward[row]
    _find(graph, dead, count, distance, hops, work, work.touched)
    many, affected = work.touched[0], work.touched[1]
    cut = _measure(graph, dead, affected, distance, flow, work) if affected > 0 else 0
    lost = _cut_off(rows, row, work, gone, mark) if cut > 0 else 0.0
    touched = _withdraw(graph, many, distance, flow, hops, onward, work, load)
    new = work.new if affected > 0 else distance
    _send(graph, dead, touched, new, flow, hops, onward, work, load)
    changed, removed, state = work.changed, work.removed, work.state
    for at in range(many):
        removed[changed[at]] = 0
        state[changed[at]] = 0
    return lost
