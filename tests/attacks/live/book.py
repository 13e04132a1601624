"""A row of the list as it is played against a running server, and what came of it.

Each row says what an honest client gets (the control) and what an attacker got. A row without a control, or without an
attack, proves nothing and has failed; so has one that broke off.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.attacks.live.site import Site


@dataclass
class Tried:
    """What was tried in one row."""

    number: int | str
    title: str
    honest: int = 0
    tries: int = 0
    through: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def control(self, what: str, worked: bool, seen: object = "") -> None:
        """Note whether what an honest client does has worked, as it must."""
        self.honest += 1
        if not worked:
            self.through.append(f"the honest {what} did not work: {seen}"[:300])

    def attack(self, what: str, stopped: bool, seen: object = "") -> None:
        """Note whether an attack was stopped."""
        self.tries += 1
        if not stopped:
            self.through.append(f"{what}: {seen}"[:300])

    def saw(self, *notes: object) -> None:
        """Note what is worth being read in the table."""
        self.seen += [str(note) for note in notes]

    @property
    def withstood(self) -> bool:
        return bool(self.tries and self.honest) and not self.through

    def row(self) -> dict[str, Any]:
        """Return the row as the table and `--json` show it."""
        nothing = [] if self.tries and self.honest else ["nothing was tried, or nothing honest beside it"]
        return {
            "row": self.number,
            "attack": self.title,
            "tries": self.tries,
            "controls": self.honest,
            "withstood": self.withstood,
            "seen": "; ".join([*self.through[:3], *nothing] or self.seen),
        }


class Row:
    """One attack: its number (a letter for those without one), its words, and how it is made."""

    def __init__(self, number: int | str, title: str, play: "Callable[[Site, Tried], None]") -> None:
        self.number, self.title, self._play = number, title, play

    def played(self, site: "Site") -> Tried:
        """Make the attack. Whatever it breaks off with, it has failed."""
        tried = Tried(self.number, self.title)
        try:
            self._play(site, tried)
        except Exception as error:  # noqa: BLE001  # an attack that broke off has proven nothing, whatever broke it
            tried.through.append(f"it broke off: {type(error).__name__}: {error}"[:300])
        return tried


ROWS: list[Row] = []


def row(number: int | str, title: str) -> "Callable[[Callable[[Site, Tried], None]], None]":
    """Register an attack, in the order in which they are written."""

    def register(play: "Callable[[Site, Tried], None]") -> None:
        ROWS.append(Row(number, title, play))

    return register


def codes(answers: Any) -> str:
    """Return statuses and how often each was given, for the table."""
    given = [answer.status_code for answer in answers]
    return ", ".join(f"{given.count(code)} × {code}" for code in sorted(set(given)))
