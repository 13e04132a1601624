"""The newest value of every metric, with its age; rates of octet counters among them.

Missing is not zero: a gap replaces nothing, what is older than `fresh` is not present, and a counter that went
backwards (a restart, a wrap) says nothing until it has moved on.
"""

from datetime import datetime, timedelta

from domain.measurements import Batch, Metric

_MBIT_PER_OCTET = 8e-6


class Newest:
    """Not thread-safe: its owner holds a lock. `at` is the event time of the newest value of all, or None."""

    def __init__(self, fresh_s: float) -> None:
        """Values older than the newest one of all by `fresh_s` are not present any more."""
        self._fresh = timedelta(seconds=fresh_s)
        self._values: dict[tuple[str, str], tuple[float, datetime]] = {}
        self._asked: dict[tuple[str, str], datetime] = {}
        self._rates: dict[str, tuple[float, datetime]] = {}
        self.at: datetime | None = None

    def take(self, batch: Batch) -> None:
        """Take in readings; of each metric the newest counts, in whatever order they come."""
        for reading in batch.readings:
            key, at = (reading.element, reading.metric.value), reading.event_time
            if reading.value is None:
                self._asked[key] = max(at, self._asked.get(key, at))
                continue
            held = self._values.get(key)
            if held is None or held[1] <= at:
                if held is not None and reading.metric is Metric.OCTETS:
                    self._count(reading.element, held, (reading.value, at))
                self._values[key] = (reading.value, at)
            if self.at is None or at > self.at:
                self.at = at

    def observed(self, element: str, metric: Metric) -> tuple[float | None, datetime] | None:
        """Return the newest value and its event time; (None, time) if only gaps were reported; None if nothing was."""
        key = (element, metric.value)
        if key in self._values:
            return self._values[key]
        return (None, self._asked[key]) if key in self._asked else None

    def present(self, element: str, metric: Metric) -> float | None:
        """Return the value if it is fresh."""
        return self._if_fresh(self._values.get((element, metric.value)))

    def age_s(self, element: str, metric: Metric) -> float:
        """Return the seconds between a value and the newest of all; NaN where there is no value."""
        return self._age_s(self._values.get((element, metric.value)))

    def carried(self, point: str, capacity_mbps: float) -> tuple[float, float] | None:
        """Return the Mbit/s that a termination point sends, at most its capacity, and the age of that in seconds.

        By its utilisation, or else by its octets; None where neither is fresh.
        """
        share = self._values.get((point, Metric.UTILISATION.value))
        if (value := self._if_fresh(share)) is not None:
            return min(value, 1.0) * capacity_mbps, self._age_s(share)
        rate = self._rates.get(point)
        if (value := self._if_fresh(rate)) is not None:
            return min(value, capacity_mbps), self._age_s(rate)
        return None

    def _count(self, point: str, before: tuple[float, datetime], after: tuple[float, datetime]) -> None:
        passed = (after[1] - before[1]).total_seconds()
        if passed > 0 and after[0] >= before[0]:
            self._rates[point] = ((after[0] - before[0]) * _MBIT_PER_OCTET / passed, after[1])
        elif passed > 0:
            self._rates.pop(point, None)

    def _if_fresh(self, held: tuple[float, datetime] | None) -> float | None:
        return None if held is None or self.at is None or self.at - held[1] > self._fresh else held[0]

    def _age_s(self, held: tuple[float, datetime] | None) -> float:
        return float("nan") if held is None or self.at is None else (self.at - held[1]).total_seconds()
