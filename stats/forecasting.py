"""What a load will be some weeks from now, hour by hour and at its peak, with intervals that earlier weeks vouch for.

At an *origin* (`stats.origins`) the level of the newest weeks, a robust slope and the newest profile are read off; the
level `horizon` weeks on is `base + horizon · (damping · slope + turning · turn)`: a damped trend (after Gardner and
McKenzie, 1985), and the turn that all series together have taken lately (a summer, the end of a campaign). How many
weeks make the base, and how far slope and turn are believed, is chosen over all series by what erred least before.

Intervals are split conformal (Vovk, Gammerman and Shafer, 2005) over rolling origins (Hyndman and Athanasopoulos,
"Forecasting: principles and practice", 3rd ed., 5.10): errors at earlier origins, each over its series' own spread and
pooled over all series, give the quantiles. The chance that a peak goes beyond a limit is read off those errors, and
made to mean what it says by isotonic regression on the peaks and limits of the newest of those weeks: how often a
forecast falls short changes with the seasons. Nothing after an origin is ever looked at to forecast from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stats.calibration import isotonic
from stats.origins import BASES, LEAST_WEEKS, Choice, Flags, Floats, Origin, Outcome, outcome, read, trusted

__all__ = ["LEAST_WEEKS", "Forecast", "TooLittleKnown", "conclude", "forecast", "origins", "trusted"]

_DAMPINGS = (0.0, 0.25, 0.5, 0.75, 1.0)
_TURNINGS = (0.0, 0.5, 1.0)
#: A map from scores to chances is fitted on no fewer cases, and on no fewer of either outcome.
_LEAST_CASES, _LEAST_OF_EITHER = 150, 10
#: It is fitted on the newest origins of so many horizons, on so many at least, and on more where those are too few.
_CALIBRATION_HORIZONS, _LEAST_ORIGINS = 3, 8


class TooLittleKnown(ValueError):
    """No forecast from earlier weeks can be compared with what came."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """A week to come. Loads have the unit of the history; NaN rows are series about which nothing can be said.

    Attributes:
        choice: what erred least at earlier origins.
        median: (series, slots); `low` to `high` hold `share` of what comes.
        low: (series, slots).
        high: (series, slots).
        peak: (series,) the middle of the week's peak; `peak_low` to `peak_high` hold `share` of what comes.
        peak_low: (series,).
        peak_high: (series,).
        level_spread: (series,) of the logarithm of the level.
        slot_spread: (series,) of the logarithm of one slot.
        peak_spread: (series,) of the logarithm of the peak.
        shocks: (origins, series) errors of the level over `level_spread`: what went wrong together, and by itself.
        errors: (n,) errors of earlier peaks over `peak_spread`, ascending, about their middle.
        scores: of the newest earlier peaks: how far they were expected beyond their limit; empty without limits.
        beyond: of the same, whether they were.
    """

    choice: Choice
    median: Floats
    low: Floats
    high: Floats
    peak: Floats
    peak_low: Floats
    peak_high: Floats
    level_spread: Floats
    slot_spread: Floats
    peak_spread: Floats
    shocks: Floats
    errors: Floats
    scores: Floats
    beyond: Flags

    @property
    def calibrated(self) -> bool:
        """Whether enough earlier peaks lay on either side of their limit to fit a calibration."""
        return _enough(self.beyond)

    def chance_beyond(self, limit: Floats) -> Floats:
        """Return the chance that the week's peak goes beyond a limit: (series,), NaN where nothing can be said."""
        score = (np.log(self.peak) - np.log(limit)) / self.peak_spread
        if self.calibrated:
            return isotonic(self.scores, self.beyond)(score)
        more = len(self.errors) - np.searchsorted(self.errors, -score, side="right")
        return np.where(np.isnan(score), np.nan, (more + 0.5) / (len(self.errors) + 1.0))

    def peak_not_exceeded(self, chance: float) -> Floats:
        """Return the load that the week's peak stays below with this chance, by the errors of earlier peaks."""
        return np.asarray(self.peak * np.exp(np.quantile(self.errors, chance) * self.peak_spread))


@dataclass(frozen=True, eq=False)
class _Past:
    """What earlier origins expected and what came, as logarithms over spreads, pooled over origins and series."""

    shocks: Floats
    slots: Floats
    peaks: Floats
    margins: Floats
    beyond: Flags


def forecast(history: Floats, horizon: int, limit: Floats | None = None, share: float = 0.9) -> Forecast:
    """Forecast the week that ends `horizon` weeks after the history does.

    Args:
        history: (series, weeks, slots), NaN where nothing is known.
        horizon: weeks, at least 1.
        limit: (series,) what a peak should not go beyond, above 0; without it a chance has nothing to be calibrated on.
        share: of the outcomes that the intervals are to hold.

    Raises:
        ValueError: the history is malformed (see `trusted`).
        TooLittleKnown: it is too short to have any earlier origin, or none has an outcome that was measured.
    """
    weeks = history.shape[1] if history.ndim == 3 else 0
    untrusted = np.array([bool(reason) for reason in trusted(history)], np.bool_)
    history = np.where(untrusted[:, None, None], np.nan, history)  # what cannot be trusted teaches the others nothing
    earlier = [read(history, week, horizon) for week in origins(weeks, horizon)]
    if not earlier:
        raise TooLittleKnown(
            f"{weeks} weeks are too few to forecast {horizon} on: give {LEAST_WEEKS + horizon}, or a nearer horizon"
        )
    return conclude(history, earlier, read(history, weeks, horizon), horizon, limit, share)


def origins(weeks: int, horizon: int, most: int = 40) -> range:
    """Return the newest earlier origins whose outcome is known after `weeks` weeks. Raises ValueError."""
    if horizon < 1:
        raise ValueError(f"a horizon is a number of weeks from 1 on, and {horizon} is not")
    last = weeks - horizon
    return range(max(LEAST_WEEKS, last - most + 1), last + 1)


def conclude(
    history: Floats, earlier: Sequence[Origin], now: Origin, horizon: int, limit: Floats | None, share: float = 0.9
) -> Forecast:
    """Forecast from `now`, by what `earlier` origins teach. Arguments: see `forecast`.

    Raises:
        ValueError: there is no earlier origin, or one whose outcome was not known by then.
        TooLittleKnown: no outcome was measured.
    """
    if not earlier or max(origin.week for origin in earlier) + horizon > now.week:
        raise ValueError("a forecast learns from origins whose outcome was known by then; give at least one such")
    outcomes = [outcome(history, origin, horizon) for origin in earlier]
    choice = _choose(earlier, outcomes, horizon)
    past = _past(earlier, outcomes, choice, horizon, limit)
    expected, tail = now.level(choice, horizon), (1.0 - share) / 2
    slots = _quantiles(past.slots, tail)
    peaks = _quantiles(past.peaks, tail)
    low, median, high = (np.exp((expected[:, None] + now.profile) + q * now.slot_spread[:, None]) for q in slots)
    peak_low, peak, peak_high = (np.exp(expected + now.peak + q * now.peak_spread) for q in peaks)
    return Forecast(
        choice=choice,
        median=median,
        low=low,
        high=high,
        peak=peak,
        peak_low=peak_low,
        peak_high=peak_high,
        level_spread=now.level_spread,
        slot_spread=now.slot_spread,
        peak_spread=now.peak_spread,
        shocks=past.shocks,
        errors=np.sort(past.peaks) - peaks[1],
        scores=past.margins + peaks[1],
        beyond=past.beyond,
    )


def _past(
    earlier: Sequence[Origin], outcomes: Sequence[Outcome], choice: Choice, horizon: int, limit: Floats | None
) -> _Past:
    shocks, slots, peaks, margins, beyond = [], [], [], [], []
    for origin, came in zip(earlier, outcomes, strict=True):
        level = origin.level(choice, horizon)
        shocks.append((came.level - level) / origin.level_spread)
        slots.append((came.slots - level[:, None] - origin.profile) / origin.slot_spread[:, None])
        top = level + origin.peak
        peaks.append((came.peak - top) / origin.peak_spread)
        if limit is not None:
            margins.append((top - np.log(limit)) / origin.peak_spread)
            beyond.append(came.peak > np.log(limit))
    errors = np.concatenate(peaks)
    told = [~np.isnan(each) for each in peaks]
    scores = [each[known] for each, known in zip(margins, told, strict=limit is not None)]
    hits = [each[known] for each, known in zip(beyond, told, strict=limit is not None)]
    newest = _newest(hits, horizon)
    return _Past(
        shocks=np.stack(shocks),
        slots=np.concatenate(slots, axis=None),
        peaks=errors[~np.isnan(errors)],
        margins=np.concatenate([*scores[newest:], np.zeros(0)]),
        beyond=np.concatenate([*hits[newest:], np.zeros(0, np.bool_)]),
    )


def _newest(beyond: Sequence[Flags], horizon: int) -> int:
    """Return the first of the newest origins that a map from scores to chances is fitted on; `beyond` is per origin."""
    first = max(0, len(beyond) - max(_LEAST_ORIGINS, _CALIBRATION_HORIZONS * horizon))
    while first and not _enough(np.concatenate(beyond[first:])):
        first -= 1
    return first


def _enough(beyond: Flags) -> bool:
    """Say whether there are enough cases, and enough of either outcome, to fit a map on."""
    hits = int(beyond.sum())
    return len(beyond) >= _LEAST_CASES and min(hits, len(beyond) - hits) >= _LEAST_OF_EITHER


def _choose(earlier: Sequence[Origin], outcomes: Sequence[Outcome], horizon: int) -> Choice:
    """Return the way that erred least in the level, over all series and origins; of equal ones the simplest."""
    ways = [Choice(base, d, t) for t in _TURNINGS for d in _DAMPINGS for base in range(len(BASES))]
    errors = np.array([_error(earlier, outcomes, way, horizon) for way in ways])
    return ways[int(np.argmin(errors))]


def _error(earlier: Sequence[Origin], outcomes: Sequence[Outcome], way: Choice, horizon: int) -> float:
    off = [came.level - origin.level(way, horizon) for origin, came in zip(earlier, outcomes, strict=True)]
    every = np.abs(np.concatenate(off))
    known = every[~np.isnan(every)]
    return float(known.mean()) if len(known) else np.inf


def _quantiles(errors: Floats, tail: float) -> tuple[float, float, float]:
    """Return the lower, middle and upper quantile of the known errors; the outer two are conformal."""
    known = np.sort(errors[~np.isnan(errors)])
    if not len(known):
        raise TooLittleKnown("no earlier week has an outcome that was measured; give a longer history")
    last = len(known) - 1
    high = min(last, int(np.ceil((1 - tail) * (len(known) + 1))) - 1)
    return float(known[last - high]), float(np.median(known)), float(known[high])
