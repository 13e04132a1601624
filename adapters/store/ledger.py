"""The authority: every write of the house is one transaction with its records and its outbox messages.

Read `do` first, then `shared.py`: the change works on the shelves, its entries are linked to the tenant's chain and its
messages are inserted. Whatever raises on the way takes all of that back. Changes that come at the same time share one
transaction (`group_commit.py`); a caller is answered after the commit.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from adapters.store import chain, outbox
from adapters.store.engine import Database
from adapters.store.group_commit import GroupCommit
from adapters.store.migrate import settle
from adapters.store.rules import Tip, require_limit
from adapters.store.schema import SHELF_TABLES
from adapters.store.shelves import SqlTables
from control_plane.ports import Change
from control_plane.tables import Message, Tables
from domain.clock import Clock
from domain.ids import lowest_id
from domain.records import Record, Row

T = TypeVar("T")


class SqlLedger:
    """The `Ledger` port on a database.

    Args:
        where: path of a SQLite file, which is made when missing, or a database address such as
            `sqlite:////path/to/file` or `postgresql://user@host:5432/database`.
        clock: tells the known time of records.
        busy_s: how long to wait for another process that is writing.

    Raises:
        BadInput: the address names no store that is known here.
        Unavailable: it cannot be opened, or another version of the program made it.
    """

    def __init__(self, where: str | Path, clock: Clock, *, busy_s: float = 10.0) -> None:
        self._database = Database(where, busy_s=busy_s)
        try:
            settle(self._database)
        except BaseException:
            self._database.close()
            raise
        self._database.pin()
        self._group = GroupCommit(self._database, clock)

    def do(self, change: Change[T]) -> T:
        return self._group.run(lambda shared: shared.carry_out(change))

    def read(self, query: Callable[[Tables], T]) -> T:
        with self._database.read() as connection:
            return query(SqlTables(connection, writable=False).view())

    def records(
        self, tenant: str = "default", *, after: int = 0, ref: str | None = None, limit: int | None = None
    ) -> list[Record]:
        require_limit(limit)
        with self._database.read() as connection:
            return chain.read(connection, tenant, after, ref, limit)

    def rows(self, tenant: str = "default", *, after: int = 0, limit: int | None = None) -> list[Row]:
        require_limit(limit)
        with self._database.read() as connection:
            return chain.rows(connection, tenant, after, None, limit)

    def tip(self, tenant: str = "default") -> Tip:
        with self._database.read() as connection:
            return chain.tip(connection, tenant)

    def tenants(self) -> list[str]:
        with self._database.read() as connection:
            return chain.tenants(connection)

    def due(self, now: datetime, *, lease_s: float = 30.0, limit: int = 256) -> list[Message]:
        require_limit(limit)
        with self._database.read() as connection:  # most of the time nothing waits, and reading costs no disk write
            if not outbox.any_ripe(connection, now):
                return []
        return self._group.run(lambda shared: outbox.take(shared.connection, now, lease_s, limit))

    def done(self, messages: Iterable[Message]) -> None:
        those = tuple(messages)  # it may be run twice, and what was passed may be read only once
        self._group.run(lambda shared: outbox.forget(shared.connection, those))

    def next_due(self) -> datetime | None:
        with self._database.read() as connection:
            return outbox.earliest(connection)

    def forget_readings(self, before: datetime) -> int:
        batches = SHELF_TABLES["batches"]
        old = batches.delete().where(batches.c.id < lowest_id("batch", before))
        return self._group.run(lambda shared: shared.connection.execute(old).rowcount)

    def close(self) -> None:
        self._group.close()
