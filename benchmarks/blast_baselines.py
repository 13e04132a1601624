"""What the calibrated blast radius is measured against: one width for all cases, and a twin that belittles."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from domain.actions import ActionClass
from domain.base import Word
from domain.blast import BlastRadius, Quantity, Span
from stats.anytime import Watch
from twin.blast.calibration import POOLED
from twin.blast.fitting import Case

#: The e-value at which the house says that its intervals hold less often than they claim (`autonomy.realised`).
SUSPICION = 20.0
_LEVEL = 0.9
#: A class with fewer cases takes the widths of all classes together.
_FEWEST = 60
_ORDERS = 200


class Constant(Word):
    """One width to both sides of what is expected, per class and quantity, whatever the case; None: no end."""

    widths: dict[str, dict[Quantity, float | None]] = {}

    def around(self, raw: BlastRadius, action_class: ActionClass) -> BlastRadius:
        """Return what is expected, with the width of the class around it."""
        known = self.widths.get(str(action_class), self.widths.get(POOLED, {}))
        return raw.but(spans=tuple(_around(span, known.get(span.quantity)) for span in raw.spans))


def _around(span: Span, width: float | None) -> Span:
    if width is None:
        return span.but(low=0.0, high=None)
    return span.but(low=max(0.0, span.expected - width), high=span.expected + width)


def constant(cases: Iterable[Case]) -> Constant:
    """Return plain split-conformal widths: residuals around what is expected, at a level that Bonferroni's bound needs
    for all five to hold at once with 90 % (Lei et al., "Distribution-free predictive inference for regression", JASA
    113, 2018).
    """
    known = list(cases)
    groups = {POOLED: known}
    for action_class in ActionClass:
        own = [case for case in known if case.action_class is action_class]
        if len(own) >= _FEWEST:
            groups[str(action_class)] = own
    return Constant(
        widths={name: {quantity: _residual(own, quantity) for quantity in Quantity} for name, own in groups.items()}
    )


def _residual(cases: Sequence[Case], quantity: Quantity) -> float | None:
    found = [_off(case, quantity) for case in cases]
    level = 1 - (1 - _LEVEL) / len(Quantity)
    rank = int(np.ceil((len(found) + 1) * level))
    width = sorted(found)[rank - 1] if rank <= len(found) else np.inf
    return None if np.isinf(width) else round(float(width), 4)


def _off(case: Case, quantity: Quantity) -> float:
    span, seen = case.raw.of(quantity), case.truth.get(quantity)
    return np.inf if span is None or seen is None else abs(seen - span.expected)


def halved(raw: BlastRadius, *, time_too: bool = False) -> BlastRadius:
    """Return what a twin says that halves whatever it predicts to suffer, and the time to recover if `time_too`."""
    kept = () if time_too else (Quantity.RECOVERY,)
    return raw.but(spans=tuple(span if span.quantity in kept else _half(span) for span in raw.spans))


def _half(span: Span) -> Span:
    return span.but(expected=span.expected / 2, low=span.low / 2, high=None if span.high is None else span.high / 2)


def alarm_after(inside: Sequence[bool]) -> dict[str, Any]:
    """Return how soon the watch over coverage speaks up when plans turn out so, over many orders of the same cases.

    `alarm_after` is the median number of scored plans until the alarm, of the orders in which it came (0 in none), and
    `alarms` the share of orders in which it came before the cases were over.
    """
    rng = np.random.default_rng(0xB1A)
    found = [_first_alarm(rng.permutation(np.asarray(inside, bool)).tolist()) for _ in range(_ORDERS)]
    came = [count for count in found if count]
    return {"alarm_after": int(np.median(came)) if came else 0, "alarms": round(len(came) / _ORDERS, 4)}


def _first_alarm(inside: Iterable[bool]) -> int:
    watch = Watch()
    for count, yes in enumerate(inside, start=1):
        watch = watch.after(not yes, 1.0 - _LEVEL)
        if watch.e_value >= SUSPICION:
            return count
    return 0
