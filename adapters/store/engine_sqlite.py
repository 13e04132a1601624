"""SQLite in WAL mode: readers see the last commit and never wait for the writer.

A writing transaction begins with `BEGIN IMMEDIATE`: a deferred one would fail at once, without waiting, when another
process wrote between its first reading and its first writing.
"""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from domain.errors import BadInput, NotFound, Unavailable

_MOST_READERS = 16


class SQLite:
    """A database file."""

    def __init__(self, url: sa.URL, *, busy_s: float) -> None:
        if url.database in {None, "", ":memory:"}:
            raise BadInput("a SQLite store needs a file; use the in-memory ledger when nothing is to last")
        self.name = url.render_as_string(hide_password=True)
        self._url = url
        self._busy_s = busy_s
        self._file = Path(url.database or "")
        self._inode: int | None = None

    def engine(self) -> sa.Engine:
        engine = sa.create_engine(
            self._url,
            connect_args={"timeout": self._busy_s},
            pool_size=_MOST_READERS,
            max_overflow=-1,
            pool_reset_on_return=None,
        )
        sa.event.listen(engine, "connect", _prepare)
        return engine

    def begin(self, *, writes: bool) -> str:
        return "BEGIN IMMEDIATE" if writes else "BEGIN"

    def in_transaction(self, driver: Any) -> bool:
        return bool(driver.in_transaction)

    def reason(self, error: sa.exc.DBAPIError) -> str:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind, the rest its variant
        return _SENTENCES.get(code, f"{error.orig}; check the store and try again")

    def require_made(self) -> None:
        if self._present_inode() is None and not self._url.query.get("uri"):
            raise NotFound(f"there is no store `{self.name}`; name another, or let `nocturne serve` make it")

    def pin(self) -> None:
        self._inode = self._present_inode()

    def require_present(self) -> None:
        if self._inode is not None and self._present_inode() != self._inode:
            raise Unavailable(f"the store `{self.name}` is gone from its folder; put it back and restart")

    def _present_inode(self) -> int | None:
        try:
            return self._file.stat().st_ino
        except OSError:
            return None


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where the engine says so, not where the driver guesses
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


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
