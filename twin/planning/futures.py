"""Sampled future demands: draws from the forecast errors of the past, at one hour of the week.

What went wrong at one earlier origin went wrong for many series together (a holiday, a campaign). So the common part
of the errors is drawn as one, and each series' own part apart; the noise of a single hour comes on top.

A demand with a history of its own is drawn from that. The others follow the links: their factors are fitted until the
links carry what was drawn for them, by multiplying each demand with the mean correction of the links that it crosses
(simultaneous multiplicative reconstruction, SMART: Byrne, "Iterative image reconstruction algorithms", 1993). None is
multiplied by more than the link that grows most, nor by less than the one that grows least.
"""

from dataclasses import dataclass

import numpy as np

from domain.capacity import Terms
from domain.changes import ScaleDemand
from domain.errors import BadInput
from stats.forecasting import Forecast
from twin.estimating.routes import Shares, routing_matrix
from twin.evaluate import predict
from twin.planning.implied import arcs_of
from twin.planning.outlook import Outlook
from twin.snapshot import Snapshot
from twin.topology import Flags, Floats

_ROUNDS = 30
_LARGEST_FACTOR = 1000.0


@dataclass(frozen=True, eq=False)
class Futures:
    """`overlays`: one per future. `high`: the demands that only one future in twenty goes beyond, each by itself."""

    overlays: tuple[tuple[ScaleDemand, ...], ...]
    high: tuple[ScaleDemand, ...]


def draw(snapshot: Snapshot, outlook: Outlook, horizon: int, terms: Terms, busiest: str | None = None) -> Futures:
    """Draw future demands at the hour at which `busiest` is fullest, or all are; the same arguments give the same.

    Args:
        snapshot: says what the demands are now, and which way they go.
        outlook: forecasts.
        horizon: which of them, in weeks.
        terms: say how many futures, and their seed.
        busiest: a link, termination point or demand of the outlook.

    Raises:
        BadInput: the network has no demands, or no history of it can be trusted.
    """
    names = snapshot.topology.demands
    if not names:
        raise BadInput("the network declares no demands, so nothing can be simulated; add `demands` to it")
    if not outlook.of_demands and not outlook.of_links:
        raise BadInput("no history of a link or demand can be trusted, so no future can be drawn; send a better one")
    rng = np.random.default_rng(terms.seed)
    slot = outlook.fullest_slot(horizon, busiest)
    now = np.array([float(snapshot.value(name, "mbps") or 0.0) for name in names])
    factors = np.ones((terms.futures, len(names)))
    own = np.zeros(len(names), np.bool_)
    if outlook.of_demands:
        loads = _sampled(outlook.of_demands[horizon], slot, rng, terms.futures)
        factors, own = _of_demands(snapshot, outlook, now, loads)
    if outlook.of_links:
        loads = _sampled(outlook.of_links[horizon], slot, rng, terms.futures)
        factors = _fitted(_crossed(snapshot, outlook.links), now, factors, loads, own)
    factors = np.clip(factors, 0.0, _LARGEST_FACTOR)
    return Futures(
        overlays=tuple(_overlay(names, row) for row in factors),
        high=_overlay(names, np.quantile(factors, 0.95, axis=0)),
    )


def _of_demands(snapshot: Snapshot, outlook: Outlook, now: Floats, loads: Floats) -> tuple[Floats, Flags]:
    """Return factors (futures, demands) by the demands' own loads, and which have such; others follow the middle."""
    at = np.array([snapshot.topology.demand_at[name] for name in outlook.demands], np.intp)
    carries = now[at] > 0
    at, ratio = at[carries], loads[:, carries] / now[at[carries]]
    own = np.zeros(len(now), np.bool_)
    own[at] = True
    middle = np.median(ratio, axis=1) if len(at) else np.ones(len(loads))
    factors = np.repeat(middle[:, None], len(now), axis=1)
    factors[:, at] = ratio
    return factors, own


def _sampled(made: Forecast, slot: int, rng: np.random.Generator, count: int) -> Floats:
    """Return loads at one hour of the week: (count, series), Mbit/s."""
    known = ~np.isnan(made.shocks).all(axis=1)
    together = np.nanmedian(made.shocks[known], axis=1)
    apart = (made.shocks[known] - together[:, None]).ravel()
    apart = apart[~np.isnan(apart)]
    series = made.median.shape[0]
    shock = rng.choice(together, count)[:, None] + rng.choice(apart, (count, series))
    single = np.sqrt(np.maximum(made.slot_spread**2 - made.level_spread**2, 0.0))
    error = shock * made.level_spread + rng.standard_normal((count, series)) * single
    middle = np.where(np.isnan(made.median[:, slot]), np.nanmedian(made.median, axis=1), made.median[:, slot])
    return np.asarray(middle * np.exp(error))


def _crossed(snapshot: Snapshot, links: tuple[str, ...]) -> Shares:
    """Return the share of each demand on each link (the direction that is busier now) or termination point, sparse."""
    topology, state = snapshot.topology, predict(snapshot)
    arcs = []
    for name in links:
        pair = arcs_of(topology, name)
        arcs.append(pair[int(np.argmax(state.arc_load[pair]))])
    return routing_matrix(topology, state.routing)[arcs]


def _fitted(crossed: Shares, now: Floats, factors: Floats, loads: Floats, own: Flags) -> Floats:
    """Return factors (futures, demands) under which the links carry `loads`; those of `own` demands are kept."""
    base = crossed @ now
    carries = base > 0
    crossed, base, wanted = crossed[carries], base[carries], np.maximum(loads[:, carries], 1e-6)
    weight = np.asarray(crossed.sum(axis=0)).ravel()
    free = ~own & (weight > 0)
    if not free.any():
        return factors
    low, high = (wanted / base).min(axis=1)[:, None], (wanted / base).max(axis=1)[:, None]
    for _ in range(_ROUNDS):
        carried = (crossed @ (factors * now).T).T
        correction = (crossed.T @ np.log(wanted / np.maximum(carried, 1e-9)).T).T
        factors[:, free] = np.clip(factors[:, free] * np.exp(correction[:, free] / weight[free]), low, high)
    crossing_none = ~own & ~free
    factors[:, crossing_none] = np.median(factors[:, free], axis=1)[:, None]
    return factors


def _overlay(demands: tuple[str, ...], factors: Floats) -> tuple[ScaleDemand, ...]:
    return tuple(ScaleDemand(demand=name, factor=float(f)) for name, f in zip(demands, factors, strict=True))


def assumed(snapshot: Snapshot, outlook: Outlook) -> tuple[str, ...]:
    """Return, as sentences, what drawn demands rest on that nobody measured."""
    values = {name: float(snapshot.value(name, "mbps") or 0.0) for name in snapshot.topology.demands}
    without = sum(value > 0 and name not in outlook.demands for name, value in values.items())
    idle = sum(value <= 0 for value in values.values())
    said = []
    if outlook.implied:
        said.append(f"loads of {outlook.implied} links are what the demands on their present paths add up to")
    if without:
        follow = "the links that they cross do" if outlook.links else "the others do in the middle"
        said.append(f"{without} of {len(values)} demands have no history to trust and grow as {follow}")
    if idle:
        said.append(f"{idle} of {len(values)} demands are 0 Mbit/s in the twin and stay so")
    return tuple(said)
