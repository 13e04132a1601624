"""The live twin's demands follow counters, and it says how far off it is, per KPI."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from control_plane.live import Live
from domain.changes import Change, ScaleDemand, SetOperational
from domain.clock import ManualClock
from domain.measurements import Batch, Metric, Reading
from domain.network import Inventory, NodeKind, Operational
from domain.rehearsal import TwinFidelity
from tests.twin.small_networks import network, square
from twin.evaluate import evaluate
from twin.live import LARGEST_DELAY_ERROR, LiveTwin
from twin.rehearsal import LARGEST_ERROR
from twin.snapshot import Snapshot

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
Row = tuple[str, Metric, float | None]


def batch(rows: list[Row], at: datetime) -> Batch:
    readings = tuple(Reading(element=e, metric=m, value=v, event_time=at) for e, m, v in rows)
    return Batch(id="b", source="pm", known_time=at, first_event_time=at, last_event_time=at, readings=readings)


def ring() -> Inventory:
    """Five routers in a ring, demands between all of them."""
    names = "abcde"
    edges = [(a, b, 10, 1000.0) for a, b in zip(names, "bcdea", strict=True)]
    return network(edges, [(a, b, 20.0) for a in names for b in names if a != b])


def truth(inventory: Inventory, seed: int = 3) -> Snapshot:
    """Return the ring with demands that nobody declared."""
    factors = np.random.default_rng(seed).lognormal(0.0, 0.5, len(inventory.demands))
    pairs = zip(inventory.demands, factors.tolist(), strict=True)
    return Snapshot.of(inventory).with_changes([ScaleDemand(demand=d.id, factor=factor) for d, factor in pairs])


def told(twin: LiveTwin, real: Snapshot, minutes: range) -> None:
    """Tell a twin what all interfaces carry, once a minute."""
    seen = evaluate(real)
    rows: list[Row] = [(point, Metric.UTILISATION, seen.utilisation(point)) for point in real.topology.points]
    for minute in minutes:
        twin.readings(batch(rows, NOON + timedelta(minutes=minute)))
        twin.snapshot()


def after(snapshot: Snapshot, link: str) -> np.ndarray:
    return np.asarray(evaluate(snapshot, [SetOperational(element=link, state=Operational.DISABLED)]).arc_load)


def test_after_half_an_hour_of_counters_failures_are_foreseen_much_better() -> None:
    inventory = ring()
    real, twin = truth(inventory), LiveTwin(inventory)
    told(twin, real, range(40))

    def error(believed: Snapshot) -> float:
        pairs = [(after(believed, link.id), after(real, link.id)) for link in inventory.links]
        return float(sum(np.abs(a - b).sum() for a, b in pairs) / sum(b.sum() for _, b in pairs))

    assert error(twin.snapshot()) < 0.5 * error(Snapshot.of(inventory))
    assert error(twin.snapshot()) < 0.1


def test_two_minutes_of_other_traffic_correct_no_single_demand() -> None:
    inventory = ring()
    twin = LiveTwin(inventory)
    told(twin, Snapshot.of(inventory), range(5))
    usual = twin.snapshot()
    surge: list[Change] = [ScaleDemand(demand="d0", factor=4.0)]
    told(twin, Snapshot.of(inventory).with_changes(surge), range(5, 7))
    told(twin, Snapshot.of(inventory), range(7, 15))
    assert twin.snapshot() == usual


def test_each_demand_is_as_old_as_the_counters_that_it_rests_on() -> None:
    inventory = network([("a", "b", 1, 100.0), ("c", "d", 1, 100.0)], [("a", "b", 30.0), ("c", "d", 30.0)])
    twin = LiveTwin(inventory)
    twin.readings(batch([("l0.a", Metric.UTILISATION, 0.3)], NOON))
    twin.readings(batch([("l0.b", Metric.UTILISATION, 0.0)], NOON + timedelta(seconds=20)))
    twin.snapshot()
    first, second = twin.demands()
    assert (first.demand, first.source, first.at) == ("d0", "counters", NOON)
    assert (second.demand, second.source, second.at) == ("d1", "inventory", None)


def test_octets_serve_where_no_utilisation_is_reported() -> None:
    twin = LiveTwin(network([("a", "b", 1, 100.0)], [("a", "b", 40.0)]))
    for second in (0, 10):
        octets = 50 * 125_000.0 * second
        twin.readings(
            batch([("l0.a", Metric.OCTETS, octets), ("l0.b", Metric.OCTETS, 7.0)], NOON + timedelta(seconds=second))
        )
    assert twin.snapshot().value("d0", "mbps") == pytest.approx(50.0)


def test_a_full_link_says_at_least_and_makes_no_demand_smaller() -> None:
    """d0 offers 150 over a link of 100, which its inventory knows: the counter stands at 100 for ever."""
    inventory = network([("a", "b", 1, 100.0), ("b", "c", 1, 1000.0)], [("a", "b", 150.0), ("b", "c", 500.0)])
    twin = LiveTwin(inventory)
    told(twin, Snapshot.of(inventory), range(40))
    assert twin.snapshot().value("d0", "mbps") == 150.0


def watched(delay_factor: float, load_factor: float = 1.04) -> tuple[Live, ManualClock]:
    """A house whose square carries `load_factor` times, and delays `delay_factor` times, what the twin foresees."""
    clock = ManualClock(NOON)
    live = Live(square(), clock, period_s=5, lateness_s=5)
    seen = evaluate(live.snapshot())
    rows: list[Row] = [
        (point, Metric.UTILISATION, load_factor * seen.utilisation(point)) for point in seen.topology.points
    ]
    live.apply(batch([*rows, ("d0", Metric.DELAY, delay_factor * seen.delay("d0"))], NOON))
    return live, clock


def test_a_house_knows_the_error_of_its_twin_per_kpi() -> None:
    live, clock = watched(delay_factor=1.25)
    clock.advance(30)
    fidelity = live.fidelity()
    load, delay = fidelity.kpis
    assert (load.kpi, load.wmape, load.bound) == ("load", pytest.approx(0.04 / 1.04), LARGEST_ERROR)
    assert (delay.kpi, delay.wmape, delay.bias) == ("delay", pytest.approx(0.2), pytest.approx(-0.2))
    assert (load.age_s, load.points, delay.points) == (30.0, 8, 1)
    assert fidelity.fit
    assert fidelity.reason.startswith("the twin is fit: load is 3.8% off, within 35% (8 points, the newest 30 s old)")


def test_delays_that_are_far_off_are_told_and_void_no_verdict_on_loads() -> None:
    live, _ = watched(delay_factor=4.0)
    fidelity = live.fidelity()
    delay = fidelity.of("delay")
    assert delay is not None
    assert (delay.fit, delay.bound, fidelity.fit) == (False, LARGEST_DELAY_ERROR, True)


def test_loads_that_are_not_where_they_should_be_make_the_twin_unfit() -> None:
    live = Live(square(), ManualClock(NOON), period_s=5, lateness_s=5)
    found = {"l0.a": 0.0, "l1.a": 0.0, "l2.a": 0.8, "l3.a": 0.8}
    live.apply(batch([(point, Metric.UTILISATION, value) for point, value in found.items()], NOON))
    assert not live.fidelity().fit
    assert live.fidelity().reason.startswith("the twin is not fit to decide on: load is 100.0% off, beyond 35%")


def test_an_hour_of_silence_leaves_nothing_to_be_fit_by() -> None:
    live, clock = watched(delay_factor=1.0)
    clock.advance(3600)
    quiet = live.fidelity()
    assert isinstance(quiet, TwinFidelity)
    assert (quiet.fit, [kpi.wmape for kpi in quiet.kpis]) == (False, [None, None])


def test_delays_are_foreseen_as_bursty_as_they_were_measured() -> None:
    live, _ = watched(delay_factor=1.5, load_factor=1.0)
    state = evaluate(live.snapshot())
    assert live.twin.delays(state) == pytest.approx(1.5 * state.demand_delay_ms, rel=0.02)
    busier = state.at_load(1.1)
    assert live.twin.delays(busier)[0] > live.twin.delays(state)[0] > state.demand_delay_ms[0]


@pytest.mark.parametrize("edges", [[("a", "b", 1, 100.0)], []], ids=["no demands", "no links"])
def test_a_network_in_which_nothing_flows_is_followed_and_measures_nothing(
    edges: list[tuple[str, str, int, float]],
) -> None:
    twin = LiveTwin(network(edges, kinds={"a": NodeKind.ROUTER, "b": NodeKind.ROUTER}))
    twin.readings(batch([("l0.a", Metric.UTILISATION, 0.0), ("a", Metric.CPU, 0.1)], NOON))
    assert twin.snapshot() is twin.snapshot()
    assert twin.demands() == ()
    assert not twin.measured_fidelity(NOON).fit
