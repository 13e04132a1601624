"""Commands for the store itself: how it stands to this program, and how it is brought up to date."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_shared import AsJson, Data, write_json

if TYPE_CHECKING:
    from adapters.store.migrate import Standing
    from api.settings import Settings

Database = Annotated[
    str | None,
    typer.Option(help="Where the store is, if not in the data folder.", metavar="ADDRESS", envvar="NOCTURNE_DATABASE"),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    store = typer.Typer(help="See how the store stands to this version, or bring it up to date.", no_args_is_help=True)
    store.command("show")(show)
    store.command("migrate")(migrate)
    app.add_typer(store, name="store", rich_help_panel="Run")


def show(data: Data = None, database: Database = None, as_json: AsJson = False) -> None:
    """Say which revision the store has, and which one this program reads."""
    from adapters.store import migrate as store

    standing = store.look(_where(_settings(data, database)))
    if as_json:
        write_json(standing._asdict())
    else:
        typer.echo(_said(standing))


def migrate(data: Data = None, database: Database = None, as_json: AsJson = False) -> None:
    """Bring a store of an older version up to date, in one transaction. Make a copy of it before."""
    from adapters.store import migrate as store
    from adapters.store.lock import FolderLock

    settings = _settings(data, database)
    where = _where(settings)
    with nullcontext() if settings.database else FolderLock(settings.data):
        before = store.migrate(where)
    if as_json:
        write_json({"before": before._asdict(), "after": store.look(where)._asdict()})
    elif before.found == before.wanted:
        typer.echo(f"{before.store}: nothing to do, it has revision {before.wanted}.")
    else:
        typer.echo(f"{before.store}: brought from revision {before.found or 'none'} to {before.wanted}.")


def _settings(data: Path | None, database: str | None) -> "Settings":
    from api.settings import load

    return load(data=data, database=database)


def _where(settings: "Settings") -> str | Path:
    return settings.database or settings.data / "nocturne.db"


def _said(standing: "Standing") -> str:
    match standing.age.value:
        case "empty":
            return f"{standing.store}: empty; `nocturne serve` makes its tables."
        case "foreign":
            return f"{standing.store}: holds tables of another program."
        case "current":
            return f"{standing.store}: revision {standing.found}, as this program reads it."
        case age:
            hint = "run `nocturne store migrate`" if age == "older" else "open it with the version that made it"
            return f"{standing.store}: revision {standing.found}, {age} than {standing.wanted} here; {hint}."
