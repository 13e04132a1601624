"""Models and their versions: what a slot serves, what it was made of, and how it did when the truth came out.

A slot is a place on the road where a model is asked (`model:diagnosis`: the ranker of candidate causes). A version is
one trained artefact: tensors without code, described by its card. A slot serves at most one version.
"""

from enum import StrEnum

from pydantic import Field

from domain.base import Stored, Utc, Word
from domain.errors import IllegalMove

#: What a version's id looks like; it names a folder, so nothing else is let near a path.
VERSION = r"^mv_[0-9a-z]{1,64}$"
#: The slot of the ranker of candidate causes.
DIAGNOSIS_SLOT = "model:diagnosis"


class ModelStatus(StrEnum):
    DEVELOPMENT = "development"  # trained, and nobody has asked for it
    STAGING = "staging"  # a candidate
    PRODUCTION = "production"  # what the slot serves
    ARCHIVED = "archived"


_S = ModelStatus
TRANSITIONS: dict[ModelStatus, frozenset[ModelStatus]] = {
    _S.DEVELOPMENT: frozenset({_S.STAGING, _S.ARCHIVED}),
    _S.STAGING: frozenset({_S.PRODUCTION, _S.ARCHIVED}),
    _S.PRODUCTION: frozenset({_S.STAGING, _S.ARCHIVED}),
    _S.ARCHIVED: frozenset({_S.STAGING}),
}


class ModelCard(Word):
    """Everything that a trained artefact was made of. The same card, trained again, gives the same tensors."""

    version: str = Field(pattern=VERSION)
    slot: str = Field(min_length=1, max_length=64)
    recipe: str = Field(min_length=1, max_length=64)
    features: tuple[str, ...]
    parameters: dict[str, int | float | str] = Field(description="hyper-parameters, by name")
    seed: int = Field(ge=0)
    trained_on: str = Field(description="what the training cases are, in words")
    training_data_hash: str = Field(description="SHA-256 over the training cases")
    code: str = Field(description="SHA-256 of the source that trained it")
    metrics: dict[str, float] = Field(description="on cases that were held out; `error` is the share of wrong answers")
    owner: str
    parent: str = ""
    residency: str = "default"
    made_at: Utc
    artefact_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    artefact_bytes: int = Field(ge=0)


class ModelVersion(Stored):
    """The registry's row of a version (its id). Every move is also a record of the audit chain."""

    slot: str
    status: ModelStatus
    card: ModelCard
    signature: str = Field(description="Ed25519 over the canonical card, hexadecimal")
    since: Utc

    def moved(self, to: ModelStatus, at: Utc) -> "ModelVersion":
        """Return this version in another status. Raises IllegalMove when the life of a version has no such step."""
        if to not in TRANSITIONS[self.status]:
            raise IllegalMove(f"version `{self.id}` is in {self.status}; it cannot become {to}")
        return self.but(status=to, since=at)


class MoveState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ModelMove(Stored):
    """One thing that was asked of a slot; the id is the idempotency key of the action. Together: the slot's history."""

    slot: str
    kind: str
    version: str
    previous: str = ""
    state: MoveState
    note: str = ""
    asked_at: Utc
    settled_at: Utc | None = None


class Sight(Word):
    """What the ranker reads of a case, pinned so that another version can be asked the same question later."""

    inventory_digest: str
    trouble: dict[str, float] = Field(description="element → 0..1; what is not named shows none")
    silent: tuple[str, ...] = ()
    healthy: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()


class Opinion(Word):
    """What a slot's version said of a case by itself, before anything else was weighed with it."""

    slot: str
    version: str
    ranked: tuple[str, ...] = Field(description="elements, the likeliest first, at most ten")
    sight: Sight


class ModelOutcome(Stored):
    """An opinion held against what was found to be the cause; the id is the execution that proved it."""

    slot: str
    version: str
    incident_id: str
    diagnosis_id: str
    predicted: str
    confirmed: str
    right: bool
    sight: Sight
    known_time: Utc


class ModelTrial(Word):
    """Two versions asked the same recorded cases, of which the truth is known."""

    slot: str
    serving: str
    candidate: str
    cases: int = Field(ge=0)
    serving_errors: int = Field(ge=0)
    candidate_errors: int = Field(ge=0)
    chance_better: float = Field(ge=0, le=1, description="posterior chance that the candidate errs less often")
