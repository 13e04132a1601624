"""Routers that answer what real ones once answered, and change their configuration as they are told.

The answers were captured from the lab. A `Recorded` stands where `vtysh` and `ip` stand; it can fall silent, break
off in the middle of an answer, lose a daemon, or refuse a line.
"""

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.network.routers.access import Reach
from adapters.network.routers.vty import Said

_FOLDER = Path(__file__).parent / "captured"
_RUNNING, _DAEMONS = "show running-config", "show daemons"
_EMPTY = {"show ip ospf database router json": {}}


def reach() -> Reach:
    """Return where the recorded routers are."""
    return Reach.model_validate_json((_FOLDER / "reach.json").read_bytes())


@dataclass
class Router:
    """One router: its answers by question, and what goes wrong with it."""

    answers: dict[str, Any]
    silent: bool = False
    half: bool = False  # its answers break off
    no_ospf: bool = False
    no_static: bool = False
    hangs: threading.Event | None = None  # until when it answers nothing
    refuses: str = ""  # a line that it does not take
    dies_at: str = ""  # a line after which it answers no more
    told: list[str] = field(default_factory=list)

    @property
    def running(self) -> str:
        return "\n".join(self.answers[_RUNNING]) + "\n"


class Recorded:
    """A `Run` over all four routers: `Vty(access, run=recorded)`."""

    def __init__(self) -> None:
        self.routers = {name: Router(_load(name)) for name in ("r1", "r2", "r3", "r4")}
        self.checked: list[str] = []

    def __call__(self, words: Sequence[str], text: str | None, _timeout_s: float) -> Said:
        if "vtysh" not in words:
            name = words[words.index("exec") + 1].rpartition("-")[2]
            return self._counters(self.routers[name])
        name = Path(words[words.index("--vty_socket") + 1]).name
        router = self.routers[name]
        if "--dryrun" in words:
            return self._dry_run(text or "")
        if router.hangs:
            router.hangs.wait(30.0)
        if router.silent:
            raise TimeoutError("no answer within 5 s")
        commands = [words[at + 1] for at, word in enumerate(words) if word == "-c"]
        if commands[0] == "configure terminal":
            return _configure(router, commands[1:])
        return _show(router, commands, only_zebra="--daemon" in words)

    def _counters(self, router: Router) -> Said:
        if router.silent:
            return Said(1, "", "Cannot open network namespace")
        return Said(0, json.dumps(router.answers["ip -s -j link"]))

    def _dry_run(self, text: str) -> Said:
        self.checked += text.splitlines()
        bad = [line for line in text.splitlines() if "nonsense" in line]
        return Said(2, f"line 2: % Unknown command[17]: {bad[0]}\n") if bad else Said(0, "")


def _load(name: str) -> dict[str, Any]:
    answers: dict[str, Any] = _EMPTY | json.loads((_FOLDER / f"{name}.json").read_bytes())
    return answers


def _show(router: Router, commands: list[str], *, only_zebra: bool) -> Said:
    if router.no_ospf and not only_zebra and _RUNNING not in commands:
        return Said(1, "ospfd is not running\n")
    text = {_DAEMONS: _daemons(router), _RUNNING: router.running}
    shown = [text.get(command) or json.dumps(router.answers[command]) for command in commands]
    out = "\n".join(shown)
    return Said(0, out[: len(out) // 2] if router.half else out)


def _daemons(router: Router) -> str:
    gone = {"ospfd": router.no_ospf, "staticd": router.no_static}
    return " " + " ".join(name for name in ("zebra", "ospfd", "staticd") if not gone.get(name))


def _configure(router: Router, lines: list[str]) -> Said:
    """Take lines as vtysh does: the first that is refused ends it, and those before it stay."""
    interface = ""
    for line in lines:
        if router.refuses and line == router.refuses:
            return Said(1, f"% Unknown command: {line}\n")
        router.told.append(line)
        if line.startswith("interface "):
            interface = line
        else:
            _apply(router, interface, line)
        if line == router.dies_at:
            router.silent = True
            raise TimeoutError("no answer within 5 s")
    return Said(0, "")


def _apply(router: Router, interface: str, line: str) -> None:
    """Change the running configuration, and what follows from it."""
    running: list[str] = router.answers[_RUNNING]
    if line in {"shutdown", "no shutdown"}:
        _stanza(running, interface, "shutdown", "shutdown" if line == "shutdown" else "")
        up = "down" if line == "shutdown" else "up"
        router.answers["show interface json"][interface.split()[1]]["administrativeStatus"] = up
    elif "ip ospf cost" in line:
        _stanza(running, interface, "ip ospf cost", "" if line.startswith("no ") else line)
    elif line.startswith("ip route"):
        running.insert(running.index("!"), line)
    elif line.startswith("no ip route") and line.removeprefix("no ") in running:
        running.remove(line.removeprefix("no "))


def _stanza(running: list[str], interface: str, what: str, line: str) -> None:
    """Put a line into an interface's stanza, in FRR's order, in place of the one that begins with `what`."""
    begin = running.index(interface)
    end = running.index("exit", begin)
    kept = [old for old in running[begin + 1 : end] if not re.match(rf" {what}\b", old)]
    own = [old for old in kept if not old.startswith((" link-params", "  ", " exit-link-params"))]
    rest = [old for old in kept if old not in own]
    running[begin + 1 : end] = [*sorted([*own, f" {line}"] if line else own), *rest]
