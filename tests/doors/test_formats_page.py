"""The examples of `docs/formats.md` are read by the code that they describe, and nothing of them is rejected."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.alarms import AlarmType
from telemetry.intake import (
    Intake,
    part_feed,
    read_alertmanager,
    read_plant_alarms,
    read_plant_readings,
    read_plant_states,
    read_tmf642,
)
from twin.inventory import parse

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def example(heading: str) -> Any:
    """Return the first JSON block under a heading of the page."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    block = re.search(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert block is not None
    return json.loads(block.group(1))


@pytest.fixture
def intake() -> Intake:
    inventory = parse(example("Inventory"))
    known = {node.id for node in inventory.nodes} | {point.id for point in inventory.termination_points}
    return Intake(now=datetime(2026, 1, 12, 12, 0, 5, tzinfo=UTC), known=known)


def test_the_inventory_is_one_that_parse_takes() -> None:
    inventory = parse(example("Inventory"))

    assert [node.id for node in inventory.nodes] == ["node:a", "node:a-power", "node:b"]
    assert inventory.services[0].demands == ("demand:a-b",)


def test_the_alert_becomes_an_alarm_of_a_known_type(intake: Intake) -> None:
    read = read_alertmanager(example("Alertmanager"), intake)

    assert [(report.key.resource, report.key.type) for report in read.kept] == [("tp:a.1", AlarmType.LINK_DOWN)]
    assert read.received == 1


def test_the_tmf642_alarm_becomes_an_alarm_of_a_known_type(intake: Intake) -> None:
    read = read_tmf642(example("TMF642"), intake)

    assert [report.key.type for report in read.kept] == [AlarmType.LOSS_OF_SIGNAL]
    assert read.received == 1


@pytest.mark.parametrize("field", ["alarmType", "perceivedSeverity", "probableCause", "alarmedObject", "state"])
def test_what_the_page_calls_required_is_required(intake: Intake, field: str) -> None:
    alarm = example("TMF642")
    del alarm[field]

    read = read_tmf642(alarm, intake)

    assert [rejected.rule for rejected in read.rejected] == ["shape.missing"]


def test_each_item_of_the_feed_is_kept(intake: Intake) -> None:
    parts = part_feed(example("The feed of a network"))

    alarms = read_plant_alarms(parts.alarms, intake)
    readings = read_plant_readings(parts.readings, intake)
    states = read_plant_states(parts.states, intake)

    assert [report.key.type for report in alarms.kept] == [AlarmType.LINK_DOWN]
    assert [reading.value for reading in readings.kept] == [0, None, 0.31]
    assert [notice.value for notice in states.kept] == ["locked"]
    assert parts.rejected == ()
