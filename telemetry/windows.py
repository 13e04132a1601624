"""Event-time tumbling windows with a watermark per source: out of order within the bound changes nothing.

A source's watermark is its newest event time less the lateness bound. A window closes when the watermark
passes its end; what belongs to a closed window is late and is handed back, never dropped. Sums are `math.fsum`
(exactly rounded, whatever the order), so the results of a shuffled stream are equal to the last byte.
"""

import math
from array import array
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from domain.errors import BadInput
from domain.measurements import Metric, Reading


@dataclass(frozen=True, slots=True)
class Window:
    """One closed window of one series. `low` and `high` are None when nothing but gaps was reported."""

    source: str
    element: str
    metric: Metric
    start: datetime
    count: int
    missing: int
    total: float
    low: float | None
    high: float | None


_Cells: TypeAlias = "dict[tuple[str, Metric], array[float]]"


class Windows:
    """Windows of `width_s` seconds, aligned to the epoch, that wait `lateness_s` seconds for stragglers.

    Closed windows wait to be taken by `closed`, at most `keep` of them: of those that nobody takes the oldest
    go, and `forgotten` counts them. One thread at a time.
    """

    def __init__(self, width_s: float, lateness_s: float, *, keep: int = 100_000) -> None:
        if not (0 < width_s < math.inf and 0 <= lateness_s < math.inf):
            raise BadInput(f"windows of `{width_s}` s, `{lateness_s}` s late, cannot be; give positive numbers")
        self.width_s, self.lateness_s = width_s, lateness_s
        self.forgotten = 0
        self._open: dict[str, dict[int, _Cells]] = {}
        self._newest: dict[str, float] = {}
        self._closed: deque[Window] = deque(maxlen=keep)

    def add(self, readings: Iterable[Reading], source: str = "") -> tuple[Reading, ...]:
        """Put readings that came together into their windows; return those whose window is closed already."""
        opened = self._open.setdefault(source, {})
        newest = self._newest.get(source, -math.inf)
        first_open = self._first_open(source)
        late: list[Reading] = []
        moment: datetime | None = None
        at, index = 0.0, 0
        for reading in readings:
            if reading.event_time is not moment:  # the rows of one item share their time
                moment = reading.event_time
                at = moment.timestamp()
                index = math.floor(at / self.width_s)
            if index < first_open:
                late.append(reading)
                continue
            newest = max(newest, at)
            cells = opened.setdefault(index, {})
            value = math.nan if reading.value is None else reading.value + 0.0  # no negative zero
            key = (reading.element, reading.metric)
            if key in cells:
                cells[key].append(value)
            else:
                cells[key] = array("d", (value,))
        if newest > -math.inf:
            self._newest[source] = newest
        self._close(source, self._first_open(source))
        return tuple(late)

    def closed(self) -> tuple[Window, ...]:
        """Take the windows that were closed since the last call; those of one source are in order of time."""
        taken = tuple(self._closed)
        self._closed.clear()
        return taken

    def flush(self) -> tuple[Window, ...]:
        """Close everything, for the end of a stream, and take it."""
        for source in sorted(self._open):
            self._close(source, None)
        return self.closed()

    def _first_open(self, source: str) -> float:
        """The index of the first window that the watermark has not passed."""
        newest = self._newest.get(source)
        return -math.inf if newest is None else (newest - self.lateness_s) // self.width_s

    def _close(self, source: str, before: float | None) -> None:
        opened = self._open[source]
        for index in sorted(i for i in opened if before is None or i < before):
            cells = opened.pop(index)
            start = datetime.fromtimestamp(index * self.width_s, UTC)
            for element, metric in sorted(cells):
                window = _window(source, element, metric, start, cells[element, metric])
                self.forgotten += len(self._closed) == self._closed.maxlen
                self._closed.append(window)


def _window(source: str, element: str, metric: Metric, start: datetime, values: "array[float]") -> Window:
    known = [value for value in values if value == value]  # noqa: PLR0124 (only NaN differs from itself)
    return Window(
        source=source,
        element=element,
        metric=metric,
        start=start,
        count=len(known),
        missing=len(values) - len(known),
        total=math.fsum(known),
        low=min(known, default=None),
        high=max(known, default=None),
    )
