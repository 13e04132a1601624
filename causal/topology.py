"""A reading glass over the cause→effect graph: who owns an interface, which ends a link has, what a link carries.

Built once per graph and kept, because diagnosis asks the same small questions thousands of times. The graph's nodes
are element ids with an attribute `kind` (a `NodeKind` value, "termination_point", "link", "demand" or "service");
an edge u→v says that trouble in u can become trouble in v. Two kinds of edges do not pass trouble on for ever: a
node that lost a neighbour (`adjacency`) is a symptom and takes nothing else down, and only a demand that is itself
the cause fills links (`loads`); one that suffers does not.
"""

from collections import deque

import networkx as nx

from domain.network import ROUTING_KINDS, NodeKind

TERMINATION_POINT, LINK, DEMAND, SERVICE = "termination_point", "link", "demand", "service"
ADJACENCY, LOADS, SIGNALS, TERMINATES = "adjacency", "loads", "signals", "terminates"
_ROUTING = frozenset(str(kind) for kind in ROUTING_KINDS)
_NODES = frozenset(str(kind) for kind in NodeKind)


class Topology:
    """Answers small questions about a cause→effect graph. Immutable: build another one for another graph."""

    def __init__(self, graph: nx.DiGraph) -> None:
        self._kinds: dict[str, str] = {node: str(kind) for node, kind in graph.nodes(data="kind", default="")}
        self._effects = {node: tuple(graph.successors(node)) for node in graph}
        self._causes = {node: tuple(graph.predecessors(node)) for node in graph}
        self._redundant = {(u, v) for u, v, redundant in graph.edges(data="redundant", default=False) if redundant}
        self._edges = {(u, v): str(kind) for u, v, kind in graph.edges(data="kind", default="")}
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

    def above(self, element: str) -> tuple[str, ...]:
        """Return what would have to work for `element` to work: a port's node, a link's nodes, or its dependencies."""
        if self.kind(element) == LINK:
            return tuple(owner for owner in map(self.owner, self.ends(element)) if owner)
        sideways = {ADJACENCY, LOADS, SIGNALS, TERMINATES}
        return tuple(cause for cause in self.causes(element) if self._edges[cause, element] not in sideways)

    def onward(self, element: str, *, first: bool) -> tuple[str, ...]:
        """Return one hop of effects; a demand fills links only where it is the `first`, the cause itself."""
        if first:
            return self.effects(element)
        return tuple(effect for effect in self.effects(element) if self._edges[element, effect] != LOADS)

    def ends_at(self, cause: str, effect: str) -> bool:
        """Say whether trouble that came this way goes no further."""
        return self._edges[cause, effect] == ADJACENCY

    def paths_from(self, cause: str, most: int = 8) -> dict[str, tuple[str, ...]]:
        """Return the shortest cause→effect path from `cause` to each element within `most` hops."""
        paths: dict[str, tuple[str, ...]] = {cause: (cause,)}
        passed = {cause}
        edge: deque[tuple[str, ...]] = deque([(cause,)])
        while edge:
            path = edge.popleft()
            if len(path) > most:
                continue
            for effect in self.onward(path[-1], first=len(path) == 1):
                longer = (*path, effect)
                paths.setdefault(effect, longer)
                if effect not in passed and not self.ends_at(path[-1], effect):
                    passed.add(effect)
                    edge.append(longer)
        return paths

    def upstream(self, element: str, most: int) -> dict[str, int]:
        """Return the elements whose trouble can become trouble in `element`, and in how many hops; itself at 0."""
        distance, edge = {element: 0}, [element]
        for hop in range(1, most + 1):
            ahead = []
            for here in edge:
                for cause in self.causes(here):
                    stops = hop > 1 and self.ends_at(cause, here)
                    if cause in distance or stops:
                        continue
                    distance[cause] = hop
                    if self._edges[cause, here] != LOADS:
                        ahead.append(cause)
            edge = ahead
        return distance

    def _near(self, element: str, kind: str) -> tuple[str, ...]:
        beside = dict.fromkeys((*self.causes(element), *self.effects(element)))
        return tuple(near for near in beside if self.kind(near) == kind)

    def _find_owners(self) -> dict[str, str]:
        owners = {}
        for node, kind in self._kinds.items():
            if kind in _NODES:
                owners.update({e: node for e in self._effects[node] if self._kinds.get(e) == TERMINATION_POINT})
        return owners
