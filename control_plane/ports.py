"""What the road needs from outside: a ledger, hands, a network, agents. Each is small and named by its role."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from control_plane.horizon import Horizon
from control_plane.tables import Message, Tables
from domain.actions import Action, ActionClass, TrainModel
from domain.agents import AgentCard, Case
from domain.alarms import AlarmReport
from domain.answers import Answer
from domain.diagnosis import Diagnosis, FaultKind
from domain.models import ModelCard, Sight
from domain.network import Inventory
from domain.proposals import Draft
from domain.records import Entry, Record, Redaction, Row
from domain.roster import Notice

T = TypeVar("T")


@dataclass(frozen=True)
class Written(Generic[T]):
    """What a change leaves behind: its result, the entries for the record, and messages for the outbox.

    `redactions` are fields of earlier records that are emptied with it; each needs its entry of kind `REDACTED`.
    """

    result: T
    entries: tuple[Entry, ...] = ()
    messages: tuple[Message, ...] = ()
    redactions: tuple[Redaction, ...] = ()


Change: TypeAlias = Callable[[Tables], Written[T]]


class Ledger(Protocol):
    """The authority. Every write of the house is one `do`."""

    def do(self, change: Change[T]) -> T:
        """Run `change` in one transaction together with its record entries and outbox messages.

        Returns its result after the commit. Whatever `change` raises rolls everything back and is raised again.
        `change` may be run more than once, and only the last time counts: it works on its tables and on nothing else.

        Raises:
            ValueError: the change wrote to a shelf and gave no entry: nothing is written unrecorded.
            NotFound, Conflict: a field that is to be emptied is not there, or empty already.
            Unavailable: the store cannot be written.
        """

    def read(self, query: Callable[[Tables], T]) -> T:
        """Run `query` on one consistent view. Writing in it raises TypeError."""

    def records(
        self, tenant: str = "default", *, after: int = 0, ref: str | None = None, limit: int | None = None
    ) -> list[Record]:
        """Return the audit chain in stored order, from behind sequence number `after`; `ref`: what mentions it."""

    def rows(self, tenant: str = "default", *, after: int = 0, limit: int | None = None) -> list[Row]:
        """Return what `records` does, byte for byte as it is stored: for verifying, which trusts no reader."""

    def tip(self, tenant: str = "default") -> tuple[int, str]:
        """Return sequence number and hash of the last record; of an empty chain, 0 and the hash it begins with."""

    def tenants(self) -> list[str]:
        """Return the tenants that have a chain, in order."""

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

    def __call__(self, question: str, horizon: Horizon) -> Answer:
        """Return sentences that each cite a recorded fact within the horizon, or a refusal."""


class Past(Protocol):
    """What earlier incidents teach."""

    def self_heal(self, fault: FaultKind) -> float:
        """Return the estimated chance (0–1) that such a fault heals by itself while a plan is verified."""

    def recovery(self, action_class: ActionClass) -> Sequence[float]:
        """Return the seconds that the newest plans of this class took from first step to recovery, oldest first."""


class KeptModel(NamedTuple):
    """A trained artefact (safetensors bytes), its card, and the signature of the house that registered it."""

    card: ModelCard
    artefact: bytes
    signature: str


class Messenger(Protocol):
    """Carries notices to people. What it carries is kept already; it may be asked to carry the same one twice."""

    def send(self, notice: Notice) -> None:
        """Send one notice out. Raises Unavailable when it cannot be sent now: it is tried again."""


class ModelStore(Protocol):
    """Keeps trained artefacts: tensors without code. Nothing comes out of it unverified."""

    def put(self, card: ModelCard, artefact: bytes) -> KeptModel:
        """Keep a version and sign its card; keeping the same once more changes nothing.

        Raises:
            BadInput: the artefact is not the one that the card describes, or is anything but tensors.
            Conflict: another artefact or card has this version.
            Unavailable: it cannot be written; nothing half-written is ever found.
        """

    def get(self, version: str) -> KeptModel:
        """Return a version whose hash, signature and format were checked just now.

        Raises:
            NotFound: there is no such version.
            Refused: it is not what was registered; the reason says what is wrong.
            Unavailable: it cannot be read.
        """

    def versions(self) -> list[str]:
        """Return the ids of the kept versions, sorted."""


class Ranking(NamedTuple):
    """What a version says of the candidates of a case: element → logit, higher is likelier."""

    version: str
    scores: Mapping[str, float]


class Rankers(Protocol):
    """Asks trained rankers. A slot's version is loaded when it is first asked, through the store."""

    def ask(self, version: str, sight: Sight) -> Ranking:
        """Return what one registered version says of a pinned case.

        Raises:
            NotFound, Refused, Unavailable: as `ModelStore.get`.
            BadInput: the case is of another network than the one at hand.
        """


class Trainer(Protocol):
    """Trains a version. Deterministic: the same action on the same network gives the same tensors."""

    def train(self, action: TrainModel, *, stop: Callable[[], bool]) -> tuple[ModelCard, bytes]:
        """Return card and artefact (safetensors bytes). Takes seconds to minutes; ends early when `stop` says so.

        Raises:
            BadInput: the recipe is not known.
            Gone: it was stopped.
        """


class Monitor(Protocol):
    """Watches the models that serve."""

    card: AgentCard

    def reports(self, slot: str, at: datetime) -> Sequence[AlarmReport]:
        """Return what there is to say of a slot's versions now: an alarm raised or cleared for each."""


@dataclass(frozen=True)
class Models:
    """What the road needs where a model is in trouble: hands on the slots, rankers to ask, an agent that watches."""

    slots: Hands
    rankers: Rankers
    monitor: Monitor


class Wakes(Protocol):
    """Keeps where a sleeping road stood. Never the authority: losing all of it loses nothing."""

    def saver(self) -> Any:
        """Return a LangGraph checkpoint saver."""
