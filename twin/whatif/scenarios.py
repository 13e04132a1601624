"""What may fail: one link, one node, two links, a shared-risk group, or anything on top of planned work."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import overload

import numpy as np

from domain.changes import Change, SetAdministrative, SetOperational
from domain.errors import BadInput
from domain.network import Administrative, Operational
from twin.evaluate import evaluate
from twin.snapshot import Snapshot
from twin.whatif.network import Network


@dataclass(frozen=True)
class Scenario:
    """Links that are out of service together (places), and nodes if whole nodes are."""

    name: str
    links: tuple[int, ...]
    nodes: tuple[int, ...] = ()


def single_links(network: Network) -> list[Scenario]:
    """N-1: each link that carries traffic or could."""
    return [Scenario(network.links[link], (link,)) for link in np.flatnonzero(network.live).tolist()]


def single_nodes(network: Network) -> list[Scenario]:
    """N-1: each node with all its links."""
    around: list[list[int]] = [[] for _ in network.nodes]
    for link in np.flatnonzero(network.live).tolist():
        around[network.tail[2 * link]].append(link)
        around[network.head[2 * link]].append(link)
    return [Scenario(name, tuple(around[node]), (node,)) for node, name in enumerate(network.nodes)]


class LinkPairs(Sequence[Scenario]):
    """N-2: each two links, made when they are asked for: ten thousand links have fifty million pairs."""

    def __init__(self, network: Network) -> None:
        self._names = network.links
        self._live: list[int] = np.flatnonzero(network.live).tolist()

    def __len__(self) -> int:
        return math.comb(len(self._live), 2)

    @overload
    def __getitem__(self, at: int) -> Scenario: ...
    @overload
    def __getitem__(self, at: slice) -> list[Scenario]: ...
    def __getitem__(self, at: int | slice) -> Scenario | list[Scenario]:
        """Return the pair at a place, or those at some: (0, 1), (0, 2), …, (1, 2), … of the links that work."""
        if isinstance(at, slice):
            return [self[place] for place in range(len(self))[at]]
        left = len(self) - 1 - range(len(self))[at]  # counted from the end, rows grow by one: triangular numbers
        row = (1 + math.isqrt(1 + 8 * left)) // 2
        return self._pair(self._live[-1 - row], self._live[math.comb(row, 2) - left - 1])

    def __iter__(self) -> Iterator[Scenario]:
        for first, second in combinations(self._live, 2):
            yield self._pair(first, second)

    def _pair(self, first: int, second: int) -> Scenario:
        return Scenario(f"{self._names[first]} + {self._names[second]}", (first, second))


def link_pairs(network: Network) -> Sequence[Scenario]:
    """N-2: each two links."""
    return LinkPairs(network)


def shared_risks(network: Network) -> list[Scenario]:
    """Each shared-risk group as a whole."""
    return [Scenario(name, links) for name, links in network.groups.items()]


def during(network: Network, work: Mapping[str, Iterable[str]], failures: Sequence[Scenario] = ()) -> list[Scenario]:
    """Planned work: for each set of links (by name) the work alone, and each of the failures on top of it.

    Raises:
        BadInput: a set names a link that is not there, or no link.
    """
    found = []
    for name, links in work.items():
        down = tuple(sorted({place_of(network, link) for link in links}))
        if not down:
            raise BadInput(f"the planned work `{name}` takes no link out of service; name its links")
        found.append(Scenario(name, down))
        for failure in failures:
            both = tuple(sorted({*down, *failure.links}))
            found.append(Scenario(f"{name} + {failure.name}", both, failure.nodes))
    return found


def named(network: Network, *elements: str) -> Scenario:
    """Links and nodes by name, failing together. Raises BadInput when one is not there."""
    links: set[int] = set()
    nodes = []
    for element in elements:
        if element in network.node_at:
            node = network.node_at[element]
            nodes.append(node)
            links.update(np.flatnonzero((network.tail[::2] == node) | (network.head[::2] == node)).tolist())
        else:
            links.add(place_of(network, element))
    return Scenario(" + ".join(elements), tuple(sorted(links)), tuple(sorted(set(nodes))))


def place_of(network: Network, link: str) -> int:
    """Return the place of a link. Raises BadInput when it is not there."""
    place = network.link_at.get(link)
    if place is None:
        raise BadInput(f"`{link}` is no link of this network; correct the name")
    return place


def failing(snapshot: Snapshot, network: Network, changes: Sequence[Change], name: str = "") -> Scenario:
    """Return what an overlay of failures takes out of service, dependencies included.

    Args:
        snapshot: the present state.
        network: `network_of(snapshot)`.
        changes: elements that break or are locked.
        name: of the scenario; the elements by default.

    Raises:
        BadInput: a change names an unknown element, or is of another kind.
    """
    for change in changes:
        down = isinstance(change, SetOperational) and change.state is Operational.DISABLED
        if not down and not (isinstance(change, SetAdministrative) and change.state is Administrative.LOCKED):
            raise BadInput(f"`{change.kind}` is no failure, and a sweep knows failures only; evaluate it by itself")
    topology, after = snapshot.topology, evaluate(snapshot, changes)
    links = np.flatnonzero(network.usable & ~after.routing.ask.usable[::2])
    nodes = np.flatnonzero(evaluate(snapshot).works[topology.routers] & ~after.works[topology.routers])
    elements = [change.element for change in changes if isinstance(change, SetOperational | SetAdministrative)]
    return Scenario(name or " + ".join(elements), tuple(links.tolist()), tuple(nodes.tolist()))


def each_failing(snapshot: Snapshot, network: Network, elements: Iterable[str]) -> list[Scenario]:
    """N-1 over elements of any kind (a power supply, a site's router, a link), with all that depends on them."""
    broken = Operational.DISABLED
    return [failing(snapshot, network, [SetOperational(element=name, state=broken)]) for name in elements]
