"""What is up and what works in the plant: closure over dependencies, then links, then who can serve."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np

from adapters.network.emulated.physics import Flags, Topology
from domain.network import Administrative, Dependency, DependencyKind, Inventory

_BODY = frozenset({DependencyKind.POWERED_BY, DependencyKind.CONTAINED_IN})


@dataclass(frozen=True)
class Availability:
    """`alive`: a node has power and is not broken. `oper`: it is up by its own word. `serves`: it does its work.

    `link_up` is per link, `usable` per arc: up, and both ends have a working control process.
    """

    alive: dict[str, bool]
    oper: dict[str, bool]
    serves: dict[str, bool]
    link_up: Flags
    usable: Flags


class Closure:
    """Availability of one inventory under any state; everything that does not change is worked out once."""

    def __init__(self, inventory: Inventory, topology: Topology) -> None:
        self._topology = topology
        self._nodes = tuple(node.id for node in inventory.nodes)
        self._locked_links = {link.id for link in inventory.links if link.administrative is Administrative.LOCKED}
        self._locked_nodes = {node.id for node in inventory.nodes if node.administrative is Administrative.LOCKED}
        known = set(self._nodes)
        self._needs = [need for need in inventory.dependencies if need.dependent in known]
        self._body = [need for need in self._needs if need.kind in _BODY]

    def of(self, locked: Collection[str], failed: Collection[str], stopped: Collection[str]) -> Availability:
        """Return what works when these elements are locked, broken (or dark), and stopped (a hung process)."""
        alive = _closure(self._nodes, self._body, _outside(failed), _outside(failed))
        link_up = self._links(locked, failed, alive)
        up = dict(zip(self._topology.links, link_up.tolist(), strict=True))
        up |= {tp: up[self._topology.links[arc >> 1]] for tp, arc in self._topology.arc_at.items()}
        unlocked = {node: alive[node] and node not in locked and node not in self._locked_nodes for node in self._nodes}
        serves = _closure(
            self._nodes,
            self._needs,
            lambda node: unlocked[node] and node not in stopped,
            lambda element: up.get(element, element not in failed),
        )
        oper = {node: unlocked[node] and (serves[node] or node in stopped) for node in self._nodes}
        return Availability(alive, oper, serves, link_up, self._usable(link_up, serves))

    def _links(self, locked: Collection[str], failed: Collection[str], alive: dict[str, bool]) -> Flags:
        topology, nodes = self._topology, self._topology.nodes
        up = [
            link not in failed
            and link not in self._locked_links
            and topology.sender[2 * index] not in locked
            and topology.receiver[2 * index] not in locked
            and alive[nodes[topology.tail[2 * index]]]
            and alive[nodes[topology.head[2 * index]]]
            for index, link in enumerate(topology.links)
        ]
        return np.array(up, dtype=bool)

    def _usable(self, link_up: Flags, serves: dict[str, bool]) -> Flags:
        works = np.array([serves[node] for node in self._topology.nodes], dtype=bool)
        tail, head = np.array(self._topology.tail, dtype=int), np.array(self._topology.head, dtype=int)
        usable: Flags = np.repeat(link_up, 2) & works[tail] & works[head]
        return usable


def _closure(
    nodes: Iterable[str],
    needs: Iterable[Dependency],
    itself: Callable[[str], bool],
    other: Callable[[str], bool],
) -> dict[str, bool]:
    """Greatest fixed point: a node works while it does itself and each dependency has enough of what it needs."""
    works = {node: itself(node) for node in nodes}
    changed = True
    while changed:
        changed = False
        for need in needs:
            if works[need.dependent] and _met(need, works, other) < need.needs:
                works[need.dependent] = False
                changed = True
    return works


def _met(need: Dependency, works: dict[str, bool], other: Callable[[str], bool]) -> int:
    return sum(works[element] if element in works else other(element) for element in need.on)


def _outside(failed: Collection[str]) -> Callable[[str], bool]:
    return lambda element: element not in failed
