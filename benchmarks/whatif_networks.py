"""The networks of the what-if bench: 50 nodes of topohub's, and two operators' networks of access rings.

An operator's network, from the middle: core routers in a ring with chords; pre-aggregation, each router at two
neighbours of the core; aggregation, each at two routers of the pre-aggregation; access rings of 5 to 11 routers
between two neighbours of the aggregation. Every access router exchanges traffic with every hub (some core routers),
five times as much towards it as from it.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.reference import from_topohub
from twin.snapshot import Snapshot
from twin.whatif.network import Network, network_of

#: 50 nodes and 88 links, as many as Germany50 has (whose own data may not be passed on).
_LIKE_GERMANY50 = "topohub:gabriel/50/9"
_DEMANDS = 662
_GBPS = 1000.0


class Size(NamedTuple):
    core: int
    pre: int
    aggregation: int
    access: int
    hubs: int


HUB1000 = Size(core=10, pre=40, aggregation=150, access=800, hubs=4)
HUB10000 = Size(core=20, pre=180, aggregation=1000, access=8800, hubs=10)
_RING = (5, 12)
#: Per part: metric, and capacity in Mbit/s.
_LINKS = {
    "core": (10, 1000 * _GBPS),
    "pre": (20, 400 * _GBPS),
    "aggregation": (50, 100 * _GBPS),
    "access": (100, 10 * _GBPS),
}
Join = Callable[[int, int, str], None]


def germany50(seed: int) -> Network:
    """50 nodes, 88 links and 662 demands between pairs drawn at random, of log-normal size."""
    plain = network_of(Snapshot.of(from_topohub(_LIKE_GERMANY50)))
    rng, nodes = np.random.default_rng(seed), len(plain.nodes)
    pairs = rng.choice(nodes * (nodes - 1), _DEMANDS, replace=False)
    source, other = np.divmod(pairs, nodes - 1)
    destination = other + (other >= source)
    ends = np.stack([plain.tail[::2], plain.head[::2]], axis=1)
    mbps = rng.lognormal(4.0, 1.0, _DEMANDS)
    pairs = np.stack([source, destination], axis=1)
    return _network(plain.nodes, ends, plain.metric[::2], np.full(len(ends), 15 * _GBPS), pairs, mbps)


def hub(size: Size, seed: int) -> Network:
    """An operator's network, see the module."""
    rng = np.random.default_rng(seed)
    names = [
        f"{part}{number}" for part in ("core", "pre", "aggregation", "access") for number in range(getattr(size, part))
    ]
    links = dict[tuple[int, int], str]()

    def join(a: int, b: int, part: str) -> None:
        if a != b:
            links.setdefault((min(a, b), max(a, b)), part)

    for number in range(size.core):
        join(number, (number + 1) % size.core, "core")
        a, b = rng.choice(size.core, 2, replace=False).tolist()
        join(a, b, "core")
    _home_twice(join, rng, "pre", (0, size.core), size.pre)
    _home_twice(join, rng, "aggregation", (size.core, size.pre), size.aggregation)
    first = size.core + size.pre
    access = np.arange(first + size.aggregation, len(names))
    left = access.tolist()
    while left:
        length, begin = int(rng.integers(*_RING)), int(rng.integers(size.aggregation))
        run = [first + begin, *left[:length], first + (begin + 1) % size.aggregation]
        left = left[length:]
        for a, b in pairwise(run):
            join(a, b, "access")
    here, there = np.repeat(access, size.hubs), np.tile(np.arange(size.hubs), len(access))
    mbps = np.repeat(rng.lognormal(3.0, 1.0, len(access)), size.hubs) / size.hubs
    pairs = np.concatenate([np.stack([there, here], axis=1), np.stack([here, there], axis=1)])
    metric, capacity = (np.array([_LINKS[part][of] for part in links.values()]) for of in (0, 1))
    return _network(tuple(names), np.array(list(links)), metric, capacity, pairs, np.concatenate([mbps, mbps / 5]))


def _home_twice(join: Join, rng: np.random.Generator, part: str, above: tuple[int, int], count: int) -> None:
    """Join each of `count` routers to two neighbours of the `above` (first, how many)."""
    first, many = above
    for number in range(first + many, first + many + count):
        at = int(rng.integers(many))
        join(number, first + at, part)
        join(number, first + (at + 1) % many, part)


def _network(
    names: tuple[str, ...],
    ends: NDArray[Any],
    metric: NDArray[Any],
    capacity: NDArray[Any],
    pairs: NDArray[Any],
    mbps: NDArray[np.float64],
) -> Network:
    """Put a network together; `ends` (links, 2) and `pairs` (demands, 2) are places of nodes."""
    links = len(ends)
    return Network(
        nodes=names,
        links=tuple(f"link{number}" for number in range(links)),
        tail=np.ascontiguousarray(ends, np.int32).ravel(),
        head=np.ascontiguousarray(ends[:, ::-1], np.int32).ravel(),
        metric=np.repeat(metric.astype(np.int32), 2),
        capacity=np.repeat(capacity.astype(np.float64), 2),
        usable=np.ones(links, np.bool_),
        source=pairs[:, 0].astype(np.int32),
        destination=pairs[:, 1].astype(np.int32),
        via=np.full(len(pairs), -1, np.int32),
        mbps=mbps,
    )
