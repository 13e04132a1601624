"""Does the predicted blast radius of a plan hold? Faults on plants that nothing was learnt from, judged by the truth.

Each case is a fault on a driven plant, the repair that a whole house proposes for it, and what the plant says suffers
after it. `coverage_90` is the share of cases in which all five spans held at once. Baselines on the same cases:
`unscaled`, the twin's own spans; `constant`, one width per quantity and class of action, whatever the case; and two
twins that belittle, with the same calibration: `biased` halves what it predicts to suffer (few plans leave anything,
so this hardly shows), `hasty` the time to recover as well. `alarm_after` is how many plans it takes until the watch
over coverage speaks up, `alarms` how often it does at all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.blast_baselines import Constant, alarm_after, halved
from benchmarks.blast_campaign import MEASURED_ON, campaign, faults_on
from benchmarks.blast_case import LYING, SELF_HEALING, Row
from benchmarks.processes import folder_in
from benchmarks.report import Figures, result
from domain.actions import ActionClass
from domain.blast import BlastRadius, Quantity
from domain.errors import Unavailable
from stats.shares import clopper_pearson
from twin.blast.calibration import Calibration

Progress = Callable[[str], None]
Predicted = Callable[[Row], BlastRadius]

_QUICK = (MEASURED_ON[0], MEASURED_ON[1])
_TOLD_EVERY = 20
#: Spans are held to this: sums of numbers that are equal on paper differ by less.
_ROUNDING = 1e-6


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Play the cases and return the object of the bench.

    Raises:
        Unavailable: a campaign did not run to its end, or no calibration ships to be measured.
    """
    started = perf_counter()
    calibration = Calibration.load()
    if not calibration.corrections:
        raise Unavailable("no calibration of the blast radius ships; make one with `nocturne train blast`")
    seeds = _QUICK if quick else MEASURED_ON

    def told(done: int, of: int) -> None:
        if done % _TOLD_EVERY == 0 or done == of:
            progress(f"{done} of {of} faults are played")

    with folder_in(data) as folder:
        rows = campaign(folder, seeds, told)
    figures, baselines = judged(rows, calibration)
    conditions = {
        "seed": seeds[0],
        "n": len(rows),
        "networks": len(seeds),
        "faults": faults_on(seeds),
        "lying": LYING,
        "self_healing": SELF_HEALING,
        "learnt_on": calibration.card.get("networks", "unknown"),
    }
    return result("blast", figures, baselines, conditions, started)


def judged(rows: Sequence[Row], calibration: Calibration) -> tuple[Figures, dict[str, Figures]]:
    """Return the figures of a calibration on cases, and those of the baselines on the same ones.

    Raises:
        Unavailable: there are no cases.
    """
    if not rows:
        raise Unavailable("no fault led to a plan that was carried out; see the progress on standard error")
    constant = Constant.model_validate(calibration.card.get("constant", {}))

    def calibrated(row: Row) -> BlastRadius:
        return calibration.apply(row.raw, ActionClass(row.action_class))

    def belittling(row: Row, *, time_too: bool) -> BlastRadius:
        return calibration.apply(halved(row.raw, time_too=time_too), ActionClass(row.action_class))

    def watched(predicted: Predicted) -> Figures:
        return figures_of(rows, predicted) | alarm_after([held(predicted(row), row.truth) for row in rows])

    figures = watched(calibrated) | {"resolutions": dict(Counter(row.resolution for row in rows))}
    baselines = {
        "unscaled": figures_of(rows, lambda row: row.raw),
        "constant": figures_of(rows, lambda row: constant.around(row.raw, ActionClass(row.action_class))),
        "biased": watched(partial(belittling, time_too=False)),
        "hasty": watched(partial(belittling, time_too=True)),
    }
    return figures, baselines


def figures_of(rows: Sequence[Row], predicted: Predicted) -> Figures:
    """Return how often predictions hold, and how wide they are, over all cases, by class and by quantity."""
    made = [(row, predicted(row)) for row in rows]
    inside = [held(radius, row.truth) for row, radius in made]
    by_class = {
        name: _coverage([yes for (row, _), yes in zip(made, inside, strict=True) if row.action_class == name])
        for name in sorted({row.action_class for row in rows})
    }
    low, high = clopper_pearson(sum(inside), len(inside))
    return {
        "coverage_90": round(float(np.mean(inside)), 4),
        "coverage_low": round(low, 4),
        "coverage_high": round(high, 4),
        "coverage_worst_class": min(entry["coverage"] for entry in by_class.values()),
        "n": len(rows),
        "median_width": _width(made, Quantity.LOST),
        "by_class": by_class,
        "by_quantity": {str(quantity): _quantity(made, quantity) for quantity in Quantity},
    }


def held(radius: BlastRadius, truth: Mapping[Quantity, float | None]) -> bool:
    """Say whether every span of a prediction held."""
    return all(_holds(radius, quantity, truth[quantity]) for quantity in Quantity)


def _holds(radius: BlastRadius, quantity: Quantity, seen: float | None) -> bool:
    span = radius.of(quantity)
    return span is not None and span.holds(seen, _ROUNDING)


def _coverage(inside: Sequence[bool]) -> Figures:
    low, high = clopper_pearson(sum(inside), len(inside))
    return {
        "coverage": round(float(np.mean(inside)), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "n": len(inside),
    }


def _quantity(made: Sequence[tuple[Row, BlastRadius]], quantity: Quantity) -> Figures:
    """Return coverage and median width of one quantity; `open` is the share of cases in which no end is promised."""
    inside = [_holds(radius, quantity, row.truth[quantity]) for row, radius in made]
    ends = [span.high for _, radius in made if (span := radius.of(quantity)) is not None]
    said: Figures = {"coverage": round(float(np.mean(inside)), 4)}
    if any(end is not None for end in ends):
        said["median_width"] = _width(made, quantity)
    return said | {"open": round(sum(end is None for end in ends) / len(made), 4)}


def _width(made: Iterable[tuple[Row, BlastRadius]], quantity: Quantity) -> float:
    """Return the median width of a span, over the cases in which it ends."""
    spans = [radius.of(quantity) for _, radius in made]
    widths = [span.high - span.low for span in spans if span is not None and span.high is not None]
    return round(float(np.median(widths)), 4)
