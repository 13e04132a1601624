"""A reading glass over the cause→effect graph: who owns an interface, which ends a link has, what a link carries.

Built once per graph and kept, because diagnosis asks the same small questions thousands of times. The graph's nodes
are element ids with an attribute `kind` (a `NodeKind` value, "termination_point", "link", "demand" or "service");
an edge u→v says that trouble in u can become trouble in v.
"""

from collections import deque
from collections.abc import Iterable

import networkx as nx

from domain.network import ROUTING_KINDS, NodeKind

TERMINATION_POINT, LINK, DEMAND, SERVICE = "termination_point", "link", "demand", "service"
_ROUTING = frozenset(str(kind) for kind in ROUTING_KINDS)
_NODES = frozenset(str(kind) for kind in NodeKind)


class Topology:
    """Answers small questions about a cause→effect graph. Immutable: build another one for another graph."""

    def __init__(self, graph: nx.DiGraph) -> None:
        self._kinds: dict[str, str] = {node: str(kind) for node, kind in graph.nodes(data="kind", default="")}
        self._effects = {node: tuple(graph.successors(node)) for node in graph}
        self._causes = {node: tuple(graph.predecessors(node)) for node in graph}
        self._redundant = {(u, v) for u, v, redundant in graph.edges(data="redundant", default=False) if redundant}
        self._owners = self._find_owners()

    def __contains__(self, element: object) -> bool:
        return element in self._kinds

    def kind(self, element: str) -> str:
        """Return the element's kind, or "" for an element that the graph does not hold."""
        return self._kinds.get(element, "")

    def routes(self, element: str) -> bool:
        """Say whether the element is a node that forwards packets."""
        return self.kind(element) in _ROUTING

    def effects(self, element: str) -> tuple[str, ...]:
        """Return what trouble in `element` can become trouble in, in one hop."""
        return self._effects.get(element, ())

    def causes(self, element: str) -> tuple[str, ...]:
        """Return whose trouble can become trouble in `element`, in one hop."""
        return self._causes.get(element, ())

    def redundant(self, cause: str, effect: str) -> bool:
        """Say whether `effect` can do without `cause` (k of n)."""
        return (cause, effect) in self._redundant

    def ends(self, link: str) -> tuple[str, ...]:
        """Return the termination points of a link."""
        return self._near(link, TERMINATION_POINT)

    def links(self, point: str) -> tuple[str, ...]:
        """Return the links that end at a termination point."""
        return self._near(point, LINK)

    def owner(self, point: str) -> str:
        """Return the node that a termination point belongs to, or ""."""
        return self._owners.get(point, "")

    def interfaces(self, node: str) -> tuple[str, ...]:
        """Return the termination points of a node."""
        return tuple(point for point in self.effects(node) if self._owners.get(point) == node)

    def peer(self, point: str) -> tuple[str, ...]:
        """Return the termination points at the other end of the point's links."""
        return tuple(end for link in self.links(point) for end in self.ends(link) if end != point)

    def neighbours(self, node: str) -> tuple[str, ...]:
        """Return the nodes at the other ends of the node's links."""
        owners = (self.owner(end) for point in self.interfaces(node) for end in self.peer(point))
        return tuple(dict.fromkeys(owner for owner in owners if owner))

    def carried(self, link: str) -> tuple[str, ...]:
        """Return the demands whose present paths use a link."""
        through = (*self.effects(link), *(effect for end in self.ends(link) for effect in self.effects(end)))
        return tuple(dict.fromkeys(effect for effect in through if self.kind(effect) == DEMAND))

    def path(self, demand: str) -> tuple[str, ...]:
        """Return the links that a demand's present paths use."""
        direct = [cause for cause in self.causes(demand) if self.kind(cause) == LINK]
        points = (cause for cause in self.causes(demand) if self.kind(cause) == TERMINATION_POINT)
        return tuple(dict.fromkeys([*direct, *(link for point in points for link in self.links(point))]))

    def effects_of(self, element: str, demands_spread: bool = False) -> tuple[str, ...]:
        """Return one hop of effects; with `demands_spread` a demand's surge also reaches the links it uses."""
        if demands_spread and self.kind(element) == DEMAND:
            return (*self.path(element), *self.effects(element))
        return self.effects(element)

    def paths_from(self, cause: str, most: int = 8) -> dict[str, tuple[str, ...]]:
        """Return the shortest cause→effect path from `cause` to each element within `most` hops.

        A path that starts at a demand may first run onto the links it overloads (the reverse of link→demand).
        """
        paths: dict[str, tuple[str, ...]] = {cause: (cause,)}
        edge = deque([cause])
        while edge:
            here = edge.popleft()
            if len(paths[here]) > most:
                continue
            for effect in self.effects_of(here, demands_spread=here == cause):
                if effect not in paths:
                    paths[effect] = (*paths[here], effect)
                    edge.append(effect)
        return paths

    def reach(self, element: str, most: int = 8) -> frozenset[str]:
        """Return the elements that trouble in `element` can reach within `most` hops, itself included."""
        return self._spread([element], self._effects, most)

    def upstream(self, element: str, most: int) -> dict[str, int]:
        """Return the ancestors of `element` within `most` hops and their distance, itself at 0."""
        distance, edge = {element: 0}, [element]
        for hop in range(1, most + 1):
            edge = [cause for here in edge for cause in self.causes(here) if cause not in distance]
            distance.update(dict.fromkeys(edge, hop))
        return distance

    def _spread(self, start: Iterable[str], step: dict[str, tuple[str, ...]], most: int) -> frozenset[str]:
        seen, edge = set(start), set(start)
        for _ in range(most):
            edge = {effect for here in edge for effect in step.get(here, ())} - seen
            if not edge:
                break
            seen |= edge
        return frozenset(seen)

    def _near(self, element: str, kind: str) -> tuple[str, ...]:
        beside = dict.fromkeys((*self.causes(element), *self.effects(element)))
        return tuple(near for near in beside if self.kind(near) == kind)

    def _find_owners(self) -> dict[str, str]:
        owners = {}
        for node, kind in self._kinds.items():
            if kind in _NODES:
                owners.update({e: node for e in self._effects[node] if self._kinds.get(e) == TERMINATION_POINT})
        return owners
