"""Commands of the twin that need no server: configurations and load histories in files, on a network that is named."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import typer

from api.cli_shared import AsJson, note, show, write_json
from domain.errors import BadInput

_BLOCKED = 1
_LARGEST_FILE = 64 << 20

Network = Annotated[str, typer.Option(help="generated:ELEMENTS, topohub:REFERENCE or file:PATH.")]
Seed = Annotated[int, typer.Option(help="Of what is drawn.", min=0)]


def add_to(twin: typer.Typer) -> None:
    """Add these commands to those of the twin."""
    for command in (check, config, capacity):
        twin.command(command.__name__)(command)


def check(
    file: Annotated[Path, typer.Argument(metavar="CONFIG", help="The configuration that is to be pushed.")],
    against: Annotated[Path | None, typer.Option(metavar="FILE", help="The configuration that is in force.")] = None,
    order: Annotated[list[str] | None, typer.Option(help="Routers in the order of their pushes; one each.")] = None,
    max_routers: Annotated[int, typer.Option(help="How many routers one push may touch.", min=1)] = 10,
    network: Network = "generated:200",
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Check a configuration before it is pushed: findings with their lines, a safe order, the difference."""
    from api.networks import inventory_of
    from api.views.configuration import report_view
    from domain.configuration import PushPolicy
    from twin.configuration import check as checked
    from twin.configuration import parse

    report = checked(
        parse(_text(against)) if against else None,
        parse(_text(file)),
        inventory_of(network, seed),
        PushPolicy(max_routers=max_routers),
        tuple(order) if order else None,
    )
    if as_json:
        write_json(report.model_dump(mode="json") | {"blocks": report.blocks})
    else:
        show(report_view(report, compared=against is not None))
    if report.blocks:
        raise typer.Exit(_BLOCKED)


def config(network: Network = "generated:200", seed: Seed = 1) -> None:
    """Write a configuration that fits a network, to start from."""
    from api.networks import inventory_of
    from twin.configuration import generate, write

    sys.stdout.write(write(generate(inventory_of(network, seed))))


def capacity(
    history: Annotated[Path, typer.Argument(metavar="HISTORY", help="Loads of links or demands over weeks, as JSON.")],
    form: Annotated[str, typer.Option(help="json, or csv: a row for each remedy compared.")] = "json",
    network: Network = "generated:200",
    seed: Seed = 1,
) -> None:
    """Say which links will be too full, by when, and which remedy is worth its cost."""
    from adapters.memory import MemoryLedger
    from agents.capacity import Capacity
    from agents.cards import CARDS
    from api.networks import inventory_of
    from api.strict_json import read
    from control_plane.toolbox import Toolbox
    from domain.clock import SystemClock
    from twin.planning.export import as_csv, as_json
    from twin.planning.history import parse
    from twin.snapshot import Snapshot

    if form not in {"json", "csv"}:
        raise BadInput(f"there is no form `{form}`; choose `json` or `csv`")
    told = read(_text(history).encode())
    if not isinstance(told, dict):
        raise BadInput(f"`{history}` is no load history; it is a JSON object with `slot_minutes`, `ends` and `loads`")
    clock, snapshot = SystemClock(), Snapshot.of(inventory_of(network, seed))
    tools = {"twin": SimpleNamespace(snapshot=lambda: snapshot)}
    agent = Capacity(Toolbox(CARDS["capacity"], tools, MemoryLedger(clock), clock))
    plan = agent.plan(parse(told), clock.now(), progress=note)
    sys.stdout.write(as_csv(plan) if form == "csv" else as_json(plan))


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise BadInput(f"`{file}` is larger than {_LARGEST_FILE >> 20} MiB; ask about less at a time")
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"`{file}` cannot be read: {error}") from error
