import numpy as np
import pytest

from causal.baselines import correlation_only, highest_anomaly
from causal.candidates import candidates
from causal.fusion import Fused, fuse, verdict
from causal.scoring import Table, score
from causal.signatures import Scene
from causal.symptoms import symptoms
from domain.alarms import AlarmType
from domain.diagnosis import FaultKind, Verdict
from domain.measurements import Metric
from tests.causal.small_network import CONSEQUENCES, alarm, anomaly, down, picture, scene


def table(seen: Scene) -> Table:
    return score(seen, candidates(seen), CONSEQUENCES)


def ranked(seen: Scene) -> Fused:
    return fuse(table(seen), seen.symptoms.fresh_share)


def top(seen: Scene) -> tuple[str, FaultKind]:
    first = ranked(seen).ranked[0]
    return first.element, first.fault


LOST = (anomaly("long", Metric.LOSS, 1.0, 0.0), anomaly("short", Metric.LOSS, 1.0, 0.0))
SITE_DOWN = (down("r3"), down("gnb"), down("cell-1"), down("cell-2"))
FEWER = tuple(anomaly(node, Metric.ADJACENCIES, left, usual, 10) for node, left, usual in [("r1", 0, 1), ("r2", 1, 2)])


def test_a_link_whose_two_ends_lost_light_is_down() -> None:
    seen = scene(
        down("r1.l12"),
        down("r2.l12"),
        LOST[0],
        *FEWER,
        alarms=(alarm("r1.l12", AlarmType.LOSS_OF_SIGNAL), alarm("r2.l12", AlarmType.LOSS_OF_SIGNAL)),
    )

    assert top(seen) == ("l12", FaultKind.LINK_DOWN)


@pytest.mark.parametrize("how", ["configuration", "notification"])
def test_the_same_picture_with_a_locked_port_is_a_lock(how: str) -> None:
    told = (alarm("r2.l12", AlarmType.LOSS_OF_SIGNAL),)
    changed = (alarm("r1.l12", AlarmType.CONFIGURATION_CHANGED),) if how == "notification" else ()
    locked = ("r1.l12",) if how == "configuration" else ()

    seen = scene(down("r1.l12"), down("r2.l12"), LOST[0], *FEWER, alarms=told + changed, locked=locked)

    assert top(seen) == ("r1.l12", FaultKind.INTERFACE_LOCKED)


def test_errors_on_a_link_that_is_up_degrade_it() -> None:
    seen = scene(anomaly("r2.l12", Metric.ERROR_RATE, 0.1, 0.0), anomaly("long", Metric.LOSS, 0.1, 0.0))

    assert top(seen) == ("l12", FaultKind.LINK_DEGRADED)


def test_a_router_that_is_up_without_neighbours_has_a_hung_process() -> None:
    seen = scene(
        anomaly("r2", Metric.ADJACENCIES, 0, 2),
        anomaly("r1", Metric.ADJACENCIES, 0, 1),
        anomaly("r3", Metric.ADJACENCIES, 0, 1),
        *LOST,
        alarms=(alarm("r1.l12", AlarmType.ADJACENCY_LOST), alarm("r3.l23", AlarmType.ADJACENCY_LOST)),
    )

    assert top(seen) == ("r2", FaultKind.PROCESS_HUNG)


def test_a_dead_router_is_down_although_it_says_nothing() -> None:
    far = (alarm("r1.l12", AlarmType.LOSS_OF_SIGNAL), alarm("r3.l23", AlarmType.LOSS_OF_SIGNAL))
    unreachable = alarm("r2", AlarmType.NODE_UNREACHABLE)

    seen = scene(down("r1.l12"), down("r3.l23"), *LOST, alarms=(*far, unreachable), silent=("r2", "r2.l12", "r2.l23"))

    assert top(seen) == ("r2", FaultKind.NODE_DOWN)


def test_power_explains_all_that_it_feeds() -> None:
    alarms = (alarm("power-c", AlarmType.POWER_LOST), alarm("r3", AlarmType.NODE_UNREACHABLE))

    seen = scene(down("power-c"), *SITE_DOWN, down("r2.l23"), *LOST, alarms=alarms, silent=("r3.l23",))

    assert top(seen) == ("power-c", FaultKind.POWER_LOST)


def test_a_surging_demand_on_a_full_link_is_congestion() -> None:
    seen = scene(
        anomaly("long", Metric.THROUGHPUT, 300.0, 100.0, 40.0),
        anomaly("r1.l12", Metric.UTILISATION, 1.0, 0.4),
        anomaly("r2.l23", Metric.UTILISATION, 1.0, 0.5),
        anomaly("short", Metric.LOSS, 0.2, 0.0),
        alarms=(alarm("r2.l23", AlarmType.CONGESTION),),
    )

    assert top(seen) == ("long", FaultKind.CONGESTION)


def test_a_cell_that_is_up_and_serves_nobody_sleeps() -> None:
    assert top(scene(anomaly("cell-1", Metric.THROUGHPUT, 0.1, 80.0))) == ("cell-1", FaultKind.CELL_SLEEPING)


def test_a_cell_that_is_configured_down_is_locked() -> None:
    seen = scene(down("cell-1"), alarms=(alarm("cell-1", AlarmType.CELL_UNAVAILABLE),), locked=("cell-1",))

    assert top(seen) == ("cell-1", FaultKind.CELL_LOCKED)


def test_healthy_elements_that_should_suffer_speak_against_a_cause() -> None:
    only_one = ranked(scene(down("cell-1")))
    both = ranked(scene(down("cell-1"), down("cell-2"), down("gnb")))

    assert only_one.ranked[0].element == "cell-1"
    assert both.ranked[0].element in {"gnb", "power-c", "r3"}


def test_silence_where_a_symptom_is_expected_is_half_evidence() -> None:
    def likelihood(silent: tuple[str, ...], *more: str) -> float:
        seen = scene(down("r1.l12"), *map(down, more), silent=silent)
        found = table(seen)
        row = next(i for i, c in enumerate(found.candidates) if (c.element, c.fault) == ("l12", FaultKind.LINK_DOWN))
        return float(found.contributions[row].sum())

    assert likelihood(()) < likelihood(("r2.l12",)) < likelihood((), "r2.l12")


def test_no_alarm_and_no_anomaly_is_no_fault() -> None:
    seen = scene(alarms=(alarm("r1.l12", AlarmType.LINK_DOWN, cleared=True),))

    assert verdict(seen.symptoms, ranked(seen), settled=True) is Verdict.NO_FAULT


def test_an_alarm_that_fresh_readings_contradict_is_no_fault() -> None:
    seen = scene(alarms=(alarm("cell-1", AlarmType.CELL_UNAVAILABLE),))

    assert verdict(seen.symptoms, ranked(seen), settled=True) is Verdict.NO_FAULT
    assert verdict(seen.symptoms, ranked(seen), settled=False) is Verdict.CANNOT_TELL


def test_calm_is_not_believed_when_a_source_is_silent() -> None:
    seen = symptoms(picture(fresh_share=0.9, silent_sources=("pm-1",)), ())

    assert verdict(seen, Fused((), 1.0, (), np.zeros(0)), settled=True) is Verdict.CANNOT_TELL


def test_a_blackout_during_a_fault_is_never_called_healthy() -> None:
    seen = symptoms(picture(silent=("r1", "r2"), fresh_share=0.1), ())

    assert verdict(seen, Fused((), 1.0, (), np.zeros(0)), settled=True) is Verdict.CANNOT_TELL


def test_confidence_shrinks_and_the_set_widens_as_telemetry_goes_stale() -> None:
    found = table(scene(down("r1.l12"), down("r2.l12"), LOST[0]))

    fresh, stale = fuse(found, 1.0), fuse(found, 0.3)

    assert stale.ranked[0].confidence < fresh.ranked[0].confidence
    assert len(stale.candidate_set) >= len(fresh.candidate_set)
    assert stale.something_else > fresh.something_else


def test_probabilities_and_something_else_sum_to_one() -> None:
    found = ranked(scene(down("r1.l12"), down("r2.l12"), LOST[0]))

    assert sum(one.confidence for one in found.ranked) + found.something_else == pytest.approx(1.0)


def test_a_column_without_a_weight_changes_nothing_and_one_with_a_weight_does() -> None:
    found = table(scene(down("r1.l12"), down("r2.l12")))
    another = np.array([float(c.element == "r1") for c in found.candidates])
    wider = Table(found.candidates, {**found.columns, "another": another}, found.elements, found.contributions)

    assert fuse(wider).ranked == fuse(found).ranked
    assert fuse(wider, weights={"another": 20.0}).ranked[0].element == "r1"


def test_the_highest_anomaly_baseline_sees_no_topology() -> None:
    seen = picture(anomaly("short", Metric.LOSS, 0.5, 0.0, 30.0), anomaly("r1.l12", Metric.ERROR_RATE, 0.1, 0.0, 9.0))

    assert highest_anomaly(seen) == ("short", "r1.l12")


def test_the_correlation_baseline_ranks_what_moves_together_and_ignores_constants() -> None:
    time = np.arange(20.0)
    series = {
        "s": time,
        "near": 2 * time + np.sin(time),
        "far": np.cos(time),
        "flat": np.ones(20),
        "gone": np.full(20, np.nan),
    }

    order = correlation_only(series, "s")

    assert order[0] == "near"
    assert set(order[-2:]) == {"flat", "gone"}
