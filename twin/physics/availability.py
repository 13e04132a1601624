"""What works: a closure over dependencies (AND, k-of-n) and over what the core reaches, with batteries at a horizon."""

from typing import Any

import numpy as np

from twin import kernel
from twin.topology import Flags, Topology


def own_states(topology: Topology, state: Any) -> Flags:
    """Return, per unit, whether it is unlocked and not broken itself."""
    own = topology.unlocked.copy()
    for element, value in state.get("administrative", {}).items():
        unit = topology.own_unit(element)
        if unit is not None:  # a demand can be locked, too, and is no unit: it offers nothing (`overlay.offered`)
            own[unit] = value == "unlocked"
    for element, value in state.get("operational", {}).items():
        if value == "disabled":
            own[topology.own_unit(element)] = False
    return own


def availability(topology: Topology, own: Flags, hours: float | None = None) -> tuple[Flags, Flags]:
    """Close over dependencies and reachability until both agree; both only shrink, so this ends.

    Args:
        topology: of the network.
        own: per unit, whether it is unlocked and not broken itself.
        hours: how long it has been so: a power node that does not work still feeds what depends on it until its
            battery ends. None: for as long as it takes, with all batteries empty.

    Returns:
        per unit, whether it works; per routing node, whether the core reaches it.
    """
    own, reachable, works = _with_batteries(topology, own, hours)
    reached = np.ones(len(topology.routers), np.bool_)
    rows = topology.closure
    while True:
        kernel.close(
            rows.sequence,
            rows.group_rows,
            rows.needs,
            rows.reachable,
            rows.member_rows,
            rows.members,
            own,
            reachable,
            works,
        )
        if not len(topology.anchors):
            break
        now = _reached(topology, works)
        if np.array_equal(now, reached):
            break
        reached = now
        reachable[topology.routers] = reached
    return works[: topology.units], reached


def _with_batteries(topology: Topology, own: Flags, hours: float | None) -> tuple[Flags, Flags, Flags]:
    """Return own states with the two hidden units of each battery (itself, its supply), and space for the answers."""
    charged = np.zeros(len(topology.battery_hours), np.bool_) if hours is None else hours < topology.battery_hours
    hidden = np.ones((len(charged), 2), np.bool_)
    hidden[:, 0] = charged
    whole = np.concatenate([own, hidden.ravel()])
    return whole, np.ones(len(whole), np.bool_), np.ones(len(whole), np.bool_)


def _reached(topology: Topology, works: Flags) -> Flags:
    usable = np.repeat(works[topology.first_link_unit : topology.first_point_unit], 2)
    starts = topology.anchors[works[topology.routers[topology.anchors]]]
    seen = np.zeros(len(topology.routers), np.bool_)
    kernel.reach(topology.out_rows, topology.out_arcs, topology.head, usable, starts, seen)
    return seen
