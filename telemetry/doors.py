"""The standard doors for alarms: Alertmanager's webhook (version 4) and TMF642 (version 4).

Alertmanager sends a batch once and gives up on a 4xx, so content never raises: each alert is kept, late or
rejected on its own. Only a body that is not the webhook's shape at all is refused as a whole.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.alarms import AlarmKey, AlarmReport, Severity, Technology
from domain.errors import BadInput
from telemetry import mappings
from telemetry.sorting import (
    Intake,
    RuleBroken,
    Sorted,
    free_text,
    moment,
    name_of,
    record_of,
    required,
    short_text,
    sort_reports,
)

_ALERTMANAGER = "alertmanager"
_TMF642 = "tmf642"
#: The labels that may name the element, in order of trust.
_RESOURCE_LABELS = ("element", "instance", "resource")


def read_alertmanager(payload: Any, intake: Intake) -> Sorted[AlarmReport]:
    """Read the body of an Alertmanager webhook, alert by alert.

    A firing alert is dated by `startsAt`, a resolved one by `endsAt` (by now, if Alertmanager left it open).
    What Alertmanager truncated from the group never came here and is not counted.

    Raises:
        BadInput: the body is not an object with a list `alerts`.
    """
    alerts = payload.get("alerts") if isinstance(payload, dict) else None
    if not isinstance(alerts, list):
        raise BadInput("the body is not an Alertmanager webhook; send an object with a list `alerts`")
    return sort_reports(alerts, lambda alert: _alert(alert, intake), intake, _ALERTMANAGER)


def _alert(item: Any, intake: Intake) -> AlarmReport:
    alert = record_of(item)
    labels = record_of(required(alert, "labels"))
    name = name_of(labels, "alertname")
    told = mappings.from_name(name, _label(labels, "qualifier"))
    cleared = _resolved(alert)
    return AlarmReport(
        key=AlarmKey(resource=_resource(labels, intake), type=told.type, qualifier=told.qualifier),
        severity=mappings.label_severity(_label(labels, "severity")),
        cleared=cleared,
        event_time=_ended(alert, intake) if cleared else moment(required(alert, "startsAt"), "startsAt"),
        source=_ALERTMANAGER,
        technology=mappings.label_technology(_label(labels, "technology")),
        external_id=_label(alert, "fingerprint"),
        text=_annotation(alert),
    )


def _resolved(alert: Mapping[str, Any]) -> bool:
    status = name_of(alert, "status")
    if status not in {"firing", "resolved"}:
        raise RuleBroken("status.unknown", status, "an alert is `firing` or `resolved`; send one of these")
    return status == "resolved"


def _ended(alert: Mapping[str, Any], intake: Intake) -> datetime:
    """Go's zero time (year 1) stands for "open"; a resolved alert that carries it ended by now at the latest."""
    ends = required(alert, "endsAt") if "endsAt" in alert else "0001-"
    return intake.now if isinstance(ends, str) and ends.startswith("0001-") else moment(ends, "endsAt")


def _resource(labels: Mapping[str, Any], intake: Intake) -> str:
    """Return the first label that names a known element; a port at its end is not part of the name."""
    given = [_label(labels, label) for label in _RESOURCE_LABELS if labels.get(label)]
    for value in given:
        for resource in (value, re.sub(r":\d+$", "", value)):
            if resource and resource in intake.known:
                return resource
    if not given:
        raise RuleBroken("shape.missing", "element", "no label says which element; add the label `element`")
    raise _unknown_resource(given[0])


def _unknown_resource(resource: str) -> RuleBroken:
    reason = "the inventory has no such element; use an id of the inventory"
    return RuleBroken("alarm.resource.unknown", resource, reason)


def _label(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return "" if value is None else short_text(value, name)


def _annotation(alert: Mapping[str, Any]) -> str:
    annotations = alert.get("annotations")
    if annotations is None:
        return ""
    texts = (free_text(record_of(annotations).get(name), name) for name in ("summary", "description", "message"))
    return next((text for text in texts if text), "")


def read_tmf642(payload: Any, intake: Intake) -> Sorted[AlarmReport]:
    """Read one TMF642 v4 alarm. Never raises: what is wrong with it is in `rejected`.

    `perceivedSeverity` or `state` of `cleared` clears it, at `alarmClearedTime` (else `alarmChangedTime`, else
    the time it was raised).
    """
    return sort_reports([payload], lambda item: _tmf_alarm(item, intake), intake, _TMF642)


def _tmf_alarm(item: Any, intake: Intake) -> AlarmReport:
    alarm = record_of(item)
    resource = name_of(record_of(required(alarm, "alarmedObject")), "id")
    if resource not in intake.known:
        raise _unknown_resource(resource)
    alarm_class = name_of(alarm, "alarmType")
    if mappings.squashed(alarm_class) not in mappings.ALARM_CLASSES:
        reason = "X.733 has no such alarm type; send one of its types, for example `communicationsAlarm`"
        raise RuleBroken("type.unknown", alarm_class, reason)
    told = mappings.from_name(name_of(alarm, "probableCause"), _label(alarm, "specificProblem"))
    severity, cleared = _perceived(alarm)
    return AlarmReport(
        key=AlarmKey(resource=resource, type=told.type, qualifier=told.qualifier),
        severity=severity,
        cleared=cleared,
        event_time=_happened(alarm, cleared=cleared),
        source=_tmf_source(alarm),
        technology=Technology.UNKNOWN,
        external_id=_label(alarm, "externalAlarmId"),
        text=free_text(alarm.get("alarmDetails"), "alarmDetails"),
    )


def _perceived(alarm: Mapping[str, Any]) -> tuple[Severity, bool]:
    perceived, state = name_of(alarm, "perceivedSeverity"), name_of(alarm, "state").lower()
    if state not in {"raised", "updated", "cleared"}:
        raise RuleBroken("status.unknown", state, "an alarm is `raised`, `updated` or `cleared`; send one of these")
    if perceived.lower() == "cleared":
        return Severity.INDETERMINATE, True
    severity = mappings.standard_severity(perceived)
    if severity is None:
        reason = "X.733 has no such severity; send critical, major, minor, warning, indeterminate or cleared"
        raise RuleBroken("severity.unknown", perceived, reason)
    return severity, state == "cleared"


def _happened(alarm: Mapping[str, Any], *, cleared: bool) -> datetime:
    raised = moment(required(alarm, "alarmRaisedTime"), "alarmRaisedTime")
    if not cleared:
        return raised
    later = ("alarmClearedTime", "alarmChangedTime")
    return next((moment(alarm[name], name) for name in later if alarm.get(name) is not None), raised)


def _tmf_source(alarm: Mapping[str, Any]) -> str:
    return f"{_TMF642}:{name_of(alarm, 'sourceSystemId')}"[:256]
