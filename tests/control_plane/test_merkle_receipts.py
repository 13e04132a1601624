"""One record for a whole batch of alarms, whatever door it came by, and each alarm of it can be shown to be in it."""

import json
from typing import Any

import pytest

from benchmarks.ingest_alarms import Alarms
from control_plane.receiving import as_stored, receive_feed
from domain.alarms import Alarm
from domain.merkle import proof, proves
from domain.records import Record
from tests.stage import CULPRIT, Stage

COUNT = 37


def alarms(stage: Stage) -> Alarms:
    return Alarms(("tp:a-b", "tp:b-a"), stage.clock.now())


def by_a_door(stage: Stage) -> None:
    body = json.loads(alarms(stage).alertmanager(range(COUNT)))
    stage.commands.receive(stage.feed, "alertmanager", body)


def by_a_feed(stage: Stage) -> None:
    stage.network.say(*alarms(stage).feed(range(COUNT)))
    receive_feed(stage.road, "network", 0.0)


def receipts(stage: Stage) -> list[Record]:
    return [record for record in stage.ledger.records() if record.kind == "receive.alarms.kept"]


def shown(record: Record, alarm: Alarm, index: int, others: list[Alarm]) -> bool:
    """Show to somebody who has the record only that `alarm` was in its batch."""
    path = proof([as_stored(other) for other in others], index)
    fields: dict[str, Any] = {name: field.value for name, field in record.fields.items()}
    return proves(as_stored(alarm), index, fields["alarms"], path, fields["alarms_root"])


@pytest.mark.parametrize("comes", [by_a_door, by_a_feed])
def test_a_batch_has_one_record_that_every_alarm_of_it_proves_against(stage: Stage, comes: Any) -> None:
    comes(stage)

    (record,) = receipts(stage)
    stored = stage.ledger.read(lambda tables: tables.alarms.find())
    assert record.fields["alarms"].value == len(stored) == COUNT
    assert all(shown(record, alarm, index, stored) for index, alarm in enumerate(stored))
    assert not shown(record, stored[3].but(text="another text"), 3, stored)


def test_a_cleared_alarm_proves_against_the_record_of_its_clear(stage: Stage) -> None:
    stage.raise_alarms(resources=(CULPRIT,))
    raised = stage.ledger.read(lambda tables: tables.alarms.find())
    stage.raise_alarms(resources=(CULPRIT,), cleared=True)
    first, second = receipts(stage)

    after = stage.ledger.read(lambda tables: tables.alarms.find())

    (stored,) = after
    assert stored.cleared
    assert not shown(first, stored, 0, after)
    assert second.refs == (stored.id,)
    assert first.refs == (raised[0].id,)
