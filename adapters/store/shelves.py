"""Shelves on SQL: one table each, read and written inside the transaction that they are given."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa

from adapters.store.questions import MOST_VALUES, Way, asked_of, statements_of
from adapters.store.rules import READ_ONLY, comparable, require_limit, require_same_id, require_word, storable, wanted
from adapters.store.staging import Cells, Key, Staged
from adapters.store.texts import with_nul
from control_plane.tables import SHELVES, Tables
from domain.base import Stored
from domain.errors import Conflict

S = TypeVar("S", bound=Stored)


class SqlTables:
    """The shelves inside one transaction; remembers whether anything was written.

    With `staged`, writes wait there where they can; else each reaches the database at once.
    """

    def __init__(self, connection: sa.Connection, *, writable: bool, staged: Staged | None = None) -> None:
        self.connection = connection
        self.writable = writable
        self.staged = staged
        #: What is known to be stored: its text and the word itself, or None for a record that is not there.
        self.known: dict[Key, tuple[str, Stored] | None] = {}
        #: Whether a change was made, and whether any of it has reached the database.
        self.wrote = False
        self.touched = False

    def view(self) -> Tables:
        """Return the shelves as a change or a query sees them."""
        # one attribute per entry of SHELVES; the conformance suite checks that they are those of `Tables`
        return cast("Tables", _View(self))


class _View:
    """One attribute per shelf. A change uses few of them, so each is made when it is first asked for."""

    def __init__(self, tables: SqlTables) -> None:
        self._tables = tables

    def __getattr__(self, name: str) -> "SqlShelf[Any]":
        if name not in SHELVES:
            raise AttributeError(f"there is no shelf `{name}`")
        shelf: SqlShelf[Any] = SqlShelf(name, self._tables)
        setattr(self, name, shelf)
        return shelf

    def __dir__(self) -> list[str]:
        return list(SHELVES)


class SqlShelf(Generic[S]):
    """The `Shelf` port on one table."""

    def __init__(self, name: str, tables: SqlTables) -> None:
        self._name = name
        self._tables = tables
        self._shelved = SHELVES[name]
        self._statements = statements_of(name)

    def add(self, *records: S) -> None:
        self._require_writable()
        require_word(self._shelved, records)
        if len(records) == 1:
            self._add_one(records[0])
        elif records:
            self._settle()
            self._require_new([record.id for record in records])
            self._statements.insert.change_all(self._tables.connection, [self._row(record) for record in records])
            self._tables.touched = True
        self._tables.wrote |= bool(records)

    def _add_one(self, record: S) -> None:
        row, key = self._row(record), (self._name, record.id)
        known = self._known(key)
        if known is None and key in self._tables.known and self._tables.staged is not None:
            self._tables.staged.put(key, row, None)
        elif known is not None or not self._statements.add.change(self._tables.connection, row):
            raise self._taken(record.id)
        else:
            self._tables.touched = True
        self._remember(key, row["body"], record)

    def get(self, id: str) -> S | None:
        key = (self._name, storable(id))
        known = self._known(key)
        if known is not None:
            return known[1]
        found = self._statements.get.first(self._tables.connection, {"an_id": id})
        return self._remember(key, *((None, None) if found is None else (found[0], self._word(found[0]))))

    def _known(self, key: Key) -> tuple[str, S] | None:
        """Return what is certainly stored, or waits to be, if it was read or written in this transaction."""
        tables = self._tables
        if tables.staged is None:
            return None
        if key not in tables.known and (body := tables.staged.body(key)) is not None:
            tables.known[key] = (body, self._word(body))
        return cast("tuple[str, S] | None", tables.known.get(key))

    def _remember(self, key: Key, body: str | None, word: S | None) -> S | None:
        if self._tables.staged is not None:
            self._tables.known[key] = None if body is None or word is None else (body, word)
        return word

    def _settle(self) -> None:
        """Have what waits for this shelf written, before the database is asked about it."""
        if self._tables.staged is not None and self._tables.staged.holds(self._name):
            self._tables.staged.flush()

    def find(
        self, *, limit: int | None = None, newest: bool = False, after: str | None = None, **where: object
    ) -> list[S]:
        require_limit(limit)
        self._settle()
        bounds: dict[str, Any] = {} if limit is None else {"most": limit}
        bounds |= {} if after is None else {"after": storable(after)}
        ways = self._ways(where)
        found: list[tuple[str, str]] = []
        for way in ways:
            query, values = asked_of(self._statements, way, bounds, newest=newest)
            found += query.rows(self._tables.connection, values | bounds)
        if len(ways) > 1:
            found = sorted(((self._exact(id), body) for id, body in found), reverse=newest)
        return [self._word(body) for _, body in found[:limit]]

    def count(self, **where: object) -> int:
        self._settle()
        asked = [asked_of(self._statements, way, {}, newest=None) for way in self._ways(where)]
        return sum(query.rows(self._tables.connection, values)[0][0] for query, values in asked)

    def swap(self, old: S, new: S) -> bool:
        self._require_writable()
        require_word(self._shelved, (old, new))
        require_same_id(old, new)
        key = (self._name, old.id)
        row, known, staged = self._row(new), self._known(key), self._tables.staged
        if known is not None and staged is not None:
            replaced = known[1] is old or known[1] == old
            if replaced:
                staged.put(key, row, known[0])
        else:
            replaced = self._replace(old.model_dump_json(), row) or self._replace(self._equal_body(old), row)
            self._tables.touched |= replaced
        if replaced:
            self._remember(key, row["body"], new)
        self._tables.wrote |= replaced
        return replaced

    def _replace(self, body: str | None, row: Cells) -> bool:
        if body is None:
            return False
        values = {**row, "an_id": row["id"], "old_body": body}
        return self._statements.swap.change(self._tables.connection, values) == 1

    def _equal_body(self, old: S) -> str | None:
        """Return the stored text if it says the same as `old` in other letters: a set has no order of its own."""
        found = self._statements.get.first(self._tables.connection, {"an_id": old.id})
        return found[0] if found is not None and self._word(found[0]) == old else None

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
            taken = self._tables.connection.execute(sa.select(column).where(column.in_(some)).limit(1)).scalar()
            if taken is not None:
                raise self._taken(taken)

    def _taken(self, id: str) -> Conflict:
        return Conflict(f"`{id}` is on the shelf `{self._name}` already; read it and swap it")

    def _ways(self, where: Mapping[str, object]) -> list[Way]:
        """Return ways that exclude each other and together are what is searched for."""
        parts = [[(name, some) for some in _parts(texts)] for name, texts in wanted(self._shelved, where).items()]
        return list(product(*parts))

    def _exact(self, id: str) -> str:
        return with_nul(id) if self._tables.connection.dialect.name == "postgresql" else id

    def _row(self, record: S) -> Cells:
        fields = {name: comparable(getattr(record, name)) for name in self._shelved.searchable}
        return {"id": record.id, **fields, "body": record.model_dump_json()}

    def _word(self, body: str) -> S:
        return cast("S", self._shelved.word.model_validate_json(body))


def _parts(texts: frozenset[str | None]) -> list[tuple[str, ...]]:
    """Return the texts in portions of which each is few enough; the empty portion stands for None."""
    known: list[str] = sorted(text for text in texts if text is not None)
    return [*([()] if None in texts else []), *map(tuple, _chunks(known))]


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), MOST_VALUES):
        yield values[start : start + MOST_VALUES]
