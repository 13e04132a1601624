"""Commands that need no server: benches, and tools for networks."""

import json
import sys
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from api.cli_shared import AsJson, note, quiet_logs, show, write_json
from domain.errors import BadInput, NocturneError, NotFound

_BENCHES = "nocturne.benches"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("bench", rich_help_panel="Measure")(bench)
    network = typer.Typer(help="Look at a network, make one, or check a file.", no_args_is_help=True)
    network.command("show")(network_show)
    network.command("generate")(network_generate)
    network.command("check")(network_check)
    app.add_typer(network, name="network", rich_help_panel="Networks")


def bench(
    name: Annotated[str, typer.Argument(help="A bench; or `list`, or `all`.")],
    quick: Annotated[bool, typer.Option("--quick", help="A small version, in under a minute.")] = False,
    data: Annotated[Path | None, typer.Option(help="A folder for what it reads and writes.", metavar="DIR")] = None,
    topology: Annotated[
        Path | None, typer.Option(help="Your own network: nodes and links in JSON, with --demands.", metavar="FILE")
    ] = None,
    demands: Annotated[Path | None, typer.Option(help="Its traffic, in JSON (docs/twin.md).", metavar="FILE")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure something and print the figures beside their baselines."""
    benches = {point.name: point for point in sorted(entry_points(group=_BENCHES), key=lambda point: point.name)}
    if name == "list":
        write_json({"benches": list(benches)}) if as_json else typer.echo("\n".join(benches))
        return
    if name != "all" and name not in benches:
        _fail(NotFound(f"there is no bench `{name}`; the benches are {', '.join(benches)}"), as_json)
    quiet_logs()
    network = {name: file for name, file in (("topology", topology), ("demands", demands)) if file is not None}
    for point in benches.values() if name == "all" else [benches[name]]:
        _run_bench(point, quick, data, network, as_json)


def network_show(
    spec: Annotated[str, typer.Argument(help="generated:ELEMENTS, topohub:REFERENCE or file:PATH.")] = "generated:200",
    seed: Annotated[int, typer.Option(help="Of what is drawn.", min=0)] = 1,
) -> None:
    """Count what a network consists of."""
    from api.networks import inventory_of
    from api.views import reports

    show(reports.inventory(inventory_of(spec, seed)))


def network_generate(
    elements: Annotated[int, typer.Option(help="Nodes and links together.", min=20, max=200_000)] = 200,
    seed: Annotated[int, typer.Option(help="Of what is drawn.", min=0)] = 1,
    out: Annotated[Path | None, typer.Option(help="Write to this file.", metavar="FILE")] = None,
) -> None:
    """Make an operator's network and write it as inventory JSON."""
    from api.networks import inventory_of
    from twin.inventory import dump

    text = json.dumps(dump(inventory_of(f"generated:{elements}", seed)), indent=1) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")


def network_check(file: Annotated[Path, typer.Argument(help="An inventory in JSON.")]) -> None:
    """Check a file, and name what is wrong with it."""
    network_show(f"file:{file}")


def _run_bench(point: EntryPoint, quick: bool, data: Path | None, network: dict[str, Path], as_json: bool) -> None:
    """Run one bench; a bench that measures on networks has the parameters `topology` and `demands`."""
    run = point.load()
    try:
        if not network.keys() <= signature(run).parameters.keys():
            raise BadInput(f"the bench `{point.name}` measures on no network; leave out `--topology` and `--demands`")
        result: dict[str, Any] = run(quick=quick, data=data, progress=note, **network)
    except NocturneError as error:
        _fail(error, as_json)
    if as_json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        from api.views import reports

        show(reports.bench(result))


def _fail(error: NocturneError, as_json: bool) -> NoReturn:
    """End with status 1: as `{code, reason}` on standard output for a program, as one line for a person."""
    if not as_json:
        raise error
    sys.stdout.write(json.dumps(error.body()) + "\n")
    raise typer.Exit(1)
