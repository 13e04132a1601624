"""The inner loops, compiled once: availability closure, shortest paths with ECMP loads, delivery along the paths.

Routing is computed row by row, one row per destination. A row depends only on the arcs and injections it uses, so a
changed network shares all untouched rows with the one it came from (`touched`), and its result is the same to the
last bit as if everything had been computed anew. Ties share a node's flow equally among its next hops (RFC 2992).
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Distance of what cannot be reached.
FAR = np.int32(2**30)
_SHIFT = 24  # a heap entry is distance << 24 | node; 16 million routing nodes are enough

_I, _I2 = "int32[::1]", "int32[:,::1]"
_F, _F2 = "float64[::1]", "float64[:,::1]"
_B, _B2 = "boolean[::1]", "boolean[:,::1]"


@nb.njit(f"void({_I},{_I},{_I},{_B},{_I},{_I},{_B},{_B},{_B})", cache=True)
def close(
    sequence: Ints,
    group_rows: Ints,
    needs: Ints,
    must_reach: Flags,
    member_rows: Ints,
    members: Ints,
    own: Flags,
    reached: Flags,
    works: Flags,
) -> None:
    """Decide which units work, in an order in which all that a unit needs is decided before it.

    Args:
        sequence: units in order; `group_rows` says which requirements each has.
        group_rows: per place in the sequence, where its requirements begin.
        needs: per requirement, how many of its members must work.
        must_reach: per requirement, whether a member must be reached from the core as well.
        member_rows: per requirement, where its members begin.
        members: units.
        own: per unit, whether it is unlocked and not broken itself.
        reached: per unit, whether the core reaches it (true for what does not route).
        works: per unit, the answer; written.
    """
    for place in range(len(sequence)):
        unit = sequence[place]
        good = own[unit]
        for group in range(group_rows[place], group_rows[place + 1]):
            count = 0
            for at in range(member_rows[group], member_rows[group + 1]):
                member = members[at]
                if works[member] and (reached[member] or not must_reach[group]):
                    count += 1
            if count < needs[group]:
                good = False
        works[unit] = good


@nb.njit(f"void({_I},{_I},{_I},{_B},{_I},{_B})", cache=True)
def reach(out_rows: Ints, out_arcs: Ints, head: Ints, usable: Flags, starts: Ints, seen: Flags) -> None:
    """Mark in `seen` the routing nodes that lie behind `starts` over usable arcs (those marked already count)."""
    stack = np.empty(len(seen) + len(starts), np.int32)
    top = 0
    for start in starts:
        if not seen[start]:
            seen[start] = True
            stack[top] = start
            top += 1
    while top > 0:
        top -= 1
        node = stack[top]
        for at in range(out_rows[node], out_rows[node + 1]):
            arc = out_arcs[at]
            if usable[arc] and not seen[head[arc]]:
                seen[head[arc]] = True
                stack[top] = head[arc]
                top += 1


@nb.njit("int64(int64[::1],int64,int64)", cache=True)
def _push(heap: NDArray[np.int64], size: int, entry: int) -> int:
    at = size
    heap[at] = entry
    while at > 0:
        parent = (at - 1) >> 1
        if heap[parent] <= heap[at]:
            break
        heap[parent], heap[at] = heap[at], heap[parent]
        at = parent
    return size + 1


@nb.njit("int64(int64[::1],int64)", cache=True)
def _pop(heap: NDArray[np.int64], size: int) -> int:
    """Move the last entry to the top and sift it down; the caller has read `heap[0]` already."""
    last = size - 1
    heap[0] = heap[last]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= last:
            break
        if child + 1 < last and heap[child + 1] < heap[child]:
            child += 1
        if heap[at] <= heap[child]:
            break
        heap[at], heap[child] = heap[child], heap[at]
        at = child
    return last


@nb.njit(f"int64({_I},{_I},{_I},{_I},{_B},int64,int64[::1],{_I},{_I})", cache=True)
def _distances(
    in_rows: Ints,
    in_arcs: Ints,
    tail: Ints,
    metric: Ints,
    usable: Flags,
    goal: int,
    heap: NDArray[np.int64],
    distance: Ints,
    order: Ints,
) -> int:
    """Dijkstra towards one destination; fills `distance` and the order of settling, returns how many settled."""
    distance[:] = FAR
    distance[goal] = 0
    settled = 0
    mask = (1 << _SHIFT) - 1
    size = _push(heap, 0, goal)
    while size > 0:
        entry = heap[0]
        size = _pop(heap, size)
        node = entry & mask
        length = entry >> _SHIFT
        if length > distance[node]:
            continue
        order[settled] = node
        settled += 1
        for at in range(in_rows[node], in_rows[node + 1]):
            arc = in_arcs[at]
            if usable[arc]:
                longer = length + metric[arc]
                if longer < distance[tail[arc]]:
                    distance[tail[arc]] = longer
                    size = _push(heap, size, (longer << _SHIFT) | tail[arc])
    return settled


@nb.njit(f"void({_I},{_I},{_I},{_I},{_B},{_I},{_I},int64,{_F},{_B},{_F})", cache=True)
def _flows(
    out_rows: Ints,
    out_arcs: Ints,
    head: Ints,
    metric: Ints,
    usable: Flags,
    distance: Ints,
    order: Ints,
    settled: int,
    flow: Floats,
    carries: Flags,
    load: Floats,
) -> None:
    """Send what enters at each node (`flow`, consumed) down the shortest paths, in equal shares per next hop."""
    for place in range(settled - 1, 0, -1):
        node = order[place]
        if not carries[node]:
            continue
        hops = 0
        for at in range(out_rows[node], out_rows[node + 1]):
            arc = out_arcs[at]
            if usable[arc] and distance[head[arc]] + metric[arc] == distance[node]:
                hops += 1
        share = flow[node] / hops
        for at in range(out_rows[node], out_rows[node + 1]):
            arc = out_arcs[at]
            if usable[arc] and distance[head[arc]] + metric[arc] == distance[node]:
                load[arc] += share
                flow[head[arc]] += share
                carries[head[arc]] = True


@nb.njit(
    f"void({_I},{_I},{_I},{_I},{_I},{_I},{_I},{_B},{_I},{_F2},{_B2},{_I},"
    f"{_I2},{_I2},{_I},{_B2},{_F2},{_I2},{_I2},{_I},{_B2},{_F2})",
    cache=True,
)
def route(
    in_rows: Ints,
    in_arcs: Ints,
    out_rows: Ints,
    out_arcs: Ints,
    tail: Ints,
    head: Ints,
    metric: Ints,
    usable: Flags,
    goals: Ints,
    enters: Floats,
    sources: Flags,
    row_of: Ints,
    old_distance: Ints,
    old_order: Ints,
    old_settled: Ints,
    old_carries: Flags,
    old_load: Floats,
    distance: Ints,
    order: Ints,
    settled: Ints,
    carries: Flags,
    load: Floats,
) -> None:
    """Fill one row per destination: distances, order of settling, which nodes carry, and load per arc (Mbit/s).

    Args:
        in_rows: arcs by head, compressed rows (`in_arcs`); likewise `out_rows`, `out_arcs` by tail.
        in_arcs: see `in_rows`.
        out_rows: see `in_rows`.
        out_arcs: see `in_rows`.
        tail: per arc.
        head: per arc.
        metric: per arc, at least 1.
        usable: per arc.
        goals: the destination of each row.
        enters: (rows, nodes): Mbit/s that enter at a node towards the row's destination; consumed.
        sources: (rows, nodes): where a demand enters, even of 0 Mbit/s.
        row_of: per row, the old row that is still right, or -1; the `old_…` arrays hold those rows.
        old_distance: see `row_of`.
        old_order: see `row_of`.
        old_settled: see `row_of`.
        old_carries: see `row_of`.
        old_load: see `row_of`.
        distance: (rows, nodes), written; right for nodes that carry.
        order: (rows, nodes), written.
        settled: (rows,), written.
        carries: (rows, nodes), written: on a path of a demand to the row's destination.
        load: (rows, arcs), written.
    """
    heap = np.empty(len(tail) + len(in_rows) + 1, np.int64)
    for row in range(len(goals)):
        old = row_of[row]
        if old >= 0:
            distance[row] = old_distance[old]
            order[row] = old_order[old]
            settled[row] = old_settled[old]
            carries[row] = old_carries[old]
            load[row] = old_load[old]
            continue
        goal = goals[row]
        settled[row] = _distances(in_rows, in_arcs, tail, metric, usable, goal, heap, distance[row], order[row])
        for node in range(sources.shape[1]):
            carries[row, node] = sources[row, node] and distance[row, node] < FAR
        _flows(
            out_rows,
            out_arcs,
            head,
            metric,
            usable,
            distance[row],
            order[row],
            settled[row],
            enters[row],
            carries[row],
            load[row],
        )


@nb.njit(f"void({_I},{_I},{_I},{_I},{_B},{_I},{_B},{_I2},{_B2},{_B})", cache=True)
def touched(
    changed: Ints,
    tail: Ints,
    head: Ints,
    old_metric: Ints,
    old_usable: Flags,
    metric: Ints,
    usable: Flags,
    distance: Ints,
    carries: Flags,
    answer: Flags,
) -> None:
    """Mark the rows that a change of these arcs can alter.

    A row is untouched when no changed arc carried anything of it and none is now as short as what it has.
    """
    for row in range(len(answer)):
        for arc in changed:
            begin, end = tail[arc], head[arc]
            was = distance[row, begin]
            if old_usable[arc] and carries[row, begin] and distance[row, end] + old_metric[arc] == was:
                answer[row] = True
                break
            if usable[arc] and distance[row, end] < FAR and distance[row, end] + metric[arc] <= was:
                answer[row] = True
                break


@nb.njit(f"void({_I},{_I},{_I},{_I},{_B},{_F},{_I},{_I2},{_I2},{_I},{_B2},{_F2})", cache=True)
def deliver(
    out_rows: Ints,
    out_arcs: Ints,
    head: Ints,
    metric: Ints,
    usable: Flags,
    passed: Floats,
    rows: Ints,
    distance: Ints,
    order: Ints,
    settled: Ints,
    carries: Flags,
    share: Floats,
) -> None:
    """Write, for some rows, the share of traffic that arrives from each node that carries.

    `passed` is the share that each arc lets through; along equal paths the shares are averaged, as the flow is.
    """
    for row in rows:
        share[row, order[row, 0]] = 1.0
        for place in range(1, settled[row]):
            node = order[row, place]
            if not carries[row, node]:
                continue
            hops = 0
            total = 0.0
            for at in range(out_rows[node], out_rows[node + 1]):
                arc = out_arcs[at]
                if usable[arc] and distance[row, head[arc]] + metric[arc] == distance[row, node]:
                    hops += 1
                    total += passed[arc] * share[row, head[arc]]
            share[row, node] = total / hops


@nb.njit("void(int32[::1],int32[::1],boolean[::1],int64,int64,uint8[::1])", cache=True)
def hops_from(rows: Ints, neighbours: Ints, passes: Flags, start: int, most: int, answer: NDArray[np.uint8]) -> None:
    """Breadth-first hops from `start` up to `most` (255 beyond); only nodes in `passes` lead further."""
    answer[:] = 255
    answer[start] = 0
    queue = np.empty(len(answer), np.int32)
    queue[0] = start
    first, last = 0, 1
    while first < last:
        node = queue[first]
        first += 1
        if answer[node] >= most or not (passes[node] or node == start):
            continue
        for at in range(rows[node], rows[node + 1]):
            other = neighbours[at]
            if answer[other] == 255:
                answer[other] = answer[node] + 1
                queue[last] = other
                last += 1


def warm_up() -> None:
    """Pay for the kernels now: importing this module compiles them, or takes them from the cache on disk.

    A process that is to answer its first question quickly calls this where it starts.
    """
    alone = np.zeros(2, np.int32)
    hops_from(alone, np.zeros(0, np.int32), np.ones(1, np.bool_), 0, 1, np.zeros(1, np.uint8))
