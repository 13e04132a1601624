"""Where an element is: what lies within it, and which nodes answer for it."""

from adapters.network.emulated.physics import Topology
from domain.network import DependencyKind, Inventory


def within(inventory: Inventory, topology: Topology, target: str) -> set[str]:
    """Return what a crew that is sent to `target` finds there.

    That is the target, what it contains, and the link that a termination point ends.
    """
    found, growing = {target}, True
    contained = [need for need in inventory.dependencies if need.kind is DependencyKind.CONTAINED_IN]
    while growing:
        inner = {need.dependent for need in contained if found & set(need.on)} - found
        found, growing = found | inner, bool(inner)
    if target in topology.arc_at:
        found.add(topology.links[topology.arc_at[target] >> 1])
    return found


def hosts(inventory: Inventory, topology: Topology, element: str) -> tuple[str, ...]:
    """Return the nodes that can carry out an action on an element: a link's ends, a demand's source, else its own."""
    if element in topology.link_at:
        arc = 2 * topology.link_at[element]
        return topology.nodes[topology.tail[arc]], topology.nodes[topology.head[arc]]
    if element in topology.demand_at:
        return (topology.nodes[topology.ends[topology.demand_at[element]][0]],)
    own = tuple(point.node for point in inventory.termination_points if point.id == element)
    return own or (element,)
