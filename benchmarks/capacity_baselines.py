"""The simple rules that the capacity forecast is measured against, each with intervals of its own.

- `persistence`: what is, stays: the newest load for all hours; congested for certain if it was in the newest week.
- `base_rate`: the mean of all weeks at the hour; the share of links that were congested in the newest eight weeks.
- `seasonal_naive`: the same hour of the newest week; the chance is read off its own errors, link by link.
- `recent_weeks`: the mean of the newest four weeks at the hour; the share of the newest eight weeks in which the link
  was congested.

The intervals of all are conformal: quantiles of a rule's errors at earlier weeks, link by link, none later than known.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stats.forecasting import origins

Floats = NDArray[np.float64]


class Said(NamedTuple):
    """What is said of a week: loads (links, slots), its peak (links,), the chance of congestion (links,)."""

    median: Floats
    low: Floats
    high: Floats
    peak_low: Floats
    peak_high: Floats
    chance: Floats


#: history (links, weeks, slots), horizon in weeks, capacity, limit (links,), level of the intervals
Rule = Callable[[Floats, int, Floats, Floats, float], Said]


def _newest_value(history: Floats) -> Floats:
    """Return the newest known load of each link, for all slots."""
    flat = history[:, -4:].reshape(len(history), -1)[:, ::-1]
    newest = flat[np.arange(len(flat)), (~np.isnan(flat)).argmax(axis=1)]
    return np.repeat(newest[:, None], history.shape[2], axis=1)


def _newest_week(history: Floats) -> Floats:
    """Return the newest known load of each slot."""
    newest = history[:, -1].copy()
    for week in range(2, min(5, history.shape[1] + 1)):
        newest = np.where(np.isnan(newest), history[:, -week], newest)
    return newest


def _mean_week(history: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an hour that was never measured has no mean
        return np.asarray(np.nanmean(history, axis=1))


def _peaks(history: Floats) -> Floats:
    return np.asarray(np.where(np.isnan(history), 0.0, history).max(axis=-1))


def _rule(point: Callable[[Floats], Floats], chance: Callable[[Floats, Floats, Floats], Floats]) -> Rule:
    """Return a rule by what it says of the loads, and of (history, limit, earlier errors of its peaks)."""

    def said(history: Floats, horizon: int, capacity: Floats, limit: Floats, level: float) -> Said:  # noqa: ARG001
        median = point(history)
        ends = origins(history.shape[1], horizon)
        came = [history[:, end + horizon - 1] for end in ends]
        before = [point(history[:, :end]) for end in ends]
        errors = np.stack([a - b for a, b in zip(came, before, strict=True)]).transpose(1, 0, 2)
        tops = np.stack([_peaks(a) - _peaks(b) for a, b in zip(came, before, strict=True)], axis=1)
        tail = (1 - level) / 2
        low, high = np.nanquantile(errors.reshape(len(history), -1), (tail, 1 - tail), axis=1)
        top_low, top_high = np.quantile(tops, (tail, 1 - tail), axis=1)
        top = _peaks(median)
        return Said(
            median,
            np.maximum(median + low[:, None], 0.0),
            median + high[:, None],
            top + top_low,
            top + top_high,
            chance(history, limit, tops),
        )

    return said


def _was_congested(history: Floats, limit: Floats, _errors: Floats) -> Floats:
    return np.asarray((_peaks(history[:, -1]) > limit).astype(np.float64))


def _share_of_links(history: Floats, limit: Floats, _errors: Floats) -> Floats:
    return np.full(len(history), (_peaks(history[:, -8:]) > limit[:, None]).mean())


def _share_of_errors(history: Floats, limit: Floats, errors: Floats) -> Floats:
    beyond = _peaks(_newest_week(history))[:, None] + errors > limit[:, None]
    return np.asarray((beyond.sum(axis=1) + 0.5) / (errors.shape[1] + 1.0))


def _share_of_weeks(history: Floats, limit: Floats, _errors: Floats) -> Floats:
    weeks = _peaks(history[:, -8:]) > limit[:, None]
    return np.asarray((weeks.sum(axis=1) + 0.5) / (weeks.shape[1] + 1.0))


BASELINES: dict[str, Rule] = {
    "persistence": _rule(_newest_value, _was_congested),
    "base_rate": _rule(_mean_week, _share_of_links),
    "seasonal_naive": _rule(_newest_week, _share_of_errors),
    "recent_weeks": _rule(lambda history: _mean_week(history[:, -4:]), _share_of_weeks),
}
