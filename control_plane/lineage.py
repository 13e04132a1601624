"""From an action back to the raw events it rests on: every link by id, and what is missing by name."""

from control_plane.executor import execution_id_of
from control_plane.gate import grant_id_of
from control_plane.tables import Tables
from domain.base import Word
from domain.evidence import Evidence, EvidenceKind
from domain.proposals import Proposal


class Fact(Word):
    """One fact that a plan rests on, and the raw event behind it: an alarm with its sender's id, or a batch."""

    evidence_id: str
    kind: EvidenceKind
    element: str
    raw: tuple[str, ...]


class Lineage(Word):
    """Everything behind one proposal, and what came of it. `orphans` names each link that leads nowhere."""

    proposal: str
    change: str
    incident: str
    diagnosis: str
    facts: tuple[Fact, ...]
    twin_state: str
    rehearsal: str
    decision: str
    policy_version: str
    approvals: tuple[str, ...]
    grant: str
    execution: str
    steps: tuple[str, ...]
    orphans: tuple[str, ...]


def lineage(tables: Tables, proposal: Proposal) -> Lineage:
    """Follow every link of a proposal. Links that do not apply yet are empty; broken ones are orphans."""
    decision = tables.decisions.get(proposal.decision_id or "")
    rehearsal = tables.rehearsals.get(proposal.rehearsal_id or "")
    grant = tables.grants.get(grant_id_of(proposal.id))
    execution = tables.executions.get(execution_id_of(proposal.id))
    facts = tuple(_fact(tables, evidence) for id in proposal.evidence_ids if (evidence := tables.evidence.get(id)))
    return Lineage(
        proposal=proposal.id,
        change=proposal.change_id,
        incident=proposal.incident_id,
        diagnosis=proposal.diagnosis_id,
        facts=facts,
        twin_state=rehearsal.snapshot_digest if rehearsal else "",
        rehearsal=rehearsal.id if rehearsal else "",
        decision=decision.id if decision else "",
        policy_version=decision.judgement.policy_version if decision else "",
        approvals=tuple(approval.id for approval in tables.approvals.find(proposal_id=proposal.id)),
        grant=grant.id if grant else "",
        execution=execution.id if execution else "",
        steps=tuple(step.id for step in tables.steps.find(execution_id=execution.id)) if execution else (),
        orphans=(*_orphans(tables, proposal), *(fact.evidence_id for fact in facts if not fact.raw)),
    )


def _fact(tables: Tables, evidence: Evidence) -> Fact:
    return Fact(
        evidence_id=evidence.id, kind=evidence.kind, element=evidence.element, raw=tuple(_raw(tables, evidence))
    )


def _raw(tables: Tables, evidence: Evidence) -> list[str]:
    """Return the ids of the raw events behind a fact; of silence there is none but the plane's own look."""
    if evidence.kind is EvidenceKind.ALARM:
        alarm = tables.alarms.get(evidence.ref)
        return [alarm.id, *filter(None, [alarm.external_id])] if alarm else []
    if evidence.ref:
        return [evidence.ref]
    if evidence.kind is EvidenceKind.MEASUREMENT:
        batches = tables.batches.find(source=evidence.source, last_event_time=evidence.event_time)
        # readings are kept for a while only; what stays is who said it, and when
        return [*(batch.id for batch in batches), f"{evidence.source}@{evidence.event_time.isoformat()}"]
    return [f"look@{evidence.known_time.isoformat()}"]


def _orphans(tables: Tables, proposal: Proposal) -> list[str]:
    """Return the ids that the proposal names and that are not stored."""
    rehearsal = tables.rehearsals.get(proposal.rehearsal_id or "")
    named = {
        proposal.incident_id: tables.incidents.get(proposal.incident_id),
        proposal.diagnosis_id: tables.diagnoses.get(proposal.diagnosis_id),
        **{id: tables.evidence.get(id) for id in proposal.evidence_ids},
        **({proposal.rehearsal_id: rehearsal} if proposal.rehearsal_id else {}),
        **({proposal.decision_id: tables.decisions.get(proposal.decision_id)} if proposal.decision_id else {}),
        **({rehearsal.snapshot_digest: tables.twin_states.get(rehearsal.snapshot_digest)} if rehearsal else {}),
    }
    return [id for id, record in named.items() if record is None]
