"""The lines that routers would get for placed circuits, checked like any configuration before it is pushed.

What stands in the routers is what `twin.configuration.generate` would have typed for the inventory; a circuit with a
waypoint is a segment routing policy more at its head end. A circuit that takes the default way needs no line.
"""

from dataclasses import dataclass, replace

from domain.configuration import PushPolicy
from domain.errors import BadInput
from domain.network import ROUTING_KINDS, Inventory
from domain.orders import ServiceOrder
from twin.configuration import check, generate
from twin.configuration.writing import document
from twin.placing.bounds import Bounds, Way, committed
from twin.placing.place import Placement, place, planned
from twin.snapshot import Snapshot

#: Checking a push walks all routers; where there are more, that is left to whoever pushes.
_MOST_ROUTERS = 400


@dataclass(frozen=True)
class Fitted:
    """A placement, the configuration that it comes to as a unified diff, and whether that was checked."""

    placement: Placement
    diff: str = ""
    checked: bool = True


def fitted(snapshot: Snapshot, order: ServiceOrder, bounds: Bounds) -> Fitted:
    """Place an order's circuits and check the lines that come of it; what a check blocks is refused.

    Raises:
        BadInput: the order names what is not there.
    """
    state = committed(planned(snapshot, order))
    found = place(state, order.circuit_ids, order.protected, bounds)
    return _checked(state.inventory, found)


def _checked(inventory: Inventory, found: Placement) -> Fitted:
    if not any(way.via for way in found.ways):
        return Fitted(found)
    size = sum(node.kind in ROUTING_KINDS for node in inventory.nodes)
    if size > _MOST_ROUTERS:
        return Fitted(found, checked=False)
    try:
        before = document(generate(inventory))
    except BadInput:  # names that no configuration can hold: whoever pushes has another one
        return Fitted(found, checked=False)
    after = document(generate(_with(inventory, found.ways)))
    report = check(before, after, inventory, PushPolicy(max_routers=size))
    blocking = [finding for finding in report.findings if finding.blocks]
    if blocking:
        refused = f"the routers' configuration would not pass: {blocking[0].message}"
        return Fitted(replace(found, ways=(), refused=refused, fits_share=0.0), report.diff)
    return Fitted(found, report.diff)


def _with(inventory: Inventory, ways: tuple[Way, ...]) -> Inventory:
    via = {way.circuit: way.via for way in ways}
    return inventory.but(demands=tuple(d.but(via=via.get(d.id, d.via)) for d in inventory.demands))
