"""A PostgreSQL for tests: a new empty database, or an empty store, on the server that `benchmarks/postgresql.py` finds.

With no server a test is skipped with the reason; with `REQUIRE_SERVICES=1` it fails.
"""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from adapters.store.ledger import SqlLedger
from benchmarks.postgresql import PrivateServer, ask, database_address, new_database, server
from domain.clock import SystemClock
from domain.errors import Unavailable

__all__ = [
    "PrivateServer",
    "ask",
    "database_address",
    "end_connections",
    "fresh_database",
    "fresh_store",
    "private_server",
    "server_address",
]


@contextmanager
def fresh_database(options: str = "") -> Iterator[str]:
    """Yield the address of a new empty database; it is dropped afterwards, whoever is still connected.

    `options` is the tail of CREATE DATABASE, for example `TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`.
    """
    with new_database(server_address(), options) as address:
        yield address


@contextmanager
def fresh_store() -> Iterator[str]:
    """Yield the address of an empty store, tables and all. Afterwards it is emptied for the next: that is fast.

    Who alters tables takes a `fresh_database`.
    """
    address = _FREE.pop() if _FREE else _made_store()
    yield address
    _empty(address)
    _FREE.append(address)


_FREE: list[str] = []


def _empty(address: str) -> None:
    end_connections(address)
    with psycopg.connect(address, connect_timeout=5) as connection:
        tables = [sql.Identifier(name) for (name,) in connection.execute(_TABLES) if name != "nocturne_revision"]
        alone = [sql.Identifier(name) for name in ("record", "redaction")]  # these only grow, for whoever is no owner
        for state in ("DISABLE", "ENABLE"):
            if state == "ENABLE":
                connection.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(table) for table in tables))
            for table in alone:
                connection.execute(sql.SQL("ALTER TABLE {} {} TRIGGER USER").format(table, sql.SQL(state)))
        connection.execute("DROP SCHEMA IF EXISTS nocturne_wakes CASCADE")


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def _made_store() -> str:
    """Make a store that is kept until the end of the run."""
    made = fresh_database()
    address = made.__enter__()
    atexit.register(made.__exit__, None, None, None)
    SqlLedger(address, SystemClock()).close()
    return address


def end_connections(address: str) -> None:
    """End every other connection to this database, as an administrator would."""
    ask(address, _END_OTHERS)


_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def server_address() -> str:
    """Return the address of a server on which databases may be made and dropped, or skip the test."""
    try:
        return server().address
    except Unavailable as none:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(f"REQUIRE_SERVICES=1 and {none.reason}")
        pytest.skip(none.reason)


@contextmanager
def private_server() -> Iterator[PrivateServer]:
    """Yield a server that nobody else uses; skip when none can be started."""
    try:
        server = PrivateServer()
    except Exception as error:  # whatever keeps it from starting is the reason of the skip
        if os.environ.get("REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(f"no PostgreSQL can be started here: {error}")
    try:
        yield server
    finally:
        server.remove()
