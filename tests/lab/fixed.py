"""A network over recorded routers, whose ways measure what a test says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.network.routers.access import Access
from adapters.network.routers.network import RoutersNetwork
from adapters.network.routers.probes import Measured
from control_plane.ports import Feed
from tests.lab.recorded import Recorded, reach

_HEALTHY = Measured(0.0, 0.5)


@dataclass
class FixedWay:
    """A way that is as it was made."""

    found: Measured | None = _HEALTHY

    def measured(self) -> Measured | None:
        return self.found

    def close(self) -> None:
        pass


def network_over(recorded: Recorded, ways: Mapping[str, FixedWay] | None = None) -> RoutersNetwork:
    """Return a network that samples recorded routers twenty times a second. `ways` are by source router."""

    def way(source: Access, _destination: str) -> FixedWay:
        return (ways or {}).get(source.name, FixedWay())

    return RoutersNetwork(reach(), period_s=0.05, run=recorded, probe=way)


def heard(network: RoutersNetwork, wanted: Callable[[list[dict[str, Any]]], bool], after: int = 0) -> Feed:
    """Poll until what was said is as wanted; at most ten seconds. Fail with what was said instead."""
    items: list[dict[str, Any]] = []
    position = after
    for _ in range(200):
        feed = network.poll(position, wait_s=0.05)
        items += feed.items
        position = feed.position
        if wanted(items):
            return Feed(tuple(items), position)
    raise AssertionError([item for item in items if item["type"] != "readings"])
