"""Executions: a granted plan being carried out, step by step, and what came of it."""

from enum import StrEnum

from domain.actions import Action
from domain.base import Stored, Utc, Word
from domain.gate import RightKind
from domain.incidents import Resolution


class StepState(StrEnum):
    INTENDED = "intended"  # committed, perhaps sent, not yet known to be done
    DONE = "done"
    FAILED = "failed"  # the device said no, or it can be read back that nothing happened
    IN_DOUBT = "in_doubt"  # nobody can tell; a person decides


class Step(Stored):
    """One sending of one action. Its id is the idempotency key that the adapter is given."""

    execution_id: str
    kind: RightKind
    index: int
    action: Action
    state: StepState = StepState.INTENDED
    worker: str
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    took_effect: bool | None = None
    intended_at: Utc
    settled_at: Utc | None = None
    note: str = ""


class ExecutionState(StrEnum):
    RUNNING = "running"
    STOPPING = "stopping"  # an operator said stop
    COMPENSATING = "compensating"  # inverses run, in reverse order
    VERIFYING = "verifying"
    IN_DOUBT = "in_doubt"
    SETTLED = "settled"


class Check(Word):
    """One thing that verification looked at."""

    name: str
    passed: bool
    detail: str


class Outcome(Word):
    """What was measured afterwards, and whether it was us."""

    resolution: Resolution
    checks: tuple[Check, ...] = ()
    because: str = ""
    measured_at: Utc


class Execution(Stored):
    proposal_id: str
    incident_id: str
    grant_id: str
    state: ExecutionState = ExecutionState.RUNNING
    started_at: Utc
    acted_at: Utc | None = None
    verify_by: Utc | None = None
    stopped_by: str = ""
    handed_over: bool = False  # nothing more is done, nor undone: people take over
    note: str = ""
    checks: tuple[Check, ...] = ()
    outcome: Outcome | None = None
    settled_at: Utc | None = None
