"""What all kernels of this room share: how they are compiled, the tuples that they take, and a heap.

A heap entry is `key << SHIFT | node`, so comparing entries compares keys.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba as nb
import numba.extending
import numpy as np

from twin.whatif.network import Flags, Floats, Ints

_NJIT: Any = nb.njit
#: numba types of arrays and of the tuples of arrays below
TYPES: Any = nb.types
Thing = TypeVar("Thing")
Function = TypeVar("Function", bound=Callable[..., Any])
Longs = np.ndarray[tuple[int], np.dtype[np.int64]]
Shorts = np.ndarray[tuple[int], np.dtype[np.int16]]

#: Distance of what cannot be reached.
FAR = 2**30
SHIFT = 24
MASK = (1 << SHIFT) - 1

I1, I2 = nb.int32[::1], nb.int32[:, ::1]
F1, F2 = nb.float64[::1], nb.float64[:, ::1]
B1, L1 = nb.boolean[::1], nb.int64[::1]
H1, H2 = nb.int16[::1], nb.int16[:, ::1]
LONG, REAL, NOTHING = nb.int64, nb.float64, nb.void


def compiled(signature: Any, *, inline: bool = False) -> Callable[[Function], Function]:
    """Compile with numba for one signature, kept on disk; the types that mypy sees stay those of the function.

    `inline` writes the function into its callers: worth it for the steps of an inner loop.
    """
    options = {"cache": True, "nogil": True, "error_model": "numpy", "inline": "always" if inline else "never"}
    return cast("Callable[[Function], Function]", _NJIT(signature, **options))


def _lend(typing: Any, thing: Any) -> Any:  # noqa: ARG001 - what numba calls an intrinsic with
    """Make `lent`: its type, and the code that takes the owner out of the array."""

    def strip(context: Any, builder: Any, kind: Any, value: Any) -> Any:
        if isinstance(kind, TYPES.Array):
            array = context.make_array(kind)(context, builder, value)
            array.meminfo = array.meminfo.type(None)
            return array._getvalue()  # noqa: SLF001 - the only way that numba has
        if isinstance(kind, TYPES.BaseTuple):
            for at, each in enumerate(kind):
                part = strip(context, builder, each, builder.extract_value(value, at))
                value = builder.insert_value(value, part, at)
        return value

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return strip(context, builder, signature.args[0], arguments[0])

    return thing(thing), make


#: Inside kernels: an array, or a tuple of such, that counts no references, so its owner must outlive it. In the inner
#: loops counting took more time than all the rest.
lent = cast("Callable[[Thing], Thing]", nb.extending.intrinsic(_lend))


class Graph(NamedTuple):
    """Arcs sorted by tail: those of node `y` are `rows[y] … rows[y + 1] - 1`.

    `back` is the arc in the other direction, `place` where an arc's load is added up.
    """

    rows: Ints
    head: Ints
    metric: Ints
    back: Ints
    place: Ints


class Rows(NamedTuple):
    """One row per destination: distance, flow (Mbit/s through each node), number of next hops, arc to one of them.

    `chain` is the chain that the row sees node by node (see `chains.py`), or -1. The legs that end in a row are
    `leg_rows[row] … leg_rows[row + 1] - 1`.
    """

    goal: Ints
    chain: Ints
    distance: Ints
    flow: Floats
    hops: Shorts
    onward: Ints
    leg_rows: Ints
    leg_node: Ints
    leg_mbps: Floats
    leg_demand: Ints


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

    `new` is the distance after the repair if any node is affected; `ways` and `way` are the number of next hops and
    an arc to one of them, of affected nodes. `removed`, `state`, `pending` and `queued` are zero between two rows, the
    rest is whatever it is.
    """

    removed: Ints
    state: Ints
    new: Ints
    ways: Ints
    way: Ints
    pending: Floats
    queued: Flags
    changed: Ints
    affected: Ints
    border: Ints
    touched: Ints
    heap: Longs
    failed: Ints


GRAPH = TYPES.NamedUniTuple(I1, 5, Graph)
ROWS = TYPES.NamedTuple([I1, I1, I2, F2, H2, I2, I1, I1, F1, I1], Rows)
CHAINS = TYPES.NamedTuple([LONG, LONG, I1, I1, B1, I1, I1, I1, I1, I1], Chains)
WORK = TYPES.NamedTuple([I1, I1, I1, I1, I1, F1, B1, I1, I1, I1, I1, L1, I1], Work)


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


__all__ = ["Chains", "Flags", "Floats", "Graph", "Ints", "Rows", "Work", "compiled", "lent", "pop", "push"]
