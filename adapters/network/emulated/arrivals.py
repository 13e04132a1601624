"""What arrives in the plant while it lives: circuits that somebody ordered."""

from domain.actions import ActivateCircuit, DeactivateCircuit
from domain.network import Administrative, Demand, Inventory, Slice


def circuit_of(asked: ActivateCircuit | DeactivateCircuit) -> Demand:
    """Return the demand that an action about a circuit speaks of, as one declares it: locked, on the default way."""
    return Demand(
        id=asked.target,
        source=asked.source,
        destination=asked.destination,
        mbps=asked.mbps,
        traffic_class=asked.traffic_class,
        slice_id=asked.slice_id,
        administrative=Administrative.LOCKED,
    )


def with_circuit(inventory: Inventory, circuit: Demand, asked: ActivateCircuit) -> Inventory:
    """Return an inventory that declares one circuit more, and the promise that it was given."""
    known = any(entry.id == asked.slice_id for entry in inventory.slices)
    promise = Slice(id=asked.slice_id, name=asked.slice_id, max_loss=asked.max_loss, max_delay_ms=asked.max_delay_ms)
    return inventory.but(
        demands=(*inventory.demands, circuit), slices=inventory.slices if known else (*inventory.slices, promise)
    )
