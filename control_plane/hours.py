"""What each interface sent, hour by hour, kept for longer than the readings themselves: capacity is planned from it.

Readings are summed up in memory and go to the shelf about once a minute, in a transaction that stores readings anyway.
What a crash takes away is that minute at most: an hour's mean over 59 minutes. Several processes add to the same rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np

from control_plane.tables import Tables
from domain.measurements import WEEKS_KEPT, HourlyLoad, Metric, Reading
from domain.network import Inventory
from twin.topology import Floats

_EVERY = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
#: An hour of which less was measured has no mean.
_LEAST_MEASURED = 0.5
#: Rows that are read from the shelf at a time.
_AT_ONCE = 50

#: (region, start of the hour) → interface → Mbit sent, seconds measured.
Sums: TypeAlias = dict[tuple[str, datetime], dict[str, tuple[float, float]]]


class Hours:
    """Sums that are not on the shelf yet. One thread at a time: the one that reads the feed."""

    def __init__(self, inventory: Inventory, regions: Mapping[str, str], period_s: float) -> None:
        self._capacity = {
            point: link.capacity_mbps for link in inventory.links for point in (link.source, link.destination)
        }
        self._regions = regions
        self._period_s = period_s
        self._sums: Sums = {}
        self._since: datetime | None = None

    def add(self, readings: Iterable[Reading], now: datetime) -> None:
        """Add the utilisation of interfaces; a link carries at most its capacity."""
        self._since = self._since or now
        for element, metric, value, at in readings:
            if metric is not Metric.UTILISATION or value is None or element not in self._capacity:
                continue
            hour = self._sums.setdefault((self._regions.get(element, "default"), hour_of(at)), {})
            mbit, seconds = hour.get(element, (0.0, 0.0))
            sent = min(value, 1.0) * self._capacity[element] * self._period_s
            hour[element] = mbit + sent, seconds + self._period_s

    def due(self, now: datetime) -> Sums:
        """Return what is to be put on the shelf now: nothing, until a minute has passed since the last time.

        A clock that was set back does not keep them waiting until it is as late again.
        """
        return self._sums if self._since is not None and abs(now - self._since) >= _EVERY else {}

    def stored(self, now: datetime) -> None:
        """Forget what `due` returned: it is on the shelf."""
        self._sums, self._since = {}, now


def hour_of(at: datetime) -> datetime:
    """Return the start of the hour around a moment."""
    return at.replace(minute=0, second=0, microsecond=0)


def shelve(tables: Tables, sums: Sums) -> None:
    """Add sums to the rows of their hours, inside a transaction. The row of an hour of long ago is written anew."""
    for (region, starts), sent in sums.items():
        fresh = HourlyLoad(id=HourlyLoad.id_of(region, starts), region=region, starts=starts, sent=_rounded(sent))
        held = tables.hourly_loads.get(fresh.id)
        if held is None:
            tables.hourly_loads.add(fresh)
        elif held.starts == starts:
            tables.hourly_loads.swap(held, held.but(sent=_rounded(_together(held.sent, sent))))
        elif held.starts < starts:
            tables.hourly_loads.swap(held, fresh)


def _together(
    one: Mapping[str, tuple[float, float]], other: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    sums: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0), one)
    for name, (mbit, seconds) in other.items():
        sums[name] = sums[name][0] + mbit, sums[name][1] + seconds
    return dict(sums)


def _rounded(sent: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    return {name: (round(mbit, 3), round(seconds, 3)) for name, (mbit, seconds) in sent.items()}


@dataclass(frozen=True, eq=False)
class Remembered:
    """Hourly means from the shelf.

    Attributes:
        elements: interfaces, sorted by id.
        mbps: (elements, hours), the oldest first; NaN where less than half an hour was measured.
        ends: the end of the last hour, which is over.
    """

    elements: tuple[str, ...]
    mbps: Floats
    ends: datetime

    @property
    def measured(self) -> float:
        """The share of all hours and interfaces that has a mean."""
        return float(np.isfinite(self.mbps).mean()) if self.mbps.size else 0.0


def remembered(tables: Tables, now: datetime, known: Iterable[str]) -> Remembered:
    """Return the whole hours before `now` of all interfaces that are `known`, from the first hour that was kept."""
    ends = hour_of(now)
    first = ends - timedelta(weeks=WEEKS_KEPT)
    names = sorted(known)
    place = {name: at for at, name in enumerate(names)}
    told: set[str] = set()
    columns: dict[datetime, Floats] = {}
    for row in _each(tables):
        if not first <= row.starts < ends:
            continue
        told.update(row.sent)
        column = columns.setdefault(row.starts, np.full(len(names), np.nan))
        for name, mean in means(row).items():
            if name in place:
                column[place[name]] = mean
    start = min(columns, default=ends)
    elements = [name for name in names if name in told]
    kept = [place[name] for name in elements]
    mbps = np.full((len(elements), (ends - start) // _HOUR), np.nan)
    for starts, column in columns.items():
        mbps[:, (starts - start) // _HOUR] = column[kept]
    return Remembered(tuple(elements), mbps, ends)


def _each(tables: Tables) -> Iterator[HourlyLoad]:
    """Yield all rows, a few at a time: 64 weeks of a large network at once would fill gigabytes."""
    last: str | None = None
    while rows := tables.hourly_loads.find(limit=_AT_ONCE, after=last):
        yield from rows
        last = rows[-1].id


def means(row: HourlyLoad) -> dict[str, float]:
    """Return the mean Mbit/s of each interface of which enough was measured in the hour."""
    least = _LEAST_MEASURED * _HOUR.total_seconds()
    return {name: mbit / seconds for name, (mbit, seconds) in row.sent.items() if seconds >= least}


def at_hour(tables: Tables, regions: Sequence[str], moment: datetime) -> dict[str, float]:
    """Return the mean Mbit/s of each interface in the hour around a past moment, as far as it was measured."""
    starts = hour_of(moment)
    rows = [tables.hourly_loads.get(HourlyLoad.id_of(region, starts)) for region in regions]
    return {name: mean for row in rows if row and row.starts == starts for name, mean in means(row).items()}
