"""How a recorded card is made wrong on purpose: four ways, each of which a careful reader can find on the card."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from domain.actions import Action
from domain.diagnosis import Diagnosis
from domain.evidence import Evidence
from domain.proposals import Plan, Proposal
from domain.rehearsal import Impact, Rehearsal

_LEAST_LOSS = 50.0  # Mbit/s that a step is made to lose


class Parts(NamedTuple):
    """The parts of a card that a mutation may touch."""

    proposal: Proposal
    diagnosis: Diagnosis
    rehearsal: Rehearsal
    evidence: tuple[Evidence, ...]


class Wrong(NamedTuple):
    """A card's parts after a mutation, its name, and what is wrong with it."""

    parts: Parts
    mutation: str
    wrong: str


def wrong_target(parts: Parts, elements: Sequence[str]) -> Wrong | None:
    """Let the plan act on another element of the same kind, which no diagnosis speaks of."""
    first = parts.proposal.plan.steps[0]
    kind = first.target.partition(":")[0]
    known = {first.target, parts.proposal.cause_element, *parts.diagnosis.candidate_set}
    others = [e for e in elements if e.partition(":")[0] == kind and e not in known]
    if not others:
        return None
    other = others[len(others) // 2]
    plan = _with_first(parts.proposal.plan, first.but(target=other))
    wrong = f"the plan acts on `{other}`, and the diagnosis speaks of `{parts.proposal.cause_element or first.target}`"
    return Wrong(parts._replace(proposal=_planned(parts.proposal, plan)), "wrong_target", wrong)


def inverted(parts: Parts, _elements: Sequence[str]) -> Wrong | None:
    """Let the plan do the opposite of what its reason says."""
    first = parts.proposal.plan.steps[0]
    opposite = first.inverse()
    if opposite is None:
        return None
    plan = _with_first(parts.proposal.plan, opposite)
    wrong = f"the plan does `{opposite.kind}` where its reason asks for `{first.kind}`"
    return Wrong(parts._replace(proposal=_planned(parts.proposal, plan)), "inverted", wrong)


def understated(parts: Parts, _elements: Sequence[str]) -> Wrong | None:
    """Let a step of the rehearsal lose traffic of which the summary says nothing."""
    rehearsal = parts.rehearsal
    calm = rehearsal.plan.but(
        expected=Impact(offered_mbps=rehearsal.plan.expected.offered_mbps), lost_low=0, lost_high=0
    )
    lost = _LEAST_LOSS + 2 * rehearsal.nothing.expected.lost_mbps
    step = rehearsal.plan.expected.but(lost_mbps=lost, unavailable=(parts.proposal.plan.steps[0].target,))
    made = rehearsal.but(plan=calm, steps=(step,) * len(parts.proposal.plan.steps), sound=True, reasons=(), at_risk=())
    wrong = f"while it is carried out {lost:g} Mbit/s are lost by the rehearsal's own steps; its summary says none"
    return Wrong(parts._replace(rehearsal=made), "understated", wrong)


def unsupported(parts: Parts, _elements: Sequence[str]) -> Wrong | None:
    """Take away all evidence that speaks of what the plan acts on."""
    about = {step.target for step in parts.proposal.plan.steps} | {parts.proposal.cause_element}
    others = tuple(evidence for evidence in parts.evidence if evidence.element not in about)
    if len(others) == len(parts.evidence):
        return None
    proposal = parts.proposal.but(evidence_ids=tuple(evidence.id for evidence in others))
    wrong = "no evidence on the card speaks of what the plan acts on"
    return Wrong(parts._replace(proposal=proposal, evidence=others), "unsupported", wrong)


MUTATIONS: Mapping[str, Callable[[Parts, Sequence[str]], Wrong | None]] = {
    "wrong_target": wrong_target,
    "inverted": inverted,
    "understated": understated,
    "unsupported": unsupported,
}


def _with_first(plan: Plan, first: Action) -> Plan:
    return Plan(steps=(first, *plan.steps[1:]))


def _planned(proposal: Proposal, plan: Plan) -> Proposal:
    return proposal.but(plan=plan, plan_digest=plan.digest)
