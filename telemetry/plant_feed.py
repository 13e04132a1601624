"""The feed of a network: alarms in vendors' words, readings in rows, and notices of changed configuration.

Readings come by the hundred thousand, so a row is checked in plain Python and only then built, without a second
validation. A row is what is counted: an item with a broken time rejects each of its rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.alarms import AlarmKey, AlarmReport
from domain.measurements import METRICS, Metric, MetricTraits, Reading
from domain.waypoints import policy_of
from telemetry import mappings
from telemetry.contracts import ALL_LOST, FLOWING_MBPS
from telemetry.sorting import (
    Intake,
    LateItem,
    Rejected,
    RuleBroken,
    Sorted,
    finite,
    free_text,
    moment,
    name_of,
    record_of,
    required,
    short_text,
    shown,
    sort_reports,
    source_of,
)

_UNNAMED = "unnamed"
_METRICS: dict[str, tuple[Metric, MetricTraits]] = {str(metric): (metric, METRICS[metric]) for metric in Metric}
_ROW = 3


@dataclass(frozen=True)
class FeedParts:
    """The items of a feed by their kind; what has no kind that we know is rejected."""

    alarms: tuple[Any, ...]
    readings: tuple[Any, ...]
    states: tuple[Any, ...]
    rejected: tuple[Rejected, ...]


def part_feed(items: Iterable[Any]) -> FeedParts:
    """Sort raw items by `type`. Never raises."""
    parts: dict[str, list[Any]] = {"alarm": [], "readings": [], "state": []}
    rejected: list[Rejected] = []
    for item in items:
        kind = item.get("type") if isinstance(item, dict) else None
        if isinstance(kind, str) and kind in parts:
            parts[kind].append(item)
        else:
            broken = RuleBroken("shape.unknown_item", kind, "an item is an `alarm`, `readings` or a `state`")
            rejected.append(broken.rejected(item, source_of(item, _UNNAMED)))
    return FeedParts(tuple(parts["alarm"]), tuple(parts["readings"]), tuple(parts["state"]), tuple(rejected))


def read_plant_alarms(items: Iterable[Any], intake: Intake) -> Sorted[AlarmReport]:
    """Read alarm items, each on its own. Never raises."""
    return sort_reports(items, lambda item: _alarm(item, intake), intake, _UNNAMED)


def _alarm(item: Any, intake: Intake) -> AlarmReport:
    alarm = record_of(item)
    vendor = name_of(alarm, "vendor")
    resource = _known(alarm, "resource", "alarm.resource.unknown", intake)
    told = mappings.from_vendor(vendor, name_of(alarm, "name"), _optional(alarm, "qualifier"))
    cleared = required(alarm, "cleared")
    if not isinstance(cleared, bool):
        raise RuleBroken("shape.wrong_type", cleared, "the field `cleared` is not a boolean; send true or false")
    return AlarmReport(
        key=AlarmKey(resource=resource, type=told.type, qualifier=told.qualifier),
        severity=mappings.vendor_severity(vendor, _severity(alarm)),
        cleared=cleared,
        event_time=moment(required(alarm, "time"), "time"),
        source=name_of(alarm, "source"),
        technology=told.technology,
        external_id=_optional(alarm, "id"),
        text=free_text(alarm.get("text"), "text"),
    )


def _severity(alarm: Mapping[str, Any]) -> str:
    """One vendor counts its severities, and a number may come as a number."""
    value = required(alarm, "severity")
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number and abs(value) < 10**9 else short_text(value, "severity")


def _optional(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return "" if value is None else short_text(value, name)


def _known(record: Mapping[str, Any], name: str, rule: str, intake: Intake) -> str:
    element = name_of(record, name)
    if element not in intake.known:
        raise RuleBroken(rule, element, "the inventory has no such element; use an id of the inventory")
    return element


@dataclass(frozen=True)
class StateNotice:
    """A device says that its configuration changed. A notice, not proof: the value may be read back."""

    element: str
    attribute: str
    value: str
    source: str
    event_time: datetime


def read_plant_states(items: Iterable[Any], intake: Intake) -> Sorted[StateNotice]:
    """Read configuration notices, each on its own. Never raises."""
    kept: list[StateNotice] = []
    late: list[LateItem] = []
    rejected: list[Rejected] = []
    for item in items:
        try:
            notice = _notice(item, intake)
            too_late = intake.late_alarm(notice.event_time)
        except RuleBroken as broken:
            rejected.append(broken.rejected(item, source_of(item, _UNNAMED)))
            continue
        if too_late:
            late.append(LateItem(notice.source, shown(item), notice.event_time))
        else:
            kept.append(notice)
    return Sorted(tuple(kept), tuple(late), tuple(rejected))


def _notice(item: Any, intake: Intake) -> StateNotice:
    notice = record_of(item)
    element = _known(notice, "element", "state.element.unknown", intake)
    attribute = name_of(notice, "attribute")
    value = short_text(required(notice, "value"), "value")
    if attribute not in {"administrative", "metric", "via"}:
        raise RuleBroken("state.attribute.unknown", attribute, "a notice is about administrative, metric or via")
    if not _possible(attribute, value, intake):
        raise RuleBroken("value.range", value, f"`{attribute}` cannot have this value; read it back from the device")
    at = moment(required(notice, "time"), "time")
    return StateNotice(element, attribute, value, name_of(notice, "source"), at)


def _possible(attribute: str, value: str, intake: Intake) -> bool:
    if attribute == "administrative":
        return value in {"locked", "unlocked"}
    if attribute == "metric":
        return value.isascii() and value.isdigit() and len(value) <= 5 and 1 <= int(value) <= 65535
    via, _ = policy_of(value, intake.known)
    return via is None or via in intake.known


def read_plant_readings(items: Iterable[Any], intake: Intake) -> Sorted[Reading]:
    """Read items of readings, row by row. Never raises.

    Give one source's items at a time where a `Batch` is to be made of what is kept: a reading does not say its source.
    """
    kept: list[Reading] = []
    late: list[LateItem] = []
    rejected: list[Rejected] = []
    for item in items:
        source = source_of(item, _UNNAMED)
        try:
            rows = _rows(item)
        except RuleBroken as broken:
            rejected.append(broken.rejected(item, source))
            continue
        try:
            name_of(item, "source")
            at = moment(required(item, "time"), "time")
            too_late = intake.late_reading(at)
        except RuleBroken as broken:
            rejected.extend(broken.rejected(row, source) for row in rows)
            continue
        good = _checked(rows, at, intake, source, rejected)
        if too_late:
            late.extend(LateItem(source, shown([r.element, r.metric, r.value]), at) for r in good)
        else:
            kept.extend(good)
    return Sorted(tuple(kept), tuple(late), tuple(rejected))


def _rows(item: Any) -> list[Any]:
    rows = required(record_of(item), "rows")
    if not isinstance(rows, list):
        raise RuleBroken(
            "shape.wrong_type", rows, "the field `rows` is not a list; send rows of [element, metric, value]"
        )
    return rows


def _checked(rows: list[Any], at: datetime, intake: Intake, source: str, rejected: list[Rejected]) -> list[Reading]:
    """Return the sound rows of one item, and put the others into `rejected`."""
    good: list[Reading] = []
    for row in rows:
        try:
            good.append(_reading(row, at, intake))
        except RuleBroken as broken:
            rejected.append(broken.rejected(row, source))
    lying = _contradicted(good)
    return _without(good, lying, source, rejected) if lying else good


def _without(readings: list[Reading], lying: set[str], source: str, rejected: list[Rejected]) -> list[Reading]:
    """Take the loss and the throughput of the demands in `lying` out: nobody can tell which of the two is true."""
    believed: list[Reading] = []
    for reading in readings:
        if reading.element in lying and reading.metric in {Metric.LOSS, Metric.THROUGHPUT}:
            reason = "the demand is said to lose everything and to deliver; neither is believed"
            broken = RuleBroken("cross.loss_with_throughput", reading.value, reason)
            rejected.append(broken.rejected([reading.element, reading.metric, reading.value], source))
        else:
            believed.append(reading)
    return believed


def _reading(row: Any, at: datetime, intake: Intake) -> Reading:
    if not isinstance(row, list) or len(row) != _ROW:
        raise RuleBroken("shape.wrong_type", row, "a row is [element, metric, value]; send three fields")
    element, name, value = row
    if not isinstance(element, str) or not isinstance(name, str):
        raise RuleBroken("shape.wrong_type", row, "element and metric are strings; send strings")
    if element not in intake.known:
        raise RuleBroken("reading.element.unknown", element, "the inventory has no such element; use one of its ids")
    known = _METRICS.get(name)
    if known is None:
        raise RuleBroken("reading.metric.unknown", name, "there is no such metric; use a canonical name")
    metric, traits = known
    if value is not None:
        value = _value(value, traits)
        if traits.monotone and intake.counters.went_back(element, metric, value, at):
            raise RuleBroken("counter.went_back", value, "the counter fell; it is measured from this value on")
    return Reading(element, metric, value, at)


def _value(value: Any, traits: MetricTraits) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RuleBroken("shape.wrong_type", value, "the value is not a number; send a number or null")
    if traits.low <= value <= traits.high:
        return float(value)
    if isinstance(value, float) and not finite(value):
        raise RuleBroken(
            "value.not_finite", value, "the value is not finite; send a number, or null when there is none"
        )
    raise RuleBroken("value.range", value, f"the value lies outside {traits.low:g} to {traits.high:g}; check its unit")


def _contradicted(readings: list[Reading]) -> set[str]:
    """Return the demands that are said, in one item, to lose everything and to deliver something."""
    lost = {r.element for r in readings if r.metric is Metric.LOSS and r.value is not None and r.value >= ALL_LOST}
    if not lost:
        return lost
    return {
        r.element
        for r in readings
        if r.metric is Metric.THROUGHPUT and r.element in lost and r.value is not None and r.value > FLOWING_MBPS
    }
