"""Where a sleeping road stood, kept by LangGraph. Never the authority: all of it may be deleted at any time.

Checkpoints have a file of their own, or a schema of their own in a PostgreSQL database, so that deleting or losing them
touches nothing else.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from adapters.store.engine import kind_of
from adapters.store.engine_postgresql import PostgreSQL, connecting, sentence
from domain.errors import Unavailable

#: The schema of the checkpoint tables. Deleting it with all it holds loses nothing but wake-ups.
SCHEMA = "nocturne_wakes"
_MAKING_LOCK = 7_224_613_902
_MOST_CONNECTIONS = 2  # a saver asks one thing at a time


class MemoryWakes:
    """The `Wakes` port in memory."""

    def __init__(self) -> None:
        self._saver = InMemorySaver()

    def saver(self) -> BaseCheckpointSaver[str]:
        return self._saver


class SqliteWakes:
    """The `Wakes` port on a SQLite file, which is made when missing and made anew when it is damaged."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        try:
            self._saver = _open(self._path)
        except sqlite3.OperationalError:
            raise  # the folder is missing or the disk is full: a new file would not help
        except sqlite3.DatabaseError:
            for name in (self._path, *(self._path.with_name(self._path.name + end) for end in ("-wal", "-shm"))):
                name.unlink(missing_ok=True)
            self._saver = _open(self._path)

    def saver(self) -> BaseCheckpointSaver[str]:
        return self._saver

    def close(self) -> None:
        """Let go of the file."""
        self._saver.conn.close()


def _open(path: Path) -> SqliteSaver:
    connection = sqlite3.connect(path, check_same_thread=False)  # the saver has a lock of its own
    try:
        connection.execute("PRAGMA synchronous=NORMAL")  # the last checkpoints may be lost, and cost no disk flush each
        saver = SqliteSaver(connection)
        saver.setup()
    except BaseException:
        connection.close()
        raise
    return saver


class PostgresWakes:
    """The `Wakes` port in a schema of its own, which is made when missing and made anew when it was deleted.

    A lost connection is replaced. While no server answers, whoever asks gets Unavailable with the reason.
    """

    def __init__(self, where: str, *, busy_s: float = 10.0) -> None:
        kind = kind_of(where, busy_s=busy_s)
        if not isinstance(kind, PostgreSQL):
            raise TypeError(f"`{kind.name}` is no PostgreSQL database")
        self._connections = _Connections(kind, busy_s)
        try:
            with self._connections.connection():
                pass  # whoever opens a store is told at once when it cannot be had
        except BaseException:
            self._connections.close()
            raise
        self._saver = PostgresSaver(self._connections)

    def saver(self) -> BaseCheckpointSaver[str]:
        return self._saver

    def close(self) -> None:
        """Let go of the server."""
        self._connections.close()


class _Connections(ConnectionPool[psycopg.Connection[dict[str, Any]]]):
    """Connections that see the checkpoint tables and nothing else. Their failures are `Unavailable`."""

    def __init__(self, kind: PostgreSQL, busy_s: float) -> None:
        self._store = kind.name
        self._made = False
        super().__init__(
            kind.conninfo,
            min_size=0,
            max_size=_MOST_CONNECTIONS,
            num_workers=1,
            timeout=busy_s,
            check=ConnectionPool.check_connection,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "options": f"-c search_path={SCHEMA} -c client_encoding=utf8",
                **connecting(busy_s),
            },
            open=True,
        )

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        try:
            with super().connection(timeout) as connection:
                if not self._made:
                    _make_tables(connection)
                    self._made = True
                yield connection
        except psycopg.Error as error:
            if isinstance(error, psycopg.errors.UndefinedTable):
                self._made = False  # somebody deleted them, as anybody may
            raise Unavailable(f"the checkpoints in `{self._store}` cannot be used: {sentence(error)}") from error


def _make_tables(connection: psycopg.Connection[dict[str, Any]]) -> None:
    """Do what the saver's `setup` does, in one transaction, so that of two processes one waits for the other."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING_LOCK,))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(PostgresSaver.MIGRATIONS[0])
        row = connection.execute("SELECT max(v) AS v FROM checkpoint_migrations").fetchone()
        done = -1 if row is None or row["v"] is None else int(row["v"])
        for number, migration in enumerate(PostgresSaver.MIGRATIONS):
            if number > done:
                connection.execute(migration.replace(" CONCURRENTLY", ""))  # nobody reads these tables yet
                connection.execute("INSERT INTO checkpoint_migrations (v) VALUES (%s)", (number,))


def open_wakes(database: str, folder: Path) -> SqliteWakes | PostgresWakes:
    """Open the checkpoints where the database is, or in the folder when that is a file."""
    if database and isinstance(kind_of(database, busy_s=0), PostgreSQL):
        return PostgresWakes(database)
    return SqliteWakes(folder / "wakes.db")
