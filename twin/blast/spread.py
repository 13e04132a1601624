"""The blast radius in the twin's own words: how each quantity spreads over the worlds and the levels of demand.

Each candidate cause is a world with a weight (`twin.worlds`), seen at three levels of demand. What suffers after the
plan is counted in each; the span holds the middle 90 % of the weight and the expected value. In "something else",
where a plan gets no credit, what suffers is at least what doing nothing leaves, and what is measured to suffer now.
These spans know nothing of lying devices, wrong causes and what the twin leaves out: calibration adds that.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.blast import BlastRadius, Quantity, Span
from domain.network import NodeKind
from twin.blast.recovery import Recovery
from twin.evaluate import Prediction
from twin.topology import Floats
from twin.worlds import LEVEL, World, quantile

#: A demand that loses more than this share of what it sends counts as hit: telemetry does not tell less from noise.
CIRCUIT_LOSS = 0.01
#: With more than this chance that the plan does not help, no end of the recovery is promised.
_HOPELESS = (1 - LEVEL) / 2


class Suffering(NamedTuple):
    """What suffers in one state of the network: cells that do not work, demands and customers hit, Mbit/s lost."""

    cells: float = 0.0
    circuits: float = 0.0
    customers: float = 0.0
    lost_mbps: float = 0.0

    def at_least(self, other: "Suffering") -> "Suffering":
        """Return the larger of each."""
        return Suffering(*map(max, self, other))


#: The fields of `Suffering`, by quantity.
COUNTED = (Quantity.CELLS, Quantity.CIRCUITS, Quantity.CUSTOMERS, Quantity.LOST)


def suffering(state: Prediction) -> Suffering:
    """Return what suffers in a predicted state."""
    topology = state.topology
    lossy = np.flatnonzero(state.demand_loss > CIRCUIT_LOSS)
    hit = {topology.demands[place] for place in lossy}
    down = {
        name
        for name, kind, works in zip(topology.nodes, topology.kinds, state.works[: len(topology.nodes)], strict=True)
        if kind is NodeKind.CELL and not works
    }
    customers = {
        service.customer
        for service in (topology.inventory.services if hit or down else ())
        if not hit.isdisjoint(service.demands) or not down.isdisjoint(service.cells)
    }
    return Suffering(float(len(down)), float(len(hit)), float(len(customers)), state.lost_mbps)


def spread(
    found: Sequence[World],
    levels: Sequence[tuple[float, float]],
    recovery: Recovery,
    seen: Suffering | None = None,
) -> BlastRadius:
    """Return the twin's own spans for a plan, not calibrated (`cases` is 0).

    Args:
        found: the worlds, whose weights sum to 1.
        levels: (factor on all demands, weight) of the levels of demand.
        recovery: what is known of how long such a plan takes.
        seen: what is measured to suffer now; None where it is not known.
    """
    floor = seen or Suffering()
    rows, weights, helpless = [], [], 0.0
    for world in found:
        helpless += 0.0 if helps(world) else world.weight
        for factor, weight in levels:
            rows.append(_left(world, factor, floor))
            weights.append(world.weight * weight)
    counts = zip(COUNTED, np.array(rows, np.float64).T, strict=True)
    spans = [_span(quantity, values, np.asarray(weights, np.float64)) for quantity, values in counts]
    high = None if helpless > _HOPELESS else recovery.high_s
    time = Span(quantity=Quantity.RECOVERY, expected=recovery.median_s, low=recovery.low_s, high=high)
    return BlastRadius(spans=(*spans, time), level=LEVEL, earlier=recovery.earlier)


def helps(world: World) -> bool:
    """Say whether the plan brings anything back in this world."""
    return world.credit and bool(world.nothing.affected(world.plan))


def _left(world: World, factor: float, floor: Suffering) -> Suffering:
    left = suffering(world.plan.at_load(factor))
    if world.credit:
        return left
    return left.at_least(suffering(world.nothing.at_load(factor))).at_least(floor)


def _span(quantity: Quantity, values: Floats, weights: Floats) -> Span:
    mean = float(np.average(values, weights=weights))
    low, high = (quantile(values.tolist(), weights.tolist(), q) for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Span(quantity=quantity, expected=mean, low=min(low, mean), high=max(high, mean))
