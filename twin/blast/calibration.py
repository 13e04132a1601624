"""What earlier cases taught: by how much each span of a blast radius is to be moved, so that all hold at once.

The shipped `calibration.json` comes from cases on the emulated plant (`nocturne train blast`), fitted in
`twin.blast.fitting`. One correction per class of action, and within it one for plans of which the twin is sure that
they help and one for the others; a class without cases takes what all classes taught, and says so.

A side moves by its margin times the span's own scale (`scale`), so what the twin is unsure of moves further; the time
to recover lies around what is expected by factors (its margins are of logarithms), and what is expected is moved, too,
unless it comes from earlier plans of the house itself. A margin can be negative: the span was too wide. None: no bound
holds often enough. Cases are of plans that were carried out because they were sound: others are not calibrated.
"""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from domain.actions import ActionClass
from domain.base import Word
from domain.blast import BlastRadius, Quantity, Span
from domain.errors import BadInput

_FILE = Path(__file__).with_name("calibration.json")
#: What is said of the class where all classes were taken together.
POOLED = "all classes"
#: Times below this are not told apart, in seconds.
_LEAST_S = 0.05


class Margin(Word):
    """One quantity: `low` and `high` are how far the sides move out, in scales; `shift` moves the recovery's centre."""

    quantity: Quantity
    low: float | None = 0.0
    high: float | None = 0.0
    shift: float = 0.0


class Correction(Word):
    """What the cases of one class taught. `sure`: of plans that the twin is sure to help, or of the others; None: both.

    `level` is the joint probability that it was fitted for.
    """

    action_class: ActionClass | None = Field(default=None, description="None: all classes together")
    sure: bool | None = None
    cases: int = Field(ge=0)
    level: float = Field(default=0.9, gt=0, lt=1)
    margins: tuple[Margin, ...]

    def apply(self, raw: BlastRadius) -> BlastRadius:
        """Return the spans of the twin, moved."""
        margins = {margin.quantity: margin for margin in self.margins}
        spans = tuple(moved(span, margins.get(span.quantity), earlier=raw.earlier) for span in raw.spans)
        name = self.action_class.value if self.action_class else POOLED
        return raw.but(spans=spans, level=self.level, calibrated_for=name, cases=self.cases)


class Calibration(Word):
    """All corrections, and the card that tells where they come from."""

    corrections: tuple[Correction, ...] = ()
    card: dict[str, Any] = {}

    @staticmethod
    def none() -> "Calibration":
        """Return a calibration that changes nothing."""
        return Calibration()

    @staticmethod
    def load() -> "Calibration":
        """Return the shipped calibration; one that changes nothing where none is shipped.

        Raises:
            BadInput: the file is damaged.
        """
        return _shipped(_FILE)

    def of(self, action_class: ActionClass, *, sure: bool) -> Correction | None:
        """Return the narrowest correction that fits a plan: of its class before all, of its kind before both."""
        known = {(item.action_class, item.sure): item for item in self.corrections}
        keys = ((action_class, sure), (action_class, None), (None, sure), (None, None))
        return next((known[key] for key in keys if key in known), None)

    def apply(self, raw: BlastRadius, action_class: ActionClass) -> BlastRadius:
        """Return the spans of the twin, calibrated for a class of action; as they are where nothing is known of any."""
        found = self.of(action_class, sure=is_sure(raw))
        return raw if found is None else found.apply(raw)


def is_sure(raw: BlastRadius) -> bool:
    """Say whether the twin promises an end of the recovery: it is sure that the plan helps."""
    span = raw.of(Quantity.RECOVERY)
    return span is not None and span.high is not None


def moved(span: Span, margin: Margin | None, *, earlier: int = 0) -> Span:
    """Return a span with its sides moved; it always holds what is expected, and at least one whole number of things."""
    if margin is None:
        return span
    if span.quantity is Quantity.RECOVERY:
        return _moved_time(span, margin, earlier)
    unit, (least, most) = scale(span), kept(span)
    low = 0.0 if margin.low is None else max(0.0, span.low - margin.low * unit)
    high = None if margin.high is None or span.high is None else max(0.0, span.high + margin.high * unit)
    return span.but(low=min(low, least), high=None if high is None else max(high, most))


def scale(span: Span) -> float:
    """Return the unit in which a span is moved: what the twin itself is unsure of, and the noise of a count."""
    width = 0.0 if span.high is None else span.high - span.low
    return width + math.sqrt(1.0 + span.expected)


def kept(span: Span) -> tuple[float, float]:
    """Return what a span always holds: what is expected and, of things that are counted, the nearest whole number."""
    if span.quantity in {Quantity.LOST, Quantity.RECOVERY}:
        return span.expected, span.expected
    whole = float(round(span.expected))
    return min(span.expected, whole), max(span.expected, whole)


def in_log(seconds: float) -> float:
    """Return the logarithm of a time, of which those below a sample's fraction are not told apart."""
    return math.log(max(seconds, _LEAST_S))


def centre(span: Span, shift: float, earlier: int) -> float:
    """Return the logarithm of the expected time, moved where no earlier plans of the house tell it."""
    return in_log(span.expected) + (0.0 if earlier else shift)


def _moved_time(span: Span, margin: Margin, earlier: int) -> Span:
    expected, high = centre(span, margin.shift, earlier), None
    low = 0.0 if margin.low is None else math.exp(expected - max(margin.low, 0.0))
    if margin.high is not None:
        high = math.exp(expected + max(margin.high, 0.0))
    return span.but(expected=math.exp(expected), low=low if low > 1.001 * _LEAST_S else 0.0, high=high)


@cache
def _shipped(path: Path) -> Calibration:
    if not path.exists():
        return Calibration.none()
    try:
        return Calibration.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise BadInput(f"`{path.name}` is damaged; make it anew with `nocturne train blast`: {error}") from error
