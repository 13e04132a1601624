"""The commands of the guards: what they send, and what they refuse before they send it."""

from typing import Any

import pytest
from typer.testing import CliRunner

from api import cli_guards
from api.cli import app
from api.cli_guards import _which
from api.views.guards import overview
from domain.errors import BadInput


@pytest.mark.parametrize(
    ("named", "body"),
    [
        ((True, "", ""), {"kind": "all"}),
        ((False, "provisioning", ""), {"kind": "agent", "name": "provisioning"}),
        ((False, "", "ran"), {"kind": "domain", "name": "ran"}),
    ],
)
def test_a_switch_is_of_one_thing(named: tuple[bool, str, str], body: dict[str, str]) -> None:
    assert _which(*named) == body


@pytest.mark.parametrize("named", [(False, "", ""), (True, "provisioning", ""), (False, "a", "b")])
def test_a_switch_of_nothing_or_of_two_things_is_refused(named: tuple[bool, str, str]) -> None:
    with pytest.raises(BadInput, match="--all, --agent NAME or --domain NAME"):
        _which(*named)


@pytest.mark.parametrize("command", ["kill", "release", "close-breaker", "guards"])
def test_the_commands_explain_themselves(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])

    assert result.exit_code == 0
    assert "--json" in result.output


def test_a_switch_needs_a_reason() -> None:
    assert CliRunner().invoke(app, ["kill", "--all"]).exit_code == 2


def test_what_holds_the_plane_back_fits_one_screen_and_shows_nothing_that_a_terminal_obeys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from api.cli_shared import show

    switch = {"id": "default:all:*", "off": True, "changed_at": "now", "by": "operator", "because": "\x1b[2Jstop"}
    found: dict[str, Any] = {"switches": [switch], "breakers": [], "usage": [], "locks": [], "collisions": []}

    show(overview(found | {"window_start": "12:00"}))

    out = capsys.readouterr().out
    assert "OFF" in out
    assert "\x1b[2J" not in out
    assert "Breakers: none" in out


def test_every_command_is_in_the_contents() -> None:
    names = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}

    assert {"kill", "release", "close-breaker", "guards"} <= names
    assert cli_guards.kill.__doc__
