"""What a snapshot's state lays over the arrays of its topology."""

from typing import Any

import numpy as np

from domain.waypoints import policy_of
from twin.topology import Flags, Floats, Ints, Topology


def waypoints(topology: Topology, vias: Any, works: Flags) -> tuple[Ints, Floats]:
    """Return per demand the waypoint in force (-1: none) and the share that goes through it (1 without one).

    A policy whose waypoint is down, or is an end of the demand, is not in force: all of the demand goes directly.
    """
    via, share = topology.via.copy(), np.ones(len(topology.via))
    for demand, text in vias.items():
        place = topology.demand_at[demand]
        node, share[place] = policy_of(str(text), topology.node_at)
        via[place] = -1 if node is None else topology.router_of[topology.node_at[node]]
    idle = (via == topology.source) | (via == topology.destination)
    if len(topology.routers):
        idle |= ~works[topology.routers[via]]
    via[idle] = -1
    share[via < 0] = 1.0
    return via, share


def offered(topology: Topology, state: Any) -> Floats:
    """Return what each demand offers in Mbit/s, shape (demands,): its believed rate, or nothing while it is locked."""
    rates: Floats = overlaid(topology.mbps, state.get("demand_factor", {}), topology.demand_at, multiply=True)
    locked = topology.locked_demands.copy()
    for element, value in state.get("administrative", {}).items():
        if element in topology.demand_at:
            locked[topology.demand_at[element]] = value == "locked"
    return np.where(locked, 0.0, rates) if locked.any() else rates


def overlaid(values: Any, changed: Any, places: dict[str, int], *, multiply: bool = False) -> Any:
    """Return values with some replaced (or multiplied); per arc where there are two per place."""
    if not changed:
        return values
    fresh = values.copy()
    wide = len(values) // len(places)
    for element, value in changed.items():
        at = wide * places[element]
        fresh[at : at + wide] = fresh[at : at + wide] * value if multiply else value
    return fresh
