"""Reference networks from the topohub package, dressed as inventories.

The package gives places and links. Distance gives delay and metric, seeded gravity gives demands (traffic between two
places is proportional to the product of their sizes), and dimensioning gives capacities. Each router gets a site with
power; customers buy some of the demands.
"""

import json
import re
from importlib import resources
from typing import Any

import numpy as np

from domain.errors import BadInput
from domain.network import Inventory, NodeKind
from twin.dimensioning import dimension
from twin.growth import SLICES, Growth, masses, slug

_REF = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_.-]+){1,2}")
_FULL_MESH = 16
_HUBS = 10
_MEAN_MBPS = 800.0
_KM_PER_METRIC = 10.0


def from_topohub(ref: str, seed: int = 0) -> Inventory:
    """Return a reference network, for example `topozoo/Abilene`, `backbone/africa_nosc` or `topohub:gabriel/25/0`.

    Raises:
        BadInput: there is no such network, or its licence does not let us offer it (`sndlib`).
    """
    key = ref.removeprefix("topohub:")
    if key.split("/")[0].lower() == "sndlib":
        raise BadInput(f"`{key}` is SNDlib data, licensed for academic use only; choose one of `topozoo` or `backbone`")
    plain = _read(key)
    rng = np.random.default_rng(seed)
    growth = Growth(name=key)
    routers = _routers(growth, plain["nodes"])
    _links(growth, plain["edges"], routers)
    cities = [routers[place["id"]] for place in plain["nodes"] if "Waypoint" not in place.get("type", "")]
    _demands(growth, rng, _connected(growth, cities))
    _services(growth, rng)
    return dimension(growth.inventory(), least=10_000.0)


def _read(key: str) -> dict[str, Any]:
    if not _REF.fullmatch(key) or ".." in key:
        raise BadInput(f"`{key[:80]}` is no name of a topohub network; write it like `topozoo/Abilene`")
    file = resources.files("topohub") / "data" / f"{key}.json"
    if not file.is_file():
        raise BadInput(f"topohub has no network `{key}`; choose another, for example `topozoo/Abilene`")
    plain: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return plain


def _routers(growth: Growth, places: list[dict[str, Any]]) -> dict[Any, str]:
    """Add a router with its power for each place; return router ids by topohub's ids."""
    routers: dict[Any, str] = {}
    for place in places:
        key = slug(str(place.get("name") or "")) or str(place["id"])
        if f"node:{key}" in growth.nodes:
            key = f"{key}-{slug(str(place['id']))}"
        longitude, latitude = place.get("pos") or (None, None)
        router = growth.node(
            key,
            NodeKind.ROUTER,
            name=str(place.get("name") or key),
            site=f"site:{key}",
            vendor="alba",
            latitude=latitude,
            longitude=longitude,
        )
        growth.site_power(key, router)
        routers[place["id"]] = router
    return routers


def _links(growth: Growth, edges: list[dict[str, Any]], routers: dict[Any, str]) -> None:
    for edge in edges:
        begin, end = routers[edge["source"]], routers[edge["target"]]
        if begin != end:
            metric = max(1, min(60_000, round(float(edge.get("dist") or 0.0) / _KM_PER_METRIC)))
            growth.connect(begin, end, metric=metric)


def _connected(growth: Growth, routers: list[str]) -> list[str]:
    """Return the routers of the largest connected part, in the given order."""
    node_of = {point.id: point.node for point in growth.points}
    around: dict[str, list[str]] = {node: [] for node in growth.nodes}
    for link in growth.links.values():
        begin, end = node_of[link.source], node_of[link.destination]
        around[begin].append(end)
        around[end].append(begin)
    left, largest = set(around), set[str]()
    while left:
        part, stack = set[str](), [min(left)]
        while stack:
            node = stack.pop()
            if node not in part:
                part.add(node)
                stack.extend(around[node])
        left -= part
        largest = max(largest, part, key=len)
    return [router for router in routers if router in largest]


def _demands(growth: Growth, rng: np.random.Generator, routers: list[str]) -> None:
    """Gravity: all pairs in a small network; in a larger one, hubs with each other and each place with its hubs."""
    size = dict(zip(routers, masses(rng, len(routers)), strict=True))
    hubs = sorted(routers, key=lambda router: -size[router])[: _FULL_MESH if len(routers) <= _FULL_MESH else _HUBS]
    pairs = [(a, b) for a in hubs for b in hubs if a != b]
    for router in routers:
        if router not in hubs:
            for hub in rng.choice(len(hubs), size=2, replace=False):
                pairs += [(router, hubs[int(hub)]), (hubs[int(hub)], router)]
    for begin, end in pairs:
        slice_id = SLICES[int(rng.choice(3, p=(0.6, 0.3, 0.1)))].id
        growth.demand(begin, end, _MEAN_MBPS * size[begin] * size[end], slice_id)


def _services(growth: Growth, rng: np.random.Generator) -> None:
    """Sell demands to customers, one to three at a time."""
    order = rng.permutation(len(growth.demands)) if growth.demands else np.zeros(0, np.int64)
    most = min(len(order), 60)
    at = 0
    while at < most:
        chosen = [growth.demands[int(place)] for place in order[at : at + int(rng.integers(1, 4))]]
        slice_id = chosen[0].slice_id
        customer = growth.customer(int(rng.integers(40)), int(rng.integers(1, 6)))
        growth.service(customer, slice_id, tuple(sorted(demand.id for demand in chosen)))
        at += len(chosen)
