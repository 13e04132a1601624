"""Measurements: what an element reported of itself. A missing value is `None`, never zero."""

import json
import zlib
from base64 import b64decode, b64encode
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import field_serializer, field_validator

from domain.base import Stored, Utc, Word


class Metric(StrEnum):
    """Canonical metrics with their units. Which direction is bad stands in `METRICS`."""

    OPER_UP = "oper_up"  # 1 up, 0 down (interface, node, cell, power)
    UTILISATION = "utilisation"  # share of capacity, 0–1 and above, per interface, outgoing
    ERROR_RATE = "error_rate"  # share of frames in error, per interface, incoming
    LOSS = "loss"  # share of traffic lost, per demand
    DELAY = "delay"  # milliseconds one way, per demand
    THROUGHPUT = "throughput"  # Mbit/s delivered, per demand or per cell
    CPU = "cpu"  # share busy, per node
    ADJACENCIES = "adjacencies"  # number of routing neighbours that are up, per node
    PROCESS_UPTIME = "process_uptime"  # seconds since the routing or radio process started
    BATTERY = "battery"  # share of charge left, per power element
    OCTETS = "octets"  # monotone counter of octets sent, per interface


class MetricTraits(Word):
    """What is known of a metric before any data is seen.

    `bad` is +1 when a rise is trouble, -1 when a fall is, 0 when neither says anything.
    """

    bad: int
    low: float
    high: float
    monotone: bool = False


METRICS: dict[Metric, MetricTraits] = {
    Metric.OPER_UP: MetricTraits(bad=-1, low=0, high=1),
    Metric.UTILISATION: MetricTraits(bad=1, low=0, high=100),
    Metric.ERROR_RATE: MetricTraits(bad=1, low=0, high=1),
    Metric.LOSS: MetricTraits(bad=1, low=0, high=1),
    Metric.DELAY: MetricTraits(bad=1, low=0, high=60_000),
    Metric.THROUGHPUT: MetricTraits(bad=-1, low=0, high=1e9),
    Metric.CPU: MetricTraits(bad=1, low=0, high=1),
    Metric.ADJACENCIES: MetricTraits(bad=-1, low=0, high=100_000),
    Metric.PROCESS_UPTIME: MetricTraits(bad=-1, low=0, high=1e10),
    Metric.BATTERY: MetricTraits(bad=-1, low=0, high=1),
    Metric.OCTETS: MetricTraits(bad=0, low=0, high=2.0**63, monotone=True),
}


class Reading(NamedTuple):
    """One value of one metric of one element at one moment; `None` says that none was to be had.

    A named tuple and not a `Word`: readings come by the hundred thousand, and intake has checked each field.
    """

    element: str
    metric: Metric
    value: float | None
    event_time: Utc


class Batch(Stored):
    """Readings of one source that were received together; durable as one row.

    Written out, the readings are packed (rows of JSON, deflated, base 64): a tenth of their size in words.
    """

    source: str
    known_time: Utc
    first_event_time: Utc
    last_event_time: Utc
    readings: tuple[Reading, ...]

    @field_serializer("readings")
    def _pack(self, readings: tuple[Reading, ...]) -> str:
        by_time: dict[datetime, list[tuple[str, Metric, float | None]]] = {}
        for element, metric, value, at in readings:
            by_time.setdefault(at, []).append((element, metric, value))
        rows = {at.isoformat(): of_time for at, of_time in by_time.items()}
        return b64encode(zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), level=1)).decode()

    @field_validator("readings", mode="before")
    @classmethod
    def _unpack(cls, readings: object) -> object:
        if not isinstance(readings, str):
            return readings
        by_time = json.loads(zlib.decompress(b64decode(readings)))
        return tuple(
            Reading(element, Metric(metric), value, at)
            for at, rows in ((datetime.fromisoformat(time), rows) for time, rows in by_time.items())
            for element, metric, value in rows
        )


#: Weeks of hourly loads that are kept; the row of an hour is that of the hour so many weeks before, written anew.
WEEKS_KEPT = 64
_HOUR_S = 3600
_HOURS_KEPT = WEEKS_KEPT * 7 * 24


class HourlyLoad(Stored):
    """What the interfaces of one region sent in one hour: for plans that look back over weeks.

    `sent` is, per interface, the sum of its readings in Mbit (each reading stands for the time between two of them),
    and the seconds that these stand for; so their ratio is a mean in Mbit/s, and more readings can be added.
    Written out it is packed as the readings of a `Batch` are.
    """

    region: str
    starts: Utc
    sent: dict[str, tuple[float, float]]

    @classmethod
    def id_of(cls, region: str, starts: datetime) -> str:
        """Return the id of the row of a region's hour; an hour `WEEKS_KEPT` weeks later has the same."""
        return f"hour_{int(starts.timestamp()) // _HOUR_S % _HOURS_KEPT:05d}_{region}"

    @field_serializer("sent")
    def _pack_sent(self, sent: dict[str, tuple[float, float]]) -> str:
        return b64encode(zlib.compress(json.dumps(sent, separators=(",", ":")).encode(), level=1)).decode()

    @field_validator("sent", mode="before")
    @classmethod
    def _unpack_sent(cls, sent: object) -> object:
        return json.loads(zlib.decompress(b64decode(sent))) if isinstance(sent, str) else sent
