"""How far predictions were from what was observed, per KPI, over a window of time that moves with the readings."""

from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from domain.rehearsal import KpiFidelity
from twin.topology import Floats

#: What is older than this counts no more.
WINDOW_S = 900.0


class _Point(NamedTuple):
    """Sums over the pairs of one moment."""

    at: datetime
    off: float
    signed: float
    observed: float
    pairs: int


class Comparison:
    """Predicted against observed values of one KPI. Not thread-safe: its owner holds a lock."""

    def __init__(self, kpi: str, unit: str, bound: float, *, decides: bool, window_s: float = WINDOW_S) -> None:
        """Compare in `unit`; an error beyond `bound` (a wMAPE) is too much."""
        self._kpi, self._unit, self._bound, self._decides = kpi, unit, bound, decides
        self._window = timedelta(seconds=window_s)
        self._points: deque[_Point] = deque()

    def add(self, at: datetime, predicted: Floats, observed: Floats) -> None:
        """Take in pairs of one moment, in order of time; shapes (pairs,). Pairs that are not both finite do not count.

        What is said of the same moment again replaces what was said before.
        """
        known = np.isfinite(predicted) & np.isfinite(observed)
        gap = predicted[known] - observed[known]
        while self._points and self._points[-1].at >= at:
            self._points.pop()
        while self._points and at - self._points[0].at > self._window:
            self._points.popleft()
        if known.any():
            sums = float(np.abs(gap).sum()), float(gap.sum()), float(observed[known].sum())
            self._points.append(_Point(at, *sums, int(known.sum())))

    def measured(self, now: datetime) -> KpiFidelity:
        """Return the error over the window that ends `now`; not measured where nothing was observed in it."""
        points = [point for point in self._points if now - point.at <= self._window]
        observed = sum(point.observed for point in points)
        if not observed > 0:
            return self._said(None, None, 0, None)
        wmape, bias = sum(p.off for p in points) / observed, sum(p.signed for p in points) / observed
        age_s = max(0.0, (now - points[-1].at).total_seconds())
        return self._said(wmape, bias, sum(p.pairs for p in points), age_s)

    def _said(self, wmape: float | None, bias: float | None, points: int, age_s: float | None) -> KpiFidelity:
        return KpiFidelity(
            kpi=self._kpi,
            unit=self._unit,
            wmape=wmape,
            bias=bias,
            points=points,
            window_s=self._window.total_seconds(),
            age_s=age_s,
            bound=self._bound,
            decides=self._decides,
            reason=self._reason(wmape, points, age_s),
        )

    def _reason(self, wmape: float | None, points: int, age_s: float | None) -> str:
        if wmape is None or age_s is None:
            return f"{self._kpi} is not measured enough to tell"
        within = "within" if wmape <= self._bound else "beyond"
        seen = f"{points} points, the newest {age_s:.0f} s old"
        return f"{self._kpi} is {wmape:.1%} off, {within} {self._bound:.0%} ({seen})"
