"""The record in other people's formats: whole, and nothing in it is run by whoever opens it."""

import csv
import io
import json
from typing import Any

import pytest

from control_plane.audit.export import Format
from control_plane.audit.searching import Wanted
from control_plane.ports import Written
from domain.errors import Refused
from domain.records import Entry, Record
from tests.control_plane.audit.conftest import Room

HOSTILE = "=cmd|' /C calc'!A1\r\n2026 root: all is well \x1b[31m\u202eforged\x9b2J"


def told(room: Room) -> Record:
    fields = {"text": HOSTILE, "n": 2**53 - 1, "share": 0.5, "yes": True, "none": None, "many": ["a", {"b": 1}]}
    entry = Entry(
        kind="receive.syslog.kept",
        actor=HOSTILE,
        refs=("alarm_1", "+1"),
        fields=fields,
        event_time=room.stage.clock.now(),
    )
    room.stage.ledger.do(lambda _: Written(None, (entry,)))
    return room.stage.ledger.records()[-1]


def exported(room: Room, as_: Format, **wanted: Any) -> str:
    return "".join(room.desk.export(room.auditor, as_, Wanted(**wanted)))


@pytest.mark.parametrize("as_", Format)
def test_every_record_is_exported_and_the_export_is_recorded(room: Room, as_: Format) -> None:
    told(room)

    text = exported(room, as_)

    *every, last = room.stage.ledger.records()
    assert (last.kind, last.actor) == ("audit.record.exported", "auditor")
    assert all(record.hash in text for record in every)


@pytest.mark.parametrize("as_", Format)
def test_no_format_carries_a_character_that_a_terminal_obeys(room: Room, as_: Format) -> None:
    told(room)

    text = exported(room, as_)

    assert all(line.isprintable() for line in text.splitlines())
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_no_cell_becomes_a_formula(room: Room) -> None:
    record = told(room)

    rows = list(csv.DictReader(io.StringIO(exported(room, Format.CSV))))

    (row,) = [row for row in rows if row["id"] == record.id]
    assert row["actor"].startswith("'=cmd|")
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert json.loads(row["fields"].replace("\\\\", "\\"))["n"] == 2**53 - 1
    assert len(rows) == len(room.stage.ledger.records()) - 1


def test_json_lines_are_the_records_themselves(room: Room) -> None:
    told(room)

    lines = exported(room, Format.JSON).splitlines()

    assert [Record.model_validate_json(line) for line in lines] == room.stage.ledger.records()[:-1]


def test_opentelemetry_gets_one_event_per_record(room: Room) -> None:
    record = told(room)

    requests = [json.loads(line) for line in exported(room, Format.OTLP).splitlines()]

    logs = [log for each in requests for scope in each["resourceLogs"][0]["scopeLogs"] for log in scope["logRecords"]]
    (log,) = [log for log in logs if log["eventName"] == "receive.syslog.kept"]
    values = {each["key"]: each["value"] for each in log["attributes"]}
    assert log["timeUnixNano"] == str(int(record.event_time.timestamp()) * 10**9)
    assert values["field.n"] == {"intValue": str(2**53 - 1)}
    assert values["field.yes"] == {"boolValue": True}
    assert values["field.none"] == {}
    assert values["field.many"] == {
        "arrayValue": {
            "values": [{"stringValue": "a"}, {"kvlistValue": {"values": [{"key": "b", "value": {"intValue": "1"}}]}}]
        }
    }
    assert values["record.hash"] == {"stringValue": record.hash}


def test_the_official_opentelemetry_types_read_it(room: Room) -> None:
    types = pytest.importorskip("opentelemetry.proto.logs.v1.logs_pb2", reason="opentelemetry-proto is not installed")
    json_format = pytest.importorskip("google.protobuf.json_format")
    told(room)

    for line in exported(room, Format.OTLP).splitlines():
        assert json_format.Parse(line, types.LogsData()).resource_logs


def test_data_of_another_region_stays_at_home(room: Room) -> None:
    for region in ("north", "south"):
        entry = Entry(kind="a.b.c", actor="x", residency=region, event_time=room.stage.clock.now())
        room.stage.ledger.do(lambda _, entry=entry: Written(None, (entry,)))

    lines = [json.loads(line) for line in exported(room, Format.JSON, residency="north").splitlines()]

    assert [line["residency"] for line in lines] == ["north"]


def test_who_may_only_read_takes_nothing_out(room: Room) -> None:
    with pytest.raises(Refused):
        room.desk.export(room.viewer, Format.JSON, Wanted())
    with pytest.raises(Refused):
        room.desk.bundle(room.viewer)
