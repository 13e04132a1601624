"""A network's feed: alarms in vendors' words, rows of readings, notices of configuration."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.alarms import AlarmType, Severity, Technology
from domain.measurements import Metric
from telemetry.intake import (
    Counters,
    Intake,
    part_feed,
    read_plant_alarms,
    read_plant_readings,
    read_plant_states,
)

NOW = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
KNOWN = {"tp:1", "tp:2", "demand:1", "node:1"}
INTAKE = Intake(now=NOW, known=KNOWN)


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "type": "alarm",
        "vendor": "borea",
        "resource": "tp:1",
        "name": "LNK-FAIL",
        "qualifier": "",
        "severity": 1,
        "cleared": False,
        "time": "2026-01-12T11:59:59Z",
        "id": "a-1",
        "text": "no light",
        "source": "emulated:alarms-1",
    } | changes


def readings(*rows: Any, at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    return {"type": "readings", "source": "emulated:pm-1", "time": at.isoformat(), "rows": list(rows)} | changes


def state(**changes: Any) -> dict[str, Any]:
    return {
        "type": "state",
        "source": "emulated:config",
        "element": "tp:1",
        "attribute": "administrative",
        "value": "locked",
        "time": "2026-01-12T11:59:59Z",
    } | changes


def rules_of(item: Any, intake: Intake = INTAKE) -> list[str]:
    return [rejected.rule for rejected in read_plant_readings([item], intake).rejected]


def test_a_vendor_s_alarm_becomes_ours() -> None:
    (report,) = read_plant_alarms([alarm()], INTAKE).kept
    assert (report.key.type, report.severity, report.technology) == (
        AlarmType.LINK_DOWN,
        Severity.CRITICAL,
        Technology.OPTICAL,
    )
    assert (report.source, report.external_id, report.text) == ("emulated:alarms-1", "a-1", "no light")


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        (alarm(cleared="no"), "shape.wrong_type"),
        (alarm(severity=True), "shape.wrong_type"),
        (alarm(severity=10**5000), "shape.wrong_type"),
        (alarm(resource="tp:99"), "alarm.resource.unknown"),
        (alarm(name=""), "shape.missing"),
        (alarm(source=None), "shape.missing"),
        (alarm(time="2100-01-01T00:00:00Z"), "time.in_future"),
        (alarm(text={"a": 1}), "shape.wrong_type"),
        (17, "shape.wrong_type"),
    ],
)
def test_a_bad_alarm_is_rejected_and_the_next_is_kept(item: Any, rule: str) -> None:
    read = read_plant_alarms([item, alarm()], INTAKE)
    assert [rejected.rule for rejected in read.rejected] == [rule]
    assert len(read.kept) == 1


def test_rows_become_readings_and_a_gap_stays_a_gap() -> None:
    read = read_plant_readings([readings(["tp:1", "oper_up", 1], ["tp:1", "utilisation", None])], INTAKE)
    assert [(r.element, r.metric, r.value, r.event_time) for r in read.kept] == [
        ("tp:1", Metric.OPER_UP, 1.0, NOW),
        ("tp:1", Metric.UTILISATION, None, NOW),
    ]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (["tp:1", "loss", math.nan], "value.not_finite"),
        (["tp:1", "loss", -math.inf], "value.not_finite"),
        (["tp:1", "loss", 1.5], "value.range"),
        (["tp:1", "octets", 10**400], "value.range"),
        (["tp:1", "loss", "0.5"], "shape.wrong_type"),
        (["tp:1", "oper_up", True], "shape.wrong_type"),
        (["tp:1", "loss"], "shape.wrong_type"),
        ("abc", "shape.wrong_type"),
        ([["tp:1"], "loss", 0], "shape.wrong_type"),
        (["tp:99", "loss", 0], "reading.element.unknown"),
        (["tp:1", "happiness", 0], "reading.metric.unknown"),
    ],
)
def test_a_bad_row_is_rejected_alone(row: Any, rule: str) -> None:
    read = read_plant_readings([readings(row, ["tp:2", "loss", 0.0])], INTAKE)
    assert [rejected.rule for rejected in read.rejected] == [rule]
    assert [reading.element for reading in read.kept] == ["tp:2"]
    assert read.rejected[0].source == "emulated:pm-1"


def test_a_broken_time_rejects_every_row_one_by_one() -> None:
    item = readings(["tp:1", "loss", 0.0], ["tp:2", "loss", 0.0], time="soon")
    assert rules_of(item) == ["time.unreadable", "time.unreadable"]


def test_rows_that_are_no_list_are_one_rejection() -> None:
    assert rules_of(readings(rows="none")) == ["shape.wrong_type"]


def test_readings_past_the_bound_are_late_and_counted() -> None:
    item = readings(["tp:1", "loss", 0.25], ["tp:1", "loss", 7], at=NOW - timedelta(seconds=61))
    read = read_plant_readings([item], INTAKE)
    assert (len(read.kept), len(read.late), len(read.rejected)) == (0, 1, 1)
    assert read.late[0].payload == '["tp:1", "loss", 0.25]'


def test_readings_may_be_dated_ahead_no_more_than_they_may_be_late() -> None:
    assert rules_of(readings(["tp:1", "loss", 0.0], at=NOW + timedelta(seconds=61))) == ["time.in_future"]
    assert rules_of(readings(["tp:1", "loss", 0.0], at=NOW + timedelta(seconds=59))) == []


def test_a_counter_that_fell_is_rejected_once_and_measured_from_there() -> None:
    items = [readings(["tp:1", "octets", value], at=NOW + timedelta(seconds=k)) for k, value in enumerate((9, 3, 4))]
    read = read_plant_readings(items, INTAKE)
    assert [reading.value for reading in read.kept] == [9, 4]
    assert [rejected.rule for rejected in read.rejected] == ["counter.went_back"]


def test_a_counter_out_of_order_is_no_fall() -> None:
    items = [readings(["tp:1", "octets", v], at=NOW - timedelta(seconds=s)) for s, v in ((0, 9), (1, 8))]
    assert len(read_plant_readings(items, Intake(now=NOW, known=KNOWN)).kept) == 2


def test_counters_are_remembered_between_calls_when_they_are_given() -> None:
    counters = Counters()
    for value in (5, 2):
        intake = Intake(now=NOW, known=KNOWN, counters=counters)
        rules = rules_of(readings(["tp:1", "octets", value]), intake)
    assert rules == ["counter.went_back"]


def test_a_demand_that_loses_all_and_delivers_is_not_believed() -> None:
    lying = readings(["demand:1", "loss", 1.0], ["demand:1", "throughput", 40.0], ["demand:1", "delay", 3.0])
    read = read_plant_readings([lying], INTAKE)
    assert [rejected.rule for rejected in read.rejected] == ["cross.loss_with_throughput"] * 2
    assert [reading.metric for reading in read.kept] == [Metric.DELAY]


def test_a_demand_that_loses_all_and_delivers_nothing_is_believed() -> None:
    assert rules_of(readings(["demand:1", "loss", 1.0], ["demand:1", "throughput", 0.0])) == []


def test_a_poisoned_source_changes_nothing_for_another() -> None:
    clean = readings(["tp:2", "loss", 0.01], source="emulated:pm-2")
    poison = readings(*[["tp:1", "loss", math.nan]] * 50, "junk", None, {})
    together = read_plant_readings([poison, clean, poison], INTAKE)
    assert together.kept == read_plant_readings([clean], INTAKE).kept
    assert together.received == 2 * 53 + 1


def test_notices_of_configuration_are_read() -> None:
    (notice,) = read_plant_states([state()], INTAKE).kept
    assert (notice.element, notice.attribute, notice.value) == ("tp:1", "administrative", "locked")


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        (state(element="tp:99"), "state.element.unknown"),
        (state(attribute="colour"), "state.attribute.unknown"),
        (state(value="ajar"), "value.range"),
        (state(attribute="metric", value="70000"), "value.range"),
        (state(attribute="metric", value="²"), "value.range"),
        (state(attribute="via", value="node:99"), "value.range"),
        (state(attribute="via", value="node:1@0.4"), "value.range"),
        (state(value=7), "shape.wrong_type"),
        (state(time="2100-01-01T00:00:00Z"), "time.in_future"),
    ],
)
def test_a_bad_notice_is_rejected_with_its_rule(item: Any, rule: str) -> None:
    assert [rejected.rule for rejected in read_plant_states([item], INTAKE).rejected] == [rule]


def test_a_notice_past_the_bound_is_late() -> None:
    read = read_plant_states([state(time="2026-01-10T00:00:00Z")], INTAKE)
    assert (len(read.kept), [late.source for late in read.late]) == (0, ["emulated:config"])


def test_good_values_of_every_attribute_are_kept() -> None:
    good = [
        state(attribute="metric", value="20"),
        state(attribute="via", value=""),
        state(attribute="via", value="node:1"),
        state(attribute="via", value="node:1@0.40"),
    ]
    assert len(read_plant_states(good, INTAKE).kept) == 4


def test_a_feed_is_parted_by_kind_and_the_unknown_is_rejected() -> None:
    parts = part_feed([alarm(), state(), readings(), {"type": "gossip", "source": "s"}, 5, {"type": ["alarm"]}])
    assert (len(parts.alarms), len(parts.states), len(parts.readings)) == (1, 1, 1)
    assert [r.rule for r in parts.rejected] == ["shape.unknown_item"] * 3
    assert [r.source for r in parts.rejected] == ["s", "unnamed", "unnamed"]
