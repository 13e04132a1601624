"""How the matter of a service order walks the one road: nothing is in trouble, a customer's wish is to be granted.

The order is the evidence, the ordering agent finds the ways of its circuits in the twin and asks for them, the
rehearsal holds them against the bounds of `twin.placing`, and telemetry says afterwards whether they carry what was
ordered.
Taking an order back is a plan with the inverse steps, on the same road.
"""

from control_plane.orders.declaring import declare
from control_plane.replay.tape import heard
from control_plane.road import Road
from control_plane.tables import Tables
from domain.actions import ActivateCircuit, DeactivateCircuit
from domain.agents import Case
from domain.errors import BadInput, NotFound
from domain.evidence import Evidence, EvidenceKind
from domain.incidents import Incident
from domain.observations import Picture
from domain.orders import ServiceOrder
from domain.proposals import Plan, Proposal
from domain.rehearsal import Rehearsal
from twin.placing.bounds import Bounds
from twin.placing.rehearsing import check_circuits
from twin.placing.rehearsing import rehearse as rehearse_circuits
from twin.snapshot import Snapshot


def order_of(tables: Tables, incident_id: str) -> ServiceOrder | None:
    """Return the order that an incident is about, or None: the one in which it is carried out, or taken back."""
    found = tables.orders.find(incident_id=incident_id) or tables.orders.find(cancel_id=incident_id)
    return found[0] if found else None


def known_order(road: Road, incident_id: str) -> ServiceOrder:
    """Return the order that an incident is about. Raises NotFound."""
    order = road.ledger.read(lambda tables: order_of(tables, incident_id))
    if order is None:
        raise NotFound(f"incident `{incident_id}` is about no order; `nocturne orders` lists those that there are")
    return order


def bounds_of(road: Road) -> Bounds:
    """Return how full an ordered circuit may make a link."""
    return Bounds(*heard("order.bounds", lambda: (road.settings.order_full, road.settings.order_full_failed)))


def gather(road: Road, incident: Incident) -> Case:
    """Return the case: the order is its one evidence. Its circuits are known to the house from here on."""
    order = known_order(road, incident.id)
    declare(road, order)
    now = road.clock.now()
    takes_back = incident.id == order.cancel_id
    asked_at = order.cancelled_at if takes_back and order.cancelled_at else order.ordered_at
    evidence = Evidence(
        id=road.id("ev"),
        kind=EvidenceKind.ORDER,
        incident_id=incident.id,
        element=order.circuits[0].id,
        statement=told(order, takes_back=takes_back),
        quoted=f"{order.customer.name}: {order.name}",
        source=order.cancelled_by[0] if takes_back and order.cancelled_by else order.ordered_by,
        event_time=asked_at,
        known_time=asked_at,
        ref=order.id,
        metric="mbps",
        value=sum(circuit.mbps for circuit in order.circuits),
    )
    return Case(incident=incident, alarms=(), picture=Picture(at=now), evidence=(evidence,), made_at=now)


def told(order: ServiceOrder, *, takes_back: bool = False) -> str:
    """Return in one line what is ordered, in our own words."""
    what = f"{len(order.circuits)} circuits of a slice" if len(order.circuits) > 1 else "a circuit"
    rate, promise = sum(circuit.mbps for circuit in order.circuits), order.slice
    if takes_back:
        return f"{what} of {rate:g} Mbit/s in all is to be taken out of service"
    guard = ", protected against any one link failure" if order.protected else ""
    return (
        f"{what} of {rate:g} Mbit/s in all, at most {promise.max_delay_ms:g} ms and {promise.max_loss:.2%} loss{guard}"
    )


def check(_road: Road, plan: Plan) -> None:
    """Refuse a plan of an order that does anything but activate circuits, or take them out. Raises BadInput."""
    check_circuits(plan)


def rehearse(road: Road, proposal: Proposal, snapshot: Snapshot) -> Rehearsal:
    """Rehearse the circuits of an order against the bounds of their placement.

    Raises:
        BadInput: the plan is about something else than was ordered.
        NotFound: the order is not stored.
    """
    order = known_order(road, proposal.incident_id)
    _check_ordered(order, proposal)
    return rehearse_circuits(
        proposal_id=proposal.id,
        plan=proposal.plan,
        snapshot=snapshot,
        protected=order.protected,
        bounds=bounds_of(road),
        observed=road.live.observed,
        twin_error=road.live.twin.fidelity(),
        now=road.clock.now(),
        new_id=road.id,
    ).but(seen_down=road.live.twin.down(), fidelity=road.live.fidelity())


def _check_ordered(order: ServiceOrder, proposal: Proposal) -> None:
    """Each step is about one circuit of the order, as it was ordered; only its way is free."""
    takes_back = proposal.incident_id == order.cancel_id
    wanted = DeactivateCircuit if takes_back else ActivateCircuit
    steps = {step.target: step for step in proposal.plan.steps if isinstance(step, wanted)}
    if len(steps) != len(proposal.plan.steps) or set(steps) != set(order.circuit_ids):
        raise BadInput(f"the plan is not about the circuits of order `{order.id}`, each once; correct its steps")
    for circuit in order.circuits:
        if order.arguments(circuit) != steps[circuit.id].model_dump(exclude={"kind", "via", "share"}):
            raise BadInput(f"`{circuit.id}` is not as it was ordered; only its way can be chosen")
