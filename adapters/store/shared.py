"""One writing transaction that several changes share. Each of them is whole, or leaves nothing behind.

The tip of a tenant's chain is read once and carried on in memory; the records and the messages of all changes are
inserted together at the end, and so are most writes to the shelves (`staging.py`). Nearly every change that raises does
so before anything was written: it leaves nothing to take back. For the rest there is care: a transaction in which each
change has a savepoint and inserts its own messages. A round that needed care and had none is rolled back and run again
with it (`NeedsCare`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import sqlalchemy as sa

from adapters.store import chain, outbox
from adapters.store.rules import Tip, require_entry
from adapters.store.shelves import SqlTables
from adapters.store.staging import NeedsCare, Staged
from control_plane.ports import Change
from control_plane.tables import Message
from domain.clock import Clock

T = TypeVar("T")


class SharedTransaction:
    """An open writing transaction, and what its changes want recorded."""

    def __init__(self, connection: sa.Connection, clock: Clock, *, careful: bool) -> None:
        self._connection = connection
        self._staged = None if careful else Staged(connection)
        self.careful = careful
        #: Whether the job that runs, or ran last, may have written something.
        self.touched = True
        #: Set when the database gave up the whole transaction: none of its changes can be kept any more.
        self.doomed = False
        self._clock = clock
        self._tips: dict[str, Tip] = {}
        self._marked = False
        self._rows: list[chain.Rows] = []
        self._messages: list[Message] = []

    @property
    def connection(self) -> sa.Connection:
        """The connection itself. What waited is written first: whoever takes it sees all that was done before."""
        if self._staged is not None:
            self._staged.flush()
        return self._connection

    def tables(self) -> SqlTables:
        """Return the shelves for one change."""
        return SqlTables(self._connection, writable=True, staged=self._staged)

    def carry_out(self, change: Change[T]) -> T:
        """Let one change work on the shelves; put its messages into the outbox and link its entries to the chain."""
        tables, staged = self.tables(), self._staged
        if staged is not None:
            staged.begin()
        try:
            written = change(tables.view())
            require_entry(written, wrote=tables.wrote)
            for redaction in written.redactions:
                tables.wrote = tables.touched = True
                chain.redact(self._connection, redaction)
            tips = {entry.tenant: self._tip(entry.tenant) for entry in written.entries}
            rows = chain.linked(written.entries, tips, self._clock.now())
        except BaseException:
            if staged is not None:
                staged.take_back()
            raise
        finally:
            self.touched = tables.touched or (staged is not None and staged.reached)
        if self.careful:
            outbox.put(self._connection, written.messages)
        else:
            self._messages += written.messages
        self._tips |= tips
        self._rows += rows
        return written.result

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Take back what was done in the block, and nothing else, when it raises."""
        tips, recorded = dict(self._tips), len(self._rows)
        self._next_savepoint()
        try:
            yield
        except BaseException as error:
            self._roll_back(error)
            self._tips = tips
            del self._rows[recorded:]
            raise

    def finish(self) -> None:
        """Write what waits, the records and the messages. Raises NeedsCare when a write or a message is refused."""
        try:
            if self._staged is not None:
                self._staged.flush()
            outbox.put(self._connection, self._messages)
        except Exception as error:  # a taken id, or a text that no store can keep: whose it is, shows one by one
            raise NeedsCare from error
        chain.append(self._connection, self._rows)

    def _next_savepoint(self) -> None:
        """Let go of the last savepoint and set a new one: on a server, in one round trip."""
        try:
            if not self._marked:
                self._sql("SAVEPOINT change")
            elif self._connection.dialect.name == "postgresql":
                self._sql("RELEASE change; SAVEPOINT change")
            else:
                self._sql("RELEASE change")
                self._sql("SAVEPOINT change")
        except sa.exc.SQLAlchemyError:
            self.doomed = True
            raise
        self._marked = True

    def _roll_back(self, error: BaseException) -> None:
        try:
            self._sql("ROLLBACK TO change")
        except sa.exc.SQLAlchemyError as lost:
            self.doomed = True
            if isinstance(error, Exception) and not isinstance(error, sa.exc.DBAPIError):
                raise lost from error  # else the error itself tells more: how the transaction was lost, or an interrupt

    def _tip(self, tenant: str) -> Tip:
        if tenant not in self._tips:
            self._tips[tenant] = chain.tip(self._connection, tenant)
        return self._tips[tenant]

    def _sql(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement)
