"""What a snapshot's state lays over the arrays of its topology."""

from typing import Any

from twin.topology import Flags, Ints, Topology


def waypoints(topology: Topology, vias: Any, works: Flags) -> Ints:
    """Return the waypoints in force; a policy whose waypoint is down, or is an end of the demand, is not."""
    via = topology.via.copy()
    for demand, node in vias.items():
        via[topology.demand_at[demand]] = topology.router_of[topology.node_at[node]] if node else -1
    idle = (via == topology.source) | (via == topology.destination)
    if len(topology.routers):
        idle |= ~works[topology.routers[via]]
    via[idle] = -1
    return via


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
