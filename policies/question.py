"""What the policy book is asked: one question per step of a plan, with everything that a rule may look at.

A question carries no signatures. The engine adds them, because it asks the same question of several numbers
of signatures (`Question.context`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import Field

from domain.actions import Action, ActionClass, Harm
from domain.autonomy import Band, band_of
from domain.base import Word
from domain.diagnosis import Diagnosis
from domain.errors import Conflict
from domain.identity import NetworkDomain, domain_of
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
    ActionClass.ACTIVATE_CIRCUIT: "demand",
    ActionClass.DEACTIVATE_CIRCUIT: "demand",
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
    ActionClass.SET_AUTONOMY: "autonomy",
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
    band: Band = Field(default=Band.WIDE, description="how much the step puts at risk")
    autonomy: int = Field(default=0, ge=0, description="the level that the requester has earned on this ground")
    in_window: bool = Field(default=True, description="a change window is open, or the region declares none")
    collides: bool = Field(default=False, description="it is not safe together with another plan that runs or waits")
    residency: str = Field(default="default", description="where the data that the plan speaks of belongs")
    on_behalf: bool = Field(default=False, description="the requester asked for somebody else, whose rights it has")
    on_itself: bool = Field(default=False, description="the step changes what the requester itself may do")

    @property
    def domain(self) -> NetworkDomain:
        return domain_of(self.kind)

    @property
    def by_agent(self) -> bool:
        return self.requester.startswith("agent:")

    def context(self, approvals: int = 0, names: Iterable[str] | None = None) -> dict[str, bool | int | str]:
        """Return the rules' context with `approvals` people having signed. Signing a plan approves its change.

        `names`: the attributes that are wanted; all, unless said otherwise.
        """
        signed = {"approvals": approvals, "change": self.standard or approvals >= 1}
        wanted = CONTEXT if names is None else names
        return {name: signed[name] if name in signed else getattr(self, name) for name in wanted}


#: All that a rule may look at in its context, in order.
CONTEXT: tuple[str, ...] = (
    *(name for name in Question.model_fields if name not in {"requester", "action", "target", "region", "kind"}),
    "approvals",
    "change",
)
#: The context of some question, so that a schema can be compared with what is really asked.
SPECIMEN: Mapping[str, bool | int | str] = Question(
    requester="somebody",
    action=ActionClass.OPEN_TICKET,
    target="",
    region="",
    kind="",
    reversible=True,
    harm=Harm.NONE,
    blast=0,
    cells=0,
    confidence=0,
    candidates=0,
    sound=True,
    twin_fit=True,
    evidence_age=0,
    freeze=False,
    standard=False,
    degraded=False,
    steps=1,
).context()


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
    levels: Sequence[int] = (),
    in_window: bool = True,
    collides: bool = False,
    residency: str = "",
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
        requester_signed: whoever asked, or is asked for, is among those who signed.
        levels: the autonomy that the requester has earned on the ground of each step; none, where it is not given.
        in_window: every region that the plan touches takes changes at `now`.
        collides: the plan is not safe together with another.
        residency: where the data that the plan speaks of belongs; the proposal's region, unless said otherwise.

    Raises:
        Conflict: rehearsal, diagnosis and incident do not belong to this proposal.
    """
    _belong_together(proposal, rehearsal, diagnosis, incident)
    top = diagnosis.top
    confidence = min(proposal.confidence, top.confidence) if top else 0.0
    age = (now - (diagnosis.oldest_evidence or diagnosis.made_at)).total_seconds()
    steps, at_risk = proposal.plan.steps, bands(rehearsal, len(proposal.plan.steps))
    return tuple(
        Question(
            requester=proposal.requester,
            action=step.kind,
            target=step.target,
            region=proposal.region,
            kind=kind_of(step, kinds or {}),
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
            band=at_risk[index],
            autonomy=levels[index] if index < len(levels) else 0,
            in_window=in_window,
            collides=collides,
            residency=residency or proposal.region,
            on_behalf=bool(proposal.on_behalf_of),
            on_itself=_on_itself(step, proposal),
        )
        for index, step in enumerate(steps)
    )


def bands(rehearsal: Rehearsal, steps: int) -> tuple[Band, ...]:
    """Return how much each of the plan's steps puts at risk, by its rehearsal."""
    return tuple(
        band_of(_customers_at_risk(rehearsal, index), _cells_at_risk(rehearsal, index)) for index in range(steps)
    )


def kind_of(step: Action, kinds: Mapping[str, str]) -> str:
    """Return the kind of what a step acts on: the element's own, or what such a step acts on."""
    return kinds.get(step.target) or KINDS[step.kind]


def _on_itself(step: Action, proposal: Proposal) -> bool:
    """Say whether a step sets the level of whoever asks for it; the target of such a step begins with the agent."""
    asking = {proposal.requester, *proposal.on_behalf_of}
    return step.kind is ActionClass.SET_AUTONOMY and step.target.split("|", 1)[0] in asking


def _belong_together(proposal: Proposal, rehearsal: Rehearsal, diagnosis: Diagnosis, incident: Incident) -> None:
    if rehearsal.plan_digest != proposal.plan.digest or proposal.plan_digest != proposal.plan.digest:
        raise Conflict(f"the rehearsal of proposal `{proposal.id}` is of another plan; rehearse this plan")
    if diagnosis.id != proposal.diagnosis_id or incident.id != proposal.incident_id:
        raise Conflict(f"proposal `{proposal.id}` rests on another diagnosis or incident; ask with its own")


def _states(rehearsal: Rehearsal, index: int) -> tuple[Impact, ...]:
    """Return the states that taking step `index` may leave the network in: after the step, and after the plan."""
    return (*rehearsal.steps[index : index + 1], rehearsal.plan.expected)


def _customers_at_risk(rehearsal: Rehearsal, index: int) -> int:
    anyway = set(rehearsal.nothing.expected.customers_hit)
    return len({customer for state in _states(rehearsal, index) for customer in state.customers_hit} - anyway)


def _cells_at_risk(rehearsal: Rehearsal, index: int) -> int:
    anyway = set(rehearsal.nothing.expected.cells_down)
    return len({cell for state in _states(rehearsal, index) for cell in state.cells_down} - anyway)
