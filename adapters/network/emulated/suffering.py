"""What the network really does not do at this moment: hidden from the product, known to the umpire."""

from typing import Any

import numpy as np

from adapters.network.emulated.physics import traffic
from adapters.network.emulated.world import World
from domain.network import NodeKind

#: A demand that loses more than this share of what it offers suffers.
NOTICED = 0.01


def suffering(world: World) -> dict[str, Any]:
    """Return who suffers now, of what was last asked for: looking steps no demand and draws nothing.

    `cells` that do not serve; `demands` that lose more than `NOTICED`, each with `demand`, `mbps` offered and `lost`
    (a share); `customers` of the services that rest on either, as the inventory declares them; `lost_mbps`, lost by
    all demands together. Lists are sorted by id.
    """
    cells = sorted(node.id for node in world.inventory.nodes if _silent(world, node.id, node.kind))
    mbps, loss = world.traffic.mbps, _losses(world)
    rows = np.flatnonzero((loss > NOTICED) & (mbps > 0.0)).tolist()  # what sends nothing misses nothing
    demands = [
        {"demand": world.topology.demands[row], "mbps": float(mbps[row]), "lost": float(loss[row])} for row in rows
    ]
    hit, down = {entry["demand"] for entry in demands}, set(cells)
    customers = {
        service.customer
        for service in world.inventory.services
        if not hit.isdisjoint(service.demands) or not down.isdisjoint(service.cells)
    }
    return {
        "cells": cells,
        "demands": sorted(demands, key=lambda entry: str(entry["demand"])),
        "customers": sorted(customers),
        "lost_mbps": float(mbps @ loss),
    }


def _silent(world: World, node: str, kind: NodeKind) -> bool:
    return kind is NodeKind.CELL and not world.up.serves[node]


def _losses(world: World) -> Any:
    """Share lost per demand as things stand: routes and faults may have changed since the last sample."""
    clean = np.where(world.up.usable, 1.0 - world.degraded(), 0.0)
    habits = world.habits
    now = traffic(
        world.topology,
        world.routes,
        world.traffic.mbps,
        clean=clean,
        queue=habits.queue_ms,
        buffer_ms=habits.buffer_ms,
    )
    return now.loss
