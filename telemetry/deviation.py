"""How unusual a series is: robust z of its newest samples against its baseline, signed so that positive is trouble.

Counts and states are judged by their last sample, everything else by the median of the last three. Metrics for
which neither direction says anything (`bad` = 0) are not judged, nor is a series with too short a baseline.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.measurements import METRICS, Metric
from stats.robust import Floats, median_and_mad, robust_z, row_median, spread

#: A series with fewer samples in its baseline is not judged: nobody knows what is usual for it.
MIN_BASELINE = 8
#: Beyond this robust z, a sample is not as usual.
UNUSUAL = 3.0
CLIP = 50.0

#: The smallest spread that is believed, in the metric's own unit: below it a change is of no interest.
_FLOORS: dict[Metric, float] = {
    Metric.OPER_UP: 1 / CLIP,  # one step of a state is the highest score there is
    Metric.UTILISATION: 0.01,
    Metric.ERROR_RATE: 5e-4,
    Metric.LOSS: 2e-3,
    Metric.DELAY: 0.1,
    Metric.THROUGHPUT: 0.1,
    Metric.CPU: 0.02,
    Metric.ADJACENCIES: 0.1,
    Metric.PROCESS_UPTIME: 1.0,
    Metric.BATTERY: 0.01,
    Metric.OCTETS: 1.0,
}
#: Beyond this, in the bad direction, an element is not healthy however usual that has become.
_AILING: dict[Metric, float] = {
    Metric.OPER_UP: 0.5,
    Metric.UTILISATION: 1.0,
    Metric.ERROR_RATE: 0.05,
    Metric.LOSS: 0.05,
}
_STEPS = {Metric.OPER_UP, Metric.ADJACENCIES, Metric.PROCESS_UPTIME}

#: The metrics in a fixed order, and their traits as arrays along it: a series carries the index of its metric.
ORDER: tuple[Metric, ...] = tuple(Metric)
_FLOOR = np.array([_FLOORS[metric] for metric in ORDER])
_STEP = np.array([metric in _STEPS for metric in ORDER])
BAD = np.array([METRICS[metric].bad for metric in ORDER])
_UPTIME = ORDER.index(Metric.PROCESS_UPTIME)
#: NaN where there is no such limit: no comparison with it holds.
_LIMIT = np.array([_AILING.get(metric, np.nan) for metric in ORDER])

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Deviation:
    """One entry per series. `score` is 0 where the series is not judged."""

    fresh: Flags  # has a sample within the freshness bound
    judged: Flags  # fresh, of a metric that says something, and with a long enough baseline
    ailing: Flags  # bad by itself, whatever is usual: down, losing traffic, overloaded
    score: Floats
    value: Floats
    usual: Floats
    time: Floats  # seconds since the epoch of the newest sample, -inf where none is fresh

    @property
    def unusual(self) -> Flags:
        return self.judged & (np.abs(self.score) > UNUSUAL)


def deviation(metrics: NDArray[np.intp], baseline: Floats, recent: Floats, times: Floats) -> Deviation:
    """Judge each series.

    Args:
        metrics: index into `ORDER` per series.
        baseline: series × slots, NaN for gaps; from before the trouble.
        recent: series × slots, oldest first, NaN for whatever is not fresh.
        times: of `recent`, seconds since the epoch.
    """
    last, last_time, value = _newest(metrics, recent, times)
    fresh = ~np.isnan(last)
    median, mad, counts = median_and_mad(baseline)
    sigma = spread(median, mad, absolute_floor=_FLOOR[metrics])
    score = robust_z(value, median, sigma, clip=CLIP) * BAD[metrics]
    usual = median
    uptime = metrics == _UPTIME
    if uptime.any():
        before = _last_known(baseline)
        usual = np.where(uptime, before, usual)
        score = np.where(uptime, np.where(last < before, CLIP, 0.0), score)
    judged = fresh & (BAD[metrics] != 0) & (counts >= MIN_BASELINE)
    return Deviation(
        fresh=fresh,
        judged=judged,
        ailing=judged & ((value - _LIMIT[metrics]) * BAD[metrics] > 0),
        score=np.where(judged, score, 0.0),
        value=value,
        usual=usual,
        time=last_time,
    )


def _newest(metrics: NDArray[np.intp], recent: Floats, times: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the last sample, its time, and the value to judge by: the last one or the median of the last three."""
    known = ~np.isnan(recent)
    age = np.cumsum(known[:, ::-1], axis=1)[:, ::-1]  # 1 for the newest known sample, 2 for the one before …
    last = np.max(np.where(known & (age == 1), recent, -np.inf), axis=1, initial=-np.inf)
    last_time = np.max(np.where(known, times, -np.inf), axis=1, initial=-np.inf)
    last = np.where(np.isneginf(last), np.nan, last)
    middle, _ = row_median(np.where(known & (age <= 3), recent, np.nan))
    return last, last_time, np.where(_STEP[metrics], last, middle)


def _last_known(samples: Floats) -> Floats:
    """Return the newest sample of each row, NaN where there is none."""
    known = ~np.isnan(samples)
    if samples.shape[1] == 0:
        return np.full(len(samples), np.nan)
    column = samples.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    found: Floats = samples[np.arange(len(samples)), column]
    return found
