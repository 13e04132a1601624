"""Are links forecast to be too full as often as they are, and are loads foreseen better than by simple rules?

Drawn hourly histories of several hundred links (`benchmarks.capacity_histories`); of each held-out week the forecaster
knows nothing later than `horizon` weeks before it, and neither do the baselines. A link is congested in a week when an
hour goes beyond the threshold of its capacity.

`brier` and `ece` are of the chance that a link is congested, `mae` of the hourly loads (as a share of capacity), and
`interval_coverage` is the share of the hours that lay in their 90 % interval; `peak_coverage` the same of weekly peaks,
`interval_width` the mean width as a share of capacity. Figures are of the nearest horizon, `by_horizon` has all.

With `data`, a JSON file, outside histories take the place of the drawn ones: the form of `twin.planning.history`, and
`"capacity_mbps": {link: Mbit/s}`. Links of which nothing can be said are left out and counted.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.capacity_baselines import BASELINES, Said
from benchmarks.capacity_histories import Histories, draw
from benchmarks.report import Figures, result
from domain.errors import BadInput
from stats.calibration import brier, coverage, expected_calibration_error
from stats.forecasting import LEAST_WEEKS, conclude, origins, trusted
from stats.origins import Origin, read
from twin.planning.history import parse

Progress = Callable[[str], None]

_SEED = 7
_THRESHOLD, _LEVEL = 0.8, 0.9
#: Held-out weeks are the newest ones, each this far from the next.
_APART = 2


@dataclass(frozen=True)
class _Size:
    links: int
    weeks: int
    held_out: int
    horizons: tuple[int, ...]
    draws: int


_QUICK = _Size(links=300, weeks=60, held_out=6, horizons=(4,), draws=1)
_FULL = _Size(links=400, weeks=88, held_out=12, horizons=(4, 13), draws=3)


@dataclass(frozen=True, eq=False)
class _Week:
    """A held-out week: what was said of it, and what came, as shares of capacity."""

    said: Mapping[str, Said]
    loads: np.ndarray[Any, Any]
    capacity: np.ndarray[Any, Any]


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Forecast the held-out weeks and return the object of the bench.

    Raises:
        BadInput: `data` is malformed, or too short for the horizons and held-out weeks.
        Unavailable: a figure is missing.
    """
    started = perf_counter()
    size = _QUICK if quick else _FULL
    drawn, left_out = _histories(size, data)
    weeks: dict[int, list[_Week]] = {horizon: [] for horizon in size.horizons}
    for number, histories in enumerate(drawn, 1):
        for horizon in size.horizons:
            progress(f"history {number} of {len(drawn)}: forecasting {size.held_out} weeks, {horizon} weeks ahead")
            weeks[horizon] += _held_out(histories, horizon, size.held_out)
    tables = {name: _table(name, weeks) for name in ["figures", *BASELINES]}
    figures = tables.pop("figures")
    links = len(drawn[0].capacity)
    conditions = {
        "seed": _SEED,
        "n": links * len(drawn) * size.held_out,
        "links": links,
        "left_out": left_out,
        "weeks": drawn[0].loads.shape[1],
        "held_out_weeks": size.held_out,
        "histories": len(drawn),
        "given": data is not None,
        "horizons_weeks": list(size.horizons),
        "threshold": _THRESHOLD,
        "level": _LEVEL,
        "congested": round(float(np.mean([_congested(week).mean() for week in weeks[size.horizons[0]]])), 4),
    }
    return result("capacity", figures, tables, conditions, started)


def _histories(size: _Size, data: Path | None) -> tuple[list[Histories], int]:
    """Return drawn histories, or the given one; and how many of its links are left out."""
    if data is None:
        return [draw(_SEED + number, size.links, size.weeks) for number in range(size.draws)], 0
    try:
        plain = json.loads(data.read_text("utf-8"))
        capacities = {str(name): float(value) for name, value in plain.pop("capacity_mbps").items()}
    except (OSError, UnicodeDecodeError, ValueError, TypeError, AttributeError, LookupError):
        raise BadInput(f"`{data.name}` is no JSON history with `capacity_mbps` by link; correct it") from None
    history = parse(plain)
    needed = 2 * max(size.horizons) + LEAST_WEEKS + _APART * (size.held_out - 1)
    if history.weeks < needed:
        raise BadInput(f"`{data.name}` has {history.weeks} weeks and this bench needs {needed}; send a longer history")
    first = history.weeks - max(size.horizons) - _APART * (size.held_out - 1)
    reasons = zip(history.elements, trusted(history.mbps), trusted(history.mbps[:, :first]), strict=True)
    kept = [name for name, now, then in reasons if not now and not then and capacities.get(name, 0.0) > 0]
    if not kept:
        raise BadInput(f"`{data.name}` has no link with a capacity and a history to trust; correct it")
    capacity = np.array([capacities[name] for name in kept])
    return [Histories(history.of(kept), capacity)], len(history.elements) - len(kept)


def _held_out(drawn: Histories, horizon: int, count: int) -> list[_Week]:
    """Return the newest weeks, each with what was said of it `horizon` weeks before."""
    last = drawn.loads.shape[1] - horizon
    ends = range(last - _APART * (count - 1), last + 1, _APART)
    limit = _THRESHOLD * drawn.capacity
    known: dict[int, Origin] = {}
    weeks = []
    for end in ends:
        for week in (*origins(end, horizon), end):
            if week not in known:
                known[week] = read(drawn.loads[:, :week], week, horizon)
        earlier = [known[week] for week in origins(end, horizon)]
        history = drawn.loads[:, :end]
        made = conclude(history, earlier, known[end], horizon, limit, _LEVEL)
        ours = Said(made.median, made.low, made.high, made.peak_low, made.peak_high, made.chance_beyond(limit))
        said = {"figures": ours} | {
            name: rule(history, horizon, drawn.capacity, limit, _LEVEL) for name, rule in BASELINES.items()
        }
        weeks.append(_Week(said, drawn.loads[:, end + horizon - 1], drawn.capacity))
    return weeks


def _told(week: _Week) -> np.ndarray[Any, Any]:
    """Say of which links at least half of the week was measured, and everybody gave a chance."""
    chances = np.stack([said.chance for said in week.said.values()])
    return np.asarray(((~np.isnan(week.loads)).mean(axis=1) >= 0.5) & ~np.isnan(chances).any(axis=0))


def _congested(week: _Week) -> np.ndarray[Any, Any]:
    peaks = np.where(np.isnan(week.loads), 0.0, week.loads).max(axis=1)
    return np.asarray(peaks > _THRESHOLD * week.capacity)


def _table(name: str, weeks: Mapping[int, Sequence[_Week]]) -> Figures:
    by_horizon = {str(horizon): _figures(name, each) for horizon, each in weeks.items()}
    return next(iter(by_horizon.values())) | {"by_horizon": by_horizon}


def _figures(name: str, weeks: Sequence[_Week]) -> Figures:
    """Return the figures of one forecaster over some held-out weeks; links that were not polled then do not count."""
    said = [week.said[name] for week in weeks]
    full = np.concatenate([_told(week) for week in weeks])
    chance, congested = np.concatenate([each.chance for each in said]), np.concatenate([_congested(w) for w in weeks])
    size = np.concatenate([week.capacity for week in weeks])[:, None]
    loads, median, low, high = (
        np.concatenate(each) / size
        for each in (
            [week.loads for week in weeks],
            [each.median for each in said],
            [each.low for each in said],
            [each.high for each in said],
        )
    )
    peaks = np.where(np.isnan(loads), 0.0, loads).max(axis=1, keepdims=True)[full] * size[full]
    peak_low, peak_high = (
        np.concatenate(each)[full, None] for each in ([e.peak_low for e in said], [e.peak_high for e in said])
    )
    return {
        "brier": round(brier(chance[full], congested[full]), 4),
        "ece": round(expected_calibration_error(chance[full], congested[full]), 4),
        "mae": round(float(np.nanmean(np.abs(loads - median))), 4),
        "interval_coverage": round(coverage(loads, low, high), 4),
        "interval_width": round(float(np.nanmean(high - low)), 4),
        "peak_coverage": round(coverage(peaks, peak_low, peak_high), 4),
    }
