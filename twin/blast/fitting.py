"""Learning a calibration from cases: what a plan was predicted to leave behind, and what it did.

Split by class of action (Mondrian, Vovk 2012) and by whether the twin was sure that the plan helps. Within each part
the five spans have ten sides; `stats.joint` moves them together, so that all of them hold at once as often as claimed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from domain.actions import ActionClass
from domain.base import Word
from domain.blast import BlastRadius, Quantity, Span
from domain.errors import BadInput
from stats.joint import Floats, joint_margins
from twin.blast.calibration import Calibration, Correction, Margin, centre, in_log, is_sure, kept, scale

#: A class with fewer cases is taken together with all others, and within a class a part with fewer with the other part.
FEWEST, FEWEST_APART = 30, 60
#: Moves a count's side in as far as it will go; what a span always holds stays in it.
_INWARDS = -1.0


class Case(Word):
    """One plan: its class, what the twin said of it, and what was so in the end; `group` is the network it was on.

    The truth of the recovery is None when it did not come.
    """

    action_class: ActionClass
    raw: BlastRadius
    truth: dict[Quantity, float | None]
    group: str = ""


def fit(cases: Iterable[Case], level: float = 0.9) -> Calibration:
    """Return the calibration with which all spans of a plan hold at once with `level`.

    Raises:
        BadInput: there are too few cases to say anything.
    """
    known = list(cases)
    if len(known) < FEWEST:
        raise BadInput(f"a blast radius is calibrated on at least {FEWEST} cases, and there are {len(known)}; add some")
    found = [_fitted(known, None, None, level), *_by_sure(known, None, level)]
    for action_class in sorted({case.action_class for case in known}):
        own = [case for case in known if case.action_class is action_class]
        if len(own) >= FEWEST:
            found += [_fitted(own, action_class, None, level), *_by_sure(own, action_class, level)]
    return Calibration(corrections=tuple(found))


def _by_sure(cases: Sequence[Case], action_class: ActionClass | None, level: float) -> list[Correction]:
    parts = {sure: [case for case in cases if is_sure(case.raw) is sure] for sure in (True, False)}
    return [
        _fitted(part, action_class, sure, level)
        for sure, part in parts.items()
        if FEWEST_APART <= len(part) < len(cases)
    ]


def _fitted(cases: Sequence[Case], action_class: ActionClass | None, sure: bool | None, level: float) -> Correction:
    shift = _shift(cases)
    needed = np.array([needed_margins(case.raw, case.truth, shift) for case in cases], np.float64)
    groups = {name: number for number, name in enumerate(dict.fromkeys(case.group for case in cases))}
    sides = joint_margins(needed, level, [groups[case.group] for case in cases])
    margins = (
        _margin(quantity, float(low), float(high), shift)
        for quantity, (low, high) in zip(Quantity, sides.reshape(-1, 2), strict=True)
    )
    return Correction(action_class=action_class, sure=sure, cases=len(cases), level=level, margins=tuple(margins))


def needed_margins(raw: BlastRadius, truth: Mapping[Quantity, float | None], shift: float = 0.0) -> Floats:
    """Return the least margins, low and high of each quantity in order, with which the spans hold; shape (10,).

    A quantity that has no span or was not measured (not in `truth`) needs none.
    """
    sides: list[float] = []
    for quantity in Quantity:
        span = raw.of(quantity)
        if span is None or quantity not in truth:
            sides += [-math.inf, -math.inf]
        elif _timed(quantity):
            sides += _needed_of_time(centre(span, shift, raw.earlier), truth[quantity])
        else:
            sides += _needed_of_count(span, truth[quantity])
    return np.array(sides, np.float64)


def _needed_of_count(span: Span, seen: float | None) -> list[float]:
    if seen is None:
        raise BadInput(f"`{span.quantity}` has a true value in every case; leave it out where it was not measured")
    unit, (least, most) = scale(span), kept(span)
    low = -math.inf if seen >= least else (span.low - seen) / unit
    high = -math.inf if seen <= most or span.high is None else (seen - span.high) / unit
    return [low, high]


def _needed_of_time(expected: float, seen: float | None) -> list[float]:
    if seen is None:
        return [-math.inf, math.inf]
    ratio = in_log(seen) - expected
    return [-ratio if ratio < 0 else -math.inf, ratio if ratio > 0 else -math.inf]


def _shift(cases: Sequence[Case]) -> float:
    """Return the median of the logarithm of true over expected time, of plans without a past that recovered."""
    ratios = [
        in_log(seen) - in_log(span.expected)
        for case in cases
        if not case.raw.earlier
        and (span := case.raw.of(Quantity.RECOVERY))
        and (seen := case.truth.get(Quantity.RECOVERY)) is not None
    ]
    return round(float(np.median(ratios)), 4) if ratios else 0.0


def _timed(quantity: Quantity) -> bool:
    return quantity is Quantity.RECOVERY


def _margin(quantity: Quantity, low: float, high: float, shift: float) -> Margin:
    if _timed(quantity):
        return Margin(quantity=quantity, low=_plain(low, 0.0), high=_plain(high, 0.0), shift=shift)
    return Margin(quantity=quantity, low=_plain(low, 0.0), high=_plain(high, _INWARDS))


def _plain(margin: float, idle: float) -> float | None:
    """Return a margin as it is kept, rounded outwards: `idle` where none is needed, None where none is enough."""
    if math.isinf(margin):
        return None if margin > 0 else idle
    return math.ceil(margin * 1e4) / 1e4
