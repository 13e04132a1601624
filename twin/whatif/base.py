"""The present state of a network, worked out once, from which each what-if starts."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import TooLarge
from twin.whatif.chains import Reduced, full_graph, reduce
from twin.whatif.compiled import FAR, Chains, Graph, Rows, Work
from twin.whatif.network import Flags, Floats, Ints, Network
from twin.whatif.paths import fill, list_users, unfold
from twin.whatif.scan import State

#: Bytes per destination and node: distance, flow, next hops and one of them.
_CELL = 18
_MOST_BYTES = 4_000_000_000
#: A reduced graph with more than this share of the nodes saves nothing.
_WORTH_IT = 0.9


@dataclass(frozen=True, eq=False)
class Base:
    """A network and its present state. Immutable: the arrays must not be written."""

    network: Network
    state: State

    @property
    def load(self) -> Floats:
        """Mbit/s per arc at present."""
        return self.state.load[: len(self.network.tail)]

    @cached_property
    def lost_mbps(self) -> float:
        """Mbit/s of demands that have no path even now."""
        return float(self.network.mbps[self.state.gone < 0].sum())

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return sum(array.nbytes for array in arrays_of(self.state))

    def work(self) -> Work:
        """Return scratch for one process."""
        return scratch(self.state)


def scratch(state: State) -> Work:
    """Return scratch that has room for the larger graph."""
    nodes = max(len(state.full.rows), len(state.reduced.rows)) + 1
    arcs = max(len(state.full.head), len(state.reduced.head))
    return Work(
        removed=np.zeros(nodes, np.int32),
        rank=np.zeros(nodes, np.int32),
        new=np.zeros(nodes, np.int32),
        pending=np.zeros(nodes),
        queued=np.zeros(nodes, np.bool_),
        changed=np.zeros(nodes, np.uint32),
        affected=np.zeros(nodes, np.uint32),
        heap=np.zeros(arcs + nodes, np.int64),
        failed=np.zeros(arcs + 2, np.uint32),
        length=np.zeros(arcs + 2, np.int32),
    )


def arrays_of(state: State) -> list[NDArray[Any]]:
    """Return all arrays of a state, in a fixed order."""
    found: list[NDArray[Any]] = []
    for part in state:
        found += [part] if isinstance(part, np.ndarray) else [each for each in part if isinstance(each, np.ndarray)]
    return found


def prepare(network: Network, *, chains: bool = True) -> Base:
    """Route everything once.

    Args:
        network: see `Network`; demands without traffic cost nothing.
        chains: whether to use reduced graphs where that saves work; the answers are the same.

    Raises:
        TooLarge: the rows would not fit into memory.
    """
    begins, ends, mbps, demand = network.legs
    reduced = _worthwhile(network) if chains else None
    goals, leg_goal = np.unique(ends, return_inverse=True)
    chain_of = np.full(len(network.nodes), -1, np.int32) if reduced is None else reduced.chain_of
    sees = _fits(chain_of, goals, leg_goal, begins) if reduced is not None else np.zeros(len(goals), np.bool_)
    _check_size(network, reduced, int(sees.sum()), len(goals))
    full, full_at = full_graph(network)
    kept = ~sees[leg_goal]
    every = np.arange(len(network.nodes), dtype=np.int32)
    full_rows = _rows(
        every, len(every), np.full(len(every), -1, np.int32), begins[kept], ends[kept], mbps[kept], demand[kept]
    )
    if reduced is None:
        other, chain_parts, at = _nothing_reduced(network)
        node_of, size = every, 1
    else:
        other, chain_parts, at, node_of = reduced.graph, reduced.chains, reduced.arc_at, reduced.node_of
        size = len(other.rows) - 1
    reduced_rows = _rows(node_of, size, chain_of, begins[~kept], ends[~kept], mbps[~kept], demand[~kept])
    load = np.zeros(len(network.tail) + 2 * len(chain_parts.left))
    fill(full, chain_parts, full_rows, load)
    fill(other, chain_parts, reduced_rows, load)
    user_rows, users = _users(full, other, chain_parts, full_rows, reduced_rows, len(load))
    unfold(chain_parts, load, len(network.tail))
    gone = np.zeros(len(network.mbps), np.int32)
    for rows in (full_rows, reduced_rows):
        row_of_leg = np.repeat(np.arange(len(rows.goal)), np.diff(rows.leg_rows))
        gone[rows.leg_demand[rows.distance[row_of_leg, rows.leg_node] >= FAR]] = -1
    state = State(
        full=full,
        full_rows=full_rows,
        reduced=other,
        reduced_rows=reduced_rows,
        chains=chain_parts,
        full_at=full_at,
        reduced_at=at,
        user_rows=user_rows,
        users=users,
        load=load,
        capacity=network.capacity,
        gone=gone,
    )
    return Base(network, state)


def _worthwhile(network: Network) -> Reduced | None:
    reduced = reduce(network)
    if reduced is None or len(reduced.graph.rows) - 1 > _WORTH_IT * len(network.nodes):
        return None
    return reduced


def _fits(chain_of: Ints, goals: Ints, leg_goal: NDArray[Any], begins: Ints) -> Flags:
    """Say per destination whether all its traffic comes from outside the chains, or from its own chain."""
    foreign = (chain_of[begins] >= 0) & (chain_of[begins] != chain_of[goals[leg_goal]])
    return np.asarray(np.bincount(leg_goal, weights=foreign, minlength=len(goals)) == 0)


def _check_size(network: Network, reduced: Reduced | None, few: int, goals: int) -> None:
    cells = (goals - few) * len(network.nodes)
    cells += few * (0 if reduced is None else len(reduced.graph.rows))
    if cells * _CELL > _MOST_BYTES:
        raise TooLarge(
            f"{goals} destinations in a network of {len(network.nodes)} nodes need {cells * _CELL / 1e9:.1f} GB; "
            "leave out the small demands, or join those of one site"
        )


def _rows(node_of: Ints, nodes: int, chain_of: Ints, begins: Ints, ends: Ints, mbps: Floats, demand: Ints) -> Rows:
    """Return empty rows of the destinations among `ends`, those of one chain side by side."""
    goals = np.unique(ends)
    goals = goals[np.argsort(chain_of[goals], kind="stable")]
    row_of = np.zeros(len(node_of), np.int32)
    row_of[goals] = np.arange(len(goals))
    order = np.argsort(row_of[ends], kind="stable")
    return Rows(
        goal=node_of[goals].astype(np.uint32),
        chain=chain_of[goals],
        distance=np.zeros((len(goals), nodes), np.int32),
        flow=np.zeros((len(goals), nodes)),
        hops=np.zeros((len(goals), nodes), np.int16),
        onward=np.zeros((len(goals), nodes), np.uint32),
        leg_rows=np.searchsorted(row_of[ends][order], np.arange(len(goals) + 1)).astype(np.int32),
        leg_node=node_of[begins[order]].astype(np.uint32),
        leg_mbps=mbps[order],
        leg_demand=demand[order].astype(np.uint32),
    )


def _nothing_reduced(network: Network) -> tuple[Graph, Chains, Ints]:
    none, links = np.zeros(0, np.int32), len(network.links)
    ids = none.astype(np.uint32)
    graph = Graph(np.zeros(2, np.uint32), ids, none, ids, ids)
    chains = Chains(
        0,
        0,
        none,
        none,
        np.zeros(0, np.bool_),
        np.zeros(1, np.int32),
        none,
        np.full(links, -1, np.int32),
        np.zeros(links, np.int32),
        network.metric,
    )
    return graph, chains, np.full(2 * links, -1, np.int32)


def _users(
    full: Graph, reduced: Graph, chains: Chains, full_rows: Rows, reduced_rows: Rows, places: int
) -> tuple[Ints, Ints]:
    """Return the inverted index: per place, the rows that have flow over it."""
    counts, none = np.zeros(places, np.int32), np.zeros(0, np.int32)
    first = len(full_rows.goal)
    list_users(full, chains, full_rows, counts, none, 0)
    list_users(reduced, chains, reduced_rows, counts, none, first)
    begins = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    users, ends = np.zeros(max(1, int(begins[-1])), np.int32), begins[:-1].copy()
    list_users(full, chains, full_rows, ends, users, 0)
    list_users(reduced, chains, reduced_rows, ends, users, first)
    return begins, users
