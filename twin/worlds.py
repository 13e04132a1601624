"""The ways things may be, and what a plan comes to in each of them.

Each candidate cause is a world with a weight; what is left of the probability is "something else", where a plan is
given no credit and can still do harm. Each world is seen at three levels of demand, spread as widely as the twin is
wrong about link loads (three-point Gauss-Hermite: the mean, and √3 standard deviations to both sides).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.changes import Change
from domain.proposals import Plan
from domain.rehearsal import Forecast
from twin.evaluate import Prediction, predict
from twin.snapshot import Snapshot
from twin.steps import inverse_steps, run

LEVEL = 0.9
#: Assumed wMAPE of link loads where it is not measured, and the most that is believed.
_ASSUMED_ERROR, _MOST_ERROR = 0.15, 0.5
_THREE_POINTS = ((-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6))
#: The standard deviation of a normal error whose mean absolute value is 1.
_DEVIATION = float(np.sqrt(np.pi / 2))


@dataclass(frozen=True, eq=False)
class World:
    """One way things may be, with doing nothing (`nothing`), after the plan, and after its inverse.

    `states` are those before the plan and after each of its steps. In a world without `credit` the plan cannot help.
    """

    weight: float
    states: tuple[Snapshot, ...]
    nothing: Prediction
    plan: Prediction
    inverse: Prediction | None
    credit: bool = True

    def lost(self, prediction: Prediction, factor: float) -> float:
        """Return the Mbit/s lost in one of this world's predictions when all demands are multiplied."""
        lost = prediction.at_load(factor).lost_mbps
        return lost if self.credit else max(lost, self.nothing.at_load(factor).lost_mbps)


def worlds(snapshot: Snapshot, hypotheses: Sequence[tuple[float, tuple[Change, ...]]], plan: Plan) -> tuple[World, ...]:
    """Return the worlds, the likeliest cause first and "something else" (if any weight is left for it) last.

    Raises:
        BadInput: a hypothesis names what is not there.
    """
    likely = sorted(((p, overlay) for p, overlay in hypotheses if p > 0), key=lambda pair: -pair[0])
    total = sum(weight for weight, _ in likely)
    if not likely:
        return (_world(snapshot, 1.0, (), plan, credit=True),)
    scale = 1 / max(1.0, total)
    found = [_world(snapshot, weight * scale, overlay, plan, credit=True) for weight, overlay in likely]
    if total < 1 - 1e-9:
        found.append(_world(snapshot, 1 - total, (), plan, credit=False))
    return tuple(found)


def _world(snapshot: Snapshot, weight: float, overlay: Sequence[Change], plan: Plan, *, credit: bool) -> World:
    states = run(snapshot.with_changes(overlay), plan.steps)
    back = inverse_steps(plan)
    return World(
        weight=weight,
        states=states,
        nothing=predict(states[0], near=snapshot),
        plan=predict(states[-1], near=snapshot),
        inverse=None if back is None else predict(run(states[-1], back)[-1], near=snapshot),
        credit=credit,
    )


def demand_levels(twin_error: float | None) -> tuple[tuple[float, float], ...]:
    """Return (factor, weight) of the levels of demand for a twin with this wMAPE (None: not measured)."""
    error = _ASSUMED_ERROR if twin_error is None else min(max(twin_error, 0.0), _MOST_ERROR)
    return tuple((max(0.0, 1 + node * _DEVIATION * error), weight) for node, weight in _THREE_POINTS)


def forecast(found: Sequence[World], which: str, levels: Sequence[tuple[float, float]]) -> Forecast:
    """Return the impact in the likeliest world, and the interval of lost traffic over all worlds and levels.

    `which` is `nothing`, `plan` or `inverse`.
    """
    lost, weights = _samples(found, which, levels)
    expected: Prediction = getattr(found[0], which)
    low, high = (quantile(lost, weights, q) for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Forecast(expected=expected.impact(), lost_low=low, lost_high=high, level=LEVEL)


def mean_lost(found: Sequence[World], which: str, levels: Sequence[tuple[float, float]]) -> float:
    """Return the expected Mbit/s lost over all worlds and levels."""
    lost, weights = _samples(found, which, levels)
    return float(np.average(lost, weights=weights))


def _samples(
    found: Sequence[World], which: str, levels: Sequence[tuple[float, float]]
) -> tuple[list[float], list[float]]:
    pairs = [
        (world.lost(getattr(world, which), factor), world.weight * weight)
        for world in found
        for factor, weight in levels
    ]
    return [lost for lost, _ in pairs], [weight for _, weight in pairs]


def quantile(values: Sequence[float], weights: Sequence[float], q: float) -> float:
    """Return the smallest value with at least the share `q` of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(np.asarray(weights)[order])
    place = min(int(np.searchsorted(passed, q * passed[-1] - 1e-12)), len(order) - 1)
    return float(values[order[place]])
