"""Which runs of routers become one arc, and that nothing is lost by it."""

import numpy as np

from tests.twin.small_networks import network
from twin.snapshot import Snapshot
from twin.whatif.base import prepare
from twin.whatif.chains import find_chains, reduce
from twin.whatif.network import Network, network_of

TRIANGLE = [("x", "y", 1, 10.0), ("y", "z", 1, 10.0), ("z", "x", 1, 10.0)]
RING = [("x", "r0", 2, 10.0), ("r0", "r1", 3, 10.0), ("r1", "y", 4, 10.0)]
DEAD_END = [("z", "e0", 5, 10.0), ("e0", "e1", 6, 10.0)]


def _network(*parts: list[tuple[str, str, int, float]], demands: tuple[tuple[str, str, float], ...] = ()) -> Network:
    return network_of(Snapshot.of(network([edge for part in parts for edge in part], demands)))


def _names(known: Network, chain: list[int]) -> list[str]:
    return [known.nodes[known.tail[chain[0]]], *(known.nodes[known.head[arc]] for arc in chain)]


def test_a_ring_and_a_dead_end_are_chains() -> None:
    known = _network(TRIANGLE, RING, DEAD_END)

    found = [_names(known, chain) for chain in find_chains(known)]

    assert found == [["x", "r0", "r1", "y"], ["z", "e0", "e1"]]


def test_a_ring_alone_has_no_end_and_is_no_chain() -> None:
    assert reduce(_network(TRIANGLE)) is None


def test_a_chain_is_as_long_as_its_links() -> None:
    reduced = reduce(_network(TRIANGLE, RING, DEAD_END))

    assert reduced is not None
    assert reduced.graph.metric[reduced.chains.left].tolist() == [9, 11]
    assert reduced.chains.dead_end.tolist() == [False, True]


def test_traffic_that_only_passes_through_a_chain_loads_each_of_its_links() -> None:
    long_way = [
        ("x", "y", 99, 10.0),
        ("y", "z", 1, 10.0),
        ("z", "x", 99, 10.0),
        ("x", "w", 9, 10.0),
        ("w", "x", 9, 10.0),
    ]
    more = [("z", f"s{number}", 1, 10.0) for number in range(4)]
    known = _network(long_way, RING, more, demands=(("x", "z", 6.0),))

    base, plain = prepare(known), prepare(known, chains=False)

    assert len(base.state.reduced_rows.goal) == 1
    assert base.load.tolist() == plain.load.tolist()
    assert [base.load[2 * known.link_at[link]] for link in ("l5", "l6", "l7")] == [6.0, 6.0, 6.0]


def test_only_rows_that_no_other_chain_feeds_use_the_reduced_graph() -> None:
    known = _network(TRIANGLE, RING, DEAD_END, demands=(("x", "r1", 1.0), ("e1", "y", 1.0), ("r0", "r1", 1.0)))

    state = prepare(known).state

    assert [known.nodes[goal] for goal in state.full_rows.goal] == ["y"]
    assert state.reduced_rows.chain.tolist() == [0]
    assert np.diff(state.reduced_rows.leg_rows).tolist() == [2]
