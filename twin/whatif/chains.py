"""Access rings cost nothing where nothing happens in them: graphs in which chains of routers are single arcs.

A *chain* is a run of nodes with two links each, or a dead end. Towards a destination in a ring, traffic from the core
sees that one ring node by node, and of every other chain only its length. So such destinations share one *reduced*
graph: the nodes that are in no chain, one arc per chain and direction, and a *window*, into which the chain of the
destination in question is written for the time of its row. Nothing is lost by it: inside a chain that no demand to
the destination enters, all traffic passes straight through, and its load is that of the chain's arc.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.whatif.compiled import CHAINS, GRAPH, I1, LONG, NOTHING, Chains, Flags, Graph, Ints, compiled
from twin.whatif.network import Network


@dataclass(frozen=True, eq=False)
class Reduced:
    """The reduced graph; `node_of[node]` is the node in it (of a chain: in the window), `chain_of[node]` its chain."""

    graph: Graph
    chains: Chains
    arc_at: Ints
    node_of: Ints
    chain_of: Ints


def graph_of(nodes: int, tail: Ints, head: Ints, metric: Ints, back: Ints, place: Ints) -> tuple[Graph, Ints]:
    """Sort arcs by tail; return the graph, and per given arc where it went."""
    order = np.argsort(tail, kind="stable").astype(np.int32)
    at = np.empty(len(order), np.int32)
    at[order] = np.arange(len(order), dtype=np.int32)
    rows = np.searchsorted(tail[order], np.arange(nodes + 1)).astype(np.int32)
    ids = (each.astype(np.uint32) for each in (rows, head[order], at[back[order]], place[order]))
    rows_in, head_in, back_in, place_in = ids
    return Graph(rows_in, head_in, metric[order], back_in, place_in), at


def full_graph(network: Network) -> tuple[Graph, Ints]:
    """Return the graph of all usable links, and per outside arc its arc in it, or -1."""
    arcs = np.flatnonzero(np.repeat(network.live, 2)).astype(np.int32)
    back = np.arange(len(arcs), dtype=np.int32) ^ 1
    graph, at = graph_of(len(network.nodes), network.tail[arcs], network.head[arcs], network.metric[arcs], back, arcs)
    arc_at = np.full(len(network.tail), -1, np.int32)
    arc_at[arcs] = at
    return graph, arc_at


def find_chains(network: Network) -> list[list[int]]:
    """Return the chains, each as its arcs from one end that is in no chain towards the other, or to the dead end."""
    around: list[list[int]] = [[] for _ in network.nodes]
    for link in np.flatnonzero(network.live).tolist():
        around[network.tail[2 * link]].append(2 * link)
        around[network.head[2 * link]].append(2 * link + 1)
    used: set[int] = set()
    chains = []
    for arcs in around:
        for arc in arcs if len(arcs) > 2 else ():
            if arc >> 1 not in used and len(around[network.head[arc]]) <= 2:
                chains.append(_walk(around, network.head, arc))
                used.update(each >> 1 for each in chains[-1])
    return chains


def _walk(around: Sequence[Sequence[int]], head: Ints, arc: int) -> list[int]:
    chain = [arc]
    while len(around[head[chain[-1]]]) == 2:
        onward = around[head[chain[-1]]]
        chain.append(onward[1] if onward[0] == chain[-1] ^ 1 else onward[0])
    return chain


def reduce(network: Network) -> Reduced | None:
    """Return the reduced graph, or None where there is no chain."""
    chains = find_chains(network)
    if not chains:
        return None
    links = np.bincount(network.tail[np.repeat(network.live, 2)], minlength=len(network.nodes))
    dead_end = np.array([links[network.head[chain[-1]]] == 1 for chain in chains], np.bool_)
    inside = [network.head[chain if dead else chain[:-1]] for chain, dead in zip(chains, dead_end, strict=True)]
    chain_of, position = np.full(len(network.nodes), -1, np.int32), np.zeros(len(network.nodes), np.int32)
    for number, nodes in enumerate(inside):
        chain_of[nodes], position[nodes] = number, np.arange(len(nodes))
    outside = chain_of < 0
    window = int(outside.sum())
    node_of = np.where(outside, np.cumsum(outside) - 1, window + position).astype(np.int32)
    return _assemble(network, chains, dead_end, node_of, chain_of, max(map(len, inside)))


def _assemble(
    network: Network, chains: list[list[int]], dead_end: Flags, node_of: Ints, chain_of: Ints, longest: int
) -> Reduced:
    window = int((chain_of < 0).sum())
    plain, live = len(network.tail), network.live
    link_chain, link_position = np.full(len(live), -1, np.int32), np.zeros(len(live), np.int32)
    for number, chain in enumerate(chains):
        for step, arc in enumerate(chain):
            link_chain[arc >> 1], link_position[arc >> 1] = number, step
    arcs = np.flatnonzero(np.repeat(live & (link_chain < 0), 2))
    ends, lengths = [], []
    for number, chain in enumerate(chains):
        begin = node_of[network.tail[chain[0]]]
        end = begin if dead_end[number] else node_of[network.head[chain[-1]]]
        ends += [begin, end]
        lengths += [int(network.metric[chain].sum()), int(network.metric[[arc ^ 1 for arc in chain]].sum())]
    slots = window + np.repeat(np.arange(longest), 2)
    count = len(arcs) + len(ends)
    ends_in = np.array(ends, np.int32)
    graph, at = graph_of(
        window + longest,
        np.concatenate([node_of[network.tail[arcs]], ends_in, slots]).astype(np.int32),
        np.concatenate([node_of[network.head[arcs]], ends_in.reshape(-1, 2)[:, ::-1].ravel(), slots]).astype(np.int32),
        np.concatenate([network.metric[arcs], lengths, np.ones(2 * longest)]).astype(np.int32),
        np.concatenate([np.arange(count) ^ 1, np.arange(count, count + 2 * longest)]).astype(np.int32),
        np.concatenate([arcs, plain + np.arange(len(ends)), np.zeros(2 * longest)]).astype(np.int32),
    )
    arc_at = np.full(plain, -1, np.int32)
    arc_at[arcs] = at[: len(arcs)]
    entries = at[len(arcs) : count]
    first = np.cumsum([0, *map(len, chains)]).astype(np.int32)
    inner = np.array([arc for chain in chains for arc in chain], np.int32)
    found = Chains(
        window=window,
        slot=count,
        left=np.ascontiguousarray(entries[::2]),
        right=np.ascontiguousarray(entries[1::2]),
        dead_end=dead_end,
        first=first,
        arcs=inner,
        link_chain=link_chain,
        link_position=link_position,
        metric=network.metric,
    )
    return Reduced(graph, found, arc_at, node_of, chain_of)


@compiled(NOTHING(GRAPH, CHAINS, LONG, I1))
def open_window(graph: Graph, chains: Chains, chain: int, saved: Ints) -> None:
    """Write a chain into the window, node by node; `saved` (4 numbers) is for `close_window`."""
    _, head, metric, back, place = graph
    left, right, slot = chains.left[chain], chains.right[chain], chains.slot
    begin, end = head[right], head[left]
    saved[0], saved[1], saved[2], saved[3] = begin, end, metric[left], metric[right]
    first, links = chains.first[chain], chains.first[chain + 1] - chains.first[chain]
    inside = links if chains.dead_end[chain] else links - 1
    arc = chains.arcs[first]
    head[left], metric[left], place[left], back[left] = chains.window, chains.metric[arc], arc, slot
    for at in range(inside):
        home, onward = slot + 2 * at, slot + 2 * at + 1
        arc = chains.arcs[first + at] ^ 1
        head[home] = chains.window + at - 1 if at > 0 else begin
        back[home] = home - 1 if at > 0 else left
        metric[home], place[home] = chains.metric[arc], arc
        if at + 1 < links:
            arc = chains.arcs[first + at + 1]
            head[onward] = chains.window + at + 1 if at + 1 < inside else end
            back[onward] = onward + 1 if at + 1 < inside else right
            metric[onward], place[onward] = chains.metric[arc], arc
    if chains.dead_end[chain]:
        back[right] = right
    else:
        arc = chains.arcs[first + links - 1] ^ 1
        head[right], metric[right], place[right] = chains.window + inside - 1, chains.metric[arc], arc
        back[right] = slot + 2 * inside - 1


@compiled(NOTHING(GRAPH, CHAINS, LONG, I1))
def close_window(graph: Graph, chains: Chains, chain: int, saved: Ints) -> None:
    """Undo `open_window`: the chain is one arc per direction again, the window leads nowhere."""
    _, head, metric, back, place = graph
    left, right = chains.left[chain], chains.right[chain]
    for at in range(chains.first[chain + 1] - chains.first[chain]):
        for arc in (chains.slot + 2 * at, chains.slot + 2 * at + 1):
            if arc < len(head):
                head[arc], metric[arc], place[arc], back[arc] = chains.window + at, 1, 0, arc
    outside = len(chains.metric) + 2 * chain
    head[left], metric[left], place[left], back[left] = saved[1], saved[2], outside, right
    head[right], metric[right], place[right], back[right] = saved[0], saved[3], outside + 1, left
