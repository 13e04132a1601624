"""Shelves on SQL: one table each, read and written inside the transaction that they are given."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa

from adapters.store.rules import READ_ONLY, comparable, require_limit, require_same_id, require_word, storable, wanted
from adapters.store.schema import SHELF_TABLES
from control_plane.tables import SHELVES, Tables
from domain.base import Stored
from domain.errors import Conflict

S = TypeVar("S", bound=Stored)

#: Databases limit how many values one statement may name.
_MOST_VALUES = 500


class SqlTables:
    """The shelves inside one transaction; remembers whether anything was written."""

    def __init__(self, connection: sa.Connection, *, writable: bool) -> None:
        self.connection = connection
        self.writable = writable
        self.wrote = False

    def view(self) -> Tables:
        """Return the shelves as a change or a query sees them."""
        # one attribute per entry of SHELVES; the conformance suite checks that they are those of `Tables`
        return cast("Tables", SimpleNamespace(**{name: SqlShelf(name, self) for name in SHELVES}))


class SqlShelf(Generic[S]):
    """The `Shelf` port on one table."""

    def __init__(self, name: str, tables: SqlTables) -> None:
        self._name = name
        self._tables = tables
        self._shelved = SHELVES[name]
        self._statements = _STATEMENTS[name]

    def add(self, *records: S) -> None:
        self._require_writable()
        require_word(self._shelved, records)
        if not records:
            return
        self._require_new([record.id for record in records])
        self._run(self._statements.insert, [self._row(record) for record in records])
        self._tables.wrote = True

    def get(self, id: str) -> S | None:
        body = self._run(self._statements.get, {"an_id": storable(id)}).scalar()
        return None if body is None else self._word(body)

    def find(
        self, *, limit: int | None = None, newest: bool = False, after: str | None = None, **where: object
    ) -> list[S]:
        require_limit(limit)
        table = self._statements.table
        order = table.c.id.desc() if newest else table.c.id
        found: list[tuple[str, str]] = []
        for condition in self._conditions(where):
            query = sa.select(table.c.id, table.c.body).where(condition).order_by(order).limit(limit)
            if after is not None:
                query = query.where(table.c.id < storable(after) if newest else table.c.id > storable(after))
            found += [(row.id, row.body) for row in self._run(query)]
        found.sort(reverse=newest)
        return [self._word(body) for _, body in found[:limit]]

    def count(self, **where: object) -> int:
        query = sa.select(sa.func.count()).select_from(self._statements.table)
        return sum(self._run(query.where(condition)).scalar_one() for condition in self._conditions(where))

    def swap(self, old: S, new: S) -> bool:
        self._require_writable()
        require_word(self._shelved, (old, new))
        require_same_id(old, new)
        replaced = self._replace(old.model_dump_json(), new) or self._replace(self._equal_body(old), new)
        self._tables.wrote |= replaced
        return replaced

    def _replace(self, body: str | None, new: S) -> bool:
        if body is None:
            return False
        return self._run(self._statements.swap, {**self._row(new), "an_id": new.id, "old_body": body}).rowcount == 1

    def _equal_body(self, old: S) -> str | None:
        """Return the stored text if it says the same as `old` in other letters: a set has no order of its own."""
        body: str | None = self._run(self._statements.get, {"an_id": old.id}).scalar()
        return body if body is not None and self._word(body) == old else None

    def _require_writable(self) -> None:
        if not self._tables.writable:
            raise TypeError(READ_ONLY)

    def _require_new(self, ids: list[str]) -> None:
        """Look before inserting: a failed insert would leave its first rows in the transaction."""
        twice = next((one for one, times in Counter(ids).items() if times > 1), None)
        if twice is not None:
            raise self._taken(twice)
        column = self._statements.table.c.id
        for some in _chunks(ids):
            taken = self._run(sa.select(column).where(column.in_(some)).limit(1)).scalar()
            if taken is not None:
                raise self._taken(taken)

    def _taken(self, id: str) -> Conflict:
        return Conflict(f"`{id}` is on the shelf `{self._name}` already; read it and swap it")

    def _conditions(self, where: Mapping[str, object]) -> Iterator[sa.ColumnElement[bool]]:
        """Return conditions that exclude each other and together say what is searched for."""
        columns = self._statements.table.c
        ways = [_ways(columns[name], texts) for name, texts in wanted(self._shelved, where).items()]
        for choice in product(*ways):
            yield sa.and_(sa.true(), *choice)

    def _row(self, record: S) -> dict[str, str | None]:
        fields = {name: comparable(getattr(record, name)) for name in self._shelved.searchable}
        return {"id": record.id, **fields, "body": record.model_dump_json()}

    def _word(self, body: str) -> S:
        return cast("S", self._shelved.word.model_validate_json(body))

    def _run(self, statement: sa.Executable, values: Any = None) -> sa.CursorResult[Any]:
        return self._tables.connection.execute(statement, values)


class _Statements:
    """The statements of one shelf that never change, built once."""

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        self.insert = table.insert()
        self.get = sa.select(table.c.body).where(table.c.id == sa.bindparam("an_id"))
        self.swap = (
            table.update()
            .where(table.c.id == sa.bindparam("an_id"), table.c.body == sa.bindparam("old_body"))
            .values({column.name: sa.bindparam(column.name) for column in table.c if column.name != "id"})
        )


_STATEMENTS = {name: _Statements(table) for name, table in SHELF_TABLES.items()}


def _ways(column: sa.ColumnElement[str], texts: frozenset[str | None]) -> list[sa.ColumnElement[bool]]:
    """Return the ways in which a column can have one of the texts: each names few enough values, or none."""
    ways: list[sa.ColumnElement[bool]] = [column.is_(None)] if None in texts else []
    return ways + [column.in_(some) for some in _chunks(sorted(text for text in texts if text is not None))]


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _MOST_VALUES):
        yield values[start : start + _MOST_VALUES]
