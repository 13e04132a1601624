"""The `orders` tool of agents: what was ordered, and how full an order may make a link."""

from control_plane.orders.way import order_of
from control_plane.ports import Ledger
from domain.orders import ServiceOrder


class RecordedOrders:
    """Reads the orders that are stored."""

    def __init__(self, ledger: Ledger, full: float, full_failed: float) -> None:
        self._ledger, self._limits = ledger, (full, full_failed)

    def order(self, incident_id: str) -> ServiceOrder | None:
        """Return the order that an incident is about, or None."""
        return self._ledger.read(lambda tables: order_of(tables, incident_id))

    def limits(self) -> tuple[float, float]:
        """Return the highest utilisation of a link: in the normal state, and after one link failure."""
        return self._limits
