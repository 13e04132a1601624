"""What intake gives back, and the checks that all its doors share.

Each thing that came in ends in exactly one of three places: kept in our words, set aside as late, or rejected
with the rule it broke. So `received == kept + late + rejected` holds by construction.
"""

import json
import math
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from domain.alarms import AlarmReport
from domain.measurements import Metric
from telemetry.contracts import ALARM_LATENESS_S, EARLIEST, FUTURE_S, MAX_NAME, MAX_TEXT, READING_LATENESS_S

T = TypeVar("T")

_PAYLOAD_SHOWN = 2000
_VALUE_SHOWN = 200


class Counters:
    """The last value of each monotone counter. Give the same one to every `Intake` to see falls between calls."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, Metric], tuple[datetime, float]] = {}

    def went_back(self, element: str, metric: Metric, value: float, at: datetime) -> bool:
        """Take note of a value and say whether it is below an older one.

        The value is the new base either way: after a reset only one reading is refused. What comes out of
        order, older than the newest known, is not judged.
        """
        last = self._last.get((element, metric))
        if last is not None and at < last[0]:
            return False
        self._last[(element, metric)] = (at, value)
        return last is not None and value < last[1]


@dataclass(frozen=True)
class Intake:
    """What a door knows while it reads: the present, the elements that exist, and the bounds in seconds.

    Readings may be dated ahead by at most their lateness bound (and `future_s`): so one wrong clock cannot push
    a watermark past the readings of everybody else.
    """

    now: datetime
    known: Container[str]
    alarm_lateness_s: float = ALARM_LATENESS_S
    reading_lateness_s: float = READING_LATENESS_S
    future_s: float = FUTURE_S
    counters: Counters = field(default_factory=Counters)

    def late_alarm(self, at: datetime) -> bool:
        """Say whether an alarm of this time comes too late. Raises RuleBroken when it lies in the future."""
        self._refuse_future(at, self.future_s)
        return at < self.now - timedelta(seconds=self.alarm_lateness_s)

    def late_reading(self, at: datetime) -> bool:
        """Say whether a reading of this time comes too late. Raises RuleBroken when it lies in the future."""
        self._refuse_future(at, min(self.future_s, self.reading_lateness_s))
        return at < self.now - timedelta(seconds=self.reading_lateness_s)

    def _refuse_future(self, at: datetime, bound_s: float) -> None:
        if at > self.now + timedelta(seconds=bound_s):
            raise RuleBroken("time.in_future", at.isoformat(), "the time lies in the future; set the sender's clock")


@dataclass(frozen=True)
class Rejected:
    """Something that broke a rule. `value` and `payload` are printable ASCII JSON, shortened."""

    rule: str
    reason: str
    value: str
    payload: str
    source: str = ""


@dataclass(frozen=True)
class LateItem:
    """Something sound that came after the lateness bound."""

    source: str
    payload: str
    event_time: datetime


@dataclass(frozen=True)
class Sorted(Generic[T]):
    """Everything that came in, each in one of three places."""

    kept: tuple[T, ...] = ()
    late: tuple[LateItem, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    @property
    def received(self) -> int:
        return len(self.kept) + len(self.late) + len(self.rejected)


class RuleBroken(Exception):
    """One record broke one rule; the door that reads it turns this into a `Rejected`."""

    def __init__(self, rule: str, value: Any, reason: str) -> None:
        super().__init__(rule)
        self.rule, self.value, self.reason = rule, value, reason

    def rejected(self, payload: Any, source: str = "") -> Rejected:
        """Return the rejection of `payload` for this reason."""
        return Rejected(self.rule, self.reason, shown(self.value, _VALUE_SHOWN), shown(payload), source)


def shown(value: Any, limit: int = _PAYLOAD_SHOWN) -> str:
    """Return a value as printable ASCII JSON of at most `limit` characters, reading no more of it than needed."""
    parts: list[str] = []
    length = 0
    try:
        for part in json.JSONEncoder(default=repr).iterencode(value):
            parts.append(part[: limit - length])
            length += len(parts[-1])
            if length >= limit:
                break
    except (RecursionError, TypeError, ValueError):  # too deep, or no JSON at all: what was written so far must do
        parts.append("…"[: limit - length])
    return "".join(parts).encode("ascii", "backslashreplace").decode()[:limit]


def record_of(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, or break `shape.wrong_type`."""
    if not isinstance(value, dict):
        raise RuleBroken("shape.wrong_type", value, "this is not a JSON object; send one object per record")
    return value


def required(record: Mapping[str, Any], name: str) -> Any:
    """Return a field that must be there, or break `shape.missing`."""
    value = record.get(name)
    if value is None:
        raise RuleBroken("shape.missing", name, f"the field `{name}` is missing; send it")
    return value


def name_of(record: Mapping[str, Any], field_name: str) -> str:
    """Return a required name: a non-empty, printable string of at most 256 characters."""
    value = short_text(required(record, field_name), field_name)
    if not value:
        raise RuleBroken("shape.missing", field_name, f"the field `{field_name}` is empty; send a value")
    return value


def short_text(value: Any, field_name: str) -> str:
    """Return a printable string of at most 256 characters, perhaps empty."""
    text = _utf8(value, field_name)
    if len(text) > MAX_NAME:
        reason = f"the field `{field_name}` is longer than {MAX_NAME} characters; shorten it"
        raise RuleBroken("text.too_long", text, reason)
    if not text.isprintable():
        raise RuleBroken("text.not_printable", text, f"the field `{field_name}` holds control characters; remove them")
    return text


def free_text(value: Any, field_name: str) -> str:
    """Return free text, cut at 4,096 characters; it is data and will be shown quoted."""
    if value is None:
        return ""
    text = _utf8(value, field_name).replace("\x00", "\ufffd")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _utf8(value: Any, field_name: str) -> str:
    if not isinstance(value, str):
        raise RuleBroken("shape.wrong_type", value, f"the field `{field_name}` is not a string; send one")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            reason = f"the field `{field_name}` cannot be written as UTF-8; send whole characters"
            raise RuleBroken("text.not_utf8", value, reason) from None
    return value


def moment(value: Any, field_name: str) -> datetime:
    """Return an ISO 8601 time with a zone as UTC, not before 2000."""
    if not isinstance(value, str):
        raise RuleBroken("shape.wrong_type", value, f"the field `{field_name}` is not a string; send ISO 8601")
    try:
        at = datetime.fromisoformat(value)
        zoned = at.tzinfo is not None
        at = at.astimezone(UTC) if zoned else at
    except (ValueError, OverflowError):
        reason = f"the field `{field_name}` is no time; write it like `2026-01-31T12:00:00Z`"
        raise RuleBroken("time.unreadable", value, reason) from None
    if not zoned:
        raise RuleBroken("time.without_zone", value, f"the field `{field_name}` says no zone; add `Z` or an offset")
    if at < EARLIEST:
        raise RuleBroken(
            "time.before_2000", value, f"the field `{field_name}` lies before 2000; set the sender's clock"
        )
    return at


def finite(value: Any) -> bool:
    """Say whether a value is a finite number (a boolean is none)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def sort_reports(
    items: Iterable[Any], read: Callable[[Any], AlarmReport], intake: Intake, source: str
) -> Sorted[AlarmReport]:
    """Read alarms one by one, so that a bad one harms no other. `source` stands where an item does not say its own."""
    kept: list[AlarmReport] = []
    late: list[LateItem] = []
    rejected: list[Rejected] = []
    for item in items:
        try:
            report = read(item)
            too_late = intake.late_alarm(report.event_time)
        except RuleBroken as broken:
            rejected.append(broken.rejected(item, source_of(item, source)))
            continue
        if too_late:
            late.append(LateItem(report.source, shown(item), report.event_time))
        else:
            kept.append(report)
    return Sorted(tuple(kept), tuple(late), tuple(rejected))


def source_of(item: Any, otherwise: str) -> str:
    """Return what a (possibly broken) item says of its source, if that can be kept."""
    try:
        return name_of(record_of(item), "source")
    except RuleBroken:
        return otherwise
