"""Where packets go, worked out from the configuration itself: connected and static routes, and the IGP.

A router takes the longest prefix; of equals the connected one, then the static one, then the IGP's. Each announced
prefix is reached over the shortest way to the nearest router that announces it, over all equal ways at once. A static
route whose next hop is no neighbour is resolved through the IGP. States are converged: nothing is said of the
seconds in which routers disagree.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from domain.configuration import Interface, StaticRoute
from twin.configuration.reading import Document
from twin.configuration.wiring import LOOPBACK, Block, Wire, block_of, covers, is_local, number_of, own_address

Hops = frozenset[int]


@dataclass(frozen=True)
class Fate:
    """What becomes of packets to one address, per router.

    Attributes:
        good: arrive, whichever of the equal ways they take.
        looping: some may come by the same router twice.
        pushed: the router sends or drops them by a route of its own, rather than knowing none.
        hops: next routers.
    """

    good: NDArray[np.bool_]
    looping: NDArray[np.bool_]
    pushed: NDArray[np.bool_]
    hops: tuple[Hops, ...] = field(repr=False)


@dataclass(frozen=True)
class _Local:
    """A connected (`route` None) or static route of one router; `peers` are the neighbours on the connected wire."""

    router: int
    interface: Interface | None
    route: StaticRoute | None
    peers: tuple[tuple[int, int], ...] = ()  # (address, router)


class Forwarding:
    """The forwarding of one state of the network. `names` fixes the numbers of the routers."""

    def __init__(self, names: tuple[str, ...], document: Document, wires: Iterable[Wire]) -> None:
        self.names = names
        self.at = {name: place for place, name in enumerate(names)}
        self.document = document
        self.wires = tuple(wires)
        self._fates: dict[int, Fate] = {}

    @cached_property
    def arcs(self) -> dict[tuple[int, int], int]:
        """The IGP's metric from router to router, the least of parallel wires."""
        found: dict[tuple[int, int], int] = {}
        for wire in self.wires:
            if wire.adjacent:
                a, b = (self.at[end.router] for end in wire.ends)
                for begin, stop, end in ((a, b, wire.ends[0]), (b, a, wire.ends[1])):
                    assert end.igp is not None
                    found[begin, stop] = min(end.igp.metric, found.get((begin, stop), end.igp.metric))
        return found

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Tails, heads and metrics of the arcs."""
        pairs = np.array(list(self.arcs), np.int32).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1], np.array(list(self.arcs.values()), np.float64)

    @cached_property
    def distance(self) -> NDArray[np.float64]:
        """Shape (routers, routers): the metric from row to column, infinite where there is no way."""
        size, (tails, heads, metrics) = len(self.names), self._arrays
        made: NDArray[np.float64] = dijkstra(coo_array((metrics, (tails, heads)), shape=(size, size)).tocsr())
        return made

    @cached_property
    def announced(self) -> dict[Block, list[int]]:
        """The routers that announce each prefix."""
        found: dict[Block, list[int]] = defaultdict(list)
        for name, router in self.document.routers.items():
            for interface in router.interfaces:
                if interface.igp is not None and interface.enabled and interface.address:
                    found[block_of(interface.address)].append(self.at[name])
            for route in router.routes:
                if route.announced:
                    found[block_of(route.prefix)].append(self.at[name])
        return found

    @cached_property
    def _locals(self) -> dict[Block, list[_Local]]:
        found: dict[Block, list[_Local]] = defaultdict(list)
        peers = self._peers()
        for name, router in self.document.routers.items():
            place = self.at[name]
            for interface in router.interfaces:
                if interface.enabled and interface.address:
                    entry = _Local(place, interface, None, peers.get((place, interface.name), ()))
                    found[block_of(interface.address)].append(entry)
            for route in router.routes:
                found[block_of(route.prefix)].append(_Local(place, None, route))
        return found

    def _peers(self) -> dict[tuple[int, str], tuple[tuple[int, int], ...]]:
        found: dict[tuple[int, str], tuple[tuple[int, int], ...]] = {}
        for wire in self.wires:
            if wire.carries:
                for end, other in (wire.ends, wire.ends[::-1]):
                    assert other.interface is not None
                    peer = (number_of(own_address(other.interface)), self.at[other.router])
                    found[self.at[end.router], end.name] = (peer,)
        return found

    @cached_property
    def _connected(self) -> dict[int, list[_Local]]:
        found: dict[int, list[_Local]] = defaultdict(list)
        for entries in self._locals.values():
            for entry in entries:
                if entry.interface is not None:
                    found[entry.router].append(entry)
        return found

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(sorted({block[1] for block in (*self.announced, *self._locals)}, reverse=True))

    def _covering(self, address: int) -> list[Block]:
        """Return the blocks that may cover an address, the longest first."""
        return [(address >> (32 - length) << (32 - length), length) for length in self._lengths]

    def _igp(self, address: int) -> tuple[list[Hops], NDArray[np.int32]]:
        """Return, per router, the next hops by the IGP (none: itself or nowhere), and its prefix length (-1: none)."""
        size = len(self.names)
        hops: list[set[int]] = [set() for _ in range(size)]
        length = np.full(size, -1, np.int32)
        for block in self._covering(address):
            if block in self.announced:
                near = self.distance[:, self.announced[block]].min(axis=1)
                fresh = np.isfinite(near) & (length < 0)
                length[fresh] = block[1]
                tails, heads, metrics = self._arrays
                on = fresh[tails] & (near[tails] > 0) & (near[heads] + metrics == near[tails])
                for begin, stop in zip(tails[on].tolist(), heads[on].tolist(), strict=True):
                    hops[begin].add(stop)
        return [frozenset(each) for each in hops], length

    def plainly_good(self, address: int) -> NDArray[np.bool_] | None:
        """Return from where packets to an address arrive, if the IGP alone decides it; else None: ask `fate`.

        It does where one prefix covers the address, and exactly the routers announce it that have it. The IGP's ways
        are shortest ways, so none of them circles.
        """
        covering = [block for block in self._covering(address) if block in self.announced or block in self._locals]
        if len(covering) != 1 or covering[0] not in self.announced:
            return None
        entries, announcers = self._locals.get(covering[0], ()), self.announced[covering[0]]
        have = {
            entry.router
            for entry in entries
            if entry.interface is not None
            and (not _inside(entry.interface) or number_of(own_address(entry.interface)) == address)
        }
        if len(have) != len(entries) or have != set(announcers):
            return None
        good: NDArray[np.bool_] = np.isfinite(self.distance[:, announcers].min(axis=1))
        return good

    def fate(self, address: int) -> Fate:
        """Return what becomes of packets to an address."""
        if address not in self._fates:
            self._fates[address] = self._fate(address)
        return self._fates[address]

    def _fate(self, address: int) -> Fate:
        hops, length = self._igp(address)
        arrives = np.zeros(len(self.names), np.bool_)
        pushed = np.zeros(len(self.names), np.bool_)
        best: dict[int, tuple[int, bool]] = {}
        for block in self._covering(address):
            for entry in self._locals.get(block, ()):
                rank = (block[1], entry.interface is not None)
                if block[1] < length[entry.router] or rank <= best.get(entry.router, (-1, False)):
                    continue
                verdict = self._decide(entry, address)
                if verdict is not None:
                    best[entry.router] = rank
                    arrives[entry.router], hops[entry.router] = verdict
                    pushed[entry.router] = entry.route is not None
        return _follow(hops, arrives, pushed)

    def _decide(self, entry: _Local, address: int) -> tuple[bool, Hops] | None:
        """Return whether packets have arrived and their next routers; None for a route that is not active."""
        if entry.interface is not None:
            own = number_of(own_address(entry.interface)) == address
            near = frozenset(router for peer, router in entry.peers if peer == address)
            return own or not _inside(entry.interface), near if not own else frozenset()
        assert entry.route is not None
        if entry.route.via is None:
            return False, frozenset()
        via = number_of(entry.route.via)
        for connected in self._connected[entry.router]:
            assert connected.interface is not None
            if covers(block_of(connected.interface.address or ""), via):
                own = number_of(own_address(connected.interface)) == via
                near = frozenset(router for peer, router in connected.peers if peer == via)
                return not _inside(connected.interface) and not own, near
        hops = self._igp(via)[0][entry.router]
        return (False, hops) if hops else None


def _inside(interface: Interface) -> bool:
    """Say whether nobody but our own routers is behind an interface."""
    return not is_local(interface.name) or interface.name.startswith(LOOPBACK)


def _follow(hops: list[Hops], arrives: NDArray[np.bool_], pushed: NDArray[np.bool_]) -> Fate:
    """Follow all ways backwards from where packets arrive."""
    size = len(hops)
    before: list[list[int]] = [[] for _ in range(size)]
    for router, nexts in enumerate(hops):
        for other in nexts:
            before[other].append(router)
    good = arrives.copy()
    waits = [len(nexts) for nexts in hops]
    ready = [int(place) for place in np.flatnonzero(arrives)]
    while ready:
        for router in before[ready.pop()]:
            waits[router] -= 1
            if not waits[router] and not good[router]:
                good[router] = True
                ready.append(router)
    return Fate(good, _cycles(hops, good), pushed, tuple(hops))


def _cycles(hops: list[Hops], good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which routers lie on a cycle or can be led into one: peel off those whose ways all end."""
    looping: NDArray[np.bool_] = ~good
    before: list[list[int]] = [[] for _ in hops]
    left = [0] * len(hops)
    for router, nexts in enumerate(hops):
        for other in nexts:
            before[other].append(router)
            left[router] += not good[other]
    ready = [router for router in range(len(hops)) if looping[router] and not left[router]]
    while ready:
        router = ready.pop()
        looping[router] = False
        for other in before[router]:
            left[other] -= 1
            if looping[other] and not left[other]:
                ready.append(other)
    return looping
