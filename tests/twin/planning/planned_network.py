"""A small network with histories of its loads, of which every part is known."""

from datetime import UTC, datetime

import numpy as np

from domain.network import Inventory
from tests.stats.loads import SLOTS, loads
from tests.twin.small_networks import network
from twin.planning.history import LoadHistory, fold

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
MINUTES = 7 * 24 * 60 // SLOTS


def triangle(mbps: float = 60.0) -> Inventory:
    """Routers a, b, c; `l0` a–b and `l2` c–b of 100 Mbit/s, `l1` a–c of 1,000; a short way a–b, a long one over c.

    `d0` a→b carries the load, `d1` a→c a sixth of it.
    """
    edges = [("a", "b", 1, 100.0), ("a", "c", 1, 1_000.0), ("c", "b", 1, 100.0)]
    return network(edges, [("a", "b", mbps), ("a", "c", mbps / 6)])


def of(levels: dict[str, float], weeks: int = 40, *, growth: float = 0.0, noise: float = 0.02) -> LoadHistory:
    """Return a history per element with that daily mean at the end (Mbit/s); its fullest hour is 1.43 times that."""
    made = loads(list(levels.values()), weeks, growth=growth, noise=noise) * np.exp(-growth * (weeks - 1))
    return fold(tuple(levels), made.reshape(len(levels), -1), MINUTES, NOON)
