"""Statements that are written once and then handed to the driver as they are.

SQLAlchemy says how a statement is written on each database; that is done once. To run one through it again takes
several times as long as the database itself does, and a writing transaction holds everybody else up. What the driver
raises reaches callers in the words of SQLAlchemy, as from any other statement.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from adapters.store.texts import Exact, without_nul

#: What the driver is given for one run: named, or in the order in which the statement names them.
Values = Mapping[str, Any] | Sequence[Any]


class _Form(NamedTuple):
    """How one kind of database is given the statement."""

    text: str
    given: Callable[[Mapping[str, Any]], Values]


class Prepared:
    """One statement. All its values are named `bindparam`s; `otherwise` is what another database is told instead."""

    def __init__(self, statement: sa.ClauseElement, **otherwise: sa.ClauseElement) -> None:
        self._statement = statement
        self._otherwise = otherwise
        self._forms: dict[str, _Form] = {}

    def rows(self, connection: sa.Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it and return all rows, as the driver gives them. Raises DBAPIError."""
        return _run(connection, self._form(connection), values).fetchall()  # type: ignore[no-any-return]

    def first(self, connection: sa.Connection, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Run it and return its first row, if there is one. Raises DBAPIError."""
        return _run(connection, self._form(connection), values).fetchone()  # type: ignore[no-any-return]

    def change(self, connection: sa.Connection, values: Mapping[str, Any]) -> int:
        """Run it and return how many rows it changed. Raises DBAPIError."""
        return int(_run(connection, self._form(connection), values).rowcount)

    def change_all(self, connection: sa.Connection, many: Sequence[Mapping[str, Any]]) -> int:
        """Run it for each of the values and return how many rows it changed. Raises DBAPIError."""
        if len(many) < 2:
            return sum(self.change(connection, values) for values in many)
        form = self._form(connection)
        given = [form.given(values) for values in many]
        return int(_guarded(connection, form.text, lambda driver: _run_all(driver.cursor(), form.text, given)).rowcount)

    def _form(self, connection: sa.Connection) -> _Form:
        name = connection.dialect.name
        return self._forms.get(name) or self._forms.setdefault(name, self._written_for(connection.dialect))

    def _written_for(self, dialect: sa.Dialect) -> _Form:
        compiled: Any = self._otherwise.get(dialect.name, self._statement).compile(dialect=dialect)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        if compiled.positional:
            return _Form(str(compiled), _in_order(compiled.positiontup, fixed))
        exact = frozenset(name for bind, name in compiled.bind_names.items() if isinstance(bind.type, Exact))
        return _Form(str(compiled), _by_name(tuple(compiled.params), fixed, exact))


def _in_order(names: Sequence[str], fixed: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Values]:
    if fixed:
        return lambda values: [fixed[name] if name in fixed else values[name] for name in names]
    return lambda values: [values[name] for name in names]


def _by_name(
    names: Sequence[str], fixed: Mapping[str, Any], exact: frozenset[str]
) -> Callable[[Mapping[str, Any]], Values]:
    return lambda values: {name: fixed[name] if name in fixed else _kept(values[name], name in exact) for name in names}


def _kept(value: Any, exact: bool) -> Any:
    return without_nul(value) if exact and value is not None else value


def _run(connection: sa.Connection, form: _Form, values: Mapping[str, Any]) -> Any:
    given = form.given(values)
    return _guarded(connection, form.text, lambda driver: driver.execute(form.text, given))


def _run_all(cursor: Any, text: str, given: Sequence[Values]) -> Any:
    cursor.executemany(text, given)
    return cursor


def _guarded(connection: sa.Connection, text: str, work: Callable[[Any], Any]) -> Any:
    """Let the driver work; what it raises comes as SQLAlchemy would raise it, and a lost connection is given up."""
    held = connection.connection
    try:
        return work(held.driver_connection)
    except connection.dialect.loaded_dbapi.Error as error:
        gone = connection.dialect.is_disconnect(error, held, None)
        if gone:
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            text,
            None,
            error,
            connection.dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=connection.dialect,
        ) from error
    except Exception:
        raise
    except BaseException as error:  # an interrupt: nobody knows how far the driver came
        connection.invalidate(error)
        raise
