"""The error of predictions over a window of time."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from domain.rehearsal import KpiFidelity, TwinFidelity
from twin.estimating.fidelity import Comparison

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


def comparison(bound: float = 0.2) -> Comparison:
    return Comparison("load", "Mbit/s", bound, decides=True, window_s=60.0)


def test_the_error_is_the_sum_of_gaps_over_the_sum_of_what_was_observed() -> None:
    compared = comparison()
    compared.add(NOON, np.array([12.0, 18.0]), np.array([10.0, 20.0]))
    compared.add(NOON + timedelta(seconds=30), np.array([10.0]), np.array([10.0]))
    seen = compared.measured(NOON + timedelta(seconds=40))
    assert (seen.wmape, seen.bias, seen.points, seen.age_s) == (pytest.approx(0.1), pytest.approx(0.0), 3, 10.0)
    assert seen.fit
    assert seen.reason == "load is 10.0% off, within 20% (3 points, the newest 10 s old)"


def test_what_has_left_the_window_counts_no_more() -> None:
    compared = comparison()
    compared.add(NOON, np.array([30.0]), np.array([10.0]))
    compared.add(NOON + timedelta(seconds=50), np.array([9.0]), np.array([10.0]))
    both, newer = (compared.measured(NOON + timedelta(seconds=passed)) for passed in (60, 61))
    assert (both.wmape, both.points) == (pytest.approx(1.05), 2)
    assert (newer.wmape, newer.bias, newer.points) == (pytest.approx(0.1), pytest.approx(-0.1), 1)
    assert (both.fit, newer.fit) == (False, True)
    assert "beyond 20%" in both.reason


def test_what_is_not_measured_is_not_known_to_be_fit() -> None:
    seen = comparison().measured(NOON)
    assert (seen.wmape, seen.points, seen.age_s, seen.fit) == (None, 0, None, False)
    assert seen.reason == "load is not measured enough to tell"


def test_unknown_values_and_cut_off_demands_do_not_count() -> None:
    compared = comparison()
    compared.add(NOON, np.array([10.0, np.inf, 5.0]), np.array([10.0, 3.0, np.nan]))
    assert (compared.measured(NOON).wmape, compared.measured(NOON).points) == (0.0, 1)


def test_a_moment_that_is_told_again_counts_once() -> None:
    compared = comparison()
    compared.add(NOON, np.array([20.0]), np.array([10.0]))
    compared.add(NOON, np.array([11.0]), np.array([10.0]))
    assert (compared.measured(NOON).wmape, compared.measured(NOON).points) == (pytest.approx(0.1), 1)


def test_idle_links_measure_nothing() -> None:
    compared = comparison()
    compared.add(NOON, np.array([0.0, 0.0]), np.array([0.0, 0.0]))
    assert compared.measured(NOON).wmape is None


def kpi(name: str, wmape: float | None, *, decides: bool = True) -> KpiFidelity:
    return KpiFidelity(
        kpi=name, unit="ms", wmape=wmape, window_s=900, bound=0.3, decides=decides, reason=f"{name} is so"
    )


def test_the_twin_is_fit_when_all_that_verdicts_rest_on_is() -> None:
    fit, unfit, unknown = kpi("load", 0.1), kpi("load", 0.4), kpi("load", None)
    far = kpi("delay", 0.9, decides=False)
    assert [TwinFidelity(kpis=(one, far)).fit for one in (fit, unfit, unknown)] == [True, False, False]


def test_one_object_says_it_all_to_whoever_asks() -> None:
    both = TwinFidelity(kpis=(kpi("load", 0.4), kpi("delay", 0.1, decides=False)))
    plain = both.plain()
    assert plain["fit"] is False
    assert plain["reason"] == "the twin is not fit to decide on: load is so; delay is so"
    assert [(entry["kpi"], entry["fit"], entry["wmape"]) for entry in plain["kpis"]] == [
        ("load", False, 0.4),
        ("delay", True, 0.1),
    ]
    assert both.of("delay") == both.kpis[1]
    assert both.of("loss") is None
    assert TwinFidelity.model_validate_json(both.model_dump_json()) == both
