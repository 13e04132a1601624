"""Service orders: a customer wants a circuit, or a slice of several circuits with one promise.

An order is a wish, and nothing is in trouble; it becomes a plan like any other. Its states bear the names of TMF641.
What it is made of (demands, a slice with the promise, a service) is declared when the order is accepted; the circuits
are *planned* then: locked, and offering nothing.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from domain.base import Stored, Utc, Word
from domain.errors import BadInput, Conflict
from domain.network import Administrative, Customer, Demand, Inventory, Service, Slice

#: A name that people choose: no control characters, and nothing that needs quoting.
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._:+/-]{0,99}$")]
#: What a circuit is called in the routers' configuration, too: no blanks.
CircuitName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+/-]{0,99}$")]
MOST_CIRCUITS = 32


class OrderKind(StrEnum):
    CIRCUIT = "circuit"
    SLICE = "slice"


class OrderState(StrEnum):
    """TMF641's names. Where an order stands follows from its plans; nobody sets it."""

    ACKNOWLEDGED = "acknowledged"  # accepted; a plan is being made and rehearsed
    REJECTED = "rejected"  # it cannot be had, or somebody whose yes it needs said no
    HELD = "held"  # its plan waits for people
    IN_PROGRESS = "inProgress"  # its plan is being carried out, or taken back
    COMPLETED = "completed"  # it carries what was ordered, and was measured to
    FAILED = "failed"  # its plan did not bring what was ordered
    CANCELLED = "cancelled"  # it was taken back; nothing of it carries traffic


class CircuitWish(Word):
    """From one routing node to another, one way. `id` becomes `circuit:<id>`; empty: one is chosen."""

    id: CircuitName | None = None
    source: str = Field(min_length=1, max_length=256, description="routing node id")
    destination: str = Field(min_length=1, max_length=256, description="routing node id")
    mbps: float = Field(gt=0, le=1e9)
    protected: bool = Field(default=False, description="its promise holds after any single link failure, too")


class OrderWish(Word):
    """What a customer asks for. `external_id` is the customer's own name for the order: the same twice is refused."""

    kind: OrderKind = OrderKind.CIRCUIT
    customer: Label
    name: Label
    external_id: Label | None = None
    circuits: tuple[CircuitWish, ...] = Field(min_length=1, max_length=MOST_CIRCUITS)
    traffic_class: Label = "best_effort"
    max_delay_ms: float = Field(default=100.0, gt=0, le=1e6, description="one way, on the longest of equal paths")
    max_loss: float = Field(default=0.01, ge=0, le=1, description="share that may get lost")


class ServiceOrder(Stored):
    """An order as it was taken. `circuits` are declared locked; `protected` names those with N-1 protection."""

    kind: OrderKind
    tenant: str = "default"
    region: str = "default"
    name: str
    external_id: str = ""
    customer: Customer
    slice: Slice
    service: Service
    circuits: tuple[Demand, ...]
    protected: tuple[str, ...] = ()
    ordered_by: str
    person: str = ""
    ordered_at: Utc
    rejected: str = Field(default="", description="why it was not accepted; nothing of it is declared then")
    fits_share: float | None = Field(default=None, description="of a rejected order: the share of the rate that fits")
    incident_id: str = Field(default="", description="the matter in which it is carried out")
    cancel_id: str = Field(default="", description="the matter in which it is taken back")
    cancelled_by: tuple[str, ...] = Field(default=(), description="account and person who asked for that")
    cancelled_at: Utc | None = None

    @property
    def circuit_ids(self) -> tuple[str, ...]:
        return tuple(circuit.id for circuit in self.circuits)

    def arguments(self, circuit: Demand) -> dict[str, object]:
        """Return what a step about a circuit must say of it: all but its way, which is to be found."""
        return {
            "target": circuit.id,
            "source": circuit.source,
            "destination": circuit.destination,
            "mbps": circuit.mbps,
            "traffic_class": circuit.traffic_class,
            "slice_id": self.slice.id,
            "max_loss": self.slice.max_loss,
            "max_delay_ms": self.slice.max_delay_ms,
        }


def decomposed(wish: OrderWish, id: str, known: Inventory, *, ordered_by: str, person: str, at: Utc) -> ServiceOrder:
    """Return the order that a wish becomes: one locked demand per circuit, one slice with the promise, one service.

    Args:
        wish: what is asked for.
        id: of the order.
        known: what is declared already; a customer that it names is that customer.
        ordered_by: the account that asks.
        person: the human behind it.
        at: the present moment.

    Raises:
        BadInput: a slice is ordered as a circuit, or a circuit starts where it ends.
        Conflict: the same id is used twice.
    """
    if wish.kind is OrderKind.CIRCUIT and len(wish.circuits) != 1:
        raise BadInput("an order for a circuit has one circuit; order several as a slice, with one promise for all")
    short = id.removeprefix("order_")
    slice_ = Slice(id=f"slice:{short}", name=wish.name, max_loss=wish.max_loss, max_delay_ms=wish.max_delay_ms)
    circuits = tuple(_demand(each, place, wish, short, slice_.id) for place, each in enumerate(wish.circuits, 1))
    customer = next((one for one in known.customers if _is(one, wish.customer)), None)
    order = ServiceOrder(
        id=id,
        kind=wish.kind,
        name=wish.name,
        external_id=wish.external_id or "",
        customer=customer or Customer(id=f"customer:{wish.customer}", name=wish.customer),
        slice=slice_,
        service=Service(
            id=f"service:{short}",
            name=wish.name,
            customer=customer.id if customer else f"customer:{wish.customer}",
            slice_id=slice_.id,
            demands=tuple(circuit.id for circuit in circuits),
        ),
        circuits=circuits,
        protected=tuple(c.id for c, each in zip(circuits, wish.circuits, strict=True) if each.protected),
        ordered_by=ordered_by,
        person=person,
        ordered_at=at,
    )
    _check_ids(order, known)
    return order


def _is(customer: Customer, named: str) -> bool:
    return named in (customer.id, customer.name) or customer.id == f"customer:{named}"


def _demand(wish: CircuitWish, place: int, order: OrderWish, short: str, slice_id: str) -> Demand:
    if wish.source == wish.destination:
        raise BadInput(f"the circuit starts and ends at `{wish.source}`; name two different routing nodes")
    return Demand(
        id=f"circuit:{wish.id or f'{short}-{place}'}",
        source=wish.source,
        destination=wish.destination,
        mbps=wish.mbps,
        traffic_class=order.traffic_class,
        slice_id=slice_id,
        administrative=Administrative.LOCKED,
    )


def _check_ids(order: ServiceOrder, known: Inventory) -> None:
    taken = {entry.id for part in _PARTS for entry in getattr(known, part)}
    for name in order.circuit_ids:
        if name in taken:
            raise Conflict(f"`{name}` is used already; choose another id for the circuit")
        taken.add(name)


_PARTS = ("nodes", "termination_points", "links", "demands", "slices", "customers", "services")


def declared(inventory: Inventory, orders: Iterable[ServiceOrder]) -> Inventory:
    """Return an inventory with everything that these orders are made of; what it has already stays as it is."""
    new: dict[str, dict[str, Word]] = {"demands": {}, "slices": {}, "customers": {}, "services": {}}
    for order in orders:
        for circuit in order.circuits:
            new["demands"].setdefault(circuit.id, circuit)
        new["slices"].setdefault(order.slice.id, order.slice)
        new["customers"].setdefault(order.customer.id, order.customer)
        new["services"].setdefault(order.service.id, order.service)
    changes = {}
    for part, entries in new.items():
        present = getattr(inventory, part)
        held = {entry.id for entry in present}
        if fresh := tuple(entry for id, entry in entries.items() if id not in held):
            changes[part] = (*present, *fresh)
    return inventory.but(**changes) if changes else inventory


def undeclared(inventory: Inventory, orders: Iterable[ServiceOrder]) -> Inventory:
    """Return an inventory without the circuits and slices of these orders: as it was before the first of them.

    A network that carries circuits declares them itself; what the orders say of them counts.
    """
    gone = {name for order in orders for name in (*order.circuit_ids, order.slice.id)}
    demands = tuple(demand for demand in inventory.demands if demand.id not in gone)
    slices = tuple(entry for entry in inventory.slices if entry.id not in gone)
    if len(demands) == len(inventory.demands) and len(slices) == len(inventory.slices):
        return inventory
    return inventory.but(demands=demands, slices=slices)
