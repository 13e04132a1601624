"""What a server may do to a ledger: refuse it, be held, fill up, turn read-only, go away in the middle, come back.

Each time: nothing is half done, the reason says what to do, and the same ledger works again afterwards.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from adapters.store.checkpoints import PostgresWakes
from adapters.store.engine_postgresql import sentence
from adapters.store.ledger import SqlLedger
from control_plane.ports import Ledger, Written
from control_plane.tables import Message, Tables
from domain.bookkeeping import Cursor
from domain.chains import first_break
from domain.clock import ManualClock
from domain.errors import BadInput, Unavailable
from domain.records import Entry
from tests.postgresql import PrivateServer, ask, database_address, end_connections, fresh_database, private_server

SECRET = "correct-horse"


@pytest.fixture
def address() -> Iterator[str]:
    with fresh_database() as address:
        yield address


@pytest.fixture
def ledger(address: str, clock: ManualClock) -> Iterator[SqlLedger]:
    ledger = SqlLedger(address, clock, busy_s=0.3)
    yield ledger
    ledger.close()


def put(ledger: Ledger, clock: ManualClock, id: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Write one cursor, one record and one message; `meanwhile` happens between the cursor and the rest."""

    def change(tables: Tables) -> Written[None]:
        tables.cursors.add(Cursor(id=id, position=0))
        meanwhile()
        entry = Entry(kind="test.cursor.added", actor="tester", refs=(id,), event_time=clock.now())
        return Written(None, (entry,), (Message(id=f"msg_{id}", topic="t", ref=id, due_at=clock.now()),))

    ledger.do(change)


def contents(ledger: Ledger, clock: ManualClock) -> tuple[list[str], list[str], list[str]]:
    """The cursors, the refs of the records, and the refs of the messages that wait."""
    cursors = [cursor.id for cursor in ledger.read(lambda tables: tables.cursors.find())]
    messages = sorted(message.ref for message in ledger.due(clock.now(), lease_s=0))
    assert first_break(ledger.records()) is None
    return cursors, [record.refs[0] for record in ledger.records()], messages


def but(address: str, **changes: str) -> str:
    """Return the address with another user, password, port or database name."""
    parts = {"password": "", "port": "5432", **psycopg.conninfo.conninfo_to_dict(address), **changes}
    return "postgresql://{user}:{password}@/{dbname}?host={host}&port={port}".format_map(parts)


def name_of(address: str) -> sql.Identifier:
    return sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(address)["dbname"]))


@contextmanager
def at_every_cursor(address: str, body: str, *, deferred: bool = False) -> Iterator[None]:
    """Let the server do something of its own whenever a cursor is written; deferred: when it is committed."""
    ask(address, f"CREATE FUNCTION mishap() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} RETURN NEW; END$$")
    when = "DEFERRABLE INITIALLY DEFERRED" if deferred else ""
    ask(
        address,
        f"CREATE CONSTRAINT TRIGGER mishap AFTER INSERT ON shelf_cursors {when} FOR EACH ROW EXECUTE FUNCTION mishap()",
    )
    yield
    ask(address, "DROP FUNCTION mishap CASCADE")


# --- what a connection is


def test_commits_are_durable_and_reads_are_one_view_that_cannot_write(ledger: SqlLedger) -> None:
    with ledger._database.read() as connection:
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("synchronous_commit", "transaction_isolation", "transaction_read_only", "client_encoding")
        }

    assert shown == {
        "synchronous_commit": "on",
        "transaction_isolation": "repeatable read",
        "transaction_read_only": "on",
        "client_encoding": "UTF8",
    }


def test_texts_sort_by_code_point_whatever_the_database_s_own_order(clock: ManualClock) -> None:
    ids = ["b", "A", "a", "ä", "B", "_", "\U0001f600", "\uffff"]
    with in_english_order() as address:
        ledger = SqlLedger(address, clock)
        for id in ids:
            put(ledger, clock, id)

        assert contents(ledger, clock)[0] == sorted(ids)
        assert [one.id for one in ledger.read(lambda tables: tables.cursors.find(after="B"))] == sorted(ids)[2:]
        ledger.close()


@contextmanager
def in_english_order() -> Iterator[str]:
    """Yield a database that sorts as a person would; skip where the server was built without ICU."""
    with ExitStack() as made:
        try:
            address = made.enter_context(
                fresh_database("TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
            )
        except psycopg.errors.FeatureNotSupported as error:
            pytest.skip(f"this PostgreSQL sorts in one order only: {error}")
        yield address


# --- what is refused at once, and why


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"dbname": "no_such_database"}, "no such database; create it"),
        ({"user": "nobody-here"}, "did not accept the user or the password"),
        ({"port": "1"}, "no server answers there; start it"),
    ],
)
def test_a_server_that_cannot_be_used_is_named_with_the_reason(
    address: str, clock: ManualClock, wrong: dict[str, str], reason: str
) -> None:
    for attempt in (SqlLedger, lambda where, _: PostgresWakes(where, busy_s=0.3)):
        with pytest.raises(Unavailable) as refused:
            attempt(but(address, password=SECRET, **wrong), clock)
        assert SECRET not in refused.value.reason
    with pytest.raises(Unavailable, match=reason):
        SqlLedger(but(address, **wrong), clock)


@pytest.mark.parametrize(
    "wrong",
    [f"postgresql://user:{SECRET}@host:port/name", f"oops://user:{SECRET}@host/name", f"postgresql://u:{SECRET}@host"],
)
def test_an_address_that_names_no_store_is_refused_without_its_password(wrong: str, clock: ManualClock) -> None:
    with pytest.raises(BadInput) as refused:
        SqlLedger(wrong, clock)
    assert SECRET not in str(refused.value)


def test_a_password_in_the_tail_of_an_address_is_not_shown_either(clock: ManualClock) -> None:
    with pytest.raises(Unavailable) as refused:
        SqlLedger(f"postgresql://user@127.0.0.1:1/name?password={SECRET}", clock)
    assert SECRET not in str(refused.value)


def test_a_server_without_room_for_another_connection_says_so(address: str, clock: ManualClock) -> None:
    role = f"tester_{uuid4().hex[:12]}"
    ask(address, sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 0").format(sql.Identifier(role)))
    try:
        with pytest.raises(Unavailable, match="too many connections; try again, or raise"):
            SqlLedger(but(address, user=role), clock)
    finally:
        ask(address, sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_a_database_that_keeps_bytes_instead_of_texts_is_refused(clock: ManualClock) -> None:
    with (
        fresh_database("TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'") as address,
        pytest.raises(Unavailable, match="ENCODING 'UTF8'"),
    ):
        SqlLedger(address, clock)


# --- what may happen later


def test_a_store_held_by_another_writer_says_so_and_recovers(
    ledger: SqlLedger, address: str, clock: ManualClock
) -> None:
    other = SqlLedger(address, clock, busy_s=5)

    def refused_meanwhile() -> None:
        with pytest.raises(Unavailable, match="another process holds it"):
            put(ledger, clock, "b")
        assert ledger.read(lambda tables: tables.cursors.count()) == 0  # readers do not wait

    put(other, clock, "a", refused_meanwhile)
    put(ledger, clock, "c")

    assert contents(ledger, clock) == (["a", "c"], ["a", "c"], ["a", "c"])
    other.close()


def test_a_full_disk_leaves_nothing_half_done(ledger: SqlLedger, address: str, clock: ManualClock) -> None:
    put(ledger, clock, "a")

    with (
        at_every_cursor(address, "RAISE 'could not extend file' USING ERRCODE = 'disk_full';"),
        pytest.raises(Unavailable, match="disk is full; make room"),
    ):
        put(ledger, clock, "b")
    put(ledger, clock, "c")

    assert contents(ledger, clock) == (["a", "c"], ["a", "c"], ["a", "c"])


def test_a_read_only_database_is_read_and_not_written(ledger: SqlLedger, address: str, clock: ManualClock) -> None:
    put(ledger, clock, "a")
    name = name_of(address)
    ask(address, sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    end_connections(address)

    with pytest.raises(Unavailable, match="it is read-only"):
        put(ledger, clock, "b")
    again = SqlLedger(address, clock)
    assert again.read(lambda tables: tables.cursors.count()) == 1
    again.close()
    with psycopg.connect(address, autocommit=True) as administrator:
        administrator.execute("SET default_transaction_read_only = off")
        administrator.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
    end_connections(address)
    put(ledger, clock, "c")

    assert contents(ledger, clock) == (["a", "c"], ["a", "c"], ["a", "c"])


def test_a_connection_that_is_ended_in_the_middle_of_a_change_takes_all_of_it_back(
    ledger: SqlLedger, address: str, clock: ManualClock
) -> None:
    put(ledger, clock, "a")

    with pytest.raises(Unavailable, match="the server ended the connection"):
        put(ledger, clock, "b", lambda: end_connections(address))
    put(ledger, clock, "c")

    assert contents(ledger, clock) == (["a", "c"], ["a", "c"], ["a", "c"])


def test_a_connection_that_is_lost_while_it_commits_is_not_called_a_failure(
    ledger: SqlLedger, address: str, clock: ManualClock
) -> None:
    end_itself = "PERFORM pg_terminate_backend(pg_backend_pid());"

    with (
        at_every_cursor(address, end_itself, deferred=True),
        pytest.raises(Unavailable, match=r"while it committed: whether .* is not known; look"),
    ):
        put(ledger, clock, "a")
    put(ledger, clock, "b")

    assert contents(ledger, clock) == (["b"], ["b"], ["b"])


def test_more_readers_than_connections_are_told_so(address: str, clock: ManualClock) -> None:
    ledger = SqlLedger(address, clock, busy_s=0.05)

    def read(depth: int) -> int:
        return ledger.read(lambda tables: tables.cursors.count() if depth == 0 else read(depth - 1))

    assert read(10) == 0
    with pytest.raises(Unavailable, match="too many ask at once"):
        read(60)
    assert read(10) == 0
    ledger.close()


def test_a_database_that_is_dropped_says_so(ledger: SqlLedger, address: str, clock: ManualClock) -> None:
    put(ledger, clock, "a")
    server, name = database_address(address, "postgres"), name_of(address)
    ask(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
    try:
        with pytest.raises(Unavailable, match="no such database"):
            put(ledger, clock, "b")
    finally:
        ask(server, sql.SQL("CREATE DATABASE {}").format(name))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (psycopg.errors.DiskFull("could not extend file"), "disk is full"),
        (psycopg.errors.OutOfMemory("out of memory"), "out of resources"),
        (psycopg.errors.TooManyConnections("too many"), "too many connections"),
        (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), "read-only"),
        (psycopg.errors.LockNotAvailable("canceling statement"), "another process holds it"),
        (psycopg.errors.CannotConnectNow("the database system is starting up"), "starting or stopping"),
        (psycopg.errors.CrashShutdown("terminating connection"), "ended the connection"),
        (psycopg.errors.IoError("could not write"), "reports an error"),
        (psycopg.errors.DataCorrupted("invalid page"), "restore it from a backup"),
        (psycopg.errors.InsufficientPrivilege("permission denied"), "lacks a right"),
        (psycopg.OperationalError("something new\nwith a second line"), "something new; check the server"),
        (psycopg.OperationalError(""), "OperationalError; check the server"),
    ],
)
def test_each_failure_of_a_server_says_what_to_do_in_one_line(error: psycopg.Error, says: str) -> None:
    told = sentence(error)

    assert says in told
    assert "\n" not in told


# --- the server itself goes away


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateServer]:
    with private_server() as server:
        yield server


def test_a_server_that_stops_and_comes_back_is_used_again(server: PrivateServer, clock: ManualClock) -> None:
    ledger = SqlLedger(server.address, clock, busy_s=0.5)
    wakes = PostgresWakes(server.address, busy_s=0.5)
    here = {"configurable": {"thread_id": "inc_1"}}
    put(ledger, clock, "a")

    with pytest.raises(Unavailable, match=r"ended the connection|starting or stopping"):
        put(ledger, clock, "b", server.stop)
    with pytest.raises(Unavailable, match="no server answers there; start it"):
        put(ledger, clock, "c")
    with pytest.raises(Unavailable, match="no server answers there; start it"):
        ledger.read(lambda tables: tables.cursors.count())
    with pytest.raises(Unavailable, match="cannot be used"):
        wakes.saver().get_tuple(here)  # type: ignore[arg-type]
    server.start()
    put(ledger, clock, "d")

    assert contents(ledger, clock) == (["a", "d"], ["a", "d"], ["a", "d"])
    assert wakes.saver().get_tuple(here) is None  # type: ignore[arg-type]
    ledger.close()
    wakes.close()


def test_a_wrong_password_is_refused_and_never_shown(server: PrivateServer, clock: ManualClock) -> None:
    ask(server.address, sql.SQL("CREATE ROLE guest LOGIN PASSWORD {}").format(sql.Literal("right")))
    rules = Path(ask(server.address, "SHOW hba_file")[0][0])
    trusting = rules.read_text()
    rules.write_text(f"local all guest scram-sha-256\n{trusting}")  # no other test uses this account
    ask(server.address, "SELECT pg_reload_conf()")
    guest = but(server.address, user="guest", password=SECRET)

    with pytest.raises(Unavailable, match="did not accept the user or the password") as refused:
        SqlLedger(guest, clock)

    assert SECRET not in str(refused.value)
    assert SECRET not in str(refused.value.__cause__)
