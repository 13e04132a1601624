"""Medians, MADs and robust scores."""

import numpy as np
import pytest

from stats.robust import MAD_TO_SIGMA, median_and_mad, robust_z, row_median, spread


def test_medians_equal_those_of_numpy_row_by_row() -> None:
    rng = np.random.default_rng(7)
    samples = rng.normal(size=(40, 31))
    samples[rng.random(samples.shape) < 0.3] = np.nan

    median, mad, counts = median_and_mad(samples)

    for row, values in enumerate(samples):
        known = values[~np.isnan(values)]
        assert counts[row] == len(known)
        assert median[row] == pytest.approx(np.median(known))
        assert mad[row] == pytest.approx(np.median(np.abs(known - np.median(known))))


def test_a_row_without_samples_has_no_median() -> None:
    median, mad, counts = median_and_mad(np.full((2, 5), np.nan))
    assert np.isnan(median).all()
    assert np.isnan(mad).all()
    assert counts.tolist() == [0, 0]


def test_no_columns_at_all_are_no_samples() -> None:
    median, counts = row_median(np.empty((3, 0)))
    assert np.isnan(median).all()
    assert counts.tolist() == [0, 0, 0]


def test_half_the_samples_may_be_wild_without_moving_the_score_far() -> None:
    calm = np.concatenate([np.linspace(9.9, 10.1, 60), np.full(50, 1e6)])[None, :]
    median, mad, _ = median_and_mad(calm)
    z = robust_z(np.array([12.0]), median, spread(median, mad, relative_floor=0, absolute_floor=0))
    assert 9.9 < median[0] < 10.1
    assert z[0] > 3


def test_the_spread_of_a_normal_sample_is_its_standard_deviation() -> None:
    samples = np.random.default_rng(1).normal(scale=2.5, size=(1, 20_000))
    median, mad, _ = median_and_mad(samples)
    assert spread(median, mad, relative_floor=0, absolute_floor=0)[0] == pytest.approx(2.5, rel=0.03)


def test_a_constant_series_does_not_explode() -> None:
    median, mad, _ = median_and_mad(np.full((1, 50), 100.0))
    sigma = spread(median, mad, relative_floor=0.02, absolute_floor=0.5)
    assert mad[0] == 0
    assert sigma[0] == 2.0
    assert robust_z(np.array([101.0]), median, sigma)[0] == pytest.approx(0.5)


def test_the_absolute_floor_holds_where_the_median_is_zero() -> None:
    sigma = spread(np.array([0.0, 0.0]), np.array([0.0, 1.0]), absolute_floor=np.array([0.25, 0.25]))
    assert sigma.tolist() == [0.25, MAD_TO_SIGMA]


def test_scores_are_clipped_and_unknown_stays_unknown() -> None:
    z = robust_z(np.array([1e9, -1e9, np.nan]), np.zeros(3), np.ones(3))
    assert z[:2].tolist() == [50.0, -50.0]
    assert np.isnan(z[2])
