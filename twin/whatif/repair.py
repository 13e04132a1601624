"""What one failure costs: one row repaired, exactly, by touching only what changes in it.

Failed arcs have the metric `FAR` while this goes on, so no shortest path has one. Distances can only grow by that. So,
for one destination:

1. *find*: *affected* are the nodes all of whose next hops are failed arcs or affected nodes; *changed* are these and
   the nodes that lose some of their next hops;
2. *measure*: affected nodes get new distances from their neighbours', over and over, by turns from the far end and
   from the near one, until none changes. With positive metrics there is one such state only, and as a rule three
   turns find it: faster than a heap, for the sets are small and a processor can foresee the loop;
3. *withdraw*: what all changed nodes sent onward is taken back from their old next hops, all at once;
4. *leave*: what affected nodes then have goes down the new shortest paths until it leaves their set; in turns, too;
5. *send*: what then enters each other node too much or too little goes down its old shortest paths, farthest nodes
   first. Where the old and the new way meet again, the two cancel and nothing goes further.

Ids are unsigned (see `compiled.py`), and so must be what they are counted with.
"""

import numpy as np

from twin.whatif.compiled import (
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
    TYPES,
    U1,
    WORK,
    Floats,
    Graph,
    Ids,
    Ints,
    Rows,
    Shorts,
    Work,
    compiled,
    pop,
    queue,
)

#: A difference of flow below this share of the flow is rounding.
_ROUNDING = 1e-12


@compiled(TYPES.UniTuple(LONG, 3)(GRAPH, LONG, I1, F1, H1, WORK, F1), inline=True)
def _find(
    graph: Graph, count: int, distance: Ints, flow: Floats, hops: Shorts, work: Work, load: Floats
) -> tuple[int, int, int]:
    """Step 1, from `work.failed[:count]`; takes the load off failed arcs at once.

    Returns how many nodes are changed, how many of them affected, and how many are queued.
    """
    rows, head, metric, back, place = graph
    removed, rank, changed, affected = work.removed, work.rank, work.changed, work.affected
    many = lost = size = 0
    for at in range(count):
        arc = work.failed[at]
        node, other = head[back[arc]], head[arc]
        there = distance[other]
        if there + work.length[at] == distance[node]:
            share = flow[node] / hops[node]
            load[place[arc]] -= share
            work.pending[other] -= share
            size = queue(work.heap, size, work.queued, other, there)
            if removed[node] == 0:
                changed[many] = node
                many += 1
            removed[node] += 1
            if removed[node] == hops[node]:
                affected[lost] = node
                lost += 1
                rank[node] = lost
    at = 0
    while at < lost:
        node = affected[np.uint64(at)]
        at += 1
        here = distance[node]
        for onward in range(rows[node], rows[node + 1]):
            other = head[onward]
            if here + metric[back[onward]] == distance[other]:
                if removed[other] == 0:
                    changed[many] = other
                    many += 1
                removed[other] += 1
                if removed[other] == hops[other]:
                    affected[lost] = other
                    lost += 1
                    rank[other] = lost
    return many, lost, size


@compiled(LONG(GRAPH, LONG, I1, F1, WORK), inline=True)
def _measure(graph: Graph, lost: int, distance: Ints, flow: Floats, work: Work) -> int:
    """Step 2: write `work.new` of all nodes; return how many of the affected with traffic are cut off."""
    rows, head, metric, _, _ = graph
    new, affected = work.new, work.affected
    for node in range(len(distance)):
        new[node] = distance[node]
    for at in range(lost):
        new[affected[at]] = FAR
    at, step, moved = lost - 1, -1, lost
    while moved > 0:
        moved = 0
        for _ in range(lost):
            node = affected[np.uint64(at)]
            at += step
            best = FAR
            for arc in range(rows[node], rows[node + 1]):
                best = min(best, new[head[arc]] + metric[arc])
            moved += best != new[node]
            new[node] = best
        moved = moved if lost > 1 else 0  # one node alone has nobody to tell
        step = -step
        at += step
    cut = 0
    for at in range(lost):
        cut += (new[affected[at]] >= FAR) & (flow[affected[at]] > 0)
    return cut


@compiled(LONG(GRAPH, LONG, LONG, I1, F1, H1, U1, WORK, F1), inline=True)
def _withdraw(
    graph: Graph,
    many: int,
    size: int,
    distance: Ints,
    flow: Floats,
    hops: Shorts,
    onward: Ids,
    work: Work,
    load: Floats,
) -> int:
    """Step 3: write who now has too much or too little (`work.pending`); return how many are queued."""
    rows, head, metric, _, place = graph
    pending, queued, heap, rank = work.pending, work.queued, work.heap, work.rank
    for at in range(many):
        node = work.changed[at]
        share = flow[node]
        pending[node] += share
        if hops[node] == 1:  # the rule: no need to look for it
            arc = onward[node]
            if metric[arc] < FAR:
                load[place[arc]] -= share
                pending[head[arc]] -= share
            continue
        if share <= 0:
            continue
        share = share / hops[node]
        here = distance[node]
        for arc in range(rows[node], rows[node + 1]):
            other = head[arc]
            there = distance[other]
            if there + metric[arc] == here:
                load[place[arc]] -= share
                pending[other] -= share
                if rank[other] == 0:
                    size = queue(heap, size, queued, other, there)
        if rank[node] == 0:
            size = queue(heap, size, queued, node, here)
    return size


@compiled(LONG(GRAPH, LONG, LONG, F1, WORK, F1), inline=True)
def _leave(graph: Graph, lost: int, size: int, flow: Floats, work: Work, load: Floats) -> int:
    """Step 4; returns how many nodes are queued."""
    rows, head, metric, _, place = graph
    pending, queued, heap, rank, new = work.pending, work.queued, work.heap, work.rank, work.new
    at, step, left = lost - 1, -1, lost > 0
    while left:
        left = False
        for _ in range(lost):
            node = work.affected[np.uint64(at)]
            at += step
            extra, here = pending[node], new[node]
            pending[node] = 0.0
            if abs(extra) <= _ROUNDING * flow[node] or here >= FAR:
                continue
            first, last = rows[node], rows[node + 1]
            ways, way = 0, first
            for arc in range(first, last):
                is_next = new[head[arc]] + metric[arc] == here
                ways += is_next
                way = arc if is_next else way
            if ways == 1:
                first, last = way, way + 1
            share = extra / ways
            for arc in range(first, last):
                other = head[arc]
                there = new[other]
                if there + metric[arc] == here:
                    load[place[arc]] += share
                    pending[other] += share
                    if rank[other] == 0:
                        size = queue(heap, size, queued, other, there)
                    else:  # this turn is past it already
                        left = left or (rank[other] - rank[node]) * step < 0
        step = -step
        at += step
    return size


@compiled(NOTHING(GRAPH, LONG, I1, F1, H1, U1, WORK, F1), inline=True)
def _send(
    graph: Graph,
    size: int,
    distance: Ints,
    flow: Floats,
    hops: Shorts,
    onward: Ids,
    work: Work,
    load: Floats,
) -> None:
    """Step 5: farthest nodes first, so that all that enters a node is known when its turn comes."""
    rows, head, metric, _, place = graph
    pending, queued, heap = work.pending, work.queued, work.heap
    while size > 0:
        node = heap[0] & MASK
        size = pop(heap, size)
        going = True
        while going:  # straight on to the next hop while nobody who waits is farther away
            going = False
            here, extra = distance[node], pending[node]
            pending[node], queued[node] = 0.0, False
            if abs(extra) <= _ROUNDING * flow[node] or here == 0:
                continue
            if hops[node] == 1:
                arc = onward[node]
                other = head[arc]
                load[place[arc]] += extra
                pending[other] += extra
                there = distance[other]
                if not queued[other]:
                    going = size == 0 or ((FAR - there) << SHIFT) | other < heap[0]
                    if not going:
                        size = queue(heap, size, queued, other, there)
                node = other
                continue
            share = extra / (hops[node] - work.removed[node])
            for arc in range(rows[node], rows[node + 1]):
                other = head[arc]
                there = distance[other]
                if there + metric[arc] == here and work.rank[other] == 0:
                    load[place[arc]] += share
                    pending[other] += share
                    size = queue(heap, size, queued, other, there)


@compiled(REAL(ROWS, LONG, WORK, I1, LONG), inline=True)
def _cut_off(rows: Rows, row: int, work: Work, gone: Ints, mark: int) -> float:
    """Return the Mbit/s of demands that are cut off by this; `gone[demand] = mark`, so that none counts twice."""
    lost = 0.0
    for leg in range(rows.leg_rows[row], rows.leg_rows[row + 1]):
        node, demand = rows.leg_node[leg], rows.leg_demand[leg]
        if work.rank[node] > 0 and work.new[node] >= FAR and 0 <= gone[demand] != mark:
            gone[demand] = mark
            lost += rows.leg_mbps[leg]
    return lost


@compiled(REAL(GRAPH, ROWS, U1, LONG, LONG, WORK, F1, I1, LONG))
def repair(
    graph: Graph, rows: Rows, hit: Ids, first: int, count: int, work: Work, load: Floats, gone: Ints, mark: int
) -> float:
    """Move the load of some rows to where it flows once routing has converged after `work.failed[:count]`.

    Args:
        graph: of the rows, their window open, with `FAR` as the metric of failed arcs.
        rows: see `Rows`.
        hit: which rows, by number.
        first: number of the first of `rows`.
        count: how many arcs have failed.
        work: scratch; `failed` and `length` hold the arcs and their metrics, the rest is clean before and after.
        load: per place, Mbit/s; altered.
        gone: per demand, the last mark under which it was counted as lost, or -1 where it has no path anyway; altered.
        mark: of this scenario, from 1.

    Returns:
        Mbit/s of demands that have no path any more and were not counted under this mark yet.
    """
    missing = 0.0
    for number in range(len(hit)):
        row = hit[number] - first
        distance, flow, hops, onward = rows.distance[row], rows.flow[row], rows.hops[row], rows.onward[row]
        many, lost, size = _find(graph, count, distance, flow, hops, work, load)
        cut = _measure(graph, lost, distance, flow, work) if lost > 0 else 0
        missing += _cut_off(rows, row, work, gone, mark) if cut > 0 else 0.0
        size = _withdraw(graph, many, size, distance, flow, hops, onward, work, load)
        size = _leave(graph, lost, size, flow, work, load)
        _send(graph, size, distance, flow, hops, onward, work, load)
        for at in range(many):
            work.removed[work.changed[at]] = 0
            work.rank[work.changed[at]] = 0
    return missing
