"""A seeded operator network: core, aggregation, access rings and microwave chains, radio, power, customers.

No public network of this kind with traffic exists, so one is grown:

- *core*: routers in a ring with chords (or those of a given backbone);
- *aggregation*: sites with a pair of routers each, dual-homed to two core routers;
- *access*: rings of cell-site gateways between the two routers of an aggregation site; microwave chains of one or two
  gateways hang from a ring and have no second way;
- *radio*: one gNB per gateway with its cells; *power*: one supply per site.

A gNB needs its gateway (up, and reached from the core) and its site's power; an aggregation site stands on two feeds
of which one is enough. Traffic goes between gateways and the core, between gateways and their aggregation (edge
computing), and between core routers. Capacities follow from the traffic (`twin.dimensioning`).
"""

from dataclasses import dataclass, field
from itertools import cycle, pairwise

import numpy as np

from domain.errors import BadInput
from domain.network import DependencyKind, Inventory, NodeKind
from twin.dimensioning import dimension
from twin.growth import Growth, masses
from twin.physics.equipment import equip

_LEAST, _MOST = 40, 20_000
_CELLS = 3
_PER_SITE = 4 + _CELLS  # power, gateway, gNB, one link, cells
_REGIONS = ("north", "east", "south", "west", "centre", "coast", "hills", "lakes")
_METRICS = {"core": 10, "uplink": 20, "pair": 5, "ring": 50, "chain": 80}
_CENTRE = (48.0, 12.0)


@dataclass
class _Plan:
    """What the parts of the network must know of each other while it grows."""

    growth: Growth
    rng: np.random.Generator
    cores: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    gateways: list[tuple[str, int]] = field(default_factory=list)  # with the number of its aggregation site
    cells: dict[str, list[str]] = field(default_factory=dict)
    rings: list[list[str]] = field(default_factory=list)


def operator_network(
    seed: int, elements: int = 200, backbone: Inventory | None = None, *, equipped: bool = False
) -> Inventory:
    """Grow an operator network with about `elements` nodes and links (within 5 %).

    Args:
        seed: the same seed gives the same network.
        elements: nodes and links together, power and cells included.
        backbone: take its routers, links and power as the core; its demands and services are left behind.
        equipped: declare batteries, radio, bursts and elastic classes as well; the network is else the same.

    Raises:
        BadInput: `elements` is out of bounds or too few for the backbone.
    """
    taken = 0 if backbone is None else len(backbone.nodes) + len(backbone.links)
    if not _LEAST + taken <= elements <= _MOST:
        raise BadInput(f"an operator network has {_LEAST + taken} to {_MOST} elements, not {elements}; ask for others")
    plan = _Plan(Growth(name=f"operator-{seed}-{elements}"), np.random.default_rng(seed))
    if backbone is None:
        _core(plan, elements)
    else:
        _adopt(plan, backbone)
    _aggregation(plan, elements)
    _access(plan, elements)
    _traffic(plan)
    grown = dimension(plan.growth.inventory(), plan.rings)
    return equip(grown, seed) if equipped else grown


def _near(plan: _Plan, latitude: float, longitude: float, spread: float) -> dict[str, float]:
    """Draw a place within about `spread` degrees of another."""
    north, east = plan.rng.uniform(-spread, spread, 2)
    return {"latitude": round(latitude + north, 4), "longitude": round(longitude + east, 4)}


def _core(plan: _Plan, elements: int) -> None:
    count = max(3, min(12, 3 + elements // 200))
    for number in range(count):
        angle = 2 * np.pi * number / count
        place = _near(plan, _CENTRE[0] + 2 * float(np.sin(angle)), _CENTRE[1] + 3 * float(np.cos(angle)), 0.3)
        key = f"core-{number + 1}"
        core = plan.growth.node(key, NodeKind.CORE, site=f"site:{key}", region="core", vendor="alba", **place)
        plan.growth.site_power(key, core)
        plan.cores.append(core)
    for number in range(count):
        _core_link(plan, number, (number + 1) % count)
    for number in range(count // 2 if count > 3 else 0):
        _core_link(plan, number, number + count // 2)


def _core_link(plan: _Plan, a: int, b: int) -> None:
    """Connect two core routers; neighbours on the ring of cores share the duct with the chord that starts there."""
    srlg = f"srlg:duct-core-{a + 1}"
    plan.growth.connect(plan.cores[a], plan.cores[b], metric=_METRICS["core"], srlgs=(srlg,), port="hu")


def _adopt(plan: _Plan, backbone: Inventory) -> None:
    growth = plan.growth
    for node in backbone.nodes:
        core = node.kind in {NodeKind.ROUTER, NodeKind.CORE}
        growth.nodes[node.id] = node.but(kind=NodeKind.CORE, region="core") if core else node
    growth.points.extend(backbone.termination_points)
    growth.ports.update(point.node for point in backbone.termination_points)
    growth.links.update((link.id, link) for link in backbone.links)
    growth.dependencies.extend(backbone.dependencies)
    plan.cores = [node.id for node in growth.nodes.values() if node.kind is NodeKind.CORE]


def _aggregation(plan: _Plan, elements: int) -> None:
    room = elements - plan.growth.size
    for number in range(max(1, room // 160)):
        home = int(plan.rng.integers(len(plan.cores)))
        other = (home + 1 + int(plan.rng.integers(max(1, len(plan.cores) - 1)))) % len(plan.cores)
        anchor = plan.growth.nodes[plan.cores[home]]
        place = _near(plan, anchor.latitude or 0.0, anchor.longitude or 0.0, 0.5)
        key, region = f"agg-{number + 1}", _REGIONS[number % len(_REGIONS)]
        traits = {"site": f"site:{key}", "region": region, "vendor": "alba", **place}
        first = plan.growth.node(f"{key}a", NodeKind.AGGREGATION, **traits)
        second = plan.growth.node(f"{key}b", NodeKind.AGGREGATION, **traits)
        _two_feeds(plan, key, first, second)
        plan.growth.connect(first, plan.cores[home], metric=_METRICS["uplink"], port="hu")
        plan.growth.connect(second, plan.cores[other], metric=_METRICS["uplink"], port="hu")
        plan.growth.connect(first, second, metric=_METRICS["pair"], port="hu")
        plan.pairs.append((first, second))


def _two_feeds(plan: _Plan, key: str, *routers: str) -> None:
    """Power an aggregation site from two feeds, of which one is enough."""
    first = plan.growth.nodes[routers[0]]
    traits = {name: getattr(first, name) for name in ("site", "region", "latitude", "longitude")}
    feeds = [plan.growth.node(f"power-{key}{side}", NodeKind.POWER, vendor="delta", **traits) for side in "xy"]
    for router in routers:
        plan.growth.depend(router, DependencyKind.POWERED_BY, *feeds, needs=1)


def _access(plan: _Plan, elements: int) -> None:
    """Add rings, and chains on every other one, until the room is used up; what is left becomes further cells."""
    number = 0
    while (ring_sites := (elements - plan.growth.size - 1) // _PER_SITE) >= 3:
        pair = number % len(plan.pairs)
        ring = _ring(plan, pair, min(ring_sites, int(plan.rng.integers(3, 7))))
        chain_sites = (elements - plan.growth.size) // _PER_SITE
        if chain_sites and (number % 2 or chain_sites < 4):
            start = ring[int(plan.rng.integers(len(ring)))]
            _chain(plan, pair, start, min(chain_sites, int(plan.rng.integers(1, 3))))
        number += 1
    for gateway, _ in cycle(plan.gateways):
        if plan.growth.size >= elements:
            break
        _cell(plan, gateway)


def _ring(plan: _Plan, pair: int, count: int) -> list[str]:
    first, second = plan.pairs[pair]
    gateways = [_gateway(plan, pair) for _ in range(count)]
    stops = [first, *gateways, second]
    links = [plan.growth.connect(a, b, metric=_METRICS["ring"]) for a, b in pairwise(stops)]
    plan.rings.append(links)
    return gateways


def _chain(plan: _Plan, pair: int, start: str, count: int) -> None:
    """Hang gateways one behind the other on a ring, by microwave; the hops of a chain share its weather."""
    srlg = f"srlg:sky-{len(plan.gateways) + 1}"
    for _ in range(count):
        gateway = _gateway(plan, pair)
        plan.growth.connect(start, gateway, metric=_METRICS["chain"], srlgs=(srlg,), port="mw")
        start = gateway


def _gateway(plan: _Plan, pair: int) -> str:
    """Add a cell site: power, gateway, gNB and cells. Returns the gateway."""
    anchor = plan.growth.nodes[plan.pairs[pair][0]]
    place = _near(plan, anchor.latitude or 0.0, anchor.longitude or 0.0, 0.2)
    key = f"{len(plan.gateways) + 1:04d}"
    traits = {"site": f"site:{key}", "region": anchor.region, **place}
    gateway = plan.growth.node(f"gw-{key}", NodeKind.GATEWAY, vendor="alba", **traits)
    gnb = plan.growth.node(f"gnb-{key}", NodeKind.GNB, vendor="cygnus", **traits)
    plan.growth.site_power(key, gateway, gnb)
    plan.growth.depend(gnb, DependencyKind.SERVED_BY, gateway)
    plan.gateways.append((gateway, pair))
    plan.cells[gateway] = []
    for _ in range(_CELLS):
        _cell(plan, gateway)
    return gateway


def _cell(plan: _Plan, gateway: str) -> None:
    gnb = gateway.replace("gw-", "gnb-")
    node = plan.growth.nodes[gnb]
    traits = {name: getattr(node, name) for name in ("site", "region", "vendor", "latitude", "longitude")}
    key = f"{gateway.split('gw-')[1]}-{len(plan.cells[gateway]) + 1}"
    cell = plan.growth.node(key, NodeKind.CELL, **traits)
    plan.growth.depend(cell, DependencyKind.CONTAINED_IN, gnb)
    plan.cells[gateway].append(cell)


def _traffic(plan: _Plan) -> None:
    """Sites pull broadband from a core, some keep business traffic with it, some critical traffic stays at the edge."""
    rng, growth = plan.rng, plan.growth
    size = masses(rng, len(plan.gateways))
    business: list[str] = []
    for (gateway, pair), weight in zip(plan.gateways, size.tolist(), strict=True):
        core = plan.cores[(pair + int(rng.integers(2))) % len(plan.cores)]
        down = growth.demand(core, gateway, 300.0 * weight, "slice:broadband")
        up = growth.demand(gateway, core, 160.0 * weight, "slice:broadband")
        customer = growth.customer(int(rng.integers(8)), int(rng.integers(2, 5)))
        growth.service(customer, "slice:broadband", (down, up), tuple(plan.cells[gateway]))
        if rng.random() < 0.4:
            far = plan.cores[int(rng.integers(len(plan.cores)))]
            business.append(growth.demand(gateway, far, 150.0 * weight, "slice:business"))
        if rng.random() < 0.25:
            edge = plan.pairs[pair][int(rng.integers(2))]
            link = growth.demand(gateway, edge, 30.0 * weight, "slice:critical")
            growth.service(growth.customer(int(rng.integers(8, 16)), 1), "slice:critical", (link,))
    _between_cores(plan, business)
    while business:
        sold, business = business[:3], business[3:]
        customer = growth.customer(int(rng.integers(16, 40)), int(rng.integers(1, 4)))
        growth.service(customer, "slice:business", tuple(sold))


def _between_cores(plan: _Plan, business: list[str]) -> None:
    """Add traffic between core routers, about as much as the sites bring, and sell some of it."""
    hubs = plan.cores[:12]
    weights = masses(plan.rng, len(hubs))
    site_share = 500.0 * len(plan.gateways) / max(1, len(hubs) * (len(hubs) - 1))
    for a, begin in enumerate(hubs):
        for b, end in enumerate(hubs):
            if a != b:
                mbps = site_share * float(weights[a] * weights[b])
                business.append(plan.growth.demand(begin, end, mbps, "slice:business"))
