"""Commands of the twin: what it believes, what would follow, and its state for outside viewers."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from api import cli_twin_files
from api.cli_shared import Account, AsJson, Data, Url, client, show, write_json
from domain.errors import BadInput

_VIEWER = "viewer"
_LARGEST_FILE = 1 << 20

At = Annotated[str | None, typer.Option(help="A past moment, for example 2026-01-31T12:00:00Z.")]

twin = typer.Typer(help="The twin of the network: look at it, ask what would follow.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    twin.command("show")(show_twin)
    twin.command("whatif")(what_if)
    twin.command("sweep")(sweep)
    twin.command("steer")(steer)
    twin.command("export")(export)
    cli_twin_files.add_to(twin)
    app.add_typer(twin, name="twin", rich_help_panel="Look")


def show_twin(at: At = None, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show what the twin believes: size, impact, busiest links, and how far it is off."""
    found = client(as_, url, data, _VIEWER).get("/twin", at=at)
    if as_json:
        write_json(found)
        return
    from api.views.twin import twin_view

    show(twin_view(found))


def what_if(
    fail: Annotated[
        list[str] | None, typer.Option(help="An element or a shared-risk group that fails; may be given several times.")
    ] = None,
    changes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Other changes, as a JSON list of typed changes.")
    ] = None,
    at: At = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Say what would follow if something failed or were different. Nothing is changed."""
    body = {"fail": fail or [], "changes": _changes(changes), "at": at}
    found = client(as_, url, data, _VIEWER).post("/twin/whatif", body)
    if as_json:
        write_json(found)
        return
    from api.views.twin import whatif_view

    show(whatif_view(found))


def sweep(
    kind: Annotated[str, typer.Argument(help="links, nodes, pairs (of links) or shared_risks.")] = "links",
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Fail everything of a kind, one after the other, and show the worst."""
    found = client(as_, url, data, _VIEWER).get("/twin/sweep", kind=kind)
    if as_json:
        write_json(found)
        return
    from api.views.twin import sweep_view

    show(sweep_view(found))


def steer(
    limit: Annotated[int, typer.Option(min=0, max=100, help="The most demands that are moved.")] = 10,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Say which few SR-policy moves would relieve the fullest link. Nothing is changed."""
    found = client(as_, url, data, _VIEWER).get("/twin/steering", limit=limit)
    if as_json:
        write_json(found)
        return
    from api.views.twin import steering_view

    show(steering_view(found))


def export(
    form: Annotated[str, typer.Option(help="json, or usd: a scene for 3D viewers.")] = "json",
    at: At = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Write the twin's state for outside viewers to standard output."""
    if form not in {"json", "usd"}:
        raise BadInput(f"there is no form `{form}`; choose `json` or `usd`")
    found = client(as_, url, data, _VIEWER).get("/twin/scene", at=at)
    if form == "json":
        write_json(found)
        return
    from twin.scene import usd

    typer.echo(usd(found), nl=False)


def _changes(file: Path | None) -> list[Any]:
    if file is None:
        return []
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise BadInput(f"`{file}` is larger than {_LARGEST_FILE} bytes; ask of fewer changes")
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"`{file}` cannot be read as JSON: {error}") from error
    if not isinstance(found, list):
        raise BadInput(f'`{file}` is no list of changes; write for example [{{"kind": "set_metric", …}}]')
    return found
