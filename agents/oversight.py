"""The oversight agent: finds that an agent has earned to act alone on a ground, and asks people for the level.

It reads the ledger of credit and nothing else. Whether the evidence is enough is said there, by a bound that may be
looked at after every outcome; this agent puts it before people. Losing a level needs nobody to ask.
"""

from agents.cards import OVERSIGHT, accept
from agents.ports import Tools
from agents.wording import label
from domain.actions import SetAutonomy
from domain.agents import AgentCard, Case
from domain.autonomy import Claim
from domain.diagnosis import Cause, Diagnosis, FaultKind, Verdict
from domain.ids import new_id
from domain.proposals import Draft, Plan


class Oversight:
    """A `Diagnostician` and a `Planner` for incidents about autonomy. The same record gives the same answer."""

    card: AgentCard = OVERSIGHT

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def diagnose(self, case: Case) -> Diagnosis:
        """Say that a level has been earned, with the evidence, or that none has."""
        claim = self._tools.autonomy.earnings(case.incident.elements[0])
        cited = tuple(item.id for item in case.evidence)
        return Diagnosis(
            id=new_id("diag", case.made_at),
            incident_id=case.incident.id,
            revision=case.incident.revision,
            verdict=Verdict.CAUSE if claim.earned else Verdict.NO_FAULT,
            causes=(_cause(claim, cited),) if claim.earned else (),
            candidate_set=(claim.standing,) if claim.earned else (),
            level=1.0 - claim.chance,
            provisional=False,
            made_by=self.card.principal,
            made_at=case.made_at,
            oldest_evidence=min((item.event_time for item in case.evidence), default=case.made_at),
        )

    def plan(self, case: Case) -> Draft | None:
        """Return the plan to set the level, or None when it has not been earned.

        Raises:
            Refused: the case did not come through the control plane.
        """
        accept(self.card, case)
        cause = case.diagnosis.top if case.diagnosis else None
        if cause is None:
            return None
        claim = self._tools.autonomy.earnings(cause.element)
        if not claim.earned:
            return None
        ground = claim.ground
        step = SetAutonomy(target=claim.standing, level=int(claim.goal), previous=int(claim.level))
        return Draft(
            plan=Plan(steps=(step,)),
            title=f"Let {label(ground.agent)} carry out {ground.action} alone where the blast is {ground.band}",
            why=f"in the {ground.domain} domain: {claim.told}",
            evidence_ids=cause.evidence_ids,
            confidence=cause.confidence,
            cause_element=cause.element,
            alternatives=("let people go on signing, and ask again with twice the evidence",),
        )


def _cause(claim: Claim, cited: tuple[str, ...]) -> Cause:
    figures = {"outcomes": float(claim.outcomes), "failures": float(claim.failures)}
    return Cause(
        element=claim.standing,
        fault=FaultKind.AUTONOMY_EARNED,
        confidence=1.0 - claim.chance,
        scores=figures | {"bound": claim.bound, "limit": claim.limit},
        evidence_ids=cited,
    )
