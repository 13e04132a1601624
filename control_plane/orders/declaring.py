"""What accepted orders declare: their circuits, planned at first, stand in the live inventory from then on.

The inventory only grows, in the order of the orders, so that every snapshot that was ever stored can be read again. A
circuit that was taken out of service stays declared, locked.
"""

from control_plane.ports import Ledger
from control_plane.road import Road
from domain.network import Inventory
from domain.orders import ServiceOrder, declared, undeclared


def accepted(ledger: Ledger) -> list[ServiceOrder]:
    """Return the orders that were accepted, whatever became of them, the oldest first."""
    return [order for order in ledger.read(lambda tables: tables.orders.find()) if not order.rejected]


def before_orders(ledger: Ledger, inventory: Inventory) -> Inventory:
    """Return what a network declares, less what the house's own orders say of it."""
    return undeclared(inventory, accepted(ledger))


def declare(road: Road, order: ServiceOrder) -> None:
    """Let the house know an accepted order's circuits; those that it knows stay as they are. Raises BadInput."""
    if not set(order.circuit_ids) <= road.live.elements:
        road.live.extend(lambda inventory: declared(inventory, (order,)))


def restore(road: Road) -> None:
    """Declare what was ordered before this process began, all at once.

    What was declared between two orders is made again when a snapshot of that time is asked for.
    """
    new = [order for order in accepted(road.ledger) if not set(order.circuit_ids) <= road.live.elements]
    before = road.live.inventory
    if new:
        road.live.extend(
            lambda inventory: declared(inventory, new),
            lambda: (declared(before, new[:count]) for count in range(1, len(new))),
        )
