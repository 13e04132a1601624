"""Deciding again: one past decision from what is pinned, or the whole history under another book or model."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_shared import AsJson, Data, quiet_logs, show, write_json
from domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.ports import ModelStore
    from control_plane.replay.replaying import Replayer
    from control_plane.replay.under import History

Database = Annotated[
    str | None,
    typer.Option(help="Where the store is, if not in the data folder.", metavar="ADDRESS", envvar="NOCTURNE_DATABASE"),
]
_CHANGED = 3  # exit status of --gate when something would change


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("replay", rich_help_panel="Prove")(replay)


def replay(
    decision: Annotated[str | None, typer.Argument(help="A decision's id (`dec_…`); none with --under.")] = None,
    under: Annotated[
        str | None,
        typer.Option(metavar="POLICY|MODEL", help="A folder of rules, or a model version (`mv_…`): what would change?"),
    ] = None,
    gate: Annotated[bool, typer.Option(help="Exit with status 3 if anything would change.")] = False,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a past decision again from what is pinned, or list what another book or model would have decided."""
    from api.views.replay import history_view, replayed_view

    quiet_logs()
    if (decision is None) == (under is None):
        raise BadInput("name either a decision to make again, or with --under a folder of rules or a model version")
    with _opened(data, database) as (replayer, store):
        if decision is not None:
            made = replayer.replay(decision)
            write_json(made.model_dump(mode="json")) if as_json else show(replayed_view(made))
            raise typer.Exit(0 if made.identical else 1)
        found = _under(replayer, store, str(under))
        write_json(found.model_dump(mode="json")) if as_json else show(history_view(found, str(under)))
        if gate and found.changed:
            raise typer.Exit(_CHANGED)


def _under(replayer: "Replayer", store: "ModelStore", under: str) -> "History":
    from api.replay_room import casting
    from control_plane.replay.under import under_model, under_policy
    from policies.engine import Book

    if Path(under).is_dir():
        return under_policy(replayer, Book.load(Path(under)))
    store.get(under)  # says what is wrong with a version that cannot be had
    return under_model(replayer, casting(store, version=under))


@contextmanager
def _opened(data: Path | None, database: str | None) -> "Iterator[tuple[Replayer, ModelStore]]":
    """Open store and models for reading, beside a server or without one."""
    from adapters.models.opening import open_store
    from adapters.store import migrate
    from adapters.store.ledger import SqlLedger
    from api.replay_room import replayer
    from api.settings import load
    from domain.clock import SystemClock

    settings = load(data=data, database=database)
    where = settings.database or settings.data / "nocturne.db"
    migrate.look(where)  # a store that is not there is not made by looking into it
    ledger, models = SqlLedger(where, SystemClock()), open_store(settings.data)
    try:
        yield replayer(ledger, models), models
    finally:
        ledger.close()
