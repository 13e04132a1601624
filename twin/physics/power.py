"""Mains outages: what goes dark when, as the batteries of the sites run out one after the other.

A power node that does not work (mains gone, breaker out, locked for work) still feeds what depends on it until its
battery ends; without a declared battery that is at once. A site needs all it is said to depend on: gateway up and
power there. So an outage has a course, and it changes only when a battery ends.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.changes import Change
from twin.evaluate import Prediction, evaluate
from twin.physics.declared import batteries_of
from twin.snapshot import Snapshot


class Stage(NamedTuple):
    """From `hours` after the outage began until the next stage, this is the state."""

    hours: float
    prediction: Prediction


def course(snapshot: Snapshot, changes: Sequence[Change] = ()) -> tuple[Stage, ...]:
    """Return the stages of an outage, the first at 0 hours; one stage where no battery is in use.

    Raises:
        BadInput: as `evaluate` does.
    """
    stages = [Stage(0.0, evaluate(snapshot, changes, hours=0.0))]
    while (ends := _next_end(snapshot, stages[-1])) is not None:
        stages.append(Stage(ends, evaluate(snapshot, changes, hours=ends)))
    return tuple(stages)


def _next_end(snapshot: Snapshot, stage: Stage) -> float | None:
    """Return when the next battery of a power node that is down ends, or None when none is left."""
    batteries = batteries_of(snapshot.inventory)
    down = [hours for name, hours in batteries.items() if not stage.prediction.available(name)]
    later = np.array([hours for hours in down if hours > stage.hours])
    return float(later.min()) if later.size else None
