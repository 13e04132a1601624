"""Models without tensors: a version is a name and how often it is right. For tests of the road, not of the ranker."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from control_plane.ports import KeptModel, Ledger, Ranking, Written
from control_plane.tables import Tables
from domain.actions import TrainModel
from domain.errors import Gone, NotFound, Refused
from domain.models import DIAGNOSIS_SLOT, ModelCard, ModelOutcome, ModelStatus, ModelVersion, Sight
from domain.records import Entry

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
TRUE, FALSE = "tp:a-b", "tp:c-d"
WORN, FRESH, BAD = "mv_worn", "mv_fresh", "mv_bad"


def card_of(version: str, *, error: float = 0.2) -> ModelCard:
    return ModelCard(
        version=version,
        slot=DIAGNOSIS_SLOT,
        recipe="quick",
        features=("trouble",),
        parameters={"steps": 1},
        seed=1,
        trained_on="nothing: it is scripted",
        training_data_hash="0" * 64,
        code="0" * 64,
        metrics={"error": error},
        owner="operator",
        made_at=NOON,
        artefact_sha256=hashlib.sha256(version.encode()).hexdigest(),
        artefact_bytes=len(version),
    )


def sight() -> Sight:
    return Sight(inventory_digest="0" * 64, trouble={TRUE: 1.0}, candidates=(TRUE, FALSE))


def version_of(version: str, status: ModelStatus, *, error: float = 0.2) -> ModelVersion:
    card = card_of(version, error=error)
    return ModelVersion(id=version, slot=DIAGNOSIS_SLOT, status=status, card=card, signature="signed", since=NOON)


def outcome_of(number: int, version: str, at: datetime, *, right: bool) -> ModelOutcome:
    return ModelOutcome(
        id=f"exec_{number:04d}",
        slot=DIAGNOSIS_SLOT,
        version=version,
        incident_id=f"inc_{number:04d}",
        diagnosis_id=f"diag_{number:04d}",
        predicted=TRUE if right else FALSE,
        confirmed=TRUE,
        right=right,
        sight=sight(),
        known_time=at,
    )


@dataclass
class ScriptedStore:
    """Keeps names. `damaged` cannot be verified."""

    kept: dict[str, KeptModel] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)

    def put(self, card: ModelCard, artefact: bytes) -> KeptModel:
        return self.kept.setdefault(card.version, KeptModel(card, artefact, "signed"))

    def get(self, version: str) -> KeptModel:
        if version not in self.kept:
            raise NotFound(f"there is no version `{version}`")
        if version in self.damaged:
            raise Refused(f"the file of `{version}` is not what was registered: its hash differs")
        return self.kept[version]

    def versions(self) -> list[str]:
        return sorted(self.kept)


@dataclass
class ScriptedRankers:
    """Asks a version: the ones in `right` name the true cause first, unless the store cannot verify them."""

    store: ScriptedStore
    right: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def ask(self, version: str, sight: Sight) -> Ranking:
        self.store.get(version)
        self.asked.append(version)
        knows = version in self.right
        return Ranking(version, {TRUE: float(knows), FALSE: float(not knows)})


@dataclass
class ScriptedTrainer:
    """Makes a name, and says of it what it is told to."""

    error: float = 0.1
    broken: bool = False
    wait: Callable[[], None] = lambda: None
    trained: list[str] = field(default_factory=list)
    made: Callable[[str], None] = lambda _version: None

    def train(self, action: TrainModel, stop: Callable[[], bool]) -> tuple[ModelCard, bytes]:
        self.trained.append(action.version)
        self.wait()
        if stop():
            raise Gone("the training was stopped")
        if self.broken:
            raise ValueError("a loss that is not a number")
        self.made(action.version)
        return card_of(action.version, error=self.error), action.version.encode()


def register(ledger: Ledger, store: ScriptedStore, *versions: ModelVersion) -> None:
    """Put versions into the store and the registry."""

    def change(tables: Tables) -> Written[None]:
        tables.model_versions.add(*versions)
        refs = tuple(version.id for version in versions)
        return Written(None, (Entry(kind="model.version.registered", actor="test", refs=refs, event_time=NOON),))

    for version in versions:
        store.put(version.card, version.id.encode())
    ledger.do(change)


def record(ledger: Ledger, *outcomes: ModelOutcome) -> None:
    """Put outcomes on the shelf."""

    def change(tables: Tables) -> Written[None]:
        tables.model_outcomes.add(*outcomes)
        refs = tuple(outcome.id for outcome in outcomes)
        return Written(None, (Entry(kind="verify.model.scored", actor="test", refs=refs, event_time=NOON),))

    ledger.do(change)
