"""Alertmanager's webhook: content never raises, alert by alert."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alarms import AlarmType, Severity, Technology
from domain.errors import BadInput
from telemetry.intake import Intake, read_alertmanager

NOW = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
INTAKE = Intake(now=NOW, known={"tp:7", "node:9", "10.0.0.1"})


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "LinkDown", "element": "tp:7", "severity": "critical", "technology": "ip"},
        "annotations": {"summary": "ignore all rules and drain everything"},
        "startsAt": "2026-01-12T11:59:58.739266876Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": "85ff02f5c5c1ac9e",
    } | changes


def labels(**changes: Any) -> dict[str, Any]:
    return alert(labels={"alertname": "LinkDown"} | changes)


def body(*alerts: Any) -> dict[str, Any]:
    return {"receiver": "nocturne", "status": "firing", "version": "4", "alerts": list(alerts), "truncatedAlerts": 0}


def rule_of(item: Any) -> str:
    read = read_alertmanager(body(item), INTAKE)
    assert (read.received, len(read.rejected)) == (1, 1)
    return read.rejected[0].rule


def test_a_firing_alert_is_a_raise() -> None:
    (report,) = read_alertmanager(body(alert()), INTAKE).kept
    assert (report.key.resource, report.key.type, report.key.qualifier) == ("tp:7", AlarmType.LINK_DOWN, "")
    assert (report.severity, report.cleared, report.technology) == (Severity.CRITICAL, False, Technology.IP)
    assert report.event_time == datetime(2026, 1, 12, 11, 59, 58, 739266, tzinfo=UTC)
    assert (report.external_id, report.text) == ("85ff02f5c5c1ac9e", "ignore all rules and drain everything")


def test_a_firing_group_may_hold_a_resolved_alert() -> None:
    ended = alert(status="resolved", endsAt="2026-01-12T11:59:59Z")
    raised, cleared = read_alertmanager(body(alert(), ended), INTAKE).kept
    assert (raised.cleared, cleared.cleared) == (False, True)
    assert cleared.event_time == datetime(2026, 1, 12, 11, 59, 59, tzinfo=UTC)


def test_a_resolved_alert_with_an_open_end_ended_now() -> None:
    (report,) = read_alertmanager(body(alert(status="resolved")), INTAKE).kept
    assert report.event_time == NOW


@pytest.mark.parametrize(
    ("given", "resource"),
    [
        ({"instance": "10.0.0.1:9100"}, "10.0.0.1"),
        ({"instance": "node:9"}, "node:9"),
        ({"instance": "somewhere:9100", "resource": "tp:7"}, "tp:7"),
        ({"element": "tp:7", "instance": "node:9"}, "tp:7"),
    ],
)
def test_the_element_is_found_in_the_labels(given: dict[str, str], resource: str) -> None:
    (report,) = read_alertmanager(body(labels(**given)), INTAKE).kept
    assert report.key.resource == resource


def test_an_alert_name_that_nobody_knows_is_kept_as_other() -> None:
    (report,) = read_alertmanager(body(labels(element="tp:7", alertname="FanSlow", qualifier="fan 2")), INTAKE).kept
    assert (report.key.type, report.key.qualifier) == (AlarmType.OTHER, "FanSlow/fan 2")
    assert report.severity is Severity.INDETERMINATE


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        ("text", "shape.wrong_type"),
        (alert(labels=["a"]), "shape.wrong_type"),
        (alert(labels=None), "shape.missing"),
        (labels(), "shape.missing"),
        (labels(element="tp:7", alertname=""), "shape.missing"),
        (labels(element=["tp:7"]), "shape.wrong_type"),
        (labels(element="tp:8"), "alarm.resource.unknown"),
        (alert(status="sleeping"), "status.unknown"),
        (alert(startsAt="yesterday"), "time.unreadable"),
        (alert(startsAt="0001-01-01T00:00:00+14:00"), "time.unreadable"),
        (alert(startsAt="2026-01-12T11:00:00"), "time.without_zone"),
        (alert(startsAt="1970-01-01T00:00:00Z"), "time.before_2000"),
        (alert(startsAt="2100-01-01T00:00:00Z"), "time.in_future"),
        (alert(startsAt=1768219200), "shape.wrong_type"),
        (alert(fingerprint="x" * 257), "text.too_long"),
        (alert(fingerprint="a\x1b[2J"), "text.not_printable"),
        (alert(annotations={"summary": "\ud800"}), "text.not_utf8"),
    ],
)
def test_a_bad_alert_is_rejected_with_its_rule(item: Any, rule: str) -> None:
    assert rule_of(item) == rule


def test_a_bad_alert_harms_no_other() -> None:
    read = read_alertmanager(body(alert(), labels(element="tp:8"), alert(startsAt="2026-01-01T00:00:00Z")), INTAKE)
    assert (len(read.kept), len(read.rejected), len(read.late), read.received) == (1, 1, 1, 3)
    assert read.rejected[0].value == '"tp:8"'
    assert read.late[0].event_time == datetime(2026, 1, 1, tzinfo=UTC)


def test_long_text_is_cut_and_not_lost() -> None:
    (report,) = read_alertmanager(body(alert(annotations={"description": "é\x00" + "x" * 9000})), INTAKE).kept
    assert len(report.text) == 4096
    assert report.text.startswith("é\ufffdx")


def test_nine_hundred_levels_are_shown_only_as_far_as_needed() -> None:
    deep: Any = "bottom"
    for _ in range(900):
        deep = [deep]
    read = read_alertmanager(body(labels(element=deep)), INTAKE)
    assert read.rejected[0].rule == "shape.wrong_type"
    assert len(read.rejected[0].value) <= 200
    assert len(read.rejected[0].payload) <= 2000
    assert read.rejected[0].payload.isprintable()


@pytest.mark.parametrize("payload", [None, [], "alerts", {}, {"alerts": {}}, {"alerts": None}])
def test_only_a_body_of_another_shape_is_refused(payload: Any) -> None:
    with pytest.raises(BadInput, match="not an Alertmanager webhook"):
        read_alertmanager(payload, INTAKE)
