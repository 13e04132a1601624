"""Row 13: whoever has the database file, or is its administrator, alters the record: verifying names the first bad one.

The attacker drops the triggers first, as an administrator can. What is out of their reach is the second place.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.audit.anchors import FileAnchor, MemoryAnchor
from adapters.keys import KeptKeys, PassingKeys
from adapters.store.ledger import SqlLedger
from control_plane.audit.keeper import Keeper
from control_plane.audit.ports import Vault
from control_plane.audit.verifying import AuditVerdict, verify
from control_plane.ports import Written
from domain.canonical import canonical
from domain.clock import ManualClock
from domain.keeping import Checkpoint
from domain.records import REDACTED, Entry, Record, Redaction, commitment, link, row_of
from tests.postgresql import fresh_store

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
FIRST, SECOND, LAST = 12, 25, 30  # records of the test's own before each checkpoint, and after the last


@dataclass
class Prey:
    """A store with a record of 32 links, two of them of checkpoints, and a hand that can write anything into it."""

    where: str
    vault: Vault
    clock: ManualClock

    def verdict(self) -> AuditVerdict:
        ledger = SqlLedger(self.where, self.clock)
        try:
            return verify(ledger, self.vault, "default")
        finally:
            ledger.close()

    def records(self) -> list[Record]:
        ledger = SqlLedger(self.where, self.clock)
        try:
            return ledger.records()
        finally:
            ledger.close()

    def sql(self, *statements: tuple[Any, ...]) -> None:
        """Run statements as the owner of the database who took the guards away."""
        if "://" in self.where:
            with psycopg.connect(self.where) as connection:
                for table in ("record", "redaction"):
                    connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                for text, *values in statements:
                    connection.execute(text.replace("?", "%s"), values)
            return
        with sqlite3.connect(self.where) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for text, *values in statements:
                connection.execute(text, values)
        connection.close()

    def put(self, record: Record) -> tuple[Any, ...]:
        """Return the statement that writes a record over the one in its place."""
        _, body, fields = row_of(record)
        return ("UPDATE record SET body = ?, fields = ? WHERE sequence = ?", body, fields, record.sequence)

    def grow(self, upto: int, word: str = "true") -> None:
        ledger = SqlLedger(self.where, self.clock)
        fields = [{"n": n, "said": word, "approver": "one"} for n in range(ledger.tip()[0], upto)]
        kind = "gate.proposal.approved"
        entries = [Entry(kind=kind, actor="one", refs=("prop_1",), fields=each, event_time=NOON) for each in fields]
        ledger.do(lambda _: Written(None, tuple(entries)))
        ledger.close()

    def sign(self) -> Checkpoint:
        ledger = SqlLedger(self.where, self.clock)
        self.clock.advance(1)
        made = Keeper(ledger, self.clock, self.vault).sign("default")
        ledger.close()
        assert made is not None
        return made


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a filled SQLite store, its second place and its keys: copied, because making one takes longer."""
    folder = tmp_path_factory.mktemp("pattern")
    filled(in_folder(folder))
    return folder


def in_folder(folder: Path, where: str = "") -> Prey:
    vault = Vault(FileAnchor(folder / "elsewhere"), KeptKeys(folder / "keys"))
    return Prey(where or str(folder / "nocturne.db"), vault, ManualClock(NOON))


@pytest.fixture(params=["sqlite", "postgresql"])
def prey(request: pytest.FixtureRequest, tmp_path: Path, pattern: Path) -> Iterator[Prey]:
    if request.param == "sqlite":
        shutil.copytree(pattern, tmp_path, dirs_exist_ok=True)
        yield in_folder(tmp_path)
    else:
        with fresh_store() as where:
            yield filled(in_folder(tmp_path, where))


def filled(prey: Prey) -> Prey:
    prey.grow(FIRST)
    prey.sign()
    prey.grow(SECOND)
    prey.sign()
    prey.grow(LAST)
    assert prey.verdict().verified
    return prey


def body(prey: Prey, sequence: int) -> bytes:
    return row_of(prey.records()[sequence - 1]).body


def a_byte(prey: Prey) -> None:
    altered = body(prey, 5).replace(b'"actor":"one"', b'"actor":"two"')
    prey.sql(("UPDATE record SET body = ? WHERE sequence = 5", altered))


def a_byte_of_a_field(prey: Prey) -> None:
    fields = row_of(prey.records()[6]).fields.replace(b'"value":"one"', b'"value":"two"')
    prey.sql(("UPDATE record SET fields = ? WHERE sequence = 7", fields))


def a_byte_that_means_nothing(prey: Prey) -> None:
    prey.sql(("UPDATE record SET body = ? WHERE sequence = 4", body(prey, 4).replace(b":", b": ", 1)))


def nonsense(prey: Prey) -> None:
    prey.sql(("UPDATE record SET body = ?, fields = ? WHERE sequence = 6", b"\xff\x00", b"[" * 2000))


def a_deleted_row(prey: Prey) -> None:
    prey.sql(("DELETE FROM record WHERE sequence = 9",))


def a_deleted_beginning(prey: Prey) -> None:
    prey.sql(("DELETE FROM record WHERE sequence <= 3",))


def an_inserted_row(prey: Prey) -> None:
    """Move everything behind the place on by one, and put a well-formed record there."""
    records = prey.records()
    new = link(Entry(kind="a.b.c", actor="x", event_time=NOON), 11, records[9].hash, NOON)
    moved = [("UPDATE record SET sequence = sequence + 1000 WHERE sequence > 10",)]
    moved += [("UPDATE record SET sequence = sequence - 999 WHERE sequence > 1000",)]
    _, first, second = row_of(new)
    insert = "INSERT INTO record (tenant, sequence, body, fields) VALUES ('default', 11, ?, ?)"
    prey.sql(*moved, (insert, first, second))


def two_rows_swapped(prey: Prey) -> None:
    one, other = (row_of(prey.records()[n - 1]) for n in (8, 15))
    prey.sql(
        ("UPDATE record SET body = ?, fields = ? WHERE sequence = 8", other.body, other.fields),
        ("UPDATE record SET body = ?, fields = ? WHERE sequence = 15", one.body, one.fields),
    )


def a_cut_tail(prey: Prey) -> None:
    prey.sql(("DELETE FROM record WHERE sequence > 20",))


def everything_gone(prey: Prey) -> None:
    prey.sql(("DELETE FROM record",))


def a_replaced_tail(prey: Prey) -> None:
    """Cut behind record 20 and go on with another history, as well-formed as ours."""
    prey.sql(("DELETE FROM record WHERE sequence > 20",), ("DELETE FROM record_ref WHERE sequence > 20",))
    prey.grow(LAST, "false")


def a_rewritten_history(prey: Prey) -> None:
    """Give record 3 another approver, and hash everything behind it anew: a chain without a seam."""
    records = prey.records()
    forged, previous = [], records[1].hash
    for record in records[2:]:
        entry = Entry(
            kind=record.kind,
            actor="mallory" if record.sequence == 3 else record.actor,
            refs=record.refs,
            fields={name: field.value for name, field in record.fields.items()},
            event_time=record.event_time,
        )
        forged.append(link(entry, record.sequence, previous, record.known_time))
        previous = forged[-1].hash
    prey.sql(*map(prey.put, forged))


def an_emptied_field(prey: Prey) -> None:
    record = prey.records()[13]
    fields = json.loads(row_of(record).fields) | {"approver": {"salt": None, "value": None}}
    prey.sql(("UPDATE record SET fields = ? WHERE sequence = 14", canonical(fields)))


def a_field_taken_away(prey: Prey) -> None:
    fields = json.loads(row_of(prey.records()[13]).fields)
    del fields["approver"]
    prey.sql(("UPDATE record SET fields = ? WHERE sequence = 14", canonical(fields)))


def a_field_with_a_commitment_of_its_own(prey: Prey) -> None:
    record = prey.records()[16]
    field = record.fields["said"].but(value="false")
    commitments = record.commitments | {"said": commitment("said", "false", field.salt or "")}
    prey.sql(
        prey.put(record.model_copy(update={"fields": record.fields | {"said": field}, "commitments": commitments}))
    )


def a_row_given_to_another_tenant(prey: Prey) -> None:
    prey.sql(("UPDATE record SET tenant = 'other' WHERE sequence = 18",))


MATRIX: dict[Callable[[Prey], None], tuple[int, str]] = {
    a_byte: (5, "its envelope was altered"),
    a_byte_of_a_field: (7, "its field `approver` was altered"),
    a_byte_that_means_nothing: (4, "its bytes are not those of a record"),
    nonsense: (6, "its bytes are not those of a record"),
    a_deleted_row: (10, "record 9 is missing or out of order"),
    a_deleted_beginning: (4, "record 1 is missing or out of order"),
    an_inserted_row: (12, "another record stands in its place"),
    two_rows_swapped: (8, "another record stands in its place"),
    a_cut_tail: (21, "the tail is lost"),
    everything_gone: (1, "the tail is lost"),
    a_replaced_tail: (25, "one of the records 13 to 25 was replaced"),
    a_rewritten_history: (12, "one of the records 1 to 12 was replaced"),
    an_emptied_field: (14, "its field `approver` was emptied without a recorded redaction"),
    a_field_taken_away: (14, "a field was added or taken away"),
    a_field_with_a_commitment_of_its_own: (17, "its envelope was altered"),
    a_row_given_to_another_tenant: (19, "record 18 is missing or out of order"),
}


@pytest.mark.parametrize("tamper", MATRIX, ids=lambda tamper: tamper.__name__)
def test_the_first_bad_record_is_named(prey: Prey, tamper: Callable[[Prey], None]) -> None:
    tamper(prey)

    found = prey.verdict()

    sequence, reason = MATRIX[tamper]
    assert not found.verified
    assert found.first_bad == f"default:{sequence:012d}"
    assert reason in found.reason


def test_an_old_backup_that_is_put_back_is_seen_by_the_second_place(tmp_path: Path) -> None:
    prey = Prey(
        str(tmp_path / "nocturne.db"), Vault(FileAnchor(tmp_path / "a"), KeptKeys(tmp_path / "k")), ManualClock(NOON)
    )
    prey.grow(FIRST)
    prey.sign()
    shutil.copy(prey.where, tmp_path / "backup.db")
    prey.grow(SECOND)
    prey.sign()
    shutil.copy(tmp_path / "backup.db", prey.where)
    for end in ("-wal", "-shm"):
        Path(prey.where + end).unlink(missing_ok=True)

    found = prey.verdict()
    assert (found.verified, found.first_bad) == (False, f"default:{FIRST + 2:012d}")
    assert "the tail is lost" in found.reason

    prey.grow(LAST)  # whoever put it back goes on working, and the swap is seen all the same
    found = prey.verdict()
    assert (found.verified, found.first_bad) == (False, f"default:{SECOND:012d}")


def test_a_redacted_value_that_is_put_back_is_named(prey: Prey) -> None:
    before = row_of(prey.records()[3])
    ledger = SqlLedger(prey.where, prey.clock)
    said = {"record": "default:000000000004", "field": "approver", "because": "asked"}
    entry = Entry(kind=REDACTED, actor="auditor", refs=(said["record"],), fields=said, event_time=NOON)
    ledger.do(lambda _: Written(None, (entry,), redactions=(Redaction("default", 4, "approver"),)))
    ledger.close()
    assert prey.verdict().verified

    prey.sql(("UPDATE record SET fields = ? WHERE sequence = 4", before.fields))

    found = prey.verdict()
    assert found.first_bad == "default:000000000004"
    assert "was redacted and is there again" in found.reason


@pytest.mark.parametrize("alter", ["cut", "edit", "garbage", "gone"])
def test_an_altered_second_place_is_seen_by_the_store(prey: Prey, tmp_path: Path, alter: str) -> None:
    path = tmp_path / "elsewhere" / "checkpoints.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    match alter:
        case "cut":
            path.write_bytes(lines[0])
        case "edit":
            path.write_bytes(lines[0].replace(b'"sequence":12', b'"sequence":11') + lines[1])
        case "garbage":
            path.write_bytes(lines[0] + b"{}\n" + lines[1])
        case _:
            path.unlink()

    found = prey.verdict()

    assert not found.verified
    assert "checkpoint" in found.reason or "second place" in found.reason


STATEMENTS = (
    "UPDATE record SET body = body WHERE sequence = 3 AND 1 = 0 OR sequence = 3",
    "UPDATE record SET sequence = 99 WHERE sequence = 3",
    "UPDATE record SET tenant = 'other' WHERE sequence = 3",
    "UPDATE record SET fields = NULL WHERE sequence = 3",
    "DELETE FROM record WHERE sequence = 30",
    "DELETE FROM record",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_database_itself_refuses_to_change_or_take_away_a_record(prey: Prey, statement: str) -> None:
    before = prey.records()
    if "://" in prey.where:
        with psycopg.connect(prey.where) as connection, pytest.raises(psycopg.Error, match="only grows"):
            connection.execute(statement)
    else:
        connection = sqlite3.connect(prey.where)
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            connection.execute(statement)
        connection.close()

    assert prey.records() == before


def test_postgresql_refuses_to_truncate_the_record() -> None:
    with fresh_store() as where:
        prey = filled(Prey(where, Vault(MemoryAnchor(), PassingKeys()), ManualClock(NOON)))
        for table in ("record", "redaction", "record, redaction"):
            with psycopg.connect(where) as connection, pytest.raises(psycopg.Error, match="only grows"):
                connection.execute(f"TRUNCATE {table}")
        assert prey.verdict().verified


def test_sqlite_refuses_to_replace_a_record_by_inserting_another(pattern: Path, tmp_path: Path) -> None:
    shutil.copytree(pattern, tmp_path, dirs_exist_ok=True)
    prey = in_folder(tmp_path)
    connection = sqlite3.connect(prey.where)
    for verb in ("INSERT OR REPLACE", "REPLACE"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            connection.execute(
                f"{verb} INTO record (tenant, sequence, body, fields) VALUES ('default', 3, x'00', x'00')"
            )
    connection.close()
    assert prey.verdict().verified


@pytest.mark.parametrize("shift", [(0, 5), (-2, 0), (0, -3)])
def test_a_row_of_the_redaction_table_lets_go_of_exactly_one_field(prey: Prey, shift: tuple[int, int]) -> None:
    """Even who writes into the table of redactions can empty nothing but a whole value and its salt."""
    fields = row_of(prey.records()[3]).fields
    starts = fields.index(b'{"salt":"')
    stops = fields.index(b"}", starts) + 1
    starts, stops = starts + shift[0], stops + shift[1]
    emptied = fields[:starts] + b'{"salt":null,"value":null}' + fields[stops:]
    allow = "INSERT INTO redaction (tenant, sequence, name, starts, stops) VALUES ('default', 4, 'x', {}, {})"
    wrong = emptied if shift[0] else emptied[:-1] + b" }"
    if "://" in prey.where:
        with psycopg.connect(prey.where) as connection:
            connection.execute(allow.format(starts, stops))
            with pytest.raises(psycopg.Error, match="only grows"):
                connection.execute("UPDATE record SET fields = %s WHERE sequence = 4", (wrong,))
    else:
        connection = sqlite3.connect(prey.where)
        connection.execute(allow.format(starts, stops))
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            connection.execute("UPDATE record SET fields = ? WHERE sequence = 4", (wrong,))
        connection.close()
