"""PostgreSQL: readers are repeatable reads, and one writer at a time extends the chain, whatever process it is in.

A writing transaction begins with an advisory lock that it holds until it ends. It is READ COMMITTED on purpose: its
first statement waits for the lock, and what it reads afterwards must be what the writer before it left. Connections
begin no transaction by themselves (autocommit), and each is tried before use, so that a store works again as soon as
its server does.
"""

import math
from typing import Any

import sqlalchemy as sa
from psycopg.pq import TransactionStatus

from domain.errors import BadInput, Unavailable

#: Any number will do, as long as every writer of a database takes the same one.
_WRITE_LOCK = 7_224_613_901
_MOST_CONNECTIONS = 32  # of one process; a server allows 100 in all unless told otherwise
_KEPT_CONNECTIONS = 8

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({_WRITE_LOCK})"

#: A peer that vanished without a word is noticed within about half a minute, here and at the server, where the lock is.
_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
_SERVER_KEEPALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"


class PostgreSQL:
    """A database on a server."""

    def __init__(self, url: sa.URL, *, busy_s: float) -> None:
        if not url.database:
            raise BadInput("the address names no database; write `postgresql://user@host:5432/database`")
        self._url = plain(url)
        self._busy_s = busy_s
        self.name = self._url.set(query={}).render_as_string(hide_password=True)

    @property
    def conninfo(self) -> str:
        """The address as libpq reads it, password and all: never to be shown."""
        return self._url.render_as_string(hide_password=False)

    def engine(self) -> sa.Engine:
        engine = sa.create_engine(
            self._url.set(drivername="postgresql+psycopg"),
            connect_args={"autocommit": True, "client_encoding": "utf8", **connecting(self._busy_s)},
            pool_size=_KEPT_CONNECTIONS,
            max_overflow=_MOST_CONNECTIONS - _KEPT_CONNECTIONS,
            pool_timeout=self._busy_s,
            pool_pre_ping=True,
        )
        sa.event.listen(engine, "connect", self._prepare)
        return engine

    def begin(self, *, writes: bool) -> str:
        return _WRITE if writes else _READ

    def in_transaction(self, driver: Any) -> bool:
        return bool(driver.info.transaction_status == TransactionStatus.INTRANS)

    def reason(self, error: sa.exc.DBAPIError) -> str:
        return sentence(error.orig)

    def require_made(self) -> None:
        """Nothing to look at: connecting to a database does not make it."""

    def pin(self) -> None:
        """Nothing to remember: a database that is dropped takes its connections with it."""

    def require_present(self) -> None:
        """Nothing to look at: the server says by itself when a database is gone."""

    def _prepare(self, connection: Any, _: Any) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise Unavailable(
                f"the store `{self.name}` keeps texts as {encoding}; make a database with ENCODING 'UTF8' and name that"
            )
        connection.execute(f"SET lock_timeout = {math.ceil(self._busy_s * 1000)}; SET synchronous_commit = on")
        connection.execute(_SERVER_KEEPALIVE)


def connecting(busy_s: float) -> dict[str, int]:
    """Return what every connection is told: how long to wait for an answer, in whole seconds of at least two."""
    return {"connect_timeout": max(2, math.ceil(busy_s)), **_KEEPALIVE}


def plain(url: sa.URL) -> sa.URL:
    """Return the address as libpq reads it. A password in the query moves to where messages leave it out."""
    password = url.query.get("password", url.password)
    return url.difference_update_query(["password"]).set(drivername="postgresql", password=str(password or "") or None)


def sentence(error: BaseException | None) -> str:
    """Say what a failure means and what to do about it. Never more of the server's text than its first line."""
    state = getattr(error, "sqlstate", None) or ""
    text = str(error)
    for start, meaning in _BY_STATE.items():
        if state.startswith(start):
            return meaning
    for part, meaning in _BY_TEXT.items():  # while connecting, libpq gives no state, only the server's words
        if not state and part in text:
            return meaning
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return f"{first}; check the server and try again"


_GONE = "the server ended the connection; nothing was changed; try again when it is back"
_FULL = "the server has too many connections; try again, or raise its max_connections"
_LOGIN = "the server did not accept the user or the password; check the address"
_MISSING = "the server has no such database; create it, or check the address"
_NO_SERVER = "no server answers there; start it, or check the address"
_STARTING = "the server is starting or stopping; try again in a moment"
_RIGHTS = "the user lacks a right that is needed; let it own the database"

_BY_STATE = {
    "55P03": "another process holds it; try again, or stop that process",
    "25006": "it is read-only; connect to the primary, or give this user the right to write it",
    "53100": "the server's disk is full; make room and try again",
    "53300": _FULL,
    "53": "the server is out of resources; make room and try again",
    "57P03": _STARTING,
    "57P": _GONE,
    "08": _GONE,
    "28": _LOGIN,
    "3D000": _MISSING,
    "42501": _RIGHTS,
    "58": "the server's disk reports an error; check its room and its health",
    "XX001": "the database is damaged; restore it from a backup",
    "XX002": "an index of the database is damaged; rebuild it",
    "42P01": "its tables are gone; restore it from a backup",
}
_BY_TEXT = {  # the first that fits
    "too many": _FULL,
    "connection slots": _FULL,
    "password": _LOGIN,
    "no pg_hba.conf entry": _LOGIN,
    'role "': _LOGIN,
    "starting up": _STARTING,
    "shutting down": _STARTING,
    "does not exist": _MISSING,
    "onnection refused": _NO_SERVER,
    "No such file": _NO_SERVER,
    "timeout expired": _NO_SERVER,
    "timed out": _NO_SERVER,
    "could not translate": _NO_SERVER,
    "resolve": _NO_SERVER,
    "server closed": _GONE,
    "onnection is lost": _GONE,
    "onnection is closed": _GONE,
    "consuming input failed": _GONE,
}
