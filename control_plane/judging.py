"""Asking the policy book about a proposal, with everything that the answer depends on pinned."""

from datetime import datetime

from control_plane.road import Road
from control_plane.tables import Tables
from domain.base import Word
from domain.decisions import Decision, Judgement
from domain.diagnosis import Diagnosis
from domain.errors import NotFound
from domain.gate import Approval
from domain.incidents import Incident
from domain.planned_work import Freeze
from domain.proposals import Proposal
from domain.rehearsal import Rehearsal
from policies.calendar import frozen
from policies.chain import counts, signers
from policies.engine import judge_plan
from policies.question import Question, questions


class Brief(Word):
    """All that a judgement of one proposal rests on."""

    proposal: Proposal
    incident: Incident
    diagnosis: Diagnosis
    rehearsal: Rehearsal
    approvals: tuple[Approval, ...]
    freezes: tuple[Freeze, ...]
    regions: tuple[str, ...]
    kinds: dict[str, str]

    @property
    def yes(self) -> tuple[Approval, ...]:
        """What people said yes with, of exactly this plan."""
        return tuple(approval for approval in self.approvals if counts(approval, self.proposal))

    @property
    def signatures(self) -> int:
        """How many different people said yes to exactly this plan."""
        return len(signers(self.proposal, self.approvals))


def brief(road: Road, tables: Tables, proposal: Proposal) -> Brief:
    """Collect the brief of a rehearsed proposal. Raises NotFound when a part of it is missing."""
    incident = tables.incidents.get(proposal.incident_id)
    diagnosis = tables.diagnoses.get(proposal.diagnosis_id)
    rehearsal = tables.rehearsals.get(proposal.rehearsal_id or "")
    if incident is None or diagnosis is None or rehearsal is None:
        raise NotFound(f"proposal `{proposal.id}` is not rehearsed yet; try again in a moment")
    targets, nodes = [step.target for step in proposal.plan.steps], road.live.graph.nodes
    return Brief(
        proposal=proposal,
        incident=incident,
        diagnosis=diagnosis,
        rehearsal=rehearsal,
        approvals=tuple(tables.approvals.find(proposal_id=proposal.id)),
        freezes=tuple(tables.freezes.find()),
        regions=tuple(dict.fromkeys((proposal.region, *(road.live.regions.get(t, proposal.region) for t in targets)))),
        kinds={target: str(nodes[target]["kind"]) for target in targets if target in nodes},
    )


def ask(about: Brief, at: datetime) -> tuple[Question, ...]:
    """Return the questions, one per step, as they stand at `at`."""
    return questions(
        about.proposal,
        about.rehearsal,
        about.diagnosis,
        about.incident,
        freeze=any(frozen(about.freezes, region, at) for region in about.regions),
        now=at,
        kinds=about.kinds,
        requester_signed=any(about.proposal.requester in {yes.account, yes.person} for yes in about.yes),
    )


def judge(road: Road, about: Brief, at: datetime, signatures: int) -> Judgement:
    """Return the book's answer with this many signatures of different people."""
    return judge_plan(road.book, ask(about, at), signatures)


def decide(road: Road, about: Brief, at: datetime, signatures: int) -> Decision:
    """Return the answer as a decision to be stored, with the context of its first question."""
    asked = ask(about, at)
    return Decision(
        id=road.id("dec"),
        proposal_id=about.proposal.id,
        plan_digest=about.proposal.plan_digest,
        rehearsal_id=about.rehearsal.id,
        judgement=judge_plan(road.book, asked, signatures),
        context=asked[0].context(signatures),
        made_at=at,
    )
