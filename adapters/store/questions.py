"""The statements of the shelves: each shape of a search is written once, whatever is searched for.

A *way* names some fields and, for each, the texts that it may have; no texts stand for a field that has none. Texts
are padded to the next power of two by naming the last again, so that a shelf has a few shapes and not one per number.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from adapters.store.prepared import Prepared
from adapters.store.schema import SHELF_TABLES
from adapters.store.texts import Exact

#: Which fields have which texts.
Way: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
_Shape: TypeAlias = tuple[tuple[tuple[str, int], ...], bool | None, frozenset[str]]

#: Databases limit how many values one statement may name. A power of two.
MOST_VALUES = 512


class ShelfStatements:
    """The statements of one shelf."""

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        self.insert = Prepared(table.insert())
        self.add = Prepared(
            postgresql.insert(table).on_conflict_do_nothing(), sqlite=sqlite.insert(table).on_conflict_do_nothing()
        )
        self.get = Prepared(sa.select(table.c.body).where(table.c.id == sa.bindparam("an_id")))
        self.swap = Prepared(
            table.update()
            .where(table.c.id == sa.bindparam("an_id"), table.c.body == sa.bindparam("old_body"))
            .values({column.name: sa.bindparam(column.name) for column in table.c if column.name != "id"})
        )
        self.searches: dict[_Shape, Prepared] = {}


@cache
def statements_of(name: str) -> ShelfStatements:
    """Return the statements of the shelf of this name."""
    return ShelfStatements(SHELF_TABLES[name])


def asked_of(
    shelf: ShelfStatements, way: Way, bounds: Iterable[str], *, newest: bool | None
) -> tuple[Prepared, dict[str, Any]]:
    """Return the search one way, and the texts that it is given.

    Args:
        shelf: where to look.
        way: what is looked for.
        bounds: `most`, `after`, both or neither, which the search is given besides.
        newest: the order; None for a count in place of ids and words.
    """
    padded = tuple((name, _padded(texts)) for name, texts in way)
    shape = (tuple((name, len(texts)) for name, texts in padded), newest, frozenset(bounds))
    search = shelf.searches.get(shape)
    if search is None:
        search = shelf.searches[shape] = Prepared(_search(shelf.table, shape))
    return search, {_place(name, at): text for name, texts in padded for at, text in enumerate(texts)}


def _padded(texts: tuple[str, ...]) -> tuple[str, ...]:
    if len(texts) < 3:
        return texts
    return texts + texts[-1:] * ((1 << (len(texts) - 1).bit_length()) - len(texts))


def _search(table: sa.Table, shape: _Shape) -> sa.Select[Any]:
    fields, newest, bounds = shape
    conditions = [_has(table.c[name], name, number) for name, number in fields]
    if newest is None:
        return sa.select(sa.func.count()).select_from(table).where(sa.and_(sa.true(), *conditions))
    if "after" in bounds:
        after = sa.bindparam("after", type_=Exact)
        conditions.append(table.c.id < after if newest else table.c.id > after)
    query = sa.select(table.c.id, table.c.body).where(sa.and_(sa.true(), *conditions))
    query = query.order_by(table.c.id.desc() if newest else table.c.id)
    return query.limit(sa.bindparam("most", type_=sa.Integer)) if "most" in bounds else query


def _has(column: sa.ColumnElement[Any], name: str, number: int) -> sa.ColumnElement[bool]:
    if not number:
        return column.is_(None)
    named = [sa.bindparam(_place(name, at), type_=Exact) for at in range(number)]
    return column == named[0] if number == 1 else column.in_(named)


def _place(name: str, at: int) -> str:
    return f"{name}_{at}"
