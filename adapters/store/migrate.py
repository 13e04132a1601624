"""How a store comes to the schema that this program reads: a new one at opening, an older one when somebody asks.

A store is never upgraded by merely opening it: who would go back to the version before finds it still readable there.
An upgrade is one transaction, whole or not at all, and waits its turn like any other write.
"""

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from adapters.store.engine import Database
from adapters.store.schema import REVISIONS
from domain.errors import Unavailable

_FOLDER = Path(__file__).parent / "migrations"

#: Before there were revisions, a store named its version in this table. That schema is what the first revision makes.
_EARLIEST = "nocturne_schema"
_EARLIEST_REVISION = "0001"
_EARLIEST_SIGN = (1, "bc7398392c8375274bdb66fc56a4422db3dfd1a326518f4a0bd1fe51b042d3b3")


class Age(StrEnum):
    """How a store stands to this program."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    FOREIGN = "foreign"


class Standing(NamedTuple):
    """Which revision a store has (empty text: none), which one this program reads, and how they compare."""

    store: str
    age: Age
    found: str
    wanted: str


def settle(database: Database) -> None:
    """Make the tables of an empty store. Raises Unavailable for a store that this program does not read as it is."""
    with database.read() as connection:
        standing = _standing(connection, database.name)
    if standing.age is Age.EMPTY:
        with database.write() as connection:  # by now somebody else may have made them
            if _standing(connection, database.name).age is Age.EMPTY:
                _upgrade(connection)
            standing = _standing(connection, database.name)
    if standing.age is not Age.CURRENT:
        raise Unavailable(_refusal(standing))


def look(where: str | Path, *, busy_s: float = 10.0) -> Standing:
    """Say how a store stands. Raises BadInput, NotFound or Unavailable when it cannot be read."""
    database = Database(where, busy_s=busy_s)
    database.require_made()
    try:
        with database.read() as connection:
            return _standing(connection, database.name)
    finally:
        database.close()


def migrate(where: str | Path, *, busy_s: float = 10.0) -> Standing:
    """Bring a store to the schema of this program and say how it stood before.

    Raises:
        BadInput: the address names no store that is known here.
        NotFound: there is no such store yet.
        Unavailable: it cannot be written, or a newer version or another program made it; nothing was changed.
    """
    database = Database(where, busy_s=busy_s)
    database.require_made()
    try:
        with database.write() as connection:
            before = _standing(connection, database.name)
            if before.age in {Age.NEWER, Age.FOREIGN}:
                raise Unavailable(_refusal(before))
            if before.age is not Age.CURRENT:
                _upgrade(connection)
        return before
    finally:
        database.close()


def _standing(connection: sa.Connection, name: str) -> Standing:
    """Compare what a store says of itself with the revisions that are here."""
    known = [script.revision for script in _scripts().walk_revisions()]  # the newest first
    tables = set(sa.inspect(connection).get_table_names())
    found = _found(connection, tables)
    if not tables:
        age = Age.EMPTY
    elif found is None:
        age = Age.FOREIGN
    elif found == known[0]:
        age = Age.CURRENT
    else:
        age = Age.OLDER if found in known else Age.NEWER
    return Standing(name, age, found or "", known[0])


def _found(connection: sa.Connection, tables: set[str]) -> str | None:
    if REVISIONS in tables:
        return _context(connection).get_current_revision()
    if _EARLIEST in tables:
        sign = connection.execute(sa.text(f"SELECT version, shape FROM {_EARLIEST}")).first()  # noqa: S608  # our own name
        return _EARLIEST_REVISION if sign is not None and tuple(sign) == _EARLIEST_SIGN else "unknown"
    return None


def _upgrade(connection: sa.Connection) -> None:
    """Run the revisions that are missing, inside the transaction that is open."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if sa.inspect(connection).has_table(_EARLIEST) and not sa.inspect(connection).has_table(REVISIONS):
        command.stamp(config, _EARLIEST_REVISION)
    command.upgrade(config, "head")


def _context(connection: sa.Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": REVISIONS})


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_FOLDER))


def _refusal(standing: Standing) -> str:
    store, _, found, wanted = standing
    match standing.age:
        case Age.OLDER:
            return (
                f"the store `{store}` is of an older version of this program (revision {found}, here {wanted}); "
                "stop what uses it, make a copy, and run `nocturne store migrate`"
            )
        case Age.NEWER:
            return (
                f"the store `{store}` was made by another version of this program (revision {found}, here {wanted}); "
                "open it with that version, or choose another store"
            )
        case _:
            return f"the store `{store}` holds tables of another program; choose another one"
