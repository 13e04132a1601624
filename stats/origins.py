"""What is read off a load history at one week, with nothing known after it: level, growth, profile, and spreads.

In logarithms a series is the level of its week + the profile of its hours + what is left. Everything is a median, so
that bursts, holidays and hours without traffic move little. All functions work on many series at once.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stats.robust import MAD_TO_SIGMA, row_median

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Weeks that a profile, and a trend, are read off; what is older does not count.
PROFILE_WEEKS, TREND_WEEKS = 8, 26
#: No forecast rests on fewer weeks than this.
LEAST_WEEKS = 8
#: Of how many of the newest weeks the base of a forecast may be the middle.
BASES = (1, 2, 3, 5)
_LEAST_SPREAD = 0.01
#: Over how many weeks a common turn is looked for.
_TURN_WEEKS = 8
#: Loads below this share of the middle one are not told from none.
_FLOOR = 1e-3


class Choice(NamedTuple):
    """How many weeks make the base (a place in `BASES`), and how far the slope and the common turn are believed."""

    base: int
    damping: float
    turning: float


@dataclass(frozen=True, eq=False)
class Origin:
    """What is read off at the end of `week` weeks; logarithms of load, one row per series, NaN where nothing is known.

    Attributes:
        week: how many weeks were known.
        floor: (series,) the least load that is told from none, in the unit of the history.
        bases: (series, ways) level of the newest weeks.
        slope: (series,) growth per week.
        turn: how much faster than those slopes all series together have grown lately, per week.
        profile: (series, slots) on top of the level.
        peak: (series,) the weekly peak on top of the level.
        level_spread: (series,) of the level `horizon` weeks on.
        slot_spread: (series,) of a single slot that far on.
        peak_spread: (series,) of a weekly peak that far on.
    """

    week: int
    floor: Floats
    bases: Floats
    slope: Floats
    turn: float
    profile: Floats
    peak: Floats
    level_spread: Floats
    slot_spread: Floats
    peak_spread: Floats

    def level(self, choice: Choice, horizon: int) -> Floats:
        """Return the expected level `horizon` weeks on: (series,)."""
        growth = choice.damping * self.slope + choice.turning * self.turn
        return np.asarray(self.bases[:, choice.base] + horizon * growth)


class Outcome(NamedTuple):
    """The week that an origin was to forecast, as logarithms: (series,), (series, slots), (series,)."""

    level: Floats
    slots: Floats
    peak: Floats


def trusted(history: Floats) -> list[str]:
    """Say of each series why nothing can be said of its future, or "".

    Args:
        history: (series, weeks, slots), NaN where nothing is known.

    Raises:
        ValueError: it has another shape, no slots, or holds a negative or infinite load.
    """
    if history.ndim != 3 or history.shape[2] == 0:
        raise ValueError(f"a history has series, weeks and slots, and this one has the shape {history.shape}")
    if np.isinf(history).any() or (history < 0).any():
        raise ValueError("a load is a number and not negative; leave out what was not measured")
    known = _known_weeks(history)
    return [_reason(series, weeks) for series, weeks in zip(history, known, strict=True)]


def _reason(series: Floats, weeks: Flags) -> str:
    if len(weeks) < LEAST_WEEKS:
        return f"its history has {len(weeks)} weeks and {LEAST_WEEKS} are needed"
    if weeks[-TREND_WEEKS:].sum() < LEAST_WEEKS:
        return f"fewer than {LEAST_WEEKS} of its newest {TREND_WEEKS} weeks were measured for half of their hours"
    if not weeks[-2:].any():
        return "its newest two weeks were hardly measured"
    recent = series[-TREND_WEEKS:]
    if np.nanmax(recent) == np.nanmin(recent):
        return "its load never changes, as if a counter had stopped"
    if np.nanmedian(recent[-PROFILE_WEEKS:]) <= 0:
        return "it carries nothing most of the time"
    return ""


def read(history: Floats, week: int, horizon: int) -> Origin:
    """Read an origin off the first `week` weeks of a history (series, weeks, slots), for a forecast `horizon` on."""
    recent = history[:, max(0, week - TREND_WEEKS) : week]
    series = len(recent)
    floor = _FLOOR * _median(np.where(recent > 0, recent, np.nan).reshape(series, -1))
    logs = _logs(recent, floor)
    newest = logs[:, -PROFILE_WEEKS:]
    about = (newest - _median(newest)[:, :, None]).transpose(0, 2, 1)
    profile = _median(np.ascontiguousarray(about))
    levels = _median(logs - profile[:, None, :])
    left = (newest - levels[:, -PROFILE_WEEKS:, None] - profile[:, None, :]).reshape(series, -1)
    tops = _highest(logs) - levels
    peak = _median(tops[:, -PROFILE_WEEKS:])
    slope = _slope(levels)
    level_spread = _level_spread(levels, slope, horizon)
    return Origin(
        week=week,
        floor=floor,
        bases=_bases(levels),
        slope=slope,
        turn=_turn(levels, slope),
        profile=profile,
        peak=peak,
        level_spread=level_spread,
        slot_spread=np.hypot(level_spread, _pulled(_spread(left))),
        peak_spread=np.hypot(level_spread, _pulled(_spread(tops - peak[:, None]))),
    )


def outcome(history: Floats, origin: Origin, horizon: int) -> Outcome:
    """Return what came, `horizon` weeks after an origin."""
    week = history[:, origin.week + horizon - 1, None]
    logs = _logs(week, origin.floor)[:, 0]
    return Outcome(_median(logs - origin.profile), logs, _highest(logs))


def _logs(loads: Floats, floor: Floats) -> Floats:
    """Return logarithms of loads (series, weeks, slots), NaN in weeks of which less than half was measured."""
    logs = np.log(np.maximum(loads, floor[:, None, None]))
    logs[~_known_weeks(loads)] = np.nan
    return logs


def _known_weeks(history: Floats) -> Flags:
    """Say of which weeks at least half of the slots were measured: (series, weeks)."""
    return np.asarray((~np.isnan(history)).mean(axis=2) >= 0.5)


def _bases(levels: Floats) -> Floats:
    """Return the middle of the newest 1, 2, 3, 5 levels; of the newest eight where none of those was measured."""
    longer = _median(levels[:, -PROFILE_WEEKS:])[:, None]
    bases = np.stack([_median(levels[:, -count:]) for count in BASES], axis=1)
    return np.where(np.isnan(bases), longer, bases)


def _slope(levels: Floats) -> Floats:
    """Return the growth per week: the median over all pairs of weeks half of the window apart, after Theil and Sen."""
    lag = max(1, levels.shape[1] // 2)
    slope = _median((levels[:, lag:] - levels[:, :-lag]) / lag)
    return np.where(np.isnan(slope), 0.0, slope)


def _turn(levels: Floats, slope: Floats) -> float:
    """Return the growth per week in the middle of all series over the newest weeks, less that of their slopes."""
    lag = min(_TURN_WEEKS, levels.shape[1] // 2)
    recent = (_median(levels[:, -2:]) - _median(levels[:, -2 - lag : -lag])) / lag
    turned = (recent - slope)[~np.isnan(recent)]
    return float(np.median(turned)) if len(turned) else 0.0


def _level_spread(levels: Floats, slope: Floats, horizon: int) -> Floats:
    """Return how far levels stray from their slope in `horizon` weeks; beyond half the window, as a random walk."""
    lag = min(horizon, max(1, levels.shape[1] // 2))
    apart = levels[:, lag:] - levels[:, :-lag] - lag * slope[:, None]
    return np.asarray(_pulled(_spread(apart)) * np.sqrt(horizon / lag))


def _median(values: Floats) -> Floats:
    """Return medians over the last axis, NaN not counted."""
    found, _ = row_median(values.reshape(-1, values.shape[-1]))
    return found.reshape(values.shape[:-1])


def _spread(values: Floats) -> Floats:
    return MAD_TO_SIGMA * _median(np.abs(values))


def _pulled(spread: Floats) -> Floats:
    """Return spreads drawn half of the way (in variance) to that of all series: one's own rests on few weeks."""
    typical = np.nanmedian(spread) if not np.isnan(spread).all() else _LEAST_SPREAD
    own = np.where(np.isnan(spread), typical, spread)
    return np.maximum(np.sqrt((own**2 + typical**2) / 2), _LEAST_SPREAD)


def _highest(logs: Floats) -> Floats:
    """Return the maximum over the last axis, NaN not counted; NaN where nothing is known."""
    top = np.where(np.isnan(logs), -np.inf, logs).max(axis=-1)
    return np.where(np.isneginf(top), np.nan, top)
