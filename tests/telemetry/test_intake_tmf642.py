"""TMF642 alarms: the fields that a create requires, in the standard's words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alarms import AlarmType, Severity
from telemetry.intake import Intake, read_tmf642

NOW = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
INTAKE = Intake(now=NOW, known={"node:9"})


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "alarmType": "environmentalAlarm",
        "perceivedSeverity": "minor",
        "probableCause": "rectifierLowVoltage",
        "alarmedObject": {"id": "node:9"},
        "sourceSystemId": "ems-1",
        "state": "raised",
        "alarmRaisedTime": "2026-01-12T11:59:00+00:00",
        "externalAlarmId": "4711",
    } | changes


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in alarm().items() if key != name}


def test_a_raised_alarm_is_read() -> None:
    (report,) = read_tmf642(alarm(specificProblem="rack 4"), INTAKE).kept
    assert (report.key.resource, report.key.type, report.key.qualifier) == ("node:9", AlarmType.ON_BATTERY, "rack 4")
    assert (report.severity, report.cleared, report.source) == (Severity.MINOR, False, "tmf642:ems-1")
    assert report.external_id == "4711"


def test_a_cleared_alarm_is_a_clear_at_its_time() -> None:
    cleared = alarm(state="cleared", perceivedSeverity="cleared", alarmClearedTime="2026-01-12T11:59:30Z")
    (report,) = read_tmf642(cleared, INTAKE).kept
    assert report.cleared
    assert report.event_time == datetime(2026, 1, 12, 11, 59, 30, tzinfo=UTC)


def test_a_clear_without_a_time_of_its_own_happened_when_it_was_raised() -> None:
    (report,) = read_tmf642(alarm(perceivedSeverity="CLEARED"), INTAKE).kept
    assert report.cleared
    assert report.event_time == datetime(2026, 1, 12, 11, 59, tzinfo=UTC)


def test_the_probable_cause_that_nobody_knows_is_kept() -> None:
    (report,) = read_tmf642(alarm(probableCause="fireDetected"), INTAKE).kept
    assert (report.key.type, report.key.qualifier) == (AlarmType.OTHER, "fireDetected")


@pytest.mark.parametrize(
    "name",
    [
        *("alarmType", "perceivedSeverity", "probableCause", "alarmedObject", "sourceSystemId", "state"),
        "alarmRaisedTime",
    ],
)
def test_every_required_field_is_required(name: str) -> None:
    (rejected,) = read_tmf642(without(name), INTAKE).rejected
    assert rejected.rule == "shape.missing"
    assert name in rejected.reason


@pytest.mark.parametrize(
    ("payload", "rule"),
    [
        (alarm(alarmType="loudAlarm"), "type.unknown"),
        (alarm(perceivedSeverity="terrible"), "severity.unknown"),
        (alarm(state="wobbling"), "status.unknown"),
        (alarm(alarmedObject="node:9"), "shape.wrong_type"),
        (alarm(alarmedObject={"id": "node:10"}), "alarm.resource.unknown"),
        (alarm(alarmRaisedTime="1970-01-01T00:00:00Z"), "time.before_2000"),
        (alarm(perceivedSeverity=3), "shape.wrong_type"),
        ([], "shape.wrong_type"),
    ],
)
def test_a_bad_alarm_is_rejected_with_its_rule(payload: Any, rule: str) -> None:
    read = read_tmf642(payload, INTAKE)
    assert (read.received, [r.rule for r in read.rejected]) == (1, [rule])
