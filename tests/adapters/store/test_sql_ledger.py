"""What only a store on disk can do: last, be in the way of another process, fill up, vanish, be damaged."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.store.ledger import SqlLedger
from control_plane.ports import Written
from control_plane.tables import Message, Tables
from domain.bookkeeping import Cursor, TwinState
from domain.chains import Follower, first_break
from domain.clock import ManualClock
from domain.errors import BadInput, Conflict, Unavailable
from domain.identity import Principal, Role
from domain.records import GENESIS, Entry, link, row_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nocturne.db"


@pytest.fixture
def ledger(path: Path, clock: ManualClock) -> Iterator[SqlLedger]:
    ledger = SqlLedger(path, clock, busy_s=0.05)
    yield ledger
    ledger.close()


def put(ledger: SqlLedger, clock: ManualClock, id: str, position: int = 0) -> None:
    """Write one cursor, one record and one message."""

    def change(tables: Tables) -> Written[None]:
        tables.cursors.add(Cursor(id=id, position=position))
        entry = Entry(kind="test.cursor.added", actor="tester", refs=(id,), event_time=clock.now())
        return Written(None, (entry,), (Message(id=f"msg_{id}", topic="t", ref=id, due_at=clock.now()),))

    ledger.do(change)


def contents(ledger: SqlLedger, clock: ManualClock) -> tuple[list[str], list[str], list[str]]:
    """The cursors, the refs of the records, and the refs of the messages that wait."""
    cursors = [cursor.id for cursor in ledger.read(lambda tables: tables.cursors.find())]
    messages = sorted(message.ref for message in ledger.due(clock.now(), lease_s=0))
    return cursors, [record.refs[0] for record in ledger.records()], messages


def test_everything_survives_closing_and_opening(ledger: SqlLedger, path: Path, clock: ManualClock) -> None:
    put(ledger, clock, "a")
    ledger.close()

    again = SqlLedger(f"sqlite:///{path}", clock)
    put(again, clock, "b")

    assert contents(again, clock) == (["a", "b"], ["a", "b"], ["a", "b"])
    assert first_break(again.records()) is None
    again.close()


def test_two_processes_share_one_chain(ledger: SqlLedger, path: Path, clock: ManualClock) -> None:
    other = SqlLedger(path, clock)

    for turn in range(3):
        put(ledger, clock, f"a{turn}")
        put(other, clock, f"b{turn}")

    assert [record.refs[0] for record in other.records()] == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert first_break(ledger.records()) is None
    other.close()


def test_two_processes_that_write_at_once_wait_for_each_other(path: Path, clock: ManualClock) -> None:
    ledgers = [SqlLedger(path, clock) for _ in range(4)]
    put(ledgers[0], clock, "sum")

    def step(tables: Tables) -> Written[bool]:
        old = tables.cursors.get("sum")
        assert old is not None
        entry = Entry(kind="test.cursor.moved", actor="tester", event_time=clock.now())
        return Written(tables.cursors.swap(old, old.but(position=old.position + 1)), (entry,))

    with ThreadPoolExecutor(len(ledgers)) as pool:
        for future in [pool.submit(lambda one=one: [one.do(step) for _ in range(25)]) for one in ledgers]:
            assert all(future.result())

    assert ledgers[0].read(lambda tables: tables.cursors.get("sum")) == Cursor(id="sum", position=100)
    assert first_break(ledgers[0].records()) is None
    for one in ledgers:
        one.close()


def test_a_commit_is_flushed_to_the_disk(ledger: SqlLedger) -> None:
    with ledger._database.read() as connection:
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()

    assert (journal, synchronous) == ("wal", 2)


def test_a_store_held_by_another_process_says_so_and_recovers(
    ledger: SqlLedger, path: Path, clock: ManualClock
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="another process holds it"):
        put(ledger, clock, "a")
    assert ledger.read(lambda tables: tables.cursors.count()) == 0  # readers do not wait
    other.execute("ROLLBACK")
    other.close()
    put(ledger, clock, "b")

    assert contents(ledger, clock) == (["b"], ["b"], ["b"])


def test_a_full_disk_leaves_nothing_half_done(ledger: SqlLedger, clock: ManualClock) -> None:
    put(ledger, clock, "a")
    with ledger._database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def change(tables: Tables) -> Written[None]:
        tables.cursors.add(Cursor(id="b", position=1))
        tables.twin_states.add(TwinState(id="big", inventory_digest="", body="x" * 1_000_000, made_at=clock.now()))
        return Written(None, (Entry(kind="test.it.grew", actor="tester", event_time=clock.now()),))

    with pytest.raises(Unavailable, match="the disk is full"):
        ledger.do(change)
    assert contents(ledger, clock) == (["a"], ["a"], ["a"])


def test_a_read_only_store_says_so(ledger: SqlLedger, path: Path, clock: ManualClock) -> None:
    put(ledger, clock, "a")
    reader = SqlLedger(f"sqlite:///file:{path}?mode=ro&uri=true", clock)

    with pytest.raises(Unavailable, match="it is read-only"):
        put(reader, clock, "b")
    assert reader.read(lambda tables: tables.cursors.count()) == 1
    reader.close()


def test_a_store_that_vanished_is_not_written_into_the_void(ledger: SqlLedger, path: Path, clock: ManualClock) -> None:
    put(ledger, clock, "a")
    path.unlink()

    with pytest.raises(Unavailable, match="gone"):
        put(ledger, clock, "b")
    assert not path.exists()


def test_a_store_that_vanishes_during_a_change_does_not_confirm_it(
    ledger: SqlLedger, path: Path, clock: ManualClock
) -> None:
    def change(tables: Tables) -> Written[None]:
        tables.cursors.add(Cursor(id="a", position=1))
        path.unlink()
        return Written(None, (Entry(kind="test.cursor.added", actor="tester", event_time=clock.now()),))

    with pytest.raises(Unavailable, match="gone"):
        ledger.do(change)


def test_a_store_in_a_missing_folder_says_so(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(Unavailable, match="folder exists"):
        SqlLedger(tmp_path / "nowhere" / "nocturne.db", clock)


def test_a_file_that_is_no_database_is_refused_and_kept(path: Path, clock: ManualClock) -> None:
    path.write_text("these are my shopping notes " * 100)

    with pytest.raises(Unavailable, match="no database"):
        SqlLedger(path, clock)
    assert path.read_text().startswith("these are my shopping notes")


@pytest.mark.parametrize("where", ["", ":memory:", "sqlite://", "mysql://host/db", "ftp:::://"])
def test_an_address_that_names_no_store_is_refused(where: str, clock: ManualClock) -> None:
    with pytest.raises(BadInput):
        SqlLedger(where, clock)


def test_a_record_is_swapped_although_its_sets_were_stored_in_another_order(
    ledger: SqlLedger, path: Path, clock: ManualClock
) -> None:
    ana = Principal(id="acc_1", name="ana", roles=frozenset({Role.VIEWER, Role.AUDITOR}))
    entry = Entry(kind="test.account.added", actor="tester", event_time=clock.now())
    ledger.do(lambda tables: Written(tables.principals.add(ana), (entry,)))
    for order in ("viewer,auditor", "auditor,viewer"):  # as processes with other hash seeds would write them
        roles = ",".join(f'"{role}"' for role in order.split(","))
        body = f'{{"id":"acc_1","name":"ana","person":"","roles":[{roles}],"tenant":"default"}}'
        with sqlite3.connect(path) as other:
            other.execute("UPDATE shelf_principals SET body = ?", (body,))
        other.close()

        assert ledger.do(lambda tables: Written(tables.principals.swap(ana, ana.but(person="Ana")), (entry,)))
        assert ledger.read(lambda tables: tables.principals.get("acc_1")) == ana.but(person="Ana")


def test_nothing_is_linked_to_a_damaged_tip(ledger: SqlLedger, path: Path, clock: ManualClock) -> None:
    put(ledger, clock, "a")
    with sqlite3.connect(path) as other:
        other.execute("DROP TRIGGER record_is_unchanged")  # as an administrator can
        other.execute("UPDATE record SET body = X'00'")
    other.close()

    with pytest.raises(Unavailable, match="chain `default` is damaged"):
        put(ledger, clock, "b")
    assert ledger.read(lambda tables: tables.cursors.count()) == 1


def test_every_flipped_bit_of_a_stored_record_is_seen(clock: ManualClock) -> None:
    entry = Entry(kind="a.b.c", actor="ü", refs=("r",), fields={"n": 1.5, "t": "T"}, event_time=clock.now())
    row = row_of(link(entry, 1, GENESIS, clock.now()))

    unseen = [
        (column, place, bit)
        for column in ("body", "fields")
        for place in range(len(getattr(row, column)))
        for bit in range(8)
        if Follower("default").take(row._replace(**{column: _flipped(getattr(row, column), place, bit)})) is None
    ]

    assert Follower("default").take(row) is None
    assert unseen == []


def _flipped(body: bytes, place: int, bit: int) -> bytes:
    return body[:place] + bytes([body[place] ^ (1 << bit)]) + body[place + 1 :]


def test_a_text_that_looks_like_sql_is_only_text(ledger: SqlLedger, clock: ManualClock) -> None:
    name = "'); DROP TABLE record; --"
    put(ledger, clock, name)

    assert contents(ledger, clock) == ([name], [name], [name])
    with pytest.raises(Conflict, match="DROP TABLE"):
        put(ledger, clock, name)
