"""What is placed keeps its bounds: in the twin, in the normal state and, where protected, after any one failure."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.actions import ActivateCircuit
from domain.changes import SetOperational
from domain.network import Inventory, Operational
from domain.orders import CircuitWish, OrderKind, OrderWish, ServiceOrder, decomposed
from tests.twin.small_networks import network
from twin.evaluate import Prediction, evaluate
from twin.placing.bounds import Bounds
from twin.placing.place import place, planned
from twin.snapshot import Snapshot

BOUNDS = Bounds(normal=0.7, failed=0.9)
NAMES = "abcdef"


@st.composite
def networks(draw: st.DrawFn) -> Inventory:
    """A ring of six routers with chords, metrics and capacities of all kinds, and some traffic."""
    ring = [(NAMES[i], NAMES[(i + 1) % 6]) for i in range(6)]
    chords = draw(st.lists(st.sampled_from([("a", "c"), ("b", "e"), ("d", "f"), ("a", "d")]), unique=True))
    edges = [
        (here, there, draw(st.integers(1, 5)), draw(st.sampled_from([50.0, 100.0, 200.0])))
        for here, there in [*ring, *chords]
    ]
    pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.floats(1.0, 60.0)).filter(
        lambda pair: pair[0] != pair[1]
    )
    return network(edges, draw(st.lists(pairs, max_size=4)))


@st.composite
def orders(draw: st.DrawFn, known: Inventory) -> ServiceOrder:
    ends = st.permutations(NAMES).map(lambda names: (names[0], names[1]))
    circuits = tuple(
        CircuitWish(
            id=f"x{place}",
            source=(pair := draw(ends))[0],
            destination=pair[1],
            mbps=draw(st.floats(1.0, 80.0)),
            protected=draw(st.booleans()),
        )
        for place in range(draw(st.integers(1, 2)))
    )
    wish = OrderWish(
        kind=OrderKind.SLICE,
        customer="acme",
        name="any",
        circuits=circuits,
        max_delay_ms=draw(st.sampled_from([2.5, 4.5, 100.0])),
    )
    at = datetime(2026, 1, 31, tzinfo=UTC)
    return decomposed(wish, "order_1", known, ordered_by="engineer", person="", at=at)


def broken(before: Prediction, after: Prediction, circuits: list[str], limit: float) -> str:
    """Say what of the promise does not hold, worked out here and by nothing that places."""
    topology = after.topology
    for name in circuits:
        at = topology.demand_at[name]
        if after.worst_delay_ms[at] > topology.max_delay_ms[at] + 1e-6:
            return f"{name} is late"
        if after.demand_loss[at] > topology.max_loss[at] + 1e-6:
            return f"{name} loses"
    more = after.arc_load > before.arc_load + 1e-5
    return (
        f"a link is {after.arc_utilisation[more].max()}" if (after.arc_utilisation[more] > limit + 1e-5).any() else ""
    )


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_an_accepted_placement_breaks_no_bound(data: st.DataObject) -> None:
    known = data.draw(networks())
    order = data.draw(orders(known))
    before = planned(Snapshot.of(known), order)

    found = place(before, order.circuit_ids, order.protected, BOUNDS)

    assume(found.ways)
    after = before.with_changes([change for way in found.ways for change in way.changes()])
    circuits = list(order.circuit_ids)
    assert [way.circuit for way in found.ways] == sorted(circuits)
    assert broken(evaluate(before), evaluate(after), circuits, BOUNDS.normal) == ""
    for link in known.links if order.protected else ():
        fails = (SetOperational(element=link.id, state=Operational.DISABLED),)
        said = broken(evaluate(before, fails), evaluate(after, fails), list(order.protected), BOUNDS.failed)
        assert said == "", f"{said} when {link.id} fails"


@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_the_share_that_is_said_to_fit_fits(data: st.DataObject) -> None:
    known = data.draw(networks())
    order = data.draw(orders(known))
    found = place(planned(Snapshot.of(known), order), order.circuit_ids, order.protected, BOUNDS)
    assume(found.fits_share)
    assert found.fits_share is not None

    less = order.but(circuits=tuple(c.but(mbps=c.mbps * found.fits_share) for c in order.circuits))
    again = place(planned(Snapshot.of(known), less), less.circuit_ids, less.protected, BOUNDS)

    assert 0 < found.fits_share < 1
    assert again.ways, again.refused


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_locked_circuit_changes_nothing_and_activating_and_deactivating_leads_back(data: st.DataObject) -> None:
    known = data.draw(networks())
    order = data.draw(orders(known))
    before = planned(Snapshot.of(known), order)

    assert np.array_equal(evaluate(before).arc_load, evaluate(Snapshot.of(known)).arc_load)
    steps = [ActivateCircuit(**order.arguments(circuit), via="a") for circuit in order.circuits]
    active = before.with_changes([change for step in steps for change in step.changes()])
    back = active.with_changes([change for step in steps for change in step.inverse().changes()])
    assert back.digest == before.digest
    assert active.digest != before.digest
