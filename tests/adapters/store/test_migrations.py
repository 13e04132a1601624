"""How a store comes to the schema of this program: made at opening, brought up to date when asked, else refused."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from typer.testing import CliRunner

from adapters.store import migrate
from adapters.store.engine import Database
from adapters.store.ledger import SqlLedger
from adapters.store.lock import FolderLock
from adapters.store.migrate import Age
from adapters.store.schema import METADATA, REVISIONS
from api.cli import app
from control_plane.ports import Written
from domain.alarms import Severity
from domain.canonical import canonical, digest
from domain.chains import first_break
from domain.clock import ManualClock
from domain.errors import Conflict, NotFound, Unavailable
from domain.incidents import IncidentClass
from domain.records import GENESIS, Entry, link
from tests.postgresql import fresh_database

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
DATABASES = ("sqlite", "postgresql")


@pytest.fixture(params=DATABASES)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'nocturne.db'}"
    else:
        with fresh_database() as address:
            yield address


@contextmanager
def changed(where: str) -> Iterator[sa.Connection]:
    """Alter a database as somebody else would."""
    database = Database(where, busy_s=1)
    try:
        with database.write() as connection:
            yield connection
    finally:
        database.close()


def brought_to(where: str, revision: str) -> None:
    """Make a store as it was at a revision."""
    with changed(where) as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(migrate._FOLDER))
        config.set_main_option("path_separator", "os")
        command.upgrade(config, revision)


def of_the_first_step(where: str) -> None:
    """Make a store as the first version of the program left it, with an incident and a record in it."""
    brought_to(where, "0001")
    incident = {
        "id": "inc_1",
        "severity": "major",
        **dict.fromkeys(("opened_at", "last_alarm_at", "last_known_at"), NOON.isoformat()),
        "alarm_ids": ["alm_1"],
        "elements": ["tp:1"],
        "open_alarms": 1,
    }
    record = link(Entry(kind="a.b.c", actor="x", refs=("inc_1",), event_time=NOON), 1, GENESIS, NOON)
    version, shape = migrate._EARLIEST_SIGN
    with changed(where) as connection:
        connection.execute(
            sa.text("INSERT INTO shelf_incidents (id, state, tenant, body) VALUES ('inc_1', 'open', 'default', :body)"),
            {"body": json.dumps(incident)},
        )
        connection.execute(
            sa.text("INSERT INTO record (tenant, sequence, body) VALUES ('default', 1, :body)"),
            {"body": canonical(record)},
        )
        connection.execute(
            sa.text("INSERT INTO nocturne_schema (version, shape) VALUES (:version, :shape)"),
            {"version": version, "shape": shape},
        )
        connection.execute(sa.text(f"DROP TABLE {REVISIONS}"))


def tables(where: str) -> set[str]:
    with changed(where) as connection:
        return set(sa.inspect(connection).get_table_names())


# --- the revisions and the tables that the program expects are the same


def test_a_new_store_has_exactly_the_tables_that_the_program_expects(where: str, clock: ManualClock) -> None:
    SqlLedger(where, clock).close()

    with changed(where) as connection:
        options = {"version_table": REVISIONS, "compare_type": True, "compare_server_default": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
    assert differences == []  # who changes a shelf adds a revision to adapters/store/migrations


def test_on_postgresql_every_searched_text_sorts_by_code_point(clock: ManualClock) -> None:
    with fresh_database() as where:
        SqlLedger(where, clock).close()
        with changed(where) as connection:
            query = sa.text(
                "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' "
                "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C' AND column_name <> 'body'"
            )
            assert connection.execute(query).scalars().all() == []


def test_the_first_revision_makes_what_the_first_version_made(where: str) -> None:
    brought_to(where, "0001")

    with changed(where) as connection:
        inspector = sa.inspect(connection)
        made = {
            name: [column["name"] for column in inspector.get_columns(name)]
            for name in sorted(inspector.get_table_names())
            if name != REVISIONS
        }
    assert digest(made) == migrate._EARLIEST_SIGN[1]


def test_the_history_has_no_branches() -> None:
    revisions = list(migrate._scripts().walk_revisions())

    assert [one.down_revision for one in revisions] == [*(one.revision for one in revisions[1:]), None]


# --- opening


def test_many_that_open_an_empty_store_at_once_all_find_it_made(where: str, clock: ManualClock) -> None:
    with ThreadPoolExecutor(4) as pool:
        ledgers = list(pool.map(lambda _: SqlLedger(where, clock), range(4)))

    assert [ledger.read(lambda view: view.cursors.count()) for ledger in ledgers] == [0, 0, 0, 0]
    for ledger in ledgers:
        ledger.close()
    assert migrate.look(where).age is Age.CURRENT


def test_an_older_store_is_refused_with_the_command_and_left_as_it_was(where: str, clock: ManualClock) -> None:
    of_the_first_step(where)
    before = tables(where)

    with pytest.raises(Unavailable, match=r"revision 0001.*`nocturne store migrate`"):
        SqlLedger(where, clock)

    assert migrate.look(where).age is Age.OLDER
    assert tables(where) == before


@pytest.mark.parametrize("alteration", ["version = version + 1", "version = 0", "shape = 'another'"])
def test_a_store_of_an_unknown_earlier_shape_is_refused(where: str, clock: ManualClock, alteration: str) -> None:
    of_the_first_step(where)
    with changed(where) as connection:
        connection.execute(sa.text(f"UPDATE nocturne_schema SET {alteration}"))

    for attempt in (lambda: SqlLedger(where, clock), lambda: migrate.migrate(where)):
        with pytest.raises(Unavailable, match="another version of this program"):
            attempt()


def test_a_newer_store_is_refused_by_opening_and_by_migrating(where: str, clock: ManualClock) -> None:
    SqlLedger(where, clock).close()
    with changed(where) as connection:
        connection.execute(sa.text(f"UPDATE {REVISIONS} SET version_num = '9999'"))

    for attempt in (lambda: SqlLedger(where, clock), lambda: migrate.migrate(where)):
        with pytest.raises(Unavailable, match="another version of this program"):
            attempt()
    assert migrate.look(where).age is Age.NEWER


def test_a_database_of_another_program_is_refused_and_left_alone(where: str, clock: ManualClock) -> None:
    with changed(where) as connection:
        connection.execute(sa.text("CREATE TABLE recipes (id INTEGER)"))

    for attempt in (lambda: SqlLedger(where, clock), lambda: migrate.migrate(where)):
        with pytest.raises(Unavailable, match="another program"):
            attempt()
    assert tables(where) == {"recipes"}


# --- migrating


def test_a_store_of_the_first_version_is_brought_up_to_date_and_nothing_is_lost(where: str, clock: ManualClock) -> None:
    of_the_first_step(where)

    before = migrate.migrate(where)

    assert (before.age, before.found) == (Age.OLDER, "0001")
    ledger = SqlLedger(where, clock)
    (incident,) = ledger.read(lambda view: view.incidents.find(about=IncidentClass.NETWORK))
    assert (incident.id, incident.severity, incident.opened_at) == ("inc_1", Severity.MAJOR, NOON)
    entry = Entry(kind="a.b.d", actor="x", refs=("inc_1",), event_time=NOON)
    assert ledger.do(lambda view: Written(view.incidents.swap(incident, incident.but(revision=2)), (entry,)))
    assert first_break(ledger.records()) is None
    assert len(ledger.records()) == 2
    ledger.close()


def test_migrating_what_is_up_to_date_changes_nothing(where: str, clock: ManualClock) -> None:
    SqlLedger(where, clock).close()
    before = tables(where)

    assert migrate.migrate(where).age is Age.CURRENT
    assert tables(where) == before


def test_a_migration_that_fails_half_way_leaves_everything_as_it_was(where: str) -> None:
    of_the_first_step(where)
    with changed(where) as connection:
        connection.execute(sa.text("CREATE TABLE shelf_model_outcomes (id INTEGER)"))  # the last of three is in the way
    before = tables(where)

    with pytest.raises(Unavailable, match="shelf_model_outcomes"):
        migrate.migrate(where)

    assert tables(where) == before
    assert migrate.look(where).found == "0001"


def test_looking_for_a_store_does_not_make_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        migrate.look(tmp_path / "nocturne.db")
    with pytest.raises(NotFound):
        migrate.migrate(tmp_path / "nocturne.db")
    assert list(tmp_path.iterdir()) == []


# --- the command


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    of_the_first_step(f"sqlite:///{tmp_path / 'nocturne.db'}")
    return tmp_path


def nocturne(*words: str) -> str:
    return CliRunner().invoke(app, words, env={"NOCTURNE_DATABASE": None}, catch_exceptions=False).output


def test_the_command_shows_what_is_to_be_done_and_does_it(old_folder: Path) -> None:
    def said(*words: str) -> str:
        return nocturne("store", *words, "--data", str(old_folder))

    assert "revision 0001, older than" in said("show")
    assert "brought from revision 0001 to" in said("migrate")
    assert "as this program reads it" in said("show")
    assert "nothing to do" in said("migrate")


def test_the_command_waits_for_no_server_that_uses_the_folder(old_folder: Path) -> None:
    with FolderLock(old_folder), pytest.raises(Conflict, match="in use by process"):
        nocturne("store", "migrate", "--data", str(old_folder))

    with sqlite3.connect(old_folder / "nocturne.db") as raw:
        assert raw.execute("SELECT version FROM nocturne_schema").fetchone() == (1,)
    raw.close()
