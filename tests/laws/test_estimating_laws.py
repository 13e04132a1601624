"""Laws of the traffic matrix from counters, on random networks."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain.changes import SetOperational, SetVia
from domain.network import Operational
from tests.twin.small_networks import network
from twin.estimating.bursts import Bursts, fit_bursts
from twin.estimating.gravity import fit_totals, gravity
from twin.estimating.matrix import Counters, Estimate, estimate
from twin.estimating.routes import Shares, routing_matrix
from twin.evaluate import Prediction, evaluate
from twin.physics.delay import demand_delay_ms, queueing_ms, transmission_ms
from twin.routing import delivery
from twin.snapshot import Snapshot

LAW = settings(max_examples=60, deadline=None)

Floats = NDArray[np.float64]
AMOUNTS = st.sampled_from([0.0, 0.5, 4.0, 30.0, 80.0])


class Case(NamedTuple):
    """A network as routed, its routing matrix, what really flows, and a guess."""

    prediction: Prediction
    shares: Shares
    real: Floats
    guess: Floats

    def asked(self, counters: Counters, guess: Floats | None = None) -> Estimate:
        topology = self.prediction.topology
        return estimate(self.shares, topology.source, topology.destination, counters, guess)

    @property
    def places(self) -> int:
        return len(self.prediction.topology.routers)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to 7 routers, up to 14 links (parallel ones, too), one of them down, and a waypoint."""
    names = [f"n{number}" for number in range(draw(st.integers(2, 7)))]
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda ends: ends[0] != ends[1])
    edges = [(a, b, draw(st.integers(1, 3)), 100.0) for a, b in draw(st.lists(pair, min_size=1, max_size=14))]
    present = sorted({name for edge in edges for name in edge[:2]})
    demands = [(a, b, draw(AMOUNTS)) for a in present for b in present if a != b]
    down = SetOperational(element=f"l{draw(st.integers(0, len(edges) - 1))}", state=Operational.DISABLED)
    bent = SetVia(demand="d0", via=draw(st.sampled_from(present)), share=draw(st.sampled_from([1.0, 0.3])))
    prediction = evaluate(Snapshot.of(network(edges, demands)), [bent] + ([down] if draw(st.booleans()) else []))
    real = prediction.demand_mbps
    factors = draw(st.lists(st.floats(0.2, 5.0), min_size=len(real), max_size=len(real)))
    return Case(prediction, routing_matrix(prediction.topology, prediction.routing), real, real * np.array(factors))


def of_links(case: Case, factor: float = 1.0) -> Counters:
    """Return exact counters of the links, those of the edge unknown."""
    return Counters.of_links(case.prediction.arc_load * factor, case.places)


@LAW
@given(cases())
def test_the_routing_matrix_makes_the_loads_that_routing_makes(case: Case) -> None:
    assert np.asarray(case.shares @ case.real) == pytest.approx(np.asarray(case.prediction.arc_load), abs=1e-9)


@LAW
@given(cases(), st.data())
def test_no_estimate_is_negative_whatever_counters_say(case: Case, data: st.DataObject) -> None:
    """Contradictions, gaps and ages included."""
    size = len(case.prediction.arc_load)
    value = st.sampled_from([0.0, 1.0, 50.0, 1000.0, np.nan])
    arcs = np.array([0.0, *data.draw(st.lists(value, min_size=size - 1, max_size=size - 1))])
    ages = np.array(data.draw(st.lists(st.floats(0, 1e5), min_size=size, max_size=size)))
    found = case.asked(Counters.of_links(arcs, case.places, ages), case.guess)
    assert np.isfinite(found.mbps).all()
    assert (found.mbps >= 0).all()
    assert np.isfinite(found.residual)


@LAW
@given(cases())
def test_counters_that_agree_with_each_other_are_explained(case: Case) -> None:
    found = case.asked(of_links(case), case.guess)
    loads, explained = case.prediction.arc_load, np.asarray(case.shares @ found.mbps).ravel()
    assert np.abs(explained - loads).sum() <= 0.05 * loads.sum() + 1e-9


@LAW
@given(cases(), st.sampled_from([0.01, 3.0, 1e4]))
def test_so_many_times_the_traffic_makes_so_many_times_the_estimate(case: Case, factor: float) -> None:
    one, many = case.asked(of_links(case), case.guess), case.asked(of_links(case, factor), case.guess * factor)
    assert many.mbps == pytest.approx(one.mbps * factor, rel=1e-4, abs=1e-4 * factor)


@LAW
@given(cases())
def test_a_guess_that_is_right_is_kept(case: Case) -> None:
    assert case.asked(of_links(case), case.real).mbps == pytest.approx(case.real, abs=1e-6)


@LAW
@given(cases(), st.integers(0, 100))
def test_a_counter_that_is_silent_is_not_a_counter_of_zero(case: Case, which: int) -> None:
    """What no other counter sees keeps its guess when the one that saw it falls silent."""
    loads = case.prediction.arc_load.copy()
    loads[which % len(loads)] = np.nan
    if np.isnan(loads).all():
        return
    found = case.asked(Counters.of_links(loads, case.places), case.guess)
    unseen = ~found.informed
    assert found.mbps[unseen] == pytest.approx(case.guess[unseen])


@LAW
@given(cases())
def test_gravity_is_what_leaves_and_fitting_keeps_it_so(case: Case) -> None:
    topology = case.prediction.topology
    leaving, entering = np.zeros(case.places), np.zeros(case.places)
    np.add.at(leaving, topology.source, case.real)
    np.add.at(entering, topology.destination, case.real)
    first = gravity(topology.source, topology.destination, leaving, entering)
    assert (first >= 0).all()
    fitted = fit_totals(case.guess, topology.source, topology.destination, leaving, entering)
    assert (fitted >= 0).all()
    assert fitted.sum() == pytest.approx(leaving.sum(), rel=0.05)
    exact = fit_totals(case.real, topology.source, topology.destination, leaving, entering)
    assert exact == pytest.approx(case.real)


@LAW
@given(cases(), st.data())
def test_delays_of_bursty_links_are_explained_and_no_burst_is_below_one(case: Case, data: st.DataObject) -> None:
    """Bursts that fill no buffer: beyond that, delay tells nothing of them."""
    state = case.prediction.at_load(0.9 / max(0.9, float(case.prediction.arc_utilisation.max())))
    links = len(state.topology.links)
    bursts = data.draw(st.lists(st.floats(1.0, 300.0), min_size=links, max_size=links))
    arc_ms = transmission_ms(state.capacity) + queueing_ms(state.arc_utilisation, state.capacity, np.repeat(bursts, 2))
    delay = demand_delay_ms(state.topology, state.routing, arc_ms + state.topology.propagation_ms)
    known = np.isfinite(delay) & (delivery(state.topology, state.routing, np.ones(2 * links)) > 1 - 1e-9)
    if not known.any():
        return
    fitted = Bursts(60.0, 600.0)
    fitted.look(state, np.where(known, delay, np.nan))
    assert fitted.delays(state)[known] == pytest.approx(delay[known], rel=0.15)
    assert (fit_bursts(state, np.where(known, delay, np.nan)) >= 1.0).all()
