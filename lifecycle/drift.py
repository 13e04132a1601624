"""Does a model err more often than its card allows? A verdict with all the numbers it rests on.

The limit comes from the card: what the version erred on held-out cases, with room for luck. Between "well" and
"drifted" lies "watched": a tenth of the evidence, with a tenth of the guaranteed run length.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain.base import Word
from domain.models import ModelCard, ModelOutcome
from stats.e_detector import e_values, first_crossing

#: So many outcomes are the least that anything is said of.
LEAST = 4
#: Of the run length: what it takes to be watched.
_WATCHED = 0.1
_LEAST_LIMIT, _MOST_LIMIT, _ROOM = 0.1, 0.6, 1.5


class Level(StrEnum):
    TOO_FEW = "too_few"
    WELL = "well"
    WATCHED = "watched"
    DRIFTED = "drifted"


class Drift(Word):
    """What the outcomes of one version say. `e_value` is held against `run_length` (see `stats.e_detector`)."""

    slot: str
    version: str
    level: Level
    outcomes: int
    errors: int
    limit: float = Field(description="error rate that the card allows")
    e_value: float
    run_length: float = Field(description="guaranteed mean number of outcomes between two false alarms")
    found_after: int | None = Field(default=None, description="outcomes from the version's first to the alarm")
    seconds_per_outcome: float | None = Field(default=None, description="at the event rate seen; None for fewer than 2")

    @property
    def confidence(self) -> float:
        """Return M / (M + n): M_n / n is an e-value (its mean is at most 1), taken with even odds beforehand."""
        return self.e_value / (self.e_value + self.outcomes) if self.outcomes else 0.0

    @property
    def found_after_s(self) -> float | None:
        """Return the delay in seconds at the event rate seen."""
        if self.found_after is None or self.seconds_per_outcome is None:
            return None
        return self.found_after * self.seconds_per_outcome

    def told(self) -> str:
        """Return the verdict with its numbers in one sentence."""
        seen = f"{self.errors} of {self.outcomes} outcomes were wrong, the card allows {self.limit:.0%}"
        held = f"e-value {self.e_value:.3g} against {self.run_length:g}"
        budget = f"at most one false alarm in {self.run_length:g} outcomes on average"
        return f"{seen}; {held} ({budget}){self._watched()}{self._delay()}"

    def _watched(self) -> str:
        if self.level is not Level.WATCHED:
            return ""
        least = _WATCHED * self.run_length
        return f"; a warning from {least:g} on, at most one false one in {least:g} outcomes on average"

    def _delay(self) -> str:
        if self.found_after is None:
            return ""
        seconds = "" if self.found_after_s is None else f", {self.found_after_s:.0f} s at this event rate"
        return f"; found after {self.found_after} outcomes{seconds}"


def error_limit(card: ModelCard) -> float:
    """Return the error rate that a version may have: half more than on its held-out cases, between 10 and 60 %."""
    measured = card.metrics.get("error", _MOST_LIMIT / _ROOM)
    return float(min(_MOST_LIMIT, max(_LEAST_LIMIT, _ROOM * measured)))


def drift(card: ModelCard, outcomes: Sequence[ModelOutcome], run_length: float) -> Drift:
    """Return what the outcomes of a version (of no other) say of it.

    Args:
        card: the version's; its held-out error sets the limit.
        outcomes: in the order in which they became known.
        run_length: accepted mean number of outcomes between two false alarms.
    """
    errors = [not outcome.right for outcome in outcomes]
    values = e_values(errors, error_limit(card))
    now = float(values[-1]) if len(values) else 0.0
    return Drift(
        slot=card.slot,
        version=card.version,
        level=_level(len(errors), now, run_length),
        outcomes=len(errors),
        errors=sum(errors),
        limit=error_limit(card),
        e_value=now,
        run_length=run_length,
        found_after=first_crossing(values, run_length),
        seconds_per_outcome=_pace([outcome.known_time for outcome in outcomes]),
    )


def _level(outcomes: int, e_value: float, run_length: float) -> Level:
    if outcomes < LEAST:
        return Level.TOO_FEW
    if e_value >= run_length:
        return Level.DRIFTED
    return Level.WATCHED if e_value >= _WATCHED * run_length else Level.WELL


def _pace(times: Sequence[datetime]) -> float | None:
    return (times[-1] - times[0]).total_seconds() / (len(times) - 1) if len(times) > 1 else None
