"""How long packets take: closed forms, a packet simulation, and paths worked out on paper."""

import math

import numpy as np
import pytest

from benchmarks.fidelity_delay import delay_error, mean_wait
from domain.changes import SetOperational, SetVia
from domain.errors import BadInput
from domain.network import Inventory, Operational
from tests.twin.small_networks import network, square
from twin.evaluate import evaluate
from twin.physics.calibration import Measured, calibrated
from twin.physics.delay import BUFFER_MS, MEAN_PACKET_BITS, SIZE_SCV, fit_burst, waiting
from twin.snapshot import Snapshot

#: One packet of mean size on 100 Mbit/s: (7·40 + 4·576 + 1·1500)/12 bytes.
PACKET_MS = 8 * (7 * 40 + 4 * 576 + 1500) / 12 / 100e3


def slow_side(inventory: Inventory, link: str, delay_ms: float) -> Inventory:
    links = tuple(each.but(delay_ms=delay_ms) if each.id == link else each for each in inventory.links)
    return inventory.but(links=links)


def test_exponential_sizes_of_single_packets_give_m_m_1() -> None:
    assert waiting(np.array([0.3, 0.5, 0.9]), 1.0, scv=1.0).tolist() == pytest.approx([0.3 / 0.7, 1.0, 9.0])


def test_equal_sizes_of_single_packets_give_m_d_1() -> None:
    assert waiting(np.array([0.5, 0.8]), 1.0, scv=0.0).tolist() == pytest.approx([0.5, 2.0])


def test_bursts_add_their_own_wait() -> None:
    # b = 3, c² = 1, ρ = 1/2: (1/2 · 2/2 + (3 − 1)/2) / (1/2)
    assert float(waiting(0.5, 3.0, scv=1.0)) == pytest.approx(3.0)


def test_an_idle_line_lets_nobody_wait_and_a_full_one_everybody_for_ever() -> None:
    assert waiting(np.array([0.0, 1.0, 1.7]), 5.0).tolist() == [0.0, math.inf, math.inf]


@pytest.mark.parametrize(("size", "load"), [(1.0, 0.7), (4.0, 0.5), (8.0, 0.8)])
def test_a_packet_simulation_waits_as_long(size: float, load: float) -> None:
    # geometric bursts of mean m: E[X²]/E[X] = 2m − 1
    seen = mean_wait(np.random.default_rng(3), "random", size, load, 1_000_000)
    assert float(waiting(load, 2 * size - 1)) == pytest.approx(seen, rel=0.08)


def test_a_fitted_burst_beats_m_m_1_on_habits_that_it_does_not_assume() -> None:
    ours, plain = delay_error(quick=True, seed=11)
    assert ours < 0.15
    assert plain > 0.5


def test_the_burst_that_made_the_waits_is_found_again() -> None:
    loads = np.array([0.2, 0.5, 0.8])
    assert fit_burst(loads, waiting(loads, 4.5)) == pytest.approx(4.5)


def test_traffic_smoother_than_poisson_counts_as_single_packets() -> None:
    assert fit_burst(np.array([0.5]), waiting(np.array([0.5]), 1.0, scv=0.0)) == 1.0


@pytest.mark.parametrize(
    ("loads", "waits"), [([], []), ([0.5], [0.5, 1.0]), ([1.0], [2.0]), ([0.5], [0.0]), ([0.5], [math.nan])]
)
def test_no_burst_is_fitted_to_what_cannot_be(loads: list[float], waits: list[float]) -> None:
    with pytest.raises(BadInput, match="burst"):
        fit_burst(np.array(loads), np.array(waits))


def test_a_demand_bears_propagation_transmission_and_queueing() -> None:
    # ρ = 1/2 and single packets: wait = (1 + c²)/2 packets
    predicted = evaluate(Snapshot.of(network([("a", "b", 1, 100.0)], [("a", "b", 50.0)])))
    assert predicted.delay("d0") == pytest.approx(1.0 + PACKET_MS * (1 + (1 + SIZE_SCV) / 2))


def test_light_takes_five_microseconds_per_kilometre_where_places_are_known() -> None:
    inventory = network([("a", "b", 1, 100.0)], [("a", "b", 0.0)])
    nodes = tuple(node.but(latitude=at, longitude=10.0) for node, at in zip(inventory.nodes, (48.0, 49.0), strict=True))
    placed = Snapshot.of(inventory.but(nodes=nodes))
    degree_km = 6371.0 * math.pi / 180
    assert evaluate(placed).delay("d0") == pytest.approx(0.005 * degree_km + PACKET_MS)
    half_known = Snapshot.of(inventory.but(nodes=(nodes[0], inventory.nodes[1])))
    assert evaluate(half_known).delay("d0") == pytest.approx(1.0 + PACKET_MS)


def test_equal_ways_are_averaged_and_the_worst_is_told_apart() -> None:
    predicted = evaluate(Snapshot.of(slow_side(square(mbps=0.0), "l3", 5.0)))
    assert predicted.demand_delay_ms.tolist() == pytest.approx([(2.0 + 6.0) / 2 + 2 * PACKET_MS])
    assert predicted.worst_delay_ms.tolist() == pytest.approx([6.0 + 2 * PACKET_MS])


def test_a_waypoint_adds_both_legs() -> None:
    snapshot = Snapshot.of(slow_side(square(mbps=0.0), "l3", 5.0))
    assert evaluate(snapshot, [SetVia(demand="d0", via="c")]).delay("d0") == pytest.approx(6.0 + 2 * PACKET_MS)
    edges = [("a", "b", 1, 100.0), ("b", "d", 1, 100.0), ("b", "w", 1, 100.0)]
    there_and_back = Snapshot.of(network(edges, [("a", "d", 0.0)]))
    bent = evaluate(there_and_back, [SetVia(demand="d0", via="w")])
    assert bent.delay("d0") == pytest.approx(4 * (1.0 + PACKET_MS))


def test_a_shared_demand_takes_the_mean_of_its_ways_and_at_worst_the_later_one() -> None:
    edges = [("a", "d", 1, 100.0), ("a", "c", 1, 100.0), ("c", "d", 1, 100.0)]
    split = SetVia(demand="d0", via="c", share=0.25)
    predicted = evaluate(Snapshot.of(slow_side(network(edges, [("a", "d", 0.0)]), "l2", 5.0)), [split])
    assert predicted.delay("d0") == pytest.approx(0.75 * (1.0 + PACKET_MS) + 0.25 * (6.0 + 2 * PACKET_MS))
    assert predicted.worst_delay_ms.tolist() == pytest.approx([6.0 + 2 * PACKET_MS])


def test_of_two_ways_only_the_one_that_arrives_has_a_delay() -> None:
    islands = network([("a", "b", 1, 100.0), ("x", "y", 1, 100.0)], [("a", "b", 0.0)])
    predicted = evaluate(Snapshot.of(islands), [SetVia(demand="d0", via="x", share=0.3)])
    assert predicted.delay("d0") == pytest.approx(1.0 + PACKET_MS)
    assert predicted.worst_delay_ms.tolist() == pytest.approx([1.0 + PACKET_MS])


def test_what_is_cut_off_never_arrives() -> None:
    down = [SetOperational(element="a", state=Operational.DISABLED)]
    assert evaluate(Snapshot.of(square()), down).delay("d0") == math.inf


def test_an_overloaded_line_makes_wait_as_long_as_its_buffer() -> None:
    predicted = evaluate(Snapshot.of(network([("a", "b", 1, 100.0)], [("a", "b", 300.0)])))
    assert predicted.delay("d0") == pytest.approx(1.0 + PACKET_MS + BUFFER_MS)


def test_a_slice_that_is_promised_less_delay_is_late_and_one_that_is_cut_off_is_not() -> None:
    inventory = slow_side(square(mbps=10.0), "l3", 5.0)
    demands = tuple(demand.but(slice_id="gold") for demand in inventory.demands)
    slices = tuple(entry.but(max_delay_ms=6.0) for entry in inventory.slices)
    snapshot = Snapshot.of(inventory.but(demands=demands, slices=slices))
    assert evaluate(snapshot).late_slices == ("gold",)  # its mean keeps the bound, the flows by way of `c` do not
    assert evaluate(snapshot, [SetVia(demand="d0", via="b")]).late_slices == ()
    cut = [SetOperational(element="a", state=Operational.DISABLED)]
    assert evaluate(snapshot, cut).late_demands == ()


def test_measured_delays_calibrate_the_links_they_were_measured_on() -> None:
    inventory = square()
    packet = MEAN_PACKET_BITS / 100e3
    points = [Measured(load, 1.0 + packet * (1 + float(waiting(load, 6.0)))) for load in (0.2, 0.6)]
    idle, impossible = Measured(0.0, 1.0 + packet), Measured(0.4, 0.2)
    known = calibrated(inventory, {"l1": [*points, idle, impossible], "l2": [idle]})
    assert [round(link.burst, 6) for link in known.links] == [1.0, 6.0, 1.0, 1.0]
    assert evaluate(Snapshot.of(known)).delay("d0") > evaluate(Snapshot.of(inventory)).delay("d0")


def test_a_measurement_of_no_link_or_of_no_number_is_refused() -> None:
    with pytest.raises(BadInput, match="`l9`"):
        calibrated(square(), {"l9": [Measured(0.5, 1.1)]})
    with pytest.raises(BadInput, match="`l0`"):
        calibrated(square(), {"l0": [Measured(0.5, math.nan)]})
