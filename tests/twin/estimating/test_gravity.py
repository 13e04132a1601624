"""The first guess of a traffic matrix, worked out on paper."""

import numpy as np
import pytest

from domain.errors import BadInput
from twin.estimating.gravity import fit_totals, gravity

#: All pairs of three places: 0>1, 0>2, 1>0, 1>2, 2>0, 2>1.
BEGINS = np.array([0, 0, 1, 1, 2, 2], np.int32)
ENDS = np.array([1, 2, 0, 2, 0, 1], np.int32)


def test_traffic_is_proportional_to_both_ends() -> None:
    """Products are 6×1, 6×3, 2×1, 2×3, 2×1, 2×1 with these totals: 36 in all, for 10 Mbit/s that leave."""
    found = gravity(BEGINS, ENDS, np.array([6.0, 2.0, 2.0]), np.array([1.0, 1.0, 3.0]))
    assert found == pytest.approx(np.array([6, 18, 2, 6, 2, 2]) * 10 / 36)


def test_a_place_that_says_nothing_counts_as_a_middling_one() -> None:
    leaving, entering = np.array([6.0, 2.0, 4.0]), np.array([1.0, 1.0, 3.0])
    silent = np.array([6.0, 2.0, np.nan])
    assert gravity(BEGINS, ENDS, silent, entering) == pytest.approx(gravity(BEGINS, ENDS, leaving, entering))


def test_no_traffic_at_the_edge_is_no_traffic() -> None:
    assert gravity(BEGINS, ENDS, np.zeros(3), np.zeros(3)).tolist() == [0.0] * 6


@pytest.mark.parametrize(
    "leaving", [[np.nan] * 3, [1.0, -1.0, 1.0], [1.0, np.inf, 1.0]], ids=["silent", "negative", "infinite"]
)
def test_impossible_totals_are_refused(leaving: list[float]) -> None:
    with pytest.raises(BadInput):
        gravity(BEGINS, ENDS, np.array(leaving), np.ones(3))


def test_fitting_reaches_the_totals_of_both_sides() -> None:
    leaving, entering = np.array([5.0, 3.0, 4.0]), np.array([4.0, 2.0, 6.0])
    fitted = fit_totals(np.ones(6), BEGINS, ENDS, leaving, entering)
    assert np.bincount(BEGINS, weights=fitted) == pytest.approx(leaving, rel=1e-6)
    assert np.bincount(ENDS, weights=fitted) == pytest.approx(entering, rel=1e-6)


def test_unknown_totals_bind_nothing_and_what_is_zero_stays_so() -> None:
    start = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    fitted = fit_totals(start, BEGINS, ENDS, np.array([8.0, 5.0, np.nan]), np.full(3, np.nan))
    assert fitted.tolist() == [4.0, 4.0, 0.0, 0.0, 1.0, 1.0]


def test_sides_that_disagree_on_the_whole_are_fitted_in_proportion() -> None:
    fitted = fit_totals(np.ones(6), BEGINS, ENDS, np.array([5.0, 3.0, 4.0]), 1.1 * np.array([4.0, 2.0, 6.0]))
    assert np.bincount(ENDS, weights=fitted) == pytest.approx([4.0, 2.0, 6.0], rel=1e-6)
