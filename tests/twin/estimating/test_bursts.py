"""How bursty links are, from the delays of demands: made by the law of queueing, and found again."""

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.errors import BadInput
from tests.twin.small_networks import network
from twin.estimating.bursts import Bursts, fit_bursts
from twin.evaluate import Prediction, evaluate
from twin.physics.delay import demand_delay_ms, queueing_ms, transmission_ms
from twin.snapshot import Snapshot

Floats = NDArray[np.float64]


def line(first: float = 20.0, second: float = 30.0, both: float = 30.0) -> Prediction:
    """Links l0 and l1 of 100 Mbit/s in a row; d0 uses the one, d1 the other, d2 both."""
    edges = [("a", "b", 1, 100.0), ("b", "c", 1, 100.0)]
    return evaluate(Snapshot.of(network(edges, [("a", "b", first), ("b", "c", second), ("a", "c", both)])))


def delays(state: Prediction, bursts: list[float]) -> Floats:
    """Return the delays that links of these bursts make."""
    queueing = queueing_ms(state.arc_utilisation, state.capacity, np.repeat(bursts, 2))
    return demand_delay_ms(
        state.topology, state.routing, state.topology.propagation_ms + transmission_ms(state.capacity) + queueing
    )


def test_one_link_by_hand() -> None:
    """At a load of 0.5 a burst of b waits (b − 1)/2 / (1 − 0.5) = b − 1 transmissions longer than single packets."""
    state = evaluate(Snapshot.of(network([("a", "b", 1, 100.0)], [("a", "b", 50.0)])))
    longer = float(state.demand_delay_ms[0]) + 40.0 * float(transmission_ms(state.capacity)[0])
    assert fit_bursts(state, np.array([longer])) == pytest.approx([41.0], rel=1e-3)


def test_links_are_told_apart_by_the_demands_that_use_one_of_them() -> None:
    state = line()
    assert fit_bursts(state, delays(state, [300.0, 1200.0])) == pytest.approx([300.0, 1200.0], rel=0.05)


def test_bursts_that_were_found_at_one_load_foresee_delays_at_another() -> None:
    state, busier = line(), line(30.0, 45.0, 45.0)
    bursts = Bursts(60.0, 600.0)
    bursts.look(state, delays(state, [300.0, 1200.0]))
    assert bursts.delays(busier) == pytest.approx(delays(busier, [300.0, 1200.0]), rel=0.03)


def test_a_link_that_no_measured_demand_crosses_has_the_common_burst() -> None:
    state = line()
    seen = delays(state, [500.0, 500.0])
    seen[1:] = np.nan
    assert fit_bursts(state, seen) == pytest.approx([500.0, 500.0], rel=0.01)


def test_lines_faster_than_single_packets_allow_have_no_bursts() -> None:
    state = line()
    assert fit_bursts(state, 0.5 * state.demand_delay_ms).tolist() == [1.0, 1.0]


def test_a_full_link_tells_nothing_of_bursts() -> None:
    """d2 waits in the full buffer of l1; d0 alone tells, and of l0 only."""
    state = line(20.0, 80.0, 30.0)
    seen = delays(state, [300.0, 300.0])
    seen[1:] *= 50
    assert fit_bursts(state, seen)[0] == pytest.approx(300.0, rel=0.01)


@pytest.mark.parametrize(
    "wrong",
    [[np.nan] * 3, [1.0, -1.0, 1.0], [1.0, np.inf, 1.0], [1.0, 1.0]],
    ids=["unknown", "negative", "infinite", "short"],
)
def test_impossible_delays_are_refused(wrong: list[float]) -> None:
    with pytest.raises(BadInput):
        fit_bursts(line(), np.array(wrong))


def test_until_something_is_measured_declared_bursts_count() -> None:
    state = line()
    assert Bursts(60.0, 600.0).delays(state).tolist() == state.demand_delay_ms.tolist()


def test_one_odd_moment_moves_bursts_only_a_little() -> None:
    state, bursts = line(), Bursts(60.0, 600.0)
    usual = delays(state, [300.0, 300.0])
    for _ in range(5):
        bursts.look(state, usual)
    bursts.look(state, 3 * usual)
    assert bursts.delays(state) == pytest.approx(usual, rel=0.25)
    assert (bursts.delays(state) > usual).all()
