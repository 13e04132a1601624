"""The blast radius of a plan: what still suffers once it is carried out, and until when, with an interval.

Five quantities are predicted together, so that one probability is about all of them: with `level` every one of them
ends within its span. After the plan they are measured, and each plan says whether its spans held.
"""

import math
from enum import StrEnum

from pydantic import Field

from domain.actions import ActionClass
from domain.base import Word


class Quantity(StrEnum):
    """What is counted. A circuit is a demand (traffic from one place to another) that loses what is sent on it."""

    CELLS = "cells"  # that do not work
    CIRCUITS = "circuits"  # that lose traffic
    CUSTOMERS = "customers"  # whose services suffer
    LOST = "lost_mbps"  # traffic that is sent and does not arrive
    RECOVERY = "recovery_s"  # from the first step until the network has recovered


#: How one and several of what is counted are called.
_NAMES = {
    Quantity.CELLS: ("cell", "cells"),
    Quantity.CIRCUITS: ("circuit", "circuits"),
    Quantity.CUSTOMERS: ("customer", "customers"),
}


class Span(Word):
    """One quantity: what is expected, and the interval. `high` None: no end is promised."""

    quantity: Quantity
    expected: float = Field(ge=0)
    low: float = Field(ge=0)
    high: float | None = Field(description="of the recovery: None when it may not come while it is waited for")

    def holds(self, seen: float | None, slack: float = 0.0) -> bool:
        """Say whether what was measured lies inside; `seen` None is a recovery that did not come."""
        if seen is None:
            return self.high is None
        return self.low - slack <= seen and (self.high is None or seen <= self.high + slack)

    @property
    def told(self) -> str:
        """The interval in words; of things that are counted, the whole numbers in it."""
        if self.quantity is Quantity.RECOVERY:
            return f"back within {_between(self.low, self.high)} s" if self.high is not None else _unpromised(self.low)
        if self.quantity is Quantity.LOST:
            return f"{_between(self.low, self.high)} Mbit/s lost"
        low, high = math.ceil(self.low), None if self.high is None else math.floor(self.high)
        return f"{_between(low, high)} {_NAMES[self.quantity][0 if low == high == 1 else 1]}"


class BlastRadius(Word):
    """What a plan is predicted to leave behind. `level`: the probability that all spans hold at once."""

    spans: tuple[Span, ...]
    level: float = Field(default=0.9, gt=0, lt=1)
    calibrated_for: str = Field(default="", description="the class of action whose cases the spans were fitted on")
    cases: int = Field(default=0, ge=0, description="how many of them; 0: the spans are the twin's own, not calibrated")
    earlier: int = Field(
        default=0,
        ge=0,
        exclude_if=lambda value: value == 0,
        description="plans of the same class here that the expected recovery rests on; 0: on what is usual elsewhere",
    )

    def of(self, quantity: Quantity) -> Span | None:
        """Return the span of one quantity, or None."""
        return next((span for span in self.spans if span.quantity is quantity), None)

    @property
    def told(self) -> str:
        """One line for people: all spans, how sure, and what that rests on."""
        spans = ", ".join(span.told for span in self.spans)
        return f"with {100 * self.level:.0f} %: {spans} ({self._rests_on})"

    @property
    def _rests_on(self) -> str:
        if not self.cases:
            return "the twin's own spans, not calibrated"
        kind = "of this kind" if self.calibrated_for in set(ActionClass) else f"of {self.calibrated_for or 'any kind'}"
        return f"calibrated on {self.cases:,} plans {kind}"


class Measured(Word):
    """One quantity as it was measured after the plan, and whether its span held; None: it did not recover."""

    quantity: Quantity
    seen: float | None
    inside: bool

    @property
    def told(self) -> str:
        """What was measured, in words."""
        if self.seen is None:
            return "not back"
        if self.quantity is Quantity.RECOVERY:
            return f"back after {_number(self.seen)} s"
        if self.quantity is Quantity.LOST:
            return f"{_number(self.seen)} Mbit/s lost"
        return f"{self.seen:.0f} {_NAMES[self.quantity][0 if self.seen == 1 else 1]}"


class BlastScore(Word):
    """How a predicted blast radius turned out: inside when every span held."""

    predicted: BlastRadius
    measured: tuple[Measured, ...]

    @property
    def inside(self) -> bool:
        """Whether all spans held at once, which is what `level` is about."""
        return all(entry.inside for entry in self.measured)

    @property
    def told(self) -> str:
        """One line for people: whether the forecast held, what was measured, and which span did not hold."""
        verdict = "the forecast held" if self.inside else "the forecast did not hold"
        return f"{verdict}: {', '.join(self._entry(entry) for entry in self.measured)}"

    def _entry(self, entry: Measured) -> str:
        span = self.predicted.of(entry.quantity)
        return entry.told if entry.inside or span is None else f"{entry.told} (forecast: {span.told})"


def _between(low: float, high: float | None) -> str:
    if high is None:
        return f"{_number(low)} or more"
    first, last = _number(low), _number(high)
    return first if first == last else f"{first}–{last}"


def _number(value: float) -> str:
    """Return a number to three digits that tell, and no digit that does not."""
    return f"{value:.0f}" if value >= 100 or value == round(value) else f"{value:.1f}"


def _unpromised(low: float) -> str:
    return f"back after {_number(low)} s at the earliest, perhaps not at all"
