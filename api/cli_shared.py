"""What the commands share: the options by which one says who and where, and how results are written."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from api.client import Client

Account = Annotated[str | None, typer.Option("--as", metavar="NAME", help="The demo identity to act as.")]
Url = Annotated[str | None, typer.Option(help="Where the server is.", metavar="URL")]
Data = Annotated[Path | None, typer.Option(help="The server's data folder.", metavar="DIR")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]
Because = Annotated[str, typer.Option(help="Why. It becomes part of the record.")]
Network = Annotated[
    str | None,
    typer.Option(help="generated:ELEMENTS, topohub:REFERENCE, file:PATH; to serve also lab:smoke.", metavar="SPEC"),
]
Seed = Annotated[int | None, typer.Option(help="Of everything that is drawn.", min=0)]

_WIDE = 160  # where nobody's window limits it, as in a pipe


def client(account: str | None, url: str | None, data: Path | None, default: str) -> "Client":
    """Return a client; `default` is the demo identity that acts when nobody is named."""
    from api.client import connect
    from api.settings import load

    return connect(load(data=data), account=account, url=url, default_account=default)


def show(view: "RenderableType") -> None:
    """Write a view to standard output; a command that is to be copied is never cut or broken."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDE
    Console(markup=False, emoji=False, highlight=False, width=width).print(view, crop=False)


def write_json(value: Any) -> None:
    """Write data to standard output; every character that a terminal could obey is escaped."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def note(text: str) -> None:
    """Write a line about progress to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def quiet_logs() -> None:
    """Standard output is for results: logs go to standard error, and only those of failures."""
    from api import logs
    from domain.clock import SystemClock

    logs.configure("error", SystemClock())
