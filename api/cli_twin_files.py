"""Commands of the twin on files: configurations before a push, and load histories.

They need no server: the network is named. With `--live` the running house is asked instead, on its own network as it is
believed to be now, and for capacity on what it has measured itself.
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Data, Url, client, note, show, write_json
from domain.errors import BadInput

if TYPE_CHECKING:
    from domain.capacity import CapacityPlan
    from domain.configuration import PushReport

_BLOCKED = 1
_LARGEST_FILE = 64 << 20
_VIEWER = "viewer"
_NETWORK, _SEED = "generated:200", 1

Network = Annotated[
    str, typer.Option(metavar="SPEC", help="On which network: generated:ELEMENTS, topohub:REFERENCE or file:PATH.")
]
Seed = Annotated[int, typer.Option(help="Of what is drawn.", min=0)]
Live = Annotated[bool, typer.Option("--live", help="Ask the running house, on its own network, instead.")]


def add_to(twin: typer.Typer) -> None:
    """Add these commands to those of the twin."""
    for command in (check, config, capacity):
        twin.command(command.__name__)(command)


def check(
    file: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="The configuration to be pushed, as text: see `twin config`.")
    ],
    against: Annotated[Path | None, typer.Option(metavar="FILE", help="The configuration that is in force.")] = None,
    order: Annotated[list[str] | None, typer.Option(help="Routers in the order of their pushes; one each.")] = None,
    max_routers: Annotated[int, typer.Option(help="How many routers one push may touch.", min=1)] = 10,
    network: Network = _NETWORK,
    seed: Seed = _SEED,
    live: Live = False,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Check a configuration before it is pushed: findings with their lines, a safe order, the difference.

    The exit status is 1 where something blocks the push.
    """
    _require_one_network(live, network, seed)
    texts = _text(file), _text(against) if against else None
    if live:
        body = {"configuration": texts[0], "against": texts[1], "order": order or None, "max_routers": max_routers}
        found = client(as_, url, data, _VIEWER).post("/twin/check", body, long=True)
    else:
        report = _checked(*texts, order, max_routers, network, seed)
        found = report.model_dump(mode="json") | {"blocks": report.blocks}
    if as_json:
        write_json(found)
    else:
        from api.views.configuration import found_view

        show(found_view(found, compared=against is not None))
    if found["blocks"]:
        raise typer.Exit(_BLOCKED)


def _require_one_network(live: bool, network: str, seed: int) -> None:
    if live and (network, seed) != (_NETWORK, _SEED):
        raise BadInput(
            "with `--live` the running house is asked on its own network; leave out `--network` and `--seed`"
        )


def _checked(
    text: str, against: str | None, order: list[str] | None, max_routers: int, network: str, seed: int
) -> "PushReport":
    from api.networks import inventory_of
    from domain.configuration import PushPolicy
    from twin.configuration import check as checked
    from twin.configuration import parse

    policy = PushPolicy(max_routers=max_routers)
    before = parse(against) if against is not None else None
    return checked(before, parse(text), inventory_of(network, seed), policy, tuple(order) if order else None)


def config(network: Network = _NETWORK, seed: Seed = _SEED) -> None:
    """Write a configuration that fits a network, to start from."""
    from api.networks import inventory_of
    from twin.configuration import generate, write

    sys.stdout.write(write(generate(inventory_of(network, seed))))


def capacity(
    history: Annotated[
        Path | None,
        typer.Argument(
            metavar="[HISTORY]",
            show_default=False,
            help="Hourly loads of links, interfaces or demands over 12 weeks or more, as JSON: "
            '{"ends": TIME, "slot_minutes": 60, "loads": {ELEMENT: [Mbit/s or null, …]}}.',
        ),
    ] = None,
    form: Annotated[str, typer.Option(metavar="json|csv", help="csv: a row for each remedy compared.")] = "json",
    network: Network = _NETWORK,
    seed: Seed = _SEED,
    live: Live = False,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Say which links will be too full, by when, and which remedy is worth its cost.

    With --live and no HISTORY the running house plans by the loads that it has measured itself.
    """
    from twin.planning.export import as_csv, as_json

    if form not in {"json", "csv"}:
        raise BadInput(f"there is no form `{form}`; choose `json` or `csv`")
    if history is None and not live:
        raise BadInput("name a file with a load history, or ask the running house for its own with `--live`")
    _require_one_network(live, network, seed)
    told = None if history is None else _history(history)
    if told is not None and not live:
        plan = _planned(told, network, seed)
        note("on the network as it is declared; how far a twin would be off is known to a running house (--live)")
        sys.stdout.write(as_csv(plan) if form == "csv" else as_json(plan))
        return
    server = client(as_, url, data, _VIEWER)
    found = server.post("/twin/capacity", {"history": told}, long=True)
    if form == "json":
        write_json(found)
        return
    from api.views.twin import origin
    from domain.capacity import CapacityPlan

    note(origin(found["believed"]))
    sys.stdout.write(as_csv(CapacityPlan.model_validate(found["plan"])))


def _history(file: Path) -> dict[str, Any]:
    told = json_of(file)
    if not isinstance(told, dict):
        raise BadInput(f"`{file}` is no load history; it is a JSON object with `slot_minutes`, `ends` and `loads`")
    return told


def _planned(told: dict[str, Any], network: str, seed: int) -> "CapacityPlan":
    from adapters.memory import MemoryLedger
    from agents.capacity import Capacity
    from agents.cards import CARDS
    from api.networks import inventory_of
    from control_plane.toolbox import Toolbox
    from domain.clock import SystemClock
    from twin.planning.history import parse
    from twin.snapshot import Snapshot

    clock, snapshot = SystemClock(), Snapshot.of(inventory_of(network, seed))
    tools = {"twin": SimpleNamespace(snapshot=lambda: snapshot)}
    agent = Capacity(Toolbox(CARDS["capacity"], tools, MemoryLedger(clock), clock))
    return agent.plan(parse(told), clock.now(), progress=note)


def json_of(file: Path, most: int = _LARGEST_FILE) -> Any:
    """Return what a file of at most so many bytes says in strict JSON. Raises BadInput naming the file."""
    from api.strict_json import read

    text = _text(file, most)
    try:
        return read(text.encode())
    except BadInput as error:
        raise BadInput(f"`{file}`: {error.reason}", code=error.error_code) from error


def _text(file: Path, most: int = _LARGEST_FILE) -> str:
    try:
        with file.open("rb") as opened:
            body = opened.read(most + 1)  # a device says that it is empty, and never ends
        if len(body) > most:
            raise BadInput(f"`{file}` is larger than {most >> 20} MiB; ask about less at a time")
        return body.decode("utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise BadInput(f"`{file}` cannot be read: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"`{file}` is no text in UTF-8 at byte {error.start}; save it as UTF-8") from error
