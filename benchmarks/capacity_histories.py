"""Hourly load histories of many links, drawn from a process that the forecaster does not know.

Each link has a day of its own shape, quieter weekends, and a growth law: none, linear, exponential, saturating or
falling. On top come a yearly swing, a wandering level, correlated hourly noise, bursts with heavy tails, permanent
level shifts (a customer comes or goes), holidays of the whole network, hours in which the link was down and another
carried its traffic, and polls that were lost. None of these laws, rates or shapes is told to any forecaster.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HOURS = 168
_HOURS_PER_YEAR = 52 * HOURS
_SIZES = np.array([1_000.0, 10_000.0, 40_000.0, 100_000.0])


@dataclass(frozen=True, eq=False)
class Histories:
    """`loads`: (links, weeks, 168) Mbit/s, NaN where no poll came; `capacity`: (links,) Mbit/s."""

    loads: Floats
    capacity: Floats


def draw(seed: int, links: int, weeks: int) -> Histories:
    """Return drawn histories; the same seed gives the same bits."""
    rng = np.random.default_rng(seed)
    hours = weeks * HOURS
    business = rng.beta(0.6, 0.6, links)
    loads = np.tile(_week(rng, business), (1, weeks)) * np.exp(_growth(rng, links, hours) + _year(rng, links, hours))
    loads *= np.exp(_wandering(rng, links, weeks) + _shifts(rng, links, hours) + _noise(rng, links, hours))
    loads *= _holidays(rng, business, hours)
    loads += _bursts(rng, loads)
    capacity = rng.choice(_SIZES, links)
    start = np.quantile(loads[:, : 4 * HOURS], 0.98, axis=1)
    loads *= (capacity * rng.uniform(0.3, 0.82, links) / start)[:, None]
    _divert(rng, loads)
    _lose_polls(rng, loads)
    return Histories(loads.reshape(links, weeks, HOURS), capacity)


def _week(rng: np.random.Generator, business: Floats) -> Floats:
    """Return (links, 168): a night, an office hump, an evening hump, and less or more of them at weekends."""
    hour = np.arange(24)[None, :]

    def hump(middle: float, wide: float) -> Floats:
        at, width = rng.normal(middle, 1.0, len(business))[:, None], rng.uniform(0.8, 1.3, len(business))[:, None]
        away = np.abs((hour - at + 12) % 24 - 12)
        return np.asarray(np.exp(-0.5 * (away / (wide * width)) ** 2))

    office, evening = hump(13.0, 3.0) * business[:, None], hump(20.5, 2.5) * (1 - business)[:, None]
    night = rng.uniform(0.1, 0.4, len(business))[:, None]
    workday = night + office + evening
    weekend = night + office * rng.uniform(0.15, 0.6, len(business))[:, None] + evening * rng.uniform(0.9, 1.2)
    return np.concatenate([workday] * 5 + [weekend] * 2, axis=1)


def _growth(rng: np.random.Generator, links: int, hours: int) -> Floats:
    """Return the logarithm of a growth law per link: (links, hours)."""
    years = np.arange(hours)[None, :] / _HOURS_PER_YEAR
    rate = rng.lognormal(np.log(0.25), 0.6, links)[:, None]
    middle = rng.uniform(0.2, 1.2, links)[:, None]
    laws = np.stack(
        [
            np.zeros((links, hours)),
            np.log1p(rate * years),
            rate * years,
            2 * rate / (1 + np.exp(-6 * (years - middle))),
            -0.4 * rate * years,
        ]
    )
    which = rng.choice(len(laws), links, p=(0.2, 0.3, 0.25, 0.15, 0.1))
    return np.asarray(laws[which, np.arange(links)])


def _year(rng: np.random.Generator, links: int, hours: int) -> Floats:
    swing, phase = rng.uniform(0.0, 0.07, links)[:, None], rng.normal(0.0, 0.5, links)[:, None]
    return np.asarray(swing * np.sin(2 * np.pi * np.arange(hours)[None, :] / _HOURS_PER_YEAR + phase))


def _wandering(rng: np.random.Generator, links: int, weeks: int) -> Floats:
    """Return a level that wanders from week to week, and wobbles about where it has got to."""
    walk = np.cumsum(rng.normal(0, 0.012, (links, weeks)), axis=1) + rng.normal(0, 0.02, (links, weeks))
    return np.repeat(walk, HOURS, axis=1)


def _shifts(rng: np.random.Generator, links: int, hours: int) -> Floats:
    """Return permanent jumps, a little more than one link in two has one a year: (links, hours)."""
    jumps = rng.random((links, hours)) < 0.6 / _HOURS_PER_YEAR
    return np.asarray(np.cumsum(jumps * rng.normal(0.03, 0.2, (links, hours)), axis=1))


def _noise(rng: np.random.Generator, links: int, hours: int) -> Floats:
    """Return hourly noise with memory: an autoregression of order 1, per link of its own strength."""
    memory, spread = rng.uniform(0.3, 0.8, links), rng.uniform(0.03, 0.10, links)
    fresh = rng.standard_normal((hours, links)) * np.sqrt(1 - memory**2)
    state, noise = rng.standard_normal(links), np.empty((hours, links))
    for at in range(hours):
        state = memory * state + fresh[at]
        noise[at] = state
    return (noise * spread).T


def _holidays(rng: np.random.Generator, business: Floats, hours: int) -> Floats:
    """Return factors of the days on which nobody works, the same days for all links."""
    factor = np.ones((len(business), hours))
    quiet = 1 - business * rng.uniform(0.3, 0.6, len(business)) + (1 - business) * rng.uniform(0, 0.15, len(business))
    for day in np.flatnonzero(rng.random(hours // 24) < 11 / 365):
        factor[:, 24 * day : 24 * day + 24] *= quiet[:, None]
    return factor


def _bursts(rng: np.random.Generator, loads: Floats) -> Floats:
    """Return what comes for an hour to six on top: a share of the link's mean, with a heavy tail."""
    links, hours = loads.shape
    extra, mean = np.zeros_like(loads), loads.mean(axis=1)
    for link in range(links):
        for start in rng.integers(0, hours, rng.poisson(1.5 * hours / 730)):
            size = min(0.1 * (1 + rng.pareto(2.5)), 1.5) * mean[link]
            extra[link, start : start + int(rng.integers(1, 7))] += size
    return extra


def _divert(rng: np.random.Generator, loads: Floats) -> None:
    """Let links fail for some hours, and others carry a part of their traffic."""
    links, hours = loads.shape
    for link in range(links):
        for start in rng.integers(0, hours, rng.poisson(0.5 * hours / _HOURS_PER_YEAR)):
            span = slice(int(start), int(start + rng.integers(2, 30)))
            other = int(rng.integers(links))
            if other != link:
                scale = loads[other, span].mean() / max(loads[link, span].mean(), 1e-9)
                loads[other, span] += 0.3 * min(scale, 1.0) * loads[link, span]
                loads[link, span] = 0.0


def _lose_polls(rng: np.random.Generator, loads: Floats) -> None:
    links, hours = loads.shape
    loads[rng.random(loads.shape) < 0.003] = np.nan
    for link in range(links):
        for start in rng.integers(0, hours, rng.poisson(2 * hours / _HOURS_PER_YEAR)):
            loads[link, start : start + int(rng.integers(3, 60))] = np.nan
