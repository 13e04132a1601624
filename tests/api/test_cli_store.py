"""The commands for the store, and the setting that says where it is."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.store.ledger import SqlLedger
from adapters.store.migrate import look
from api.cli import app
from api.settings import load
from domain.clock import ManualClock
from domain.errors import BadInput
from tests.postgresql import fresh_database


def nocturne(*words: str, database: str | None = None) -> str:
    done = CliRunner().invoke(app, words, env={"NOCTURNE_DATABASE": database}, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_a_store_in_the_data_folder_is_shown(tmp_path: Path, clock: ManualClock) -> None:
    SqlLedger(tmp_path / "nocturne.db", clock).close()

    shown = json.loads(nocturne("store", "show", "--json", "--data", str(tmp_path)))

    assert shown["age"] == "current"
    assert shown["found"] == shown["wanted"]


def test_an_empty_database_is_shown_and_given_its_tables() -> None:
    with fresh_database() as address:
        assert "empty" in nocturne("store", "show", "--database", address)
        assert "brought from revision none" in nocturne("store", "migrate", database=address)
        done = json.loads(nocturne("store", "migrate", "--json", database=address))

        assert done["before"] == done["after"]
        assert look(address).age == "current"


def test_the_address_of_a_database_is_not_printed_with_the_settings() -> None:
    settings = load(database="postgresql://user:correct-horse@127.0.0.1/nocturne")

    assert "correct-horse" not in repr(settings)


def test_a_database_that_is_no_address_is_refused() -> None:
    with pytest.raises(BadInput, match="setting `database`: the database is no address"):
        load(database="nocturne")
