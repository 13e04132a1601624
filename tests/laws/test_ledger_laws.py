"""Laws of the ledger: every store means the same, and no altered record goes unseen."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.memory import MemoryLedger
from adapters.store.ledger import SqlLedger
from adapters.store.texts import with_nul, without_nul
from control_plane.ports import Ledger, Written
from control_plane.tables import Message, Tables
from domain.bookkeeping import Quarantined
from domain.chains import first_break
from domain.clock import ManualClock
from domain.errors import NocturneError
from domain.records import Entry, Record, link, link_row, redacted, row_of, salts_for
from tests.postgresql import fresh_store
from tests.stores import empty_file

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
LENGTH = 7

# --- any story, told to every store, ends the same

IDS = st.sampled_from(["q1", "q2", "q3", "q10", "Q2", "ü", "😀", "", "q", "q\0", "q\1", "q\1\1", "q\2"])
SOURCES = st.sampled_from(["a", "b", "A", ""])
WORDS = st.builds(
    lambda id, source, value: Quarantined(
        id=id, source=source, rule="r", reason="", value=value, payload="", known_time=NOON
    ),
    IDS,
    SOURCES,
    st.text(max_size=3),
)
FINDS = st.fixed_dictionaries(
    {},
    optional={
        "source": st.one_of(SOURCES, st.lists(SOURCES, max_size=3), st.just((None, "a"))),
        "limit": st.integers(0, 4),
        "newest": st.booleans(),
        "after": IDS,
        "colour": st.just("red"),
    },
)
STEPS = st.one_of(
    st.tuples(st.just("add"), st.lists(WORDS, max_size=4)),
    st.tuples(st.just("swap"), st.tuples(WORDS, SOURCES)),
    st.tuples(st.just("swap_stored"), st.tuples(IDS, SOURCES)),
    st.tuples(st.just("find"), FINDS),
)
CHANGES = st.fixed_dictionaries(
    {
        "steps": st.lists(STEPS, max_size=6),
        "entries": st.integers(0, 2),
        "messages": st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 30)), max_size=2),
        "raises": st.sampled_from([False, False, False, True]),
        "waits": st.integers(0, 20),
        "takes": st.integers(0, 3),
        "forgets": st.booleans(),
    }
)


def step(tables: Tables, kind: str, what: Any) -> object:
    if kind == "add":
        return tables.quarantine.add(*what)
    if kind == "swap":
        return tables.quarantine.swap(what[0], what[0].but(source=what[1]))
    if kind == "swap_stored":
        stored = tables.quarantine.get(what[0])
        return stored is not None and tables.quarantine.swap(stored, stored.but(source=what[1]))
    return tables.quarantine.find(**what)


def told(ledger: Ledger, clock: ManualClock, changes: list[dict[str, Any]]) -> list[object]:
    """Tell a story to a ledger and return everything that it answered."""
    seen: list[object] = []
    for change in changes:
        clock.advance(change["waits"])
        seen.append(attempt(lambda change=change: ledger.do(lambda tables: carry_out(tables, clock, change))))
        messages = ledger.due(clock.now(), lease_s=7, limit=change["takes"])
        if change["forgets"]:
            ledger.done(messages)
        seen += [messages, ledger.next_due(), ledger.read(lambda tables: tables.quarantine.find())]
    records = ledger.records()
    assert first_break(records) is None
    return [*seen, [(record.refs, record.known_time) for record in records]]


def carry_out(tables: Tables, clock: ManualClock, change: dict[str, Any]) -> Written[list[object]]:
    answers = [step(tables, kind, what) for kind, what in change["steps"]]
    if change["raises"]:
        raise LookupError
    now = clock.now()
    entries = tuple(Entry(kind="a.b.c", actor="x", refs=(f"{n}",), event_time=now) for n in range(change["entries"]))
    messages = tuple(
        Message(id=id, topic="t", ref="", due_at=now.replace(second=due)) for id, due in change["messages"]
    )
    return Written(answers, entries, messages)


def attempt(act: Callable[[], object]) -> object:
    try:
        return act()
    except (NocturneError, LookupError, ValueError) as error:
        return type(error)


def told_in_sql(where: str | Path, changes: list[dict[str, Any]]) -> list[object]:
    clock = ManualClock(NOON)
    ledger = SqlLedger(where, clock)
    try:
        return told(ledger, clock, changes)
    finally:
        ledger.close()


def told_in_memory(changes: list[dict[str, Any]]) -> list[object]:
    clock = ManualClock(NOON)
    return told(MemoryLedger(clock), clock, changes)


@settings(max_examples=60, deadline=None)
@given(st.lists(CHANGES, max_size=8))
def test_memory_and_sqlite_answer_any_story_alike(changes: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert told_in_sql(empty_file(Path(folder)), changes) == told_in_memory(changes)


@settings(max_examples=20, deadline=None)
@given(st.lists(CHANGES, max_size=8))
def test_memory_and_postgresql_answer_any_story_alike(changes: list[dict[str, Any]]) -> None:
    with fresh_store() as address:
        assert told_in_sql(address, changes) == told_in_memory(changes)


# --- texts that PostgreSQL cannot keep are kept all the same

TEXTS = st.text(st.sampled_from("\0\1\2aü😀"), max_size=6)


@given(TEXTS)
def test_a_text_written_without_nul_is_got_back(text: str) -> None:
    written = without_nul(text)

    assert "\0" not in written
    assert with_nul(written) == text


@given(TEXTS, TEXTS)
def test_texts_written_without_nul_sort_as_they_did(one: str, other: str) -> None:
    assert (without_nul(one) < without_nul(other)) == (one < other)


# --- no altered record goes unseen


@pytest.fixture(scope="module")
def chain_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one chain of `LENGTH` records."""
    path = tmp_path_factory.mktemp("chain") / "nocturne.db"
    ledger = SqlLedger(path, ManualClock(NOON))
    for n in range(LENGTH):
        entry = Entry(
            kind="a.b.c", actor="ü", refs=(f"r{n}",), fields={"n": n, "T": {"é": [1.5, None]}}, event_time=NOON
        )
        ledger.do(lambda tables, entry=entry: Written(None, (entry,)))
    ledger.close()
    return path


def records_after(original: Path, statement: str, *values: object) -> list[Record]:
    """Alter a copy of the store and read its chain."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(original, folder))
        with sqlite3.connect(path) as raw:
            for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                raw.execute(f"DROP TRIGGER {name}")  # as an administrator can
            raw.execute(statement, values)
        raw.close()
        ledger = SqlLedger(path, ManualClock(NOON))
        records = ledger.records()
        ledger.close()
    return records


def broken_at(original: Path, heads: dict[str, str], statement: str, *values: object) -> int | None:
    """Return the sequence number of the record that verifying names."""
    found = first_break(records_after(original, statement, *values), heads)
    return None if found is None else int(found.record_id.partition(":")[2])


def stored(original: Path, column: str, sequence: int) -> bytes:
    raw = sqlite3.connect(original)
    (found,) = raw.execute(f"SELECT {column} FROM record WHERE sequence = ?", (sequence,)).fetchone()
    raw.close()
    return bytes(found)


def heads(original: Path) -> dict[str, str]:
    return {"default": records_after(original, "SELECT 1")[-1].hash}


SEQUENCES = st.integers(1, LENGTH)
COLUMNS = ("body", "fields")
UPDATE = "UPDATE record SET body = ?, fields = ? WHERE sequence = ?"


@settings(max_examples=60, deadline=None)
@given(sequence=SEQUENCES, place=st.integers(0, 2**16), flip=st.integers(1, 255), column=st.sampled_from(COLUMNS))
def test_a_changed_byte_is_named(chain_file: Path, sequence: int, place: int, flip: int, column: str) -> None:
    altered = bytearray(stored(chain_file, column, sequence))
    altered[place % len(altered)] ^= flip

    update = f"UPDATE record SET {column} = ? WHERE sequence = ?"
    assert broken_at(chain_file, {}, update, bytes(altered), sequence) == sequence


@settings(max_examples=20, deadline=None)
@given(sequence=SEQUENCES)
def test_a_missing_row_is_named(chain_file: Path, sequence: int) -> None:
    found = broken_at(chain_file, heads(chain_file), "DELETE FROM record WHERE sequence = ?", sequence)

    assert found == min(sequence + 1, LENGTH)  # the record behind the gap, or the tail that is lost


@settings(max_examples=30, deadline=None)
@given(sequence=SEQUENCES, to=st.integers(-3, 20))
def test_a_moved_row_is_named(chain_file: Path, sequence: int, to: int) -> None:
    taken = 1 <= to <= LENGTH
    move = f"UPDATE record SET sequence = {to} WHERE sequence = {sequence}"
    swap = (
        f"UPDATE record SET (body, fields) = (SELECT other.body, other.fields FROM record AS other WHERE "
        f"other.sequence = CASE record.sequence WHEN {sequence} THEN {to} ELSE {sequence} END) "
        f"WHERE sequence IN ({sequence}, {to})"
    )

    found = broken_at(chain_file, heads(chain_file), swap if taken else move)

    if to == sequence:
        assert found is None
    elif taken:
        assert found == min(sequence, to)
    else:
        assert found is not None


@settings(max_examples=20, deadline=None)
@given(sequence=SEQUENCES)
def test_a_row_moved_to_another_tenant_is_missed_here_and_named_there(chain_file: Path, sequence: int) -> None:
    move = "UPDATE record SET tenant = 'other' WHERE sequence = ?"

    assert broken_at(chain_file, heads(chain_file), move, sequence) is not None


@settings(max_examples=20, deadline=None)
@given(sequence=SEQUENCES, forged=st.text(min_size=1, max_size=5))
def test_a_perfect_forgery_breaks_the_chain_right_behind_it(chain_file: Path, sequence: int, forged: str) -> None:
    old = records_after(chain_file, "SELECT 1")[sequence - 1]
    entry = Entry(kind=old.kind, actor=f"{old.actor}{forged}", refs=old.refs, event_time=old.event_time)
    forgery = link(entry, sequence, old.previous, old.known_time)

    found = broken_at(chain_file, heads(chain_file), UPDATE, *row_of(forgery)[1:], sequence)

    assert found == sequence + 1


@settings(max_examples=20, deadline=None)
@given(sequence=SEQUENCES, names=st.sets(st.sampled_from(["n", "T"]), min_size=1))
def test_a_redacted_chain_still_verifies(chain_file: Path, sequence: int, names: set[str]) -> None:
    record = records_after(chain_file, "SELECT 1")[sequence - 1]
    for name in names:
        record = redacted(record, name)

    records = records_after(chain_file, UPDATE, *row_of(record)[1:], sequence)

    assert first_break(records, heads(chain_file)) is None
    assert {name for name, field in records[sequence - 1].fields.items() if field.salt is None} == names


# --- a record has one form, whichever way it is written


class Said(StrEnum):
    YES = "yes"


NAMES = st.one_of(st.text(max_size=4), st.sampled_from(["a", "\ue000", "😀", "é", "\0"]))
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=4),
        st.sampled_from(Said),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner, inner), st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=4,
)
MOMENTS = st.datetimes(
    NOON.replace(year=2, tzinfo=None),
    NOON.replace(year=9998, tzinfo=None),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))]),
)


@example(Entry(kind="", actor="", fields={"\ue000": 1, "😀": Said.YES, "a": 0.5}, event_time=NOON), 1, NOON)
@given(
    entry=st.builds(
        Entry,
        kind=NAMES,
        actor=NAMES,
        refs=st.lists(NAMES, max_size=3).map(tuple),
        fields=st.dictionaries(NAMES, VALUES, max_size=4),
        event_time=MOMENTS,
        tenant=NAMES,
        residency=NAMES,
    ),
    sequence=st.integers(1, 2**40),
    known_time=MOMENTS,
)
def test_the_bytes_that_are_stored_are_those_of_the_record(entry: Entry, sequence: int, known_time: datetime) -> None:
    salts, previous = salts_for(entry), "ab" * 32
    record = link(entry, sequence, previous, known_time, salts)

    assert link_row(entry, sequence, previous, known_time, salts) == (row_of(record), record.hash)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_no_two_fields_of_a_record_share_a_salt(fields: dict[str, Any]) -> None:
    entry = Entry(kind="a.b.c", actor="x", fields=fields, event_time=NOON)

    salts = salts_for(entry) + salts_for(entry)

    assert len(set(salts)) == 2 * len(fields)
    assert {len(bytes.fromhex(salt)) for salt in salts} <= {16}
