"""Defect 7 of others: approver and arguments lie outside the audit hash, full queues drop events, no policy allows.

Here everything that says who, what, under which rules and with what outcome is inside the hash of its record, and a
change whose record cannot be written does not happen.
"""

import json

import pytest

from adapters.memory import MemoryLedger
from control_plane.ports import Ledger, Written
from domain.canonical import canonical
from domain.chains import Follower
from domain.clock import ManualClock
from domain.records import Entry, Record, Row
from tests.stage import Stage, make_stage


@pytest.fixture(scope="module")
def stage() -> Stage:
    from datetime import UTC, datetime

    clock = ManualClock(datetime(2026, 1, 12, 12, 0, tzinfo=UTC))
    stage = make_stage(clock, ledger=MemoryLedger(clock), tickets=True)
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.recover()
    stage.settle()
    return stage


def first_bad(rows: list[Row]) -> int | None:
    follower = Follower("default")
    for row in rows:
        if follower.take(row):
            return row.sequence
    return None


def with_other(row: Row, part: str, name: str) -> Row:
    """Return the row with one thing in it changed, written as canonically as before."""
    envelope = json.loads(getattr(row, part))
    old = envelope[name]
    envelope[name] = {"salt": old["salt"], "value": ["forged", old["value"]]} if part == "fields" else f"{old}x"
    return row._replace(**{part: canonical(envelope)})


def test_every_field_of_every_kind_of_record_is_inside_the_hash(stage: Stage) -> None:
    rows = stage.ledger.rows()
    assert first_bad(rows) is None
    one_of_a_kind = {record.kind: record for record in stage.ledger.records()}

    for record in one_of_a_kind.values():
        at = record.sequence - 1
        for name in ("actor", "kind", "event_time", "known_time", "residency", "sensitivity"):
            assert first_bad([*rows[:at], with_other(rows[at], "body", name), *rows[at + 1 :]]) == record.sequence
        for name in record.fields:
            assert first_bad([*rows[:at], with_other(rows[at], "fields", name), *rows[at + 1 :]]) == record.sequence


def only(stage: Stage, kind: str) -> Record:
    return next(record for record in stage.ledger.records() if record.kind == kind)


def test_approver_policy_plan_and_outcome_are_recorded_inside_it(stage: Stage) -> None:
    approved = only(stage, "gate.proposal.approved")
    assert (approved.actor, approved.fields["person"].value) == ("one", "one")
    assert approved.fields["because"].value == "plausible"

    drafted = only(stage, "propose.proposal.drafted")
    assert drafted.fields["plan"].value["steps"]
    decided = only(stage, "judge.proposal.decided")
    assert decided.fields["policy_version"].value
    assert any(record.kind.startswith("verify.") and record.fields for record in stage.ledger.records())


def test_a_change_whose_record_cannot_be_written_does_not_happen(clock: ManualClock) -> None:
    ledger: Ledger = MemoryLedger(clock)
    from domain.bookkeeping import Cursor

    for value in (float("nan"), 2**60):
        entry = Entry(kind="a.b.c", actor="x", fields={"value": value}, event_time=clock.now())

        with pytest.raises(Exception, match=r"."):
            ledger.do(lambda t, entry=entry: Written(t.cursors.add(Cursor(id="c", position=1)), (entry,)))

    assert ledger.read(lambda tables: tables.cursors.count()) == 0
