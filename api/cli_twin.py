"""Commands of the twin: what it believes, what would follow, and its state for outside viewers."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from api import cli_twin_files
from api.cli_shared import Account, AsJson, Data, Url, client, show, write_json
from domain.errors import BadInput

_VIEWER = "viewer"
_LARGEST_FILE = 1 << 20

At = Annotated[str | None, typer.Option(metavar="TIME", help="A past moment, for example 2026-01-31T12:00:00Z.")]

twin = typer.Typer(
    help="The twin of the network: look at it, ask what would follow. Nothing here changes anything.",
    no_args_is_help=True,
)


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
        list[str] | None,
        typer.Option(
            metavar="ELEMENT",
            help="What fails: a node, link, interface or shared-risk group; may be given several times.",
        ),
    ] = None,
    changes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Other changes, as a JSON list of typed changes.")
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(metavar="HOURS", help="How long it has been so, for batteries; else until they are empty."),
    ] = None,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="Let links drop out that are far too full, round by round.")
    ] = False,
    at: At = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Say what would follow if something failed or were different. Nothing is changed."""
    if hours is not None and not (math.isfinite(hours) and hours >= 0):
        raise BadInput(f"`--hours` takes a number of hours from 0 on, not {hours}; give another")
    if not fail and changes is None:
        raise BadInput("name what fails with `--fail ELEMENT`, or what is different with `--changes FILE`")
    body = {"fail": fail or [], "changes": _changes(changes), "at": at, "hours": hours, "cascade": cascade}
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
    found = cli_twin_files.json_of(file, _LARGEST_FILE)
    if not isinstance(found, list):
        raise BadInput(
            f"`{file}` is no list of changes; write for example "
            '[{"kind": "set_metric", "link": "link:core-1--core-2", "metric": 50}]'
        )
    return found
