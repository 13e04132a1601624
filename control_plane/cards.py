"""What a person is shown of an incident and of a proposal: everything that bears on it, gathered in one place."""

from control_plane.executor import execution_id_of
from control_plane.horizon import Horizon
from control_plane.judging import ask, brief
from control_plane.road import Road
from control_plane.tables import Tables
from domain.alarms import Alarm
from domain.base import Word
from domain.blast import BlastScore
from domain.decisions import Decision
from domain.diagnosis import Diagnosis
from domain.evidence import Evidence
from domain.execution import Execution, Step
from domain.gate import Approval
from domain.incidents import Incident
from domain.proposals import Proposal, ProposalState
from domain.rehearsal import Rehearsal
from policies.engine import signatures_needed


class IncidentView(Word):
    """An incident with what is known of it.

    `ai_involved`: a model's opinion, or an agent's plan, had a part in it; `decision_ids` were decided on plans.
    """

    incident: Incident
    alarms: tuple[Alarm, ...]
    diagnosis: Diagnosis | None
    evidence: tuple[Evidence, ...]
    proposals: tuple[Proposal, ...]
    ai_involved: bool = False
    decision_ids: tuple[str, ...] = ()


class Card(Word):
    """All that a person needs to decide on one proposal.

    `diagnosis` is what the plan was made from, `latest` the incident's newest, which still asks for the plan.
    `forecast` says in one line what is predicted to suffer after the plan, and `score`, once it is measured, how that
    turned out (`blast`).
    """

    proposal: Proposal
    incident: Incident
    diagnosis: Diagnosis | None
    latest: Diagnosis | None
    rehearsal: Rehearsal | None
    forecast: str = ""
    blast: BlastScore | None = None
    score: str = ""
    decision: Decision | None
    approvals: tuple[Approval, ...]
    signatures_needed: int | None
    execution: Execution | None
    steps: tuple[Step, ...]
    evidence: tuple[Evidence, ...]
    alarms: tuple[Alarm, ...]


def incident_view(tables: Tables, horizon: Horizon, incident: Incident) -> IncidentView:
    """Return what is known of an incident, with those of its proposals that are to be seen."""
    diagnosis = tables.diagnoses.get(incident.diagnosis_id or "")
    proposals = [p for p in tables.proposals.find(incident_id=incident.id) if horizon.proposal(tables, p)]
    opinion = diagnosis is not None and diagnosis.opinion is not None
    return IncidentView(
        incident=incident,
        alarms=tuple(tables.alarms.find(incident_id=incident.id)),
        diagnosis=diagnosis,
        evidence=tuple(tables.evidence.find(incident_id=incident.id)),
        proposals=tuple(proposals),
        ai_involved=opinion or any(p.requester.startswith("agent:") for p in proposals),
        decision_ids=tuple(p.decision_id for p in proposals if p.decision_id),
    )


def card_of(road: Road, tables: Tables, proposal: Proposal) -> Card:
    """Return the card of a proposal as it stands."""
    incident = tables.incidents.get(proposal.incident_id)
    assert incident is not None
    execution = tables.executions.get(execution_id_of(proposal.id))
    rehearsal = tables.rehearsals.get(proposal.rehearsal_id or "")
    realised = tables.realised.get(execution_id_of(proposal.id))
    blast = realised.blast if realised else None
    return Card(
        proposal=proposal,
        incident=incident,
        diagnosis=tables.diagnoses.get(proposal.diagnosis_id),
        latest=tables.diagnoses.get(incident.diagnosis_id or ""),
        rehearsal=rehearsal,
        forecast=rehearsal.blast.told if rehearsal and rehearsal.blast else "",
        blast=blast,
        score=blast.told if blast else "",
        decision=tables.decisions.get(proposal.decision_id or ""),
        approvals=tuple(tables.approvals.find(proposal_id=proposal.id)),
        signatures_needed=_signatures_needed(road, tables, proposal),
        execution=execution,
        steps=tuple(tables.steps.find(execution_id=execution.id)) if execution else (),
        evidence=tuple(e for id in proposal.evidence_ids if (e := tables.evidence.get(id))),
        alarms=tuple(tables.alarms.find(incident_id=incident.id)),
    )


def _signatures_needed(road: Road, tables: Tables, proposal: Proposal) -> int | None:
    if proposal.state is ProposalState.DRAFTED or not proposal.rehearsal_id:
        return None
    about = brief(road, tables, proposal)
    return signatures_needed(road.book, ask(about, road.clock.now()))
