"""What can be asked about service orders: order, take back, look.

An order that cannot be had is kept, with the reason and the rate that would fit. One that can is declared, and a matter
is opened in which it walks the road of `way.py`; nothing else activates a circuit.
"""

from itertools import islice

from control_plane import reach, refusals
from control_plane.approvals.matters import asked_for, done, readable
from control_plane.gate import withdraw
from control_plane.horizon import Horizon
from control_plane.orders.declaring import declare
from control_plane.orders.standing import standing_of
from control_plane.orders.way import bounds_of, told
from control_plane.ports import Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.alarms import Severity
from domain.base import Word
from domain.errors import BadInput, Conflict, NotFound
from domain.identity import Permission, Principal
from domain.incidents import Incident, IncidentClass, IncidentState, Resolution
from domain.network import ROUTING_KINDS
from domain.orders import OrderState, OrderWish, ServiceOrder, decomposed
from domain.records import Entry
from twin.placing.configuring import fitted
from twin.placing.place import Placement
from twin.snapshot import Snapshot

_MOST_LISTED = 1000


class OrderView(Word):
    """An order with where it stands, why, and the plan that this follows from (empty where there is none)."""

    order: ServiceOrder
    state: OrderState
    because: str
    proposal_id: str = ""
    ways: dict[str, str] = {}


@refusals.recorded
class OrdersDesk:
    """The commands and queries of this room."""

    def __init__(self, road: Road) -> None:
        self._road = road

    # --- looking ---

    def orders(self, who: Principal, limit: int = 100) -> list[OrderView]:
        """Return the orders that the caller may see, the newest first."""
        need(who, Permission.READ)

        def read(tables: Tables) -> list[OrderView]:
            found = tables.orders.find(newest=True, limit=_MOST_LISTED, tenant=who.tenant)
            seen = (order for order in found if self._seen(who, order))
            return [self._view(tables, order) for order in islice(seen, limit)]

        return self._road.ledger.read(read)

    def order(self, who: Principal, id: str) -> OrderView:
        """Return one order, by its id or by the customer's own name for it. Raises NotFound."""
        need(who, Permission.READ)
        return self._road.ledger.read(lambda tables: self._view(tables, self._known(tables, who, id)))

    # --- asking ---

    def place(self, who: Principal, wish: OrderWish) -> OrderView:
        """Order a circuit or a slice: it is checked and placed in the twin; what fits becomes a plan to be signed.

        Raises:
            BadInput: it names what is no routing node here, or is no order at all.
            Conflict: an id, or the customer's name for the order, is used already.
            Refused: the caller may not order, or not between these places.
        """
        need(who, Permission.ORDER)
        road = self._road
        order = decomposed(
            wish,
            road.id("order"),
            road.live.inventory,
            ordered_by=who.name,
            person=who.person,
            at=road.clock.now(),
        ).but(tenant=who.tenant)
        self._check_ends(who, order)
        order = order.but(region=road.live.regions.get(order.circuits[0].source, "default"))
        found = self._fits(order)
        if found.refused:
            order = order.but(rejected=found.refused, fits_share=found.fits_share)
        else:
            order = order.but(incident_id=road.id("inc"))
        stored = done(road, lambda tables: self._store(tables, who, order))
        if not order.rejected:
            declare(road, order)
        return self.order(who, stored.id)

    def cancel(self, who: Principal, id: str, because: str) -> OrderView:
        """Take an order back. One that is not carried out yet is over at once; an active one needs a plan, signed.

        Raises:
            NotFound: there is no such order for this caller.
            Conflict: it is being carried out, or nothing of it is left to take back.
            Refused: the caller may not, or not between these places.
        """
        need(who, Permission.ORDER)
        reason = readable(because)
        stored = done(self._road, lambda tables: self._cancel(tables, who, id, reason))
        return self.order(who, stored.id)

    # --- how it is done ---

    def _check_ends(self, who: Principal, order: ServiceOrder) -> None:
        horizon, routing = Horizon(self._road.live, who), _routing(self._road.live.snapshot())
        for circuit in order.circuits:
            for node in (circuit.source, circuit.destination):
                if node not in routing or not horizon.element(node):
                    raise BadInput(f"`{node}` is no routing node of this network; `nocturne twin show` names some")
        nodes = [node for circuit in order.circuits for node in (circuit.source, circuit.destination)]
        for region in sorted({region for node in nodes for region in self._road.live.regions_of(node)}):
            reach.region(who, region)
        reach.elements(self._road, who, nodes)

    def _fits(self, order: ServiceOrder) -> Placement:
        return fitted(self._road.live.snapshot(), order, bounds_of(self._road)).placement

    def _store(self, tables: Tables, who: Principal, order: ServiceOrder) -> Written[ServiceOrder]:
        self._check_new(tables, order)
        tables.orders.add(order)
        fields: dict[str, object] = {"told": told(order), "customer": order.customer.id, "person": who.person}
        fields |= {"rejected": order.rejected, **who.on_behalf_of}
        kind = "order.order.rejected" if order.rejected else "order.order.accepted"
        if order.rejected:
            return Written(order, (self._entry(kind, who, order, fields),))
        matter = self._matter(order, order.incident_id)
        tables.incidents.add(matter)
        return Written(order, (self._entry(kind, who, order, fields),), (self._road.wake(matter.id),))

    @staticmethod
    def _check_new(tables: Tables, order: ServiceOrder) -> None:
        """The ids must be free among all orders, also those that another process took a moment ago."""
        if order.external_id and tables.orders.count(tenant=order.tenant, external_id=order.external_id):
            raise Conflict(f"there is an order `{order.external_id}` already; `nocturne order show` tells of it")
        taken = {name for other in tables.orders.find() if not other.rejected for name in other.circuit_ids}
        if twice := sorted(taken & set(order.circuit_ids)):
            raise Conflict(f"`{twice[0]}` is used already; choose another id for the circuit")

    def _cancel(self, tables: Tables, who: Principal, id: str, because: str) -> Written[ServiceOrder]:
        order = self._known(tables, who, id)
        self._check_ends(who, order)
        standing = standing_of(tables, order)
        match standing.state:
            case OrderState.ACKNOWLEDGED | OrderState.HELD if not order.cancel_id:
                return self._drop(tables, who, order, because)
            case OrderState.COMPLETED:
                return self._take_back(tables, who, order, because)
            case OrderState.FAILED if self._carries(order):
                return self._take_back(tables, who, order, because)
            case OrderState.IN_PROGRESS:
                raise Conflict(f"order `{order.id}` is being carried out; stop its plan, or wait and cancel it then")
            case _:
                raise Conflict(
                    f"order `{order.id}` is {standing.state}: {standing.because}; nothing is to be taken back"
                )

    def _carries(self, order: ServiceOrder) -> bool:
        snapshot = self._road.live.snapshot()
        return any(snapshot.value(name, "administrative") == "unlocked" for name in order.circuit_ids)

    def _drop(self, tables: Tables, who: Principal, order: ServiceOrder, because: str) -> Written[ServiceOrder]:
        """Nothing was done yet: its plan is withdrawn, and its matter closed."""
        new = self._cancelled(who, order)
        tables.orders.swap(order, new)
        entries = [self._entry("order.order.cancelled", who, new, {"because": because, "person": who.person})]
        entries += self._withdrawn(tables, order, because)
        incident = tables.incidents.get(order.incident_id)
        if incident is not None and incident.state is IncidentState.OPEN:
            said = f"the order was cancelled before anything was done: {because}"
            tables.incidents.swap(incident, incident.closed(Resolution.RECORDED, said, self._road.clock.now()))
        return Written(new, tuple(entries))

    def _take_back(self, tables: Tables, who: Principal, order: ServiceOrder, because: str) -> Written[ServiceOrder]:
        """It carries traffic: a matter is opened in which the inverse steps take the road."""
        new = self._cancelled(who, order).but(cancel_id=self._road.id("inc"))
        tables.orders.swap(order, new)
        matter = self._matter(new, new.cancel_id)
        tables.incidents.add(matter)
        made = self._entry("order.order.cancelling", who, new, {"because": because, "person": who.person})
        others = self._withdrawn(tables, order, because)  # a second plan would put it into service again
        return Written(new, (made, *others), (self._road.wake(matter.id), self._road.wake(order.incident_id)))

    def _withdrawn(self, tables: Tables, order: ServiceOrder, because: str) -> list[Entry]:
        live = [proposal for proposal in tables.proposals.find(incident_id=order.incident_id) if proposal.live]
        why = f"the order was cancelled: {because}"
        return [withdraw(self._road, tables, proposal, why)[1] for proposal in live]

    def _cancelled(self, who: Principal, order: ServiceOrder) -> ServiceOrder:
        names = tuple(dict.fromkeys((who.name, *asked_for(who))))
        return order.but(cancelled_by=names, cancelled_at=self._road.clock.now())

    def _matter(self, order: ServiceOrder, id: str) -> Incident:
        now = self._road.clock.now()
        return Incident(
            id=id,
            about=IncidentClass.SERVICE_ORDER,
            tenant=order.tenant,
            region=order.region,
            severity=Severity.INDETERMINATE,
            opened_at=now,
            last_alarm_at=now,
            last_known_at=now,
            alarm_ids=(),
            elements=order.circuit_ids,
            open_alarms=0,
        )

    def _view(self, tables: Tables, order: ServiceOrder) -> OrderView:
        standing = standing_of(tables, order)
        plan = standing.proposal
        steps = plan.plan.steps if plan else ()
        return OrderView(
            order=order,
            state=standing.state,
            because=standing.because,
            proposal_id=plan.id if plan else "",
            ways={step.target: getattr(step, "via", None) or "" for step in steps},
        )

    def _known(self, tables: Tables, who: Principal, id: str) -> ServiceOrder:
        named = tables.orders.find(tenant=who.tenant, external_id=id) if id else []
        order = tables.orders.get(id) or (named[-1] if named else None)
        if order is None or order.tenant != who.tenant or not self._seen(who, order):
            raise NotFound(f"there is no order `{id[:80]}`; `nocturne orders` lists them")
        return order

    def _seen(self, who: Principal, order: ServiceOrder) -> bool:
        places: set[str] = {order.region}
        for circuit in order.circuits:
            places |= self._road.live.regions_of(circuit.source) | self._road.live.regions_of(circuit.destination)
        return Horizon(self._road.live, who).regions(order.tenant, places)

    def _entry(self, kind: str, who: Principal, order: ServiceOrder, fields: dict[str, object]) -> Entry:
        return Entry(
            kind=kind,
            actor=who.name,
            refs=(order.id, *filter(None, (order.incident_id, order.cancel_id)), *order.circuit_ids),
            event_time=self._road.clock.now(),
            tenant=order.tenant,
            residency=order.region,
            fields=fields,
        )


def _routing(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(node.id for node in snapshot.inventory.nodes if node.kind in ROUTING_KINDS)
