"""What the elements reported lately, and the picture of it: what is unusual, what is healthy, what says nothing.

Missing is not zero. An element that used to report and has no fresh sample is *silent*; it is healthy only when
every one of its series that can be judged is fresh, as usual and not plainly bad. So a blackout in the middle of a
fault can never look like recovery.

Two rings: a fine one (one cell per sampling period) and a coarse one (ten times as wide) that still knows what was
usual when a trouble has lasted longer than the fine one reaches back.
"""

import math
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from domain.errors import BadInput
from domain.measurements import Metric, Reading
from domain.observations import Anomaly, Picture
from telemetry.deviation import BAD, ORDER, Deviation, deviation
from telemetry.rings import Floats, Ring, Rows

_BASELINE_SLOTS = 120
#: With fewer fine slots than this before the onset, the baseline comes from the coarse ring.
_ENOUGH_FINE_SLOTS = 30
_COARSE = 10
_COARSE_SLOTS = 360
_RECENT_S = 10.0

_METRIC_INDEX = {metric: index for index, metric in enumerate(ORDER)}


class History:
    """The newest readings of every (element, metric). Safe to use from several threads.

    Args:
        period_s: how often elements report, in seconds.
        slots: how many periods are remembered finely.
        slack_s: how much later than three periods a sample may be and still be fresh (jitter, delivery).
    """

    def __init__(self, period_s: float, slots: int = 600, *, slack_s: float = 1.0) -> None:
        if not (0 < period_s < math.inf and slots >= 1):
            raise BadInput(f"a history of `{slots}` slots of `{period_s}` s cannot be; give positive numbers")
        self.period_s = period_s
        self.fresh_s = 3 * period_s + slack_s
        self._fine, self._coarse = Ring(period_s, slots), Ring(_COARSE * period_s, _COARSE_SLOTS)
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, Metric], int] = {}
        self._elements: dict[str, list[int]] = {}
        self._names: list[str] = []
        self._metrics: list[int] = []
        self._sources: list[str] = []
        self._spoke: list[float] = []  # per row: newest event time of a value, -inf while there was none
        self._last_seen: dict[str, float] = {}

    def add(self, readings: Iterable[Reading], source: str) -> None:
        """Take in readings, new ones or old ones (a backfill), in any order. `None` values are gaps."""
        with self._lock:
            rows, times, values = self._arrays(readings, source)
            if not len(rows):
                return
            self._last_seen[source] = max(self._last_seen.get(source, -math.inf), float(times.max()))
            order = np.argsort(times, kind="stable")
            for ring in (self._fine, self._coarse):
                ring.reserve(len(self._names))
                ring.put(rows[order], times[order], values[order])

    def _arrays(self, readings: Iterable[Reading], source: str) -> tuple[Rows, Floats, Floats]:
        rows: list[int] = []
        times: list[float] = []
        values: list[float] = []
        moment: datetime | None = None
        at = 0.0
        for reading in readings:
            row = self._rows.get((reading.element, reading.metric))
            if row is None:
                row = self._new_row(reading.element, reading.metric)
            self._sources[row] = source
            if reading.value is None:
                continue
            if reading.event_time is not moment:  # the rows of one item share their time
                moment = reading.event_time
                at = moment.timestamp()
            self._spoke[row] = max(self._spoke[row], at)
            rows.append(row)
            times.append(at)
            values.append(reading.value)
        return np.array(rows, dtype=np.intp), np.array(times), np.array(values)

    def _new_row(self, element: str, metric: Metric) -> int:
        row = self._rows[(element, metric)] = len(self._names)
        self._elements.setdefault(element, []).append(row)
        self._names.append(element)
        self._metrics.append(_METRIC_INDEX[metric])
        self._sources.append("")
        self._spoke.append(-math.inf)
        return row

    def sources(self) -> dict[str, datetime]:
        """Return when each source last gave a value, by event time."""
        with self._lock:
            return {source: _moment(at) for source, at in self._last_seen.items()}

    def picture(self, at: datetime, elements: Sequence[str] | None = None, *, onset: datetime | None = None) -> Picture:
        """Return what is unusual, healthy and silent at `at`.

        Args:
            at: the moment; readings dated later are not looked at.
            elements: only these (unknown ones are passed over); None for all.
            onset: when the trouble began, if it is known: what is usual is learnt from before it. Without it,
                the last ten seconds are left out, so a longer trouble slowly becomes usual.
        """
        now = at.timestamp()
        with self._lock:
            rows = self._selected(elements)
            learnt_until = now - max(_RECENT_S, self.fresh_s) if onset is None else onset.timestamp()
            baseline = self._baseline(rows, learnt_until, now)
            recent, times = self._fine.window(rows, self._fine.slot(now), math.ceil(self.fresh_s / self.period_s) + 1)
            names = [self._names[row] for row in rows]
            sources = [self._sources[row] for row in rows]
            metrics = np.array([self._metrics[row] for row in rows], dtype=np.intp)
            spoke = np.array([self._spoke[row] for row in rows])
            quiet = {source for source, seen in self._last_seen.items() if seen <= now - self.fresh_s}
        stale = (times <= now - self.fresh_s) | (times > now)
        recent[stale], times[stale] = np.nan, -np.inf
        found = deviation(metrics, baseline, recent, times)
        spoken = spoke > -np.inf
        healthy, silent = _health(names, metrics, found, spoken)
        return Picture(
            at=at,
            anomalies=_anomalies(names, metrics, sources, found),
            healthy=healthy,
            silent=silent,
            silent_sources=tuple(sorted(quiet.intersection(sources))),
            fresh_share=float(found.fresh[spoken].mean()) if spoken.any() else 1.0,
            oldest_reading=_moment(float(found.time[found.fresh].min())) if found.fresh.any() else None,
        )

    def series(self, pairs: Sequence[tuple[str, Metric]], since: datetime, until: datetime) -> NDArray[np.float64]:
        """Return samples as slots × pairs, oldest first, NaN where nothing is known.

        One row per sampling slot from that of `since` to that of `until`, at most as many as are remembered
        (then the newest).

        Raises:
            BadInput: `since` is after `until`.
        """
        if since > until:
            raise BadInput(f"a series from `{since}` to `{until}` runs backwards; swap the two")
        last = self._fine.slot(until.timestamp())
        count = min(last - self._fine.slot(since.timestamp()) + 1, self._fine.slots)
        columns = np.full((count, len(pairs)), np.nan)
        with self._lock:
            found = [(column, self._rows[pair]) for column, pair in enumerate(pairs) if pair in self._rows]
            rows = np.array([row for _, row in found], dtype=np.intp)
            self._fine.reserve(len(self._names))
            values, _ = self._fine.window(rows, last, count)
        columns[:, [column for column, _ in found]] = values.T
        return columns

    def _selected(self, elements: Sequence[str] | None) -> Rows:
        self._fine.reserve(len(self._names))
        self._coarse.reserve(len(self._names))
        if elements is None:
            return np.arange(len(self._names), dtype=np.intp)
        wanted = dict.fromkeys(elements)
        return np.array([row for name in wanted for row in self._elements.get(name, ())], dtype=np.intp)

    def _baseline(self, rows: Rows, end: float, now: float) -> Floats:
        """Return the samples (rows × slots) of the slots that end before `end`.

        Which ring they come from depends on nothing that was reported: so no source can spoil another's baseline.
        """
        last = self._fine.slot(end) - 1
        remembered = last - (self._fine.slot(now) - self._fine.slots)
        if remembered >= min(_ENOUGH_FINE_SLOTS, self._fine.slots // 2):
            return self._fine.window(rows, last, min(_BASELINE_SLOTS, remembered))[0]
        return self._coarse.window(rows, self._coarse.slot(end) - 1, _BASELINE_SLOTS)[0]


def _anomalies(
    names: list[str], metrics: NDArray[np.intp], sources: list[str], found: Deviation
) -> tuple[Anomaly, ...]:
    """Return what is unusual, the worst trouble first."""
    rows = np.flatnonzero(found.unusual)
    unusual = [
        Anomaly(
            element=names[row],
            metric=ORDER[metrics[row]],
            score=float(found.score[row]),
            value=float(found.value[row]),
            usual=float(found.usual[row]),
            event_time=_moment(float(found.time[row])),
            source=sources[row],
        )
        for row in rows
    ]
    return tuple(sorted(unusual, key=lambda a: (-a.score, a.element, a.metric)))


def _health(
    names: list[str], metrics: NDArray[np.intp], found: Deviation, spoken: NDArray[np.bool_]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the healthy and the silent elements. Not healthy and not silent: unusual, or nobody can tell."""
    says = spoken & (BAD[metrics] != 0)
    good = says & found.judged & ~found.unusual & ~found.ailing
    doubtful: set[str] = {names[row] for row in np.flatnonzero(says & ~good)}
    healthy = {names[row] for row in np.flatnonzero(good)} - doubtful
    heard = {names[row] for row in np.flatnonzero(found.fresh)}
    silent = {names[row] for row in np.flatnonzero(spoken & ~found.fresh)} - heard
    return frozenset(healthy), frozenset(silent)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
