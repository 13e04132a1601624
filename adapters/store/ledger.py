"""The authority: every write of the house is one transaction with its records and its outbox messages.

Read `do` first. It takes the one writer's turn, opens a writing transaction, lets the change work on the shelves, links
its entries to the tenant's chain and inserts the messages. Whatever raises on the way takes all of it back.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from adapters.store import chain, outbox
from adapters.store.engine import Database
from adapters.store.rules import OneWriter, linked, require_entry, require_limit
from adapters.store.schema import METADATA, SCHEMA, SHELF_TABLES, VERSION, shape
from adapters.store.shelves import SqlTables
from control_plane.ports import Change
from control_plane.tables import Message, Tables
from domain.clock import Clock
from domain.errors import Unavailable
from domain.ids import lowest_id
from domain.records import Record

T = TypeVar("T")


class SqlLedger:
    """The `Ledger` port on a database.

    Args:
        where: path of a SQLite file, or a database address such as `sqlite:////path/to/file`. Made when missing.
        clock: tells the known time of records.
        busy_s: how long to wait for another process that is writing.

    Raises:
        BadInput: the address names no store that is known here.
        Unavailable: it cannot be opened, or another version of the program made it.
    """

    def __init__(self, where: str | Path, clock: Clock, *, busy_s: float = 10.0) -> None:
        self._clock = clock
        self._writer = OneWriter()
        self._database = Database(where, busy_s=busy_s)
        try:
            with self._database.write() as connection:
                _settle_schema(connection, self._database.name)
        except BaseException:
            self._database.close()
            raise
        self._database.pin()

    def do(self, change: Change[T]) -> T:
        with self._writer, self._database.write() as connection:
            return self._carry_out(connection, change)

    def read(self, query: Callable[[Tables], T]) -> T:
        with self._database.read() as connection:
            return query(SqlTables(connection, writable=False).view())

    def records(
        self, tenant: str = "default", *, after: int = 0, ref: str | None = None, limit: int | None = None
    ) -> list[Record]:
        require_limit(limit)
        with self._database.read() as connection:
            return chain.read(connection, tenant, after, ref, limit)

    def due(self, now: datetime, *, lease_s: float = 30.0, limit: int = 256) -> list[Message]:
        require_limit(limit)
        with self._database.read() as connection:  # most of the time nothing waits, and reading costs no disk write
            if not outbox.any_ripe(connection, now):
                return []
        with self._writer, self._database.write() as connection:
            return outbox.take(connection, now, lease_s, limit)

    def done(self, messages: Iterable[Message]) -> None:
        with self._writer, self._database.write() as connection:
            outbox.forget(connection, messages)

    def next_due(self) -> datetime | None:
        with self._database.read() as connection:
            return outbox.earliest(connection)

    def forget_readings(self, before: datetime) -> int:
        batches = SHELF_TABLES["batches"]
        with self._writer, self._database.write() as connection:
            old = batches.delete().where(batches.c.id < lowest_id("batch", before))
            return connection.execute(old).rowcount

    def close(self) -> None:
        self._database.close()

    def _carry_out(self, connection: sa.Connection, change: Change[T]) -> T:
        """Run one change with its records and messages inside an open transaction."""
        tables = SqlTables(connection, writable=True)
        written = change(tables.view())
        require_entry(written, wrote=tables.wrote)
        known = self._clock.now()
        chain.append(connection, linked(written.entries, lambda tenant: chain.tip(connection, tenant), known))
        outbox.put(connection, written.messages)
        return written.result


def _settle_schema(connection: sa.Connection, name: str) -> None:
    """Make the tables of a new store; refuse a store that this program does not understand."""
    present = sa.inspect(connection).get_table_names()
    if not present:
        METADATA.create_all(connection)
        connection.execute(SCHEMA.insert(), {"version": VERSION, "shape": shape()})
        return
    if SCHEMA.name not in present:
        raise Unavailable(f"`{name}` holds tables of another program; choose another file")
    row = connection.execute(sa.select(SCHEMA.c.version, SCHEMA.c.shape)).first()
    found = row.version if row else "none"
    if row is None or (row.version, row.shape) != (VERSION, shape()):
        raise Unavailable(
            f"the store `{name}` was made by another version of this program (schema {found}, here {VERSION}); "
            "open it with that version, or choose another data folder"
        )
