"""How a database is opened, and what its failures mean to a caller.

SQLite in WAL mode: readers see the last commit and never wait for the writer; a commit is on the disk when it returns
(`synchronous=FULL`). A writing transaction takes the write lock at its start (`BEGIN IMMEDIATE`), so it never finds out
half-way that somebody else wrote first.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from domain.errors import BadInput, Unavailable

_WRITES = "nocturne_writes"
_MOST_READERS = 16


class Database:
    """One open database. Makes transactions, and turns its failures into `Unavailable` with the reason."""

    def __init__(self, where: str | Path, *, busy_s: float) -> None:
        url = _url(where)
        self.name = url.render_as_string(hide_password=True)
        self._file = Path(url.database or "")
        self._engine = sa.create_engine(
            url, connect_args={"timeout": busy_s}, pool_size=_MOST_READERS, max_overflow=-1, pool_reset_on_return=None
        )
        sa.event.listen(self._engine, "connect", _prepare)
        sa.event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(**{_WRITES: True})
        self._inode: int | None = None
        self._open = True

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One writing transaction: committed when the block ends, rolled back when it raises."""
        with self._reported("written"), self._writing.begin() as connection:
            yield connection
            self._require_file()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view."""
        with self._reported("read"), self._engine.begin() as connection:
            yield connection

    def pin(self) -> None:
        """Remember which file this is. From now on, another or no file under its name is an error."""
        self._inode = self._present_inode()

    def close(self) -> None:
        """Let go of the file. Every later transaction raises Unavailable."""
        self._open = False
        self._engine.dispose()

    @contextmanager
    def _reported(self, verb: str) -> Iterator[None]:
        if not self._open:
            raise Unavailable("the store is closed; open it again")
        self._require_file()
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise Unavailable(f"the store `{self.name}` cannot be {verb}: {_reason(error)}") from error

    def _require_file(self) -> None:
        if self._inode is not None and self._present_inode() != self._inode:
            raise Unavailable(f"the store `{self.name}` is gone from its folder; put it back and restart")

    def _present_inode(self) -> int | None:
        try:
            return self._file.stat().st_ino
        except OSError:
            return None


def _url(where: str | Path) -> sa.URL:
    text = str(where)
    try:
        url = sa.make_url(text) if "://" in text else sa.URL.create("sqlite", database=text)
    except sa.exc.ArgumentError as error:
        raise BadInput(f"`{text}` is no database address; write `sqlite:////path/to/file`") from error
    if url.get_backend_name() != "sqlite":
        raise BadInput(f"a store on `{url.get_backend_name()}` is not known here; write `sqlite:////path/to/file`")
    if url.database in {None, "", ":memory:"}:
        raise BadInput("a SQLite store needs a file; use the in-memory ledger when nothing is to last")
    return url


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says so, not where the driver guesses
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_SENTENCES = {
    sqlite3.SQLITE_BUSY: "another process holds it; try again, or stop that process",
    sqlite3.SQLITE_LOCKED: "another process holds it; try again, or stop that process",
    sqlite3.SQLITE_FULL: "the disk is full; make room and try again",
    sqlite3.SQLITE_READONLY: "it is read-only; give this user the right to write it",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened; check that the folder exists and who may write it",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check its room and its health",
    sqlite3.SQLITE_NOTADB: "the file is no database; restore it from a backup",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
}


def _reason(error: sa.exc.DBAPIError) -> str:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind, the rest its variant
    return _SENTENCES.get(code, f"{error.orig}; check the store and try again")
