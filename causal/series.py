"""Series of trouble: from raw readings of an element's metrics to one number per slot, 0 as usual and 1 wholly out.

Each metric is centred and scaled by median and MAD of the slots before the onset, signed so that positive is trouble,
and clipped; an element takes the worst of its metrics. On this scale "the effect is as bad as its cause" is slope 1
for every pair of elements, whatever they measure.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.measurements import METRICS, Metric

Matrix = NDArray[np.float64]
#: A robust z of this size counts as wholly out.
FULL = 12.0
#: Floors under the MAD, relative to the median and absolute: a constant series must not explode.
_RELATIVE_FLOOR, _ABSOLUTE_FLOOR = 0.02, 1e-3


def trouble_series(values: Matrix, pairs: Sequence[tuple[str, Metric]], baseline: int) -> dict[str, Matrix]:
    """Return element → T values of trouble in about [-0.25, 1]; NaN where none of its metrics is known.

    Args:
        values: T × n raw readings, NaN where nothing is known.
        pairs: the n (element, metric) columns.
        baseline: the number of leading slots that were before the onset.
    """
    if values.size == 0:
        return {}
    scores = np.column_stack([_scaled(values[:, i], metric, baseline) for i, (_, metric) in enumerate(pairs)])
    owners: dict[str, list[int]] = {}
    for column, (element, _) in enumerate(pairs):
        owners.setdefault(element, []).append(column)
    return {element: _worst(scores[:, columns]) for element, columns in owners.items()}


def _scaled(column: Matrix, metric: Metric, baseline: int) -> Matrix:
    before = column[:baseline]
    usual = before[np.isfinite(before)]
    if usual.size < 3:
        return np.full(column.shape, np.nan)
    median = float(np.median(usual))
    spread = 1.4826 * float(np.median(np.abs(usual - median)))
    scale = max(spread, _RELATIVE_FLOOR * abs(median), _ABSOLUTE_FLOOR)
    signed = METRICS[metric].bad * (column - median) / scale
    return np.asarray(np.clip(signed, -3.0, FULL) / FULL)


def _worst(scores: Matrix) -> Matrix:
    known = np.isfinite(scores)
    worst = np.where(known, scores, -np.inf).max(axis=1)
    return np.where(known.any(axis=1), worst, np.nan)


def surge_series(throughput: Matrix, baseline: int) -> Matrix:
    """Return the trouble that a demand causes (not suffers): how far its T throughputs lie above the usual."""
    return _scaled(-throughput, Metric.THROUGHPUT, baseline)


def joint_series(series: Sequence[Matrix]) -> Matrix:
    """Return the mean of several elements' trouble, slot by slot, over those that are known; NaN where none is.

    A link has no readings of its own: its two ends speak for it, and it is wholly out when both agree.
    """
    stacked = np.vstack(series)
    known = np.isfinite(stacked)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def latest(values: Matrix, baseline: int, slots: int = 6) -> float:
    """Return the newest known value among the last `slots` after the baseline, or NaN."""
    recent = values[max(baseline, len(values) - slots) :]
    known = recent[np.isfinite(recent)]
    return float(known[-1]) if known.size else float("nan")
