"""What the policy book is asked: one question per step of a plan, with everything that a rule may look at.

A question carries no signatures. The engine adds them, because it asks the same question of several numbers
of signatures (`Question.context`).
"""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from domain.actions import Action, ActionClass, Harm
from domain.base import Word
from domain.diagnosis import Diagnosis
from domain.errors import Conflict
from domain.incidents import Incident
from domain.proposals import Proposal
from domain.rehearsal import Impact, Rehearsal

#: What a class of action acts on, where the caller does not know the element's own kind.
KINDS: dict[ActionClass, str] = {
    ActionClass.INTERFACE_UP: "termination_point",
    ActionClass.INTERFACE_DOWN: "termination_point",
    ActionClass.DRAIN_LINK: "link",
    ActionClass.UNDRAIN_LINK: "link",
    ActionClass.STEER_DEMAND: "demand",
    ActionClass.RESTART_PROCESS: "node",
    ActionClass.LOCK_CELL: "cell",
    ActionClass.UNLOCK_CELL: "cell",
    ActionClass.DISPATCH_CREW: "site",
    ActionClass.RECALL_CREW: "site",
    ActionClass.OPEN_TICKET: "incident",
    ActionClass.CANCEL_TICKET: "incident",
    ActionClass.TRAIN_MODEL: "model_slot",
    ActionClass.RETIRE_MODEL: "model_slot",
    ActionClass.SWITCH_MODEL: "model_slot",
}


class Question(Word):
    """May this requester take this step? Counts are of what is worse off than by doing nothing, at any point."""

    requester: str = Field(min_length=1)
    action: ActionClass
    target: str
    region: str
    kind: str
    reversible: bool
    harm: Harm
    blast: int = Field(ge=0, description="customers at risk")
    cells: int = Field(ge=0, description="cells at risk")
    confidence: int = Field(ge=0, le=100, description="percent, of the cause that the plan rests on")
    candidates: int = Field(ge=0, description="size of the diagnosis' candidate set")
    sound: bool
    twin_fit: bool
    evidence_age: int = Field(ge=0, description="seconds since the oldest evidence of the diagnosis")
    freeze: bool
    standard: bool
    degraded: bool = Field(description="sources were silent during the diagnosis")
    steps: int = Field(ge=1)
    cases: int = Field(default=0, ge=0, description="recorded cases of the trial, where the plan switches a model")
    requester_signed: bool = False

    @property
    def by_agent(self) -> bool:
        return self.requester.startswith("agent:")

    def context(self, approvals: int = 0) -> dict[str, bool | int | str]:
        """Return the rules' context with `approvals` people having signed. Signing a plan approves its change."""
        aside = {"requester", "action", "target", "region", "kind"}
        plain: dict[str, bool | int | str] = self.model_dump(mode="json", exclude=aside)
        return plain | {"approvals": approvals, "change": self.standard or approvals >= 1}


def questions(
    proposal: Proposal,
    rehearsal: Rehearsal,
    diagnosis: Diagnosis,
    incident: Incident,
    freeze: bool,
    now: datetime,
    *,
    kinds: Mapping[str, str] | None = None,
    requester_signed: bool = False,
) -> tuple[Question, ...]:
    """Return one question per step of the proposal's plan, in order.

    Args:
        proposal: what is asked for.
        rehearsal: the twin's verdict on exactly this plan.
        diagnosis: what the plan rests on.
        incident: the trouble that it is about.
        freeze: a freeze covers the proposal's region at `now`.
        now: the present moment; evidence ages up to it.
        kinds: the kind of each element, where known; otherwise it follows from the action.
        requester_signed: whoever asked is among those who signed.

    Raises:
        Conflict: rehearsal, diagnosis and incident do not belong to this proposal.
    """
    _belong_together(proposal, rehearsal, diagnosis, incident)
    top = diagnosis.top
    confidence = min(proposal.confidence, top.confidence) if top else 0.0
    age = (now - (diagnosis.oldest_evidence or diagnosis.made_at)).total_seconds()
    steps = proposal.plan.steps
    return tuple(
        Question(
            requester=proposal.requester,
            action=step.kind,
            target=step.target,
            region=proposal.region,
            kind=_kind(step, kinds or {}),
            reversible=step.inverse() is not None,
            harm=step.harm,
            blast=_customers_at_risk(rehearsal, index),
            cells=_cells_at_risk(rehearsal, index),
            confidence=int(100 * confidence + 1e-9),
            candidates=len(diagnosis.candidate_set),
            sound=rehearsal.sound,
            twin_fit=rehearsal.twin_fit,
            evidence_age=max(0, int(age)),
            freeze=freeze,
            standard=step.standard,
            degraded=bool(diagnosis.degraded_by),
            steps=len(steps),
            cases=rehearsal.trial.cases if rehearsal.trial else 0,
            requester_signed=requester_signed,
        )
        for index, step in enumerate(steps)
    )


def _belong_together(proposal: Proposal, rehearsal: Rehearsal, diagnosis: Diagnosis, incident: Incident) -> None:
    if rehearsal.plan_digest != proposal.plan.digest or proposal.plan_digest != proposal.plan.digest:
        raise Conflict(f"the rehearsal of proposal `{proposal.id}` is of another plan; rehearse this plan")
    if diagnosis.id != proposal.diagnosis_id or incident.id != proposal.incident_id:
        raise Conflict(f"proposal `{proposal.id}` rests on another diagnosis or incident; ask with its own")


def _kind(step: Action, kinds: Mapping[str, str]) -> str:
    return kinds.get(step.target) or KINDS[step.kind]


def _states(rehearsal: Rehearsal, index: int) -> tuple[Impact, ...]:
    """Return the states that taking step `index` may leave the network in: after the step, and after the plan."""
    return (*rehearsal.steps[index : index + 1], rehearsal.plan.expected)


def _customers_at_risk(rehearsal: Rehearsal, index: int) -> int:
    anyway = set(rehearsal.nothing.expected.customers_hit)
    return len({customer for state in _states(rehearsal, index) for customer in state.customers_hit} - anyway)


def _cells_at_risk(rehearsal: Rehearsal, index: int) -> int:
    anyway = set(rehearsal.nothing.expected.cells_down)
    return len({cell for state in _states(rehearsal, index) for cell in state.cells_down} - anyway)
