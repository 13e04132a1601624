"""`nocturne`: the command line. `nocturne --help` is its table of contents.

A command loads what it needs when it is called, so that `--help` and a mistyped word answer at once.
"""

import os
import sys

import typer
from typer.core import TyperGroup

from api import (
    cli_accounts,
    cli_approvals,
    cli_audit,
    cli_autonomy,
    cli_decide,
    cli_guards,
    cli_lab,
    cli_login,
    cli_look,
    cli_orders,
    cli_policy,
    cli_replay,
    cli_roster,
    cli_run,
    cli_store,
    cli_tools,
    cli_train,
    cli_twin,
)
from api.threads import limit_threads
from api.views.text import plain
from domain.errors import NocturneError

_PANELS = ("Run", "Look", "Decide", "Declare", "Accounts", "Prove", "Measure", "Networks", "Models")


class _Contents(TyperGroup):
    """Lists what is there in the order of a working day, not groups after commands."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # typer's own Context is click's
        panel = {name: getattr(command, "rich_help_panel", "") for name, command in self.commands.items()}
        return sorted(super().list_commands(ctx), key=lambda name: _PANELS.index(panel[name]))


app = typer.Typer(
    name="nocturne",
    cls=_Contents,
    help="From an alarm to a verified, audited repair.",
    epilog="Settings: NOCTURNE_DATA, NOCTURNE_PORT, NOCTURNE_NETWORK, NOCTURNE_TOKEN and others; see api/settings.py.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for room in (
    cli_audit,
    cli_run,
    cli_store,
    cli_look,
    cli_decide,
    cli_tools,
    cli_lab,
    cli_train,
    cli_twin,
    cli_replay,
    cli_roster,
    cli_policy,
    cli_guards,
    cli_login,
    cli_accounts,
    cli_approvals,
    cli_autonomy,
    cli_orders,
):
    room.add_to(app)


def main() -> None:
    """Run the command line. An expected error is one line on standard error, and exit status 1."""
    limit_threads()
    try:
        app()
    except NocturneError as error:
        sys.stderr.write(f"nocturne: {plain(error.reason, 2000)}\n")
        sys.exit(1)
    except BrokenPipeError:  # who read our output has gone, for example `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
