"""Configurations as an engineer edits them: lines, found by looking, changed by hand. No code of the twin is used."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import networkx as nx
import numpy as np

from domain.network import Inventory, NodeKind

T = TypeVar("T")

ROUTING = {NodeKind.CORE, NodeKind.AGGREGATION, NodeKind.GATEWAY, NodeKind.ROUTER}


@dataclass
class Draft:
    """A text that is being edited. A section is a heading and the deeper lines below it."""

    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def router(self, name: str) -> tuple[int, int]:
        """Return the first line of a router and the one after its last."""
        start = self.lines.index(f"router {name}")
        return start, self._end(start, 0)

    def section(self, router: str, heading: str) -> tuple[int, int]:
        """Return the first line of a section of a router and the one after its last."""
        start, end = self.router(router)
        at = self.lines.index(f" {heading}", start, end)
        return at, self._end(at, 1)

    def has(self, router: str, heading: str) -> bool:
        """Say whether a router has a section, or a line, that says exactly this."""
        start, end = self.router(router)
        return f" {heading}" in self.lines[start:end]

    def _end(self, start: int, depth: int) -> int:
        at = start + 1
        while at < len(self.lines) and self.lines[at].startswith(" " * (depth + 1)):
            at += 1
        return at

    def value(self, router: str, interface: str, key: str) -> str | None:
        """Return what follows a key in an interface, or None."""
        start, end = self.section(router, f"interface {interface}")
        found = [line.strip() for line in self.lines[start:end] if line.strip().startswith(f"{key} ")]
        return found[0].removeprefix(f"{key} ") if found else None

    def put(self, router: str, interface: str, key: str, value: str | None) -> None:
        """Set, add or (None) take away a setting of an interface."""
        start, end = self.section(router, f"interface {interface}")
        at = next((n for n in range(start + 1, end) if self.lines[n].strip().startswith(f"{key} ")), None)
        if at is not None:
            del self.lines[at]
        if value is not None:
            self.lines.insert(end if at is None else at, f"  {key} {value}")

    def add(self, router: str, *lines: str) -> None:
        """Add lines at the end of a router."""
        end = self.router(router)[1]
        self.lines[end:end] = lines

    def drop(self, router: str, heading: str) -> None:
        """Take a section or a line of a router away."""
        start, end = self.section(router, heading)
        del self.lines[start:end]

    def starting(self, router: str, begins: str) -> list[int]:
        """Return the lines of a router that begin with words."""
        start, end = self.router(router)
        return [n for n in range(start, end) if self.lines[n].startswith(f" {begins}")]


@dataclass(frozen=True)
class Side:
    """One end of a link: router and interface."""

    router: str
    interface: str


@dataclass
class World:
    """A network with its right configuration, and what everybody who works there knows about it."""

    name: str
    inventory: Inventory
    text: str
    links: dict[str, tuple[Side, Side]] = field(default_factory=dict)
    graph: nx.Graph = field(default_factory=nx.Graph)

    def __post_init__(self) -> None:
        router = {node.id for node in self.inventory.nodes if node.kind in ROUTING}
        node_of = {point.id: point.node for point in self.inventory.termination_points}
        for link in self.inventory.links:
            a, b = (Side(node_of[point], point) for point in (link.source, link.destination))
            if {a.router, b.router} <= router:
                self.links[link.id] = (a, b)
                known = self.graph.get_edge_data(a.router, b.router, {"metric": 1 << 30})
                if link.metric < known["metric"]:
                    self.graph.add_edge(a.router, b.router, metric=link.metric, link=link.id)

    def draft(self) -> Draft:
        return Draft(self.text.split("\n"))

    @property
    def routers(self) -> list[str]:
        return sorted(self.graph.nodes)

    def bridges(self) -> set[str]:
        """Return the links without which some router is cut off."""
        found = set()
        for name, (a, b) in self.links.items():
            others = [pair for other, pair in self.links.items() if other != name]
            rest = nx.Graph([(x.router, y.router) for x, y in others])
            if not (a.router in rest and b.router in rest and nx.has_path(rest, a.router, b.router)):
                found.add(name)
        return found


@dataclass(frozen=True)
class Edit:
    """A push to be judged: what is in force, what is to be, and in which order."""

    kind: str
    before: str
    after: str
    order: tuple[str, ...] | None = None


def pick(rng: np.random.Generator, values: Sequence[T]) -> T:
    """Draw one of a list."""
    return values[int(rng.integers(len(values)))]
