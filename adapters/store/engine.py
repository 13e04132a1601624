"""How a database is opened, and what its failures mean to a caller.

A commit is on the disk when it returns. A reading transaction is one consistent view and waits for nobody. A writing
one takes the write lock at its start, so it never finds out half-way that somebody else wrote first. How each database
is brought to that is said in `engine_sqlite.py` and `engine_postgresql.py`; nothing else knows which one it is.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from adapters.store.engine_postgresql import PostgreSQL
from adapters.store.engine_sqlite import SQLite
from domain.errors import BadInput, Unavailable

_WRITES = "nocturne_writes"
_FORMS = "write `sqlite:////path/to/file` or `postgresql://user@host:5432/database`"


class Kind(Protocol):
    """What differs between databases."""

    #: What messages call the store; never a password.
    name: str

    def engine(self) -> sa.Engine:
        """Return a pool of connections on which no transaction begins by itself."""

    def begin(self, *, writes: bool) -> str:
        """Return the SQL that begins a transaction; with `writes` it holds the write lock when it returns."""

    def in_transaction(self, driver: Any) -> bool:
        """Say whether the driver's connection is still in the transaction that was begun; asks nobody else."""

    def reason(self, error: sa.exc.DBAPIError) -> str:
        """Say what went wrong and what to do about it."""

    def require_made(self) -> None:
        """Raise NotFound when connecting would make a store that is not there."""

    def pin(self) -> None:
        """Remember which store this is: from now on another one under its name is an error."""

    def require_present(self) -> None:
        """Raise Unavailable when the store that was pinned is gone."""


class Database:
    """One open database. Makes transactions, and turns its failures into `Unavailable` with the reason."""

    def __init__(self, where: str | Path, *, busy_s: float) -> None:
        self._kind = kind_of(where, busy_s=busy_s)
        self.name = self._kind.name
        self._engine = self._kind.engine()
        sa.event.listen(self._engine, "begin", self._begin)
        self._writing = self._engine.execution_options(**{_WRITES: True})
        self._open = True

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One writing transaction: committed when the block ends, rolled back when it raises."""
        with self._reported("written"), self._writing.connect() as connection, connection.begin() as transaction:
            yield connection
            self._kind.require_present()
            self._commit(transaction)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view."""
        with self._reported("read"), self._engine.begin() as connection:
            yield connection

    def require_made(self) -> None:
        """Raise NotFound when there is no store yet that one could look at."""
        self._kind.require_made()

    def pin(self) -> None:
        """Remember which store this is. From now on, another or none under its name is an error."""
        self._kind.pin()

    def close(self) -> None:
        """Let go of the database. Every later transaction raises Unavailable."""
        self._open = False
        self._engine.dispose()

    def require_transaction(self, connection: sa.Connection) -> None:
        """Raise Unavailable when the transaction ended below whoever works in it: what came before is lost."""
        if not self._kind.in_transaction(connection.connection.driver_connection):
            raise Unavailable(f"the store `{self.name}` gave up the transaction; nothing of it is kept, try again")

    def unavailable(self, verb: str, error: sa.exc.DBAPIError) -> Unavailable:
        """Return what a caller is told of a failure of the database."""
        return Unavailable(f"the store `{self.name}` cannot be {verb}: {self._kind.reason(error)}")

    def _begin(self, connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql(self._kind.begin(writes=writes))

    def _commit(self, transaction: sa.Transaction) -> None:
        try:
            transaction.commit()
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            raise Unavailable(
                f"the store `{self.name}` was lost while it committed: whether the last change is in it is not known; "
                "look at it before asking again"
            ) from error

    @contextmanager
    def _reported(self, verb: str) -> Iterator[None]:
        if not self._open:
            raise Unavailable("the store is closed; open it again")
        self._kind.require_present()
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise self.unavailable(verb, error) from error
        except sa.exc.TimeoutError as error:
            raise Unavailable(f"the store `{self.name}` cannot be {verb}: too many ask at once; try again") from error


def kind_of(where: str | Path, *, busy_s: float) -> Kind:
    """Return the kind of database that an address or a path names. Raises BadInput when it names none."""
    text = str(where)
    try:
        url = sa.make_url(text) if "://" in text else sa.URL.create("sqlite", database=text)
        backend = url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError) as error:
        raise BadInput(f"`{_without_password(text)}` is no database address; {_FORMS}") from error
    match backend:
        case "sqlite":
            return SQLite(url, busy_s=busy_s)
        case "postgresql" | "postgres":
            return PostgreSQL(url, busy_s=busy_s)
    raise BadInput(f"a store on `{backend}` is not known here; {_FORMS}")


def _without_password(address: str) -> str:
    return re.sub(r"(?<=://).*@", "…@", address)
