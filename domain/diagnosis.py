"""Diagnosis: ranked causes, how sure, the path from cause to each symptom, and what could not be checked."""

from enum import StrEnum

from pydantic import Field

from domain.base import Stored, Utc, Word
from domain.changes import Change
from domain.models import Opinion


class Verdict(StrEnum):
    CAUSE = "cause"
    NO_FAULT = "no_fault"
    CANNOT_TELL = "cannot_tell"


class FaultKind(StrEnum):
    """What can be wrong with an element, as far as we tell faults apart."""

    INTERFACE_LOCKED = "interface_locked"  # configured down, by mistake
    LINK_DOWN = "link_down"  # no light: fibre, optics, radio path
    LINK_DEGRADED = "link_degraded"  # up, and losing traffic
    CONGESTION = "congestion"  # more traffic than capacity
    PROCESS_HUNG = "process_hung"  # the box is there, its control process is not
    NODE_DOWN = "node_down"
    POWER_LOST = "power_lost"
    CELL_LOCKED = "cell_locked"
    CELL_SLEEPING = "cell_sleeping"  # up by its own word, and serving nobody
    MODEL_DRIFT = "model_drift"  # a model errs more often than its card says
    AUTONOMY_EARNED = "autonomy_earned"  # no fault: an agent has shown that it may do more by itself
    SERVICE_ORDERED = "service_ordered"  # no fault: a customer's wish
    UNKNOWN = "unknown"


class CausalPath(Word):
    """From the cause to one symptom, element by element; each hop rests on a declared dependency or link."""

    symptom: str
    elements: tuple[str, ...]
    evidence_ids: tuple[str, ...] = ()


class Counterfactual(Word):
    """Had the cause not been there: which symptoms would not be, by the causal model."""

    statement: str
    explained_share: float = Field(ge=0, le=1)
    symptoms_gone: tuple[str, ...] = ()
    symptoms_left: tuple[str, ...] = ()


class Cause(Word):
    """One candidate. `confidence` is a probability over the candidates and "something else"."""

    element: str
    fault: FaultKind
    confidence: float = Field(ge=0, le=1)
    scores: dict[str, float] = {}
    hypothesis: tuple[Change, ...] = Field(default=(), description="the fault as an overlay for the twin")
    paths: tuple[CausalPath, ...] = ()
    evidence_ids: tuple[str, ...] = ()
    counterfactual: Counterfactual | None = None
    refutation: str = ""


class Diagnosis(Stored):
    incident_id: str
    revision: int
    verdict: Verdict
    causes: tuple[Cause, ...] = ()
    candidate_set: tuple[str, ...] = Field(default=(), description="smallest set holding `level` of the confidence")
    level: float = 0.9
    not_checked: tuple[str, ...] = ()
    degraded_by: tuple[str, ...] = Field(default=(), description="sources that were silent")
    baselines: dict[str, tuple[str, ...]] = {}
    opinion: Opinion | None = Field(default=None, description="what the learned ranker said by itself")
    provisional: bool = True
    made_by: str
    made_at: Utc
    oldest_evidence: Utc | None = None
    seconds: dict[str, float] = {}

    @property
    def top(self) -> Cause | None:
        """The likeliest cause, or None when the verdict names none."""
        return self.causes[0] if self.verdict is Verdict.CAUSE and self.causes else None
