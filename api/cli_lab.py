"""Commands for the lab: four real routers on this machine, a smoke test on them, and hands that make mistakes."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from api.cli_shared import AsJson, note, quiet_logs, show, write_json
from api.views.text import plain
from domain.errors import Unavailable

_TERMINATED = 128 + signal.SIGTERM

Router = Annotated[str, typer.Argument(help="A router of the lab.")]
Interface = Annotated[str, typer.Argument(help="One of its interfaces.")]
Lab = Annotated[str | None, typer.Option("--lab", help="Which lab, where several run.", metavar="ID")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    lab = typer.Typer(help="Real routers (FRR) in network namespaces of this machine.", no_args_is_help=True)
    lab.command("smoke")(smoke)
    lab.command("break")(break_interface)
    lab.command("mend")(mend_interface)
    app.add_typer(lab, name="lab", rich_help_panel="Networks")


def smoke(as_json: AsJson = False) -> None:
    """Play one mistake on real routers, from the first alarm to the verified repair. Needs root and FRR."""
    quiet_logs()
    from adapters.network.lab.daemons import missing

    if reason := missing():
        _skip(reason)
        return
    from api.lab import run

    say = note if as_json else typer.echo
    with _ended_by_sigterm():
        report = run(tell=lambda step, text: say(f"{plain(step):<12} {plain(text)}"))
    if as_json:
        write_json(report)
    else:
        from api.views import lab, reports

        show(reports.story(report))
        show(lab.smoke(report["lab"]))
    if report["outcome"] != "restored" or not report["audit"]["verified"]:
        raise typer.Exit(1)


def break_interface(router: Router = "r1", interface: Interface = "eth-r2", lab: Lab = None) -> None:
    """Shut an interface of the lab that runs, as a mistaken hand would."""
    from api.lab import configure

    configure(router, [f"interface {interface}", "shutdown"], lab)
    typer.echo(f"{plain(interface)} of {plain(router)} is shut")


def mend_interface(router: Router = "r1", interface: Interface = "eth-r2", lab: Lab = None) -> None:
    """Open an interface of the lab that runs, by hand."""
    from api.lab import configure

    configure(router, [f"interface {interface}", "no shutdown"], lab)
    typer.echo(f"{plain(interface)} of {plain(router)} is open")


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Have SIGTERM unwind the stack, so that the lab is ended on the way out."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _skip(reason: str) -> None:
    """Say why there is nothing to play; where every service must be there, that is a failure."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        raise Unavailable(f"no lab can run here, and REQUIRE_SERVICES=1: {reason}")
    note(f"skipped: {reason}")
