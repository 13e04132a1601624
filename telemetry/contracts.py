"""What we assume of each feed, as data: a monitor can list it, and a model version can name what it relies on.

`RULES` says what each rule id means; everything that intake rejects carries one of them, the value that broke
it and a sentence. `CONTRACTS` says, feed by feed, how fresh, how late, how long and in which range things may be.
"""

from datetime import UTC, datetime

from pydantic import Field

from domain.base import Word
from domain.measurements import METRICS, Metric

#: Before this, a time is a clock that was never set.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

#: Names (resources, alarm names, ids, sources, labels) are at most this long; longer ones are rejected.
MAX_NAME = 256
#: Free text is cut here: an alarm is worth more than the end of its text.
MAX_TEXT = 4096

ALARM_LATENESS_S = 86_400.0
READING_LATENESS_S = 60.0
FUTURE_S = 300.0

#: At this loss a demand is said to be lost entirely, so that it cannot deliver `FLOWING_MBPS` at the same moment.
ALL_LOST = 0.999_999
FLOWING_MBPS = 0.01

RULES: dict[str, str] = {
    "alarm.resource.unknown": "an alarm names an element of the inventory",
    "reading.element.unknown": "a reading names an element of the inventory",
    "reading.metric.unknown": "a reading names a canonical metric",
    "state.element.unknown": "a configuration notice names an element of the inventory",
    "state.attribute.unknown": "a configuration notice is about administrative, metric or via",
    "time.unreadable": "a time is written as ISO 8601",
    "time.without_zone": "a time says its zone",
    "time.before_2000": "clocks are set: nothing happened before 2000",
    "time.in_future": "nothing is reported long before it happens",
    "severity.unknown": "a severity is one that the standard of the feed lists",
    "type.unknown": "an alarm type is one that the standard of the feed lists",
    "status.unknown": "an alarm is raised or cleared, in the words of the feed",
    "value.not_finite": "a value is a finite number, or null when none is to be had",
    "value.range": "a value lies in the range of its metric",
    "counter.went_back": "a counter never falls; after a reset it is measured from the new value on",
    "cross.loss_with_throughput": "a demand that loses everything delivers nothing",
    "shape.missing": "required fields are there and not empty",
    "shape.wrong_type": "fields have the type that the feed's schema says",
    "shape.unknown_item": "an item of a feed has a kind that we know",
    "text.not_utf8": "text can be written as UTF-8",
    "text.not_printable": "names hold no control characters",
    "text.too_long": "names are at most 256 characters long",
}


class Range(Word):
    """The values that a metric can have, bounds included."""

    low: float
    high: float


class Contract(Word):
    """The assumptions about one feed. Times are in seconds."""

    feed: str
    required: tuple[str, ...]
    freshness_s: float | None = Field(default=None, description="older than this is silence; None: speaks on events")
    lateness_s: float = Field(gt=0, description="what comes later than this is set aside")
    future_s: float = Field(gt=0, description="what is dated further ahead than this is rejected")
    max_name: int = MAX_NAME
    max_text: int = MAX_TEXT
    ranges: dict[Metric, Range] = {}
    monotone: tuple[Metric, ...] = ()
    rules: tuple[str, ...]


_COMMON = (
    *("shape.missing", "shape.wrong_type", "text.not_utf8", "text.not_printable", "text.too_long"),
    *("time.unreadable", "time.without_zone", "time.before_2000", "time.in_future"),
)
_READINGS = ("reading.element.unknown", "reading.metric.unknown", "value.not_finite", "value.range")


def _alarms(feed: str, required: tuple[str, ...], *rules: str) -> Contract:
    every = (*_COMMON, "alarm.resource.unknown", *rules)
    return Contract(feed=feed, required=required, lateness_s=ALARM_LATENESS_S, future_s=FUTURE_S, rules=every)


_ALL = (
    _alarms("alertmanager", ("status", "labels", "labels.alertname", "startsAt"), "status.unknown"),
    _alarms(
        "tmf642",
        (
            *("alarmType", "perceivedSeverity", "probableCause", "alarmedObject", "alarmedObject.id"),
            *("sourceSystemId", "state", "alarmRaisedTime"),
        ),
        *("type.unknown", "severity.unknown", "status.unknown"),
    ),
    _alarms("plant.alarms", ("vendor", "resource", "name", "severity", "cleared", "time", "source")),
    Contract(
        feed="plant.readings",
        required=("source", "time", "rows"),
        freshness_s=2.5,
        lateness_s=READING_LATENESS_S,
        future_s=READING_LATENESS_S,
        ranges={metric: Range(low=traits.low, high=traits.high) for metric, traits in METRICS.items()},
        monotone=tuple(metric for metric, traits in METRICS.items() if traits.monotone),
        rules=(*_COMMON, *_READINGS, "counter.went_back", "cross.loss_with_throughput"),
    ),
    Contract(
        feed="plant.state",
        required=("source", "element", "attribute", "value", "time"),
        lateness_s=ALARM_LATENESS_S,
        future_s=FUTURE_S,
        rules=(*_COMMON, "state.element.unknown", "state.attribute.unknown"),
    ),
)

#: The contract of each feed, by its name.
CONTRACTS: dict[str, Contract] = {contract.feed: contract for contract in _ALL}
