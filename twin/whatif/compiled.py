"""What all kernels of this room share: how they are compiled, the tuples that they take, and a heap.

A heap entry is `key << SHIFT | node`, so comparing entries compares keys. Ids (of nodes, arcs, places) are unsigned:
for a signed index numba looks each time whether it is negative and counts from the end.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twin.whatif.network import Flags, Floats, Ints

_NJIT: Any = nb.njit
#: numba types of arrays and of the tuples of arrays below
TYPES: Any = nb.types
Function = TypeVar("Function", bound=Callable[..., Any])
Longs = np.ndarray[tuple[int], np.dtype[np.int64]]
Shorts = np.ndarray[tuple[int], np.dtype[np.int16]]
Ids = NDArray[np.uint32]

#: Distance of what cannot be reached.
FAR = 2**30
SHIFT = 24
MASK = (1 << SHIFT) - 1

I1, I2 = nb.int32[::1], nb.int32[:, ::1]
U1, U2 = nb.uint32[::1], nb.uint32[:, ::1]
F1, F2 = nb.float64[::1], nb.float64[:, ::1]
B1, L1 = nb.boolean[::1], nb.int64[::1]
H1, H2 = nb.int16[::1], nb.int16[:, ::1]
LONG, REAL, NOTHING = nb.int64, nb.float64, nb.void


def compiled(signature: Any, *, inline: bool = False, allocates: bool = False) -> Callable[[Function], Function]:
    """Compile with numba for one signature, kept on disk; the types that mypy sees stay those of the function.

    Args:
        signature: numba's.
        inline: write the function into its callers: worth it for the steps of an inner loop.
        allocates: whether it makes arrays. What does not is compiled without counting references, which took more
            time than all the rest of the inner loops.
    """
    options = {
        "cache": True,
        "nogil": True,
        "error_model": "numpy",
        "inline": "always" if inline else "never",
        "_nrt": allocates,
    }
    return cast("Callable[[Function], Function]", _NJIT(signature, **options))


class Graph(NamedTuple):
    """Arcs sorted by tail: those of node `y` are `rows[y] … rows[y + 1] - 1`.

    `back` is the arc in the other direction, `place` where an arc's load is added up.
    """

    rows: Ids
    head: Ids
    metric: Ints
    back: Ids
    place: Ids


class Rows(NamedTuple):
    """One row per destination: distance, flow (Mbit/s through each node), number of next hops, arc to one of them.

    `chain` is the chain that the row sees node by node (see `chains.py`), or -1. The legs that end in a row are
    `leg_rows[row] … leg_rows[row + 1] - 1`.
    """

    goal: Ids
    chain: Ints
    distance: Ints
    flow: Floats
    hops: Shorts
    onward: Ids
    leg_rows: Ints
    leg_node: Ids
    leg_mbps: Floats
    leg_demand: Ids


class Chains(NamedTuple):
    """Chains of a reduced graph, see `chains.py`.

    Attributes:
        window: first node of the window.
        slot: first arc of the window.
        left: per chain, the arc by which it is entered at its first end.
        right: per chain, likewise at its second end (of a dead end: an arc that leads nowhere).
        dead_end: per chain.
        first: per chain, where its links begin in `arcs`.
        arcs: outside arcs in the direction from the first end to the second.
        link_chain: per link, its chain or -1.
        link_position: per link, its place in the chain.
        metric: per outside arc.
    """

    window: int
    slot: int
    left: Ints
    right: Ints
    dead_end: Flags
    first: Ints
    arcs: Ints
    link_chain: Ints
    link_position: Ints
    metric: Ints


class Work(NamedTuple):
    """Scratch of the repair of one row, per node.

    Attributes:
        removed: how many next hops are gone; zero between two rows.
        rank: place in `affected`, counted from 1; zero for all others, and between two rows.
        new: distance after the repair, if any node is affected.
        pending: Mbit/s that a node has too much; zero between two rows.
        queued: whether the heap has the node; false between two rows.
        changed: nodes.
        affected: nodes.
        heap: nodes, farthest first.
        failed: arcs.
        length: what metric the failed arcs have when they work.
    """

    removed: Ints
    rank: Ints
    new: Ints
    pending: Floats
    queued: Flags
    changed: Ids
    affected: Ids
    heap: Longs
    failed: Ids
    length: Ints


GRAPH = TYPES.NamedTuple([U1, U1, I1, U1, U1], Graph)
ROWS = TYPES.NamedTuple([U1, I1, I2, F2, H2, U2, I1, U1, F1, U1], Rows)
CHAINS = TYPES.NamedTuple([LONG, LONG, I1, I1, B1, I1, I1, I1, I1, I1], Chains)
WORK = TYPES.NamedTuple([I1, I1, I1, F1, B1, U1, U1, L1, U1, I1], Work)


@compiled(LONG(L1, LONG, LONG), inline=True)
def push(heap: Longs, size: int, entry: int) -> int:
    """Add an entry; return the new size."""
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if heap[parent] <= entry:
            break
        heap[at] = heap[parent]
        at = parent
    heap[at] = entry
    return size + 1


@compiled(LONG(L1, LONG), inline=True)
def pop(heap: Longs, size: int) -> int:
    """Take `heap[0]`, which the caller has read, away; return the new size."""
    last = size - 1
    entry = heap[last]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= last:
            break
        if child + 1 < last and heap[child + 1] < heap[child]:
            child += 1
        if entry <= heap[child]:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = entry
    return last


@compiled(LONG(L1, LONG, B1, LONG, LONG), inline=True)
def queue(heap: Longs, size: int, queued: Flags, node: int, length: int) -> int:
    """Add a node unless it is `queued`, the farthest first; return the new size."""
    if not queued[node]:
        queued[node] = True
        entry = ((FAR - length) << SHIFT) | node
        size = push(heap, size, entry)
    return size


__all__ = ["Chains", "Flags", "Floats", "Graph", "Ids", "Ints", "Rows", "Work", "compiled", "pop", "push", "queue"]
