"""Robust location, spread and scores: medians instead of means, so that a few wild samples move nothing.

The spread is 1.4826 × MAD, which estimates the standard deviation of a normal sample. A constant series
has a MAD of zero, so the spread has floors: a share of the median, and an absolute one in the metric's unit.
Missing samples are NaN and simply do not count.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: 1 / Φ⁻¹(3/4): makes the MAD consistent for the standard deviation of a normal distribution.
MAD_TO_SIGMA = 1.4826

Floats = NDArray[np.float64]
Counts = NDArray[np.intp]


def median_and_mad(samples: Floats) -> tuple[Floats, Floats, Counts]:
    """Return the median, the median absolute deviation and the number of samples of each row.

    Args:
        samples: rows × samples; NaN where there is none. A row without samples gives NaN, NaN, 0.
    """
    median, counts = row_median(samples)
    mad, _ = row_median(np.abs(samples - median[:, None]))
    return median, mad, counts


def row_median(samples: Floats) -> tuple[Floats, Counts]:
    """Return the median of each row without its NaNs, and how many samples it rests on.

    One sort of the whole array; `numpy.nanmedian` walks row by row and is a hundred times slower here.
    """
    counts: Counts = np.count_nonzero(~np.isnan(samples), axis=1)
    if samples.shape[1] == 0:
        return np.full(samples.shape[0], np.nan), counts
    ordered = np.sort(samples, axis=1)  # NaN sorts to the end
    rows = np.arange(samples.shape[0])
    low = ordered[rows, np.maximum(counts - 1, 0) // 2]
    high = ordered[rows, np.minimum(counts // 2, samples.shape[1] - 1)]
    return low + (high - low) / 2, counts


def spread(median: Floats, mad: Floats, *, relative_floor: float = 0.02, absolute_floor: ArrayLike = 1e-3) -> Floats:
    """Return 1.4826 × MAD, but at least `relative_floor` × |median| and at least `absolute_floor` (per row or one)."""
    floor = np.maximum(relative_floor * np.abs(median), np.asarray(absolute_floor, dtype=np.float64))
    return np.maximum(MAD_TO_SIGMA * mad, floor)


def robust_z(values: Floats, median: Floats, sigma: Floats, *, clip: float = 50.0) -> Floats:
    """Return (value − median) / sigma, clipped to ±`clip`; NaN where any of the three is NaN."""
    return np.clip((values - median) / sigma, -clip, clip)
