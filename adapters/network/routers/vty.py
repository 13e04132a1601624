"""Speaks to one router through `vtysh`, with a time limit, and believes only whole answers."""

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from adapters.network.routers.access import Access
from domain.errors import Refused, Unavailable

TIMEOUT_S = 5.0
_RUNNING_BEGINS, _RUNNING_ENDS = "Building configuration...", "\nend"
_MOST_SAID = 300


class Garbled(Unavailable):
    """The router answered, and the answer is not whole; none of it is used."""

    code = "garbled"


class Said(NamedTuple):
    """What came out of one run of `vtysh`."""

    status: int
    out: str
    err: str = ""


Run = Callable[[Sequence[str], str | None, float], Said]


def run(words: Sequence[str], text: str | None, timeout_s: float) -> Said:
    """Run a program to its end. Raises OSError or TimeoutError."""
    try:
        done = subprocess.run(  # noqa: S603  # our own words, as a list
            words, input=text, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise TimeoutError(f"no answer within {timeout_s:g} s") from late
    return Said(done.returncode, done.stdout, done.stderr)


class Vty:
    """One router's command line. Safe to use from several threads: each call is a process of its own."""

    def __init__(self, access: Access, *, timeout_s: float = TIMEOUT_S, run: Run = run) -> None:
        self.access, self._timeout_s, self._run = access, timeout_s, run

    @property
    def name(self) -> str:
        return self.access.name

    def show(self, *commands: str, daemon: str | None = None) -> list[dict[str, Any]]:
        """Return the JSON answers to some `show … json` commands, in order; with `daemon`, only that one is asked.

        Raises:
            Garbled: an answer is broken, missing, or not an object.
            Unavailable: the router, or one of its daemons, does not answer.
        """
        only = ["--daemon", daemon] if daemon else []
        said = self._ask([*only, *_each(commands)])
        answers, rest = _documents(said.out)
        if said.status or rest:
            raise self._failure(said, rest)
        if len(answers) != len(commands):
            raise Garbled(f"{self.name} gave {len(answers)} answers to {len(commands)} questions; ask again")
        return answers

    def running(self, *needed: str) -> str:
        """Return the running configuration, whole; `needed` are the daemons whose part of it matters.

        A daemon that is gone leaves its part out without a word, so the router is asked who contributes.

        Raises:
            Garbled: it breaks off.
            Unavailable: the router, or a daemon that is needed, does not answer.
        """
        said = self._ask(_each(["show daemons", "show running-config"]))
        daemons, _, text = said.out.strip().partition("\n")
        if said.status or not text.startswith(_RUNNING_BEGINS):
            raise self._failure(said, said.out)
        if gone := [name for name in needed if name not in daemons.split()]:
            raise Unavailable(f"{self.name} does not answer: {gone[0]} is not running; see that its daemons run")
        if not text.endswith(_RUNNING_ENDS):
            raise Garbled(f"the configuration of {self.name} breaks off in the middle; ask again")
        return text

    def check(self, lines: Sequence[str]) -> None:
        """Have lines of configuration parsed and not carried out.

        Raises:
            Refused: they are no configuration; the reason holds the router's words.
            Unavailable: nobody can tell.
        """
        said = self._ask(["--dryrun", "--inputfile", "/dev/stdin"], "\n".join(lines) + "\n")
        if said.status:
            raise Refused(f"{self.name} would not take this configuration: {_words(said) or 'it gave no reason'}")

    def configure(self, lines: Sequence[str]) -> None:
        """Carry out lines of configuration, in order; the first that is refused ends it, those before it stay.

        Raises:
            Refused: the router said no to a line; the reason holds its words.
            Unavailable: no answer; any of them may have been carried out.
        """
        said = self._ask(_each(["configure terminal", *lines]))
        if _silent(said):
            raise self._failure(said, said.out)
        if said.status or said.out.strip().startswith("%"):
            raise Refused(f"{self.name} refused: {_words(said) or 'it gave no reason'}")

    def _ask(self, words: Sequence[str], text: str | None = None) -> Said:
        folder = str(self.access.sockets)
        try:
            return self._run(["vtysh", "--vty_socket", folder, "--config_dir", folder, *words], text, self._timeout_s)
        except OSError as error:  # a TimeoutError is one
            raise Unavailable(f"{self.name} does not answer: {error}; see that the router runs") from error

    def _failure(self, said: Said, rest: str) -> Unavailable:
        if _silent(said):
            return Unavailable(f"{self.name} does not answer: {_words(said)}; see that its daemons run")
        return Garbled(f"{self.name} gave a broken answer (`{rest.strip()[:80]}`); none of it is used, ask again")


def _each(commands: Sequence[str]) -> list[str]:
    return [word for command in commands for word in ("-c", command)]


def _silent(said: Said) -> bool:
    """Say whether a daemon was not there to answer."""
    told = f"{said.out}\n{said.err}"
    return "is not running" in told or "failed to connect" in told


def _words(said: Said) -> str:
    """Return a router's words in one line."""
    lines = [line.strip() for line in f"{said.err}\n{said.out}".splitlines() if line.strip()]
    told = [line for line in lines if "%" in line] or lines
    return "; ".join(told)[:_MOST_SAID]


def _documents(text: str) -> tuple[list[dict[str, Any]], str]:
    """Return the JSON objects that a text consists of, and what is left where that ends."""
    reader, at = json.JSONDecoder(parse_constant=_no_number), 0
    found: list[dict[str, Any]] = []
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            value, at = reader.raw_decode(text, at)
        except (ValueError, RecursionError):
            return found, text[at:]
        if not isinstance(value, dict):
            return found, str(value)
        found.append(value)
    return found, ""


def _no_number(name: str) -> float:
    raise ValueError(f"`{name}` is no number")
