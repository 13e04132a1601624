"""Scores of probabilities, and the map that makes them mean what they say, against cases worked out by hand."""

import numpy as np
import pytest

from stats.calibration import brier, coverage, expected_calibration_error, isotonic


def flags(*values: int) -> np.ndarray:
    return np.array(values, np.bool_)


def test_neighbours_in_the_wrong_order_are_pooled_and_no_pool_is_certain() -> None:
    made = isotonic(np.array([4.0, 1.0, 3.0, 2.0]), flags(1, 0, 0, 1))

    assert made.scores.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert made.shares.tolist() == [0.25, 0.5, 0.5, 0.75]


def test_between_pools_the_chance_is_interpolated_and_beyond_the_ends_it_stays() -> None:
    made = isotonic(np.array([1.0, 2.0, 3.0, 4.0]), flags(0, 1, 0, 1))

    chances = made(np.array([-9.0, 1.75, 4.0, 99.0, np.nan]))

    assert chances[:4].tolist() == [0.25, 0.4375, 0.75, 0.75]
    assert np.isnan(chances[4])


def test_cases_of_one_score_are_one_pool_and_a_case_without_a_score_is_none() -> None:
    made = isotonic(np.array([2.0, 2.0, 2.0, np.nan]), flags(1, 0, 0, 1))

    assert made.scores.tolist() == [2.0]
    assert made.shares.tolist() == [1.5 / 4]


@pytest.mark.parametrize("scores", [np.array([np.nan, np.nan]), np.zeros(3), np.zeros((2, 1))])
def test_a_calibration_without_cases_that_fit_is_refused(scores: np.ndarray) -> None:
    with pytest.raises(ValueError, match="give"):
        isotonic(scores, flags(1, 0))


def test_the_brier_score_is_the_mean_squared_error() -> None:
    assert brier(np.array([0.5, 1.0]), flags(1, 1)) == 0.125
    assert brier(np.array([0.0, 1.0]), flags(0, 1)) == 0.0


def test_the_calibration_error_weighs_each_bin_by_its_cases() -> None:
    said = np.array([0.125, 0.125, 0.875, 0.875])

    assert expected_calibration_error(said, flags(0, 0, 1, 0), bins=4) == pytest.approx((0.25 + 0.75) / 4)
    assert expected_calibration_error(np.array([1.0, 0.0]), flags(1, 0)) == 0.0


@pytest.mark.parametrize(("said", "seen"), [([0.5], [1, 0]), ([], []), ([1.5], [1]), ([np.nan], [1])])
def test_what_is_no_probability_is_not_scored(said: list[float], seen: list[int]) -> None:
    for score in (brier, expected_calibration_error):
        with pytest.raises(ValueError, match="probabilit"):
            score(np.array(said), flags(*seen))


def test_coverage_counts_the_ends_and_leaves_out_what_is_not_known() -> None:
    values = np.array([1.0, 2.0, 3.0, 9.0, np.nan])

    assert coverage(values, np.full(5, 1.0), np.full(5, 3.0)) == 0.75
    with pytest.raises(ValueError, match="known"):
        coverage(np.array([np.nan]), np.zeros(1), np.ones(1))
