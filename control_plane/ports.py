"""What the road needs from outside: a ledger, hands, a network, agents. Each is small and named by its role."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from control_plane.tables import Message, Tables
from domain.actions import Action
from domain.agents import AgentCard, Case
from domain.answers import Answer
from domain.diagnosis import Diagnosis, FaultKind
from domain.network import Inventory
from domain.proposals import Draft
from domain.records import Entry, Record

T = TypeVar("T")


@dataclass(frozen=True)
class Written(Generic[T]):
    """What a change leaves behind: its result, the entries for the record, and messages for the outbox."""

    result: T
    entries: tuple[Entry, ...] = ()
    messages: tuple[Message, ...] = ()


Change: TypeAlias = Callable[[Tables], Written[T]]


class Ledger(Protocol):
    """The authority. Every write of the house is one `do`."""

    def do(self, change: Change[T]) -> T:
        """Run `change` in one transaction together with its record entries and outbox messages.

        Returns its result after the commit. Whatever `change` raises rolls everything back and is raised again.

        Raises:
            ValueError: the change wrote to a shelf and gave no entry: nothing is written unrecorded.
            Unavailable: the store cannot be written.
        """

    def read(self, query: Callable[[Tables], T]) -> T:
        """Run `query` on one consistent view. Writing in it raises TypeError."""

    def records(
        self, tenant: str = "default", *, after: int = 0, ref: str | None = None, limit: int | None = None
    ) -> list[Record]:
        """Return the audit chain in stored order, from behind sequence number `after`; `ref`: what mentions it."""

    def due(self, now: datetime, *, lease_s: float = 30.0, limit: int = 256) -> list[Message]:
        """Take messages whose time has come. They are hidden for `lease_s`; unless `done`, they appear again."""

    def done(self, messages: Iterable[Message]) -> None:
        """Forget messages that were dealt with."""

    def next_due(self) -> datetime | None:
        """Return when the earliest message becomes due, or None when there is none."""

    def forget_readings(self, before: datetime) -> int:
        """Drop the batches of readings that became known before a moment; say how many.

        Telemetry is kept for a while; that it was received, and what came of it, stays in the record.
        """

    def close(self) -> None:
        """Let go of the store."""


class Seen(StrEnum):
    """What reading an action back shows."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    ABSENT = "absent"  # certainly never happened
    CANNOT_TELL = "cannot_tell"


class Hands(Protocol):
    """Carries out actions. `keyed` says whether a second sending of the same key is refused by the device itself."""

    keyed: bool

    def takes(self, action: Action) -> bool:
        """Say whether this action is for these hands."""

    def state(self, element: str) -> Mapping[str, str]:
        """Return the element's state as the device shows it. Raises NotFound or Unavailable."""

    def send(self, key: str, action: Action) -> None:
        """Ask for the action; returns when it was accepted, not when it is done.

        Raises:
            Refused: the device said no; nothing happened.
            Unavailable: no answer; it may or may not have happened.
        """

    def look(self, key: str) -> Seen:
        """Read back what became of a key. Never raises for an unreachable device: that is `CANNOT_TELL`."""

    def cancel(self, key: str) -> None:
        """Ask that a pending action not be carried out; `look` tells what came of it."""


@dataclass(frozen=True)
class Feed:
    """What a network has said since a position. Items are raw, untrusted JSON."""

    items: tuple[dict[str, Any], ...]
    position: int


class Network(Hands, Protocol):
    """A network that speaks and acts: the emulated plant, routers, a vendor's controller."""

    def inventory(self) -> Inventory:
        """Return what is declared to be there."""

    def poll(self, after: int, *, wait_s: float = 0.0) -> Feed:
        """Return items behind `after`, waiting up to `wait_s` for one. Raises Unavailable."""

    def history(self) -> Sequence[dict[str, Any]]:
        """Return the readings of before the first position, for baselines (backfill)."""


class Diagnostician(Protocol):
    """Says what is wrong."""

    card: AgentCard

    def diagnose(self, case: Case) -> Diagnosis:
        """Return ranked causes for the case's incident, or `no_fault`, or `cannot_tell`."""


class Planner(Protocol):
    """Says what to do about it."""

    card: AgentCard

    def plan(self, case: Case) -> Draft | None:
        """Return a plan for the case's diagnosis, or None when this agent has nothing to offer."""


class Narrator(Protocol):
    """Answers questions from the record."""

    def __call__(self, question: str) -> Answer:
        """Return sentences that each cite a recorded fact, or a refusal."""


class Past(Protocol):
    """What earlier incidents teach."""

    def self_heal(self, fault: FaultKind) -> float:
        """Return the estimated chance (0–1) that such a fault heals by itself while a plan is verified."""


class Wakes(Protocol):
    """Keeps where a sleeping road stood. Never the authority: losing all of it loses nothing."""

    def saver(self) -> Any:
        """Return a LangGraph checkpoint saver."""
