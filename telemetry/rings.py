"""A ring of time slots per series: the newest samples of thousands of series in two arrays.

A sample at time t belongs to slot floor(t / period), and the slot to cell (slot mod slots). A cell keeps the
sample with the newest event time, so arrival order does not matter, and a sample with a wrong clock harms
at most one cell of its own series.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


class Ring:
    """`slots` cells of `period_s` seconds for each row. Times are seconds since the epoch. Not locked."""

    def __init__(self, period_s: float, slots: int) -> None:
        self.period_s, self.slots = period_s, slots
        self._times: Floats = np.full((0, slots), -np.inf)
        self._values: Floats = np.full((0, slots), np.nan)

    def slot(self, at: float) -> int:
        """Return the number of the slot that holds the time `at`."""
        return int(np.floor(at / self.period_s))

    def reserve(self, rows: int) -> None:
        """Make room for at least so many rows, half as many again when it grows."""
        have = len(self._times)
        if rows > have:
            more = max(rows, have + have // 2) - have
            self._times = np.concatenate([self._times, np.full((more, self.slots), -np.inf)])
            self._values = np.concatenate([self._values, np.full((more, self.slots), np.nan)])

    def put(self, rows: Rows, times: Floats, values: Floats) -> None:
        """Store samples; a cell that holds a newer one keeps it. `values` must be finite, `times` ascending."""
        cells = np.floor(times / self.period_s).astype(np.int64) % self.slots
        newer = times >= self._times[rows, cells]
        rows, cells = rows[newer], cells[newer]
        self._times[rows, cells] = times[newer]  # of several for one cell, numpy keeps the last: the newest
        self._values[rows, cells] = values[newer]

    def window(self, rows: Rows, last: int, count: int) -> tuple[Floats, Floats]:
        """Return values and times (rows × count) of the slots up to and including `last`.

        Where nothing is known the value is NaN and the time -inf.
        """
        wanted = np.arange(last - count + 1, last + 1)
        cells = wanted % self.slots
        values, times = self._values[np.ix_(rows, cells)], self._times[np.ix_(rows, cells)]
        # a cell of another turn of the ring is at least half a turn away from the slot's start
        other_turn = np.abs(times - wanted * self.period_s) > self.period_s * self.slots / 2
        values[other_turn], times[other_turn] = np.nan, -np.inf
        return values, times
