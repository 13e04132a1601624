"""The bound and the watch, against the numbers that are promised and against simulated streams."""

import numpy as np
import pytest

from stats.anytime import Watch, log_wealth, needed, upper_bound
from stats.shares import clopper_pearson


@pytest.mark.parametrize(("limit", "outcomes"), [(0.10, 43), (0.05, 88), (0.02, 224), (0.01, 451)])
def test_so_many_clean_outcomes_state_a_limit(limit: float, outcomes: int) -> None:
    assert needed(limit) == outcomes
    assert upper_bound(outcomes, 0) <= limit < upper_bound(outcomes - 1, 0)


def test_one_failure_costs_half_as_many_again() -> None:
    assert needed(0.01, failures=1) == 681


def test_without_outcomes_nothing_is_bounded() -> None:
    assert upper_bound(0, 0) == 1.0


def test_the_bound_lies_above_what_was_seen() -> None:
    assert upper_bound(1000, 20) > 0.02


def test_the_bound_comes_down_to_what_is_true() -> None:
    assert upper_bound(1_000_000, 20_000) == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize(("outcomes", "failures"), [(1, 2), (-1, 0), (3, -1)])
def test_impossible_counts_are_refused(outcomes: int, failures: int) -> None:
    with pytest.raises(ValueError, match="cannot have failed"):
        log_wealth(outcomes, failures, 0.05)


@pytest.mark.parametrize("limit", [0.0, 1.0, -0.1, 2.0])
def test_an_impossible_limit_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        log_wealth(1, 0, limit)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Watch().after(True, limit)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_looking_for_ever_the_bound_is_wrong_seldom_enough(alpha: float) -> None:
    limit, streams, length = 0.05, 1_000, 1_000
    failures = np.random.default_rng(11).random((streams, length)) < limit
    crossed = 0
    for stream in failures:
        counts = np.cumsum(stream)
        # between two failures the wealth only grows, so looking right before each failure, and at the end, is enough
        looks = [*np.flatnonzero(stream), length]
        crossed += any(
            log_wealth(int(n), int(counts[n - 1]) if n else 0, limit) >= -np.log(alpha) for n in looks if n > 0
        )

    assert crossed / streams <= alpha


def test_a_rise_is_found_soon() -> None:
    watch, failures = Watch(), 0
    while watch.e_value < 20:
        watch, failures = watch.after(True, 0.05), failures + 1

    assert failures <= 3


def test_a_rise_is_found_after_a_long_good_row() -> None:
    watch = Watch()
    for _ in range(2_000):
        watch = watch.after(False, 0.05)
    failures = 0
    while watch.e_value < 20:
        watch, failures = watch.after(True, 0.05), failures + 1

    assert failures <= 8


def test_a_share_within_its_limit_is_seldom_suspected() -> None:
    rng, suspected, streams = np.random.default_rng(5), 0, 200
    for _ in range(streams):
        watch = Watch()
        for failure in (rng.random(400) < 0.05).tolist():
            watch = watch.after(failure, 0.05)
            if watch.e_value >= 20:
                suspected += 1
                break

    assert suspected / streams <= 0.05


def test_the_exact_interval_is_that_of_the_tables() -> None:
    assert clopper_pearson(5, 10) == pytest.approx((0.1871, 0.8129), abs=1e-4)
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson(3, 2)
