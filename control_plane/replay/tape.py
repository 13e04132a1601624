"""A tape of what was heard from the changing world while a result was made, and playing it back.

Whatever is asked of the world on the way to a diagnosis, a plan or a rehearsal goes through `heard`. While a tape
records, the answer is noted; while one plays, the answer comes from the tape and the world is not asked. Otherwise
`heard` only asks. What follows from the answers is computed, never taped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from control_plane.ports import Models
from control_plane.replay.codec import decode, encode
from control_plane.road import Road
from domain.errors import Conflict, NocturneError
from twin.snapshot import Snapshot

T = TypeVar("T")

#: Parts of a part that are asked, too, rather than read as they are.
_PARTS = frozenset({"twin"})


@dataclass
class Recording:
    """What was heard so far: name and answer of each question in order, and the snapshots among the answers."""

    cells: list[list[Any]] = field(default_factory=list)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)


@dataclass
class Playing:
    """A tape that is played: its cells, and the snapshots that they name by digest."""

    cells: Sequence[Sequence[Any]]
    snapshots: Mapping[str, Snapshot]
    position: int = 0

    def next(self, name: str) -> Any:
        """Return the next answer.

        Raises:
            Conflict: something else was asked here when the tape was made.
        """
        if self.position >= len(self.cells) or self.cells[self.position][0] != name:
            known = self.cells[self.position][0] if self.position < len(self.cells) else "nothing more"
            raise Conflict(f"the tape holds `{known}` where `{name}` is asked; this program reads other things")
        answer = self.cells[self.position][1]
        self.position += 1
        return decode(answer, self.snapshots)


_TAPE: ContextVar[Recording | Playing | None] = ContextVar("tape", default=None)


@contextmanager
def recording() -> Iterator[Recording]:
    """Record what is heard in the block by this thread."""
    tape = Recording()
    token = _TAPE.set(tape)
    try:
        yield tape
    finally:
        _TAPE.reset(token)


@contextmanager
def playing(cells: Sequence[Sequence[Any]], snapshots: Mapping[str, Snapshot]) -> Iterator[Playing]:
    """Answer from a tape in the block. Raises Conflict when the block left a part of it unheard."""
    tape = Playing(cells, snapshots)
    token = _TAPE.set(tape)
    try:
        yield tape
    finally:
        _TAPE.reset(token)
    if tape.position < len(tape.cells):
        raise Conflict(f"`{tape.cells[tape.position][0]}` was asked when the tape was made, and is not any more")


def heard(name: str, ask: Callable[[], T]) -> T:
    """Return the answer of the world, or of the tape that plays; note it on the tape that records.

    What `ask` raises of our own errors is an answer, too: it is noted, and raised again. What is asked on the way to an
    answer is a part of it, and not noted by itself.
    """
    tape = _TAPE.get()
    if isinstance(tape, Playing):
        answer: T | NocturneError = tape.next(name)
        if isinstance(answer, NocturneError):
            raise answer
        return answer
    if tape is None:
        return ask()
    token = _TAPE.set(None)
    try:
        found = ask()
    except NocturneError as error:
        tape.cells.append([name, encode(error)])
        raise
    finally:
        _TAPE.reset(token)
    if isinstance(found, Snapshot):
        tape.snapshots[found.digest] = found
    tape.cells.append([name, encode(found)])
    return found


class Heard:
    """Stands before a part of the world: calls go through `heard`; what is no call is read as it is."""

    def __init__(self, name: str, part: Any) -> None:
        self._name, self._part = name, part

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        path = f"{self._name}.{name}"
        if name in _PARTS:
            return Heard(path, value)
        if not callable(value):
            return value
        return lambda *args, **named: heard(path, lambda: value(*args, **named))


def heard_from(name: str, part: Any) -> Any:
    """Return a part of the world to be asked through `heard`, unless it sees to that itself (`self_taped`)."""
    return part if getattr(part, "self_taped", False) is True else Heard(name, part)


def listening(road: Road) -> Road:
    """Return the road with everything that changes by itself asked through `heard`; rankers are asked as they are."""
    models = road.models
    live: Any = Heard("live", road.live)
    return replace(
        road,
        ledger=Heard("ledger", road.ledger),
        live=live,
        past=Heard("past", road.past),
        clock=Heard("clock", road.clock),
        network=Heard("network", road.network),
        hands=tuple(Heard(f"hands{place}", hands) for place, hands in enumerate(road.hands)),
        models=Models(Heard("slots", models.slots), models.rankers, models.monitor) if models else None,
    )
