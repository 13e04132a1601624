"""Capacities for a network that declares none: enough for every day, and for the failure of any one link.

Capacities come from a ladder of bundle sizes, so that utilisation in the normal state is between about 0.2 and 0.6
wherever traffic decides, and no single link failure overloads what is left.
"""

from collections.abc import Sequence

import numpy as np

from domain.changes import SetOperational
from domain.network import Inventory, Operational
from twin.evaluate import evaluate
from twin.snapshot import Snapshot
from twin.topology import Floats

_STEPS = np.array([1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0])
#: Bundle sizes in Mbit/s, from 100 Mbit/s to 80 Tbit/s.
LADDER: Floats = np.concatenate([_STEPS * 10.0**power for power in range(2, 8)])
_EVERY_DAY, _AFTER_FAILURE = 0.55, 0.9
_MOST_FAILURES = 400


def dimension(inventory: Inventory, together: Sequence[Sequence[str]] = (), least: float = 1_000.0) -> Inventory:
    """Return the inventory with capacities that its demands ask for.

    Args:
        inventory: with any capacities; they are replaced.
        together: groups of links that get the same capacity (the spans of one ring).
        least: no link gets less, Mbit/s.
    """
    snapshot = Snapshot.of(inventory)
    base = evaluate(snapshot)
    everyday = base.arc_load.reshape(-1, 2).max(axis=1, initial=0.0)
    worst = everyday.copy()
    links = snapshot.topology.links
    for link in links if len(links) <= _MOST_FAILURES else ():
        failed = evaluate(snapshot, [SetOperational(element=link, state=Operational.DISABLED)])
        worst = np.maximum(worst, failed.arc_load.reshape(-1, 2).max(axis=1))
    needed = np.maximum(np.maximum(everyday / _EVERY_DAY, worst / _AFTER_FAILURE), least)
    for group in together:
        places = [snapshot.topology.link_at[link] for link in group]
        needed[places] = needed[places].max()
    rungs = np.minimum(np.searchsorted(LADDER, needed), len(LADDER) - 1)
    capacity = dict(zip(links, LADDER[rungs].tolist(), strict=True))
    return inventory.but(links=tuple(link.but(capacity_mbps=capacity[link.id]) for link in inventory.links))
