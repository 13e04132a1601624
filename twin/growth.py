"""Growing an inventory part by part: what the generator and the reference networks share.

`Growth` collects parts and gives ids and names; `offers` adds slices, customers and services on top of demands and
cells. Company names are put together from two word lists; they name nobody.
"""

import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.network import (
    Customer,
    Demand,
    Dependency,
    DependencyKind,
    Inventory,
    Link,
    Node,
    NodeKind,
    Service,
    Slice,
    TerminationPoint,
)

#: Light in fibre: 5 µs per km.
MS_PER_KM = 0.005
_FIRST = ("Harbour", "Copper", "Alder", "Summit", "Granite", "Lantern", "Meridian", "Orchard", "Delta", "Cedar")
_SECOND = ("Freight", "Clinics", "Robotics", "Grid", "Markets", "Rail", "Foods", "Bank", "Ports", "Studios")

SLICES = (
    Slice(id="slice:broadband", name="Mobile broadband", max_loss=0.02, max_delay_ms=100.0),
    Slice(id="slice:business", name="Business data", max_loss=0.01, max_delay_ms=60.0),
    Slice(id="slice:critical", name="Critical communication", max_loss=0.001, max_delay_ms=20.0),
)


@dataclass
class Growth:
    """An inventory that is being put together; `links[x].capacity_mbps` is settled by `twin.dimensioning`."""

    name: str
    nodes: dict[str, Node] = field(default_factory=dict)
    points: list[TerminationPoint] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)
    dependencies: list[Dependency] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    ports: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Nodes and links."""
        return len(self.nodes) + len(self.links)

    def node(self, key: str, kind: NodeKind, **traits: object) -> str:
        """Add a node `node:key` (a cell: `cell:key`) and return its id."""
        id = f"{'cell' if kind is NodeKind.CELL else 'node'}:{key}"
        self.nodes[id] = Node(id=id, kind=kind, **{"name": key, **traits})
        return id

    def site_power(self, key: str, *powered: str) -> str:
        """Add the power of a site, on which `powered` depend; it stands where the first of them stands."""
        first = self.nodes[powered[0]]
        place = {name: getattr(first, name) for name in ("site", "region", "latitude", "longitude")}
        power = self.node(f"power-{key}", NodeKind.POWER, vendor="delta", **place)
        for node in powered:
            self.depend(node, DependencyKind.POWERED_BY, power)
        return power

    def depend(self, dependent: str, kind: DependencyKind, *on: str, needs: int | None = None) -> None:
        """Let `dependent` need all of `on`, or `needs` of them."""
        self.dependencies.append(
            Dependency(dependent=dependent, on=on, kind=kind, needs=len(on) if needs is None else needs)
        )

    def connect(self, a: str, b: str, *, metric: int, srlgs: tuple[str, ...] = (), port: str = "xe") -> str:
        """Add a link with an end at each node; its delay follows from the distance. Returns its id."""
        begin, end = a.split(":", 1)[1], b.split(":", 1)[1]
        key = f"{begin}--{end}"
        while f"link:{key}" in self.links:
            key += "+"
        ends = [self._point(node, port) for node in (a, b)]
        self.links[f"link:{key}"] = Link(
            id=f"link:{key}",
            source=ends[0],
            destination=ends[1],
            capacity_mbps=1.0,
            delay_ms=round(MS_PER_KM * max(0.1, distance_km(self.nodes[a], self.nodes[b])), 4),
            metric=metric,
            srlgs=srlgs or (f"srlg:span-{key}",),
        )
        return f"link:{key}"

    def _point(self, node: str, port: str) -> str:
        number = self.ports[node]
        self.ports[node] += 1
        id = f"tp:{node.split(':', 1)[1]}.{port}-{number}"
        self.points.append(TerminationPoint(id=id, node=node, name=f"{port}-0/0/{number}"))
        return id

    def demand(self, source: str, destination: str, mbps: float, slice_id: str) -> str:
        """Add traffic from one router to another and return its id."""
        kind = slice_id.removeprefix("slice:")
        id = f"demand:{source.split(':', 1)[1]}--{destination.split(':', 1)[1]}.{kind}"
        self.demands.append(
            Demand(
                id=id,
                source=source,
                destination=destination,
                mbps=round(mbps, 3),
                traffic_class=kind,
                slice_id=slice_id,
            )
        )
        return id

    def customer(self, number: int, priority: int) -> str:
        """Add a customer with a name put together from two words, and return its id."""
        name = f"{_FIRST[number % len(_FIRST)]} {_SECOND[(number // len(_FIRST) + number) % len(_SECOND)]}"
        id = f"customer:{slug(name)}"
        if all(known.id != id for known in self.customers):
            self.customers.append(Customer(id=id, name=name, priority=priority))
        return id

    def service(self, customer: str, slice_id: str, demands: tuple[str, ...], cells: tuple[str, ...] = ()) -> None:
        """Add what a customer buys."""
        number = len(self.services) + 1
        kind = next(entry.name for entry in SLICES if entry.id == slice_id)
        self.services.append(
            Service(
                id=f"service:{number}",
                name=f"{kind} {number}",
                customer=customer,
                slice_id=slice_id,
                demands=demands,
                cells=cells,
            )
        )

    def inventory(self) -> Inventory:
        """Return what has grown, sorted by id."""
        return Inventory(
            name=self.name,
            nodes=tuple(sorted(self.nodes.values(), key=lambda entry: entry.id)),
            termination_points=tuple(sorted(self.points, key=lambda entry: entry.id)),
            links=tuple(sorted(self.links.values(), key=lambda entry: entry.id)),
            dependencies=tuple(sorted(self.dependencies, key=lambda d: (d.dependent, d.kind.value, *d.on))),
            demands=tuple(sorted(self.demands, key=lambda entry: entry.id)),
            slices=tuple(sorted(SLICES, key=lambda entry: entry.id)),
            customers=tuple(sorted(self.customers, key=lambda entry: entry.id)),
            services=tuple(sorted(self.services, key=lambda entry: entry.id)),
        )


def slug(name: str) -> str:
    """Return a name in lower-case ASCII with hyphens; empty when nothing of it is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def distance_km(a: Node, b: Node) -> float:
    """Return the great-circle distance (haversine, radius 6371 km); 0 where a place is not known."""
    if a.latitude is None or b.latitude is None or a.longitude is None or b.longitude is None:
        return 0.0
    lat_a, lat_b = math.radians(a.latitude), math.radians(b.latitude)
    half = math.radians(b.longitude - a.longitude) / 2
    chord = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half) ** 2
    return 2 * 6371.0 * math.asin(min(1.0, math.sqrt(chord)))


def masses(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw sizes of places: lognormal, so that few are big; mean about 1."""
    return rng.lognormal(-0.125, 0.5, count)
