"""Everything behind an action, down to the raw events; and everything that ever rested on a raw event.

Both ways are followed over the stored words, link by link, and end with the records that speak of what was found.
"""

from collections.abc import Iterable

from control_plane.horizon import Horizon
from control_plane.lineage import Lineage, lineage
from control_plane.tables import Tables
from domain.alarms import Alarm
from domain.base import Word
from domain.errors import NotFound
from domain.evidence import Evidence, EvidenceKind
from domain.proposals import Proposal


class Trail(Word):
    """What was found from `start`: `back` to the raw events, or forward from one.

    `orphans` names each link that leads nowhere; there should be none. `records` are ids of audit records.
    """

    start: str
    back: bool
    raw: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    proposals: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    executions: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()


def behind(tables: Tables, who: Horizon, id: str) -> Trail:
    """Return everything behind an action, named by itself or by anything of its life: step, execution, grant, right,
    approval, decision, rehearsal, diagnosis, ticket, incident or proposal.

    Raises:
        NotFound: nothing that this caller may know of has this id.
    """
    proposals = [each for each in _proposals(tables, id) if who.proposal(tables, each)]
    if not proposals:
        raise NotFound(f"nothing here is called `{id}`; give the id of a step, a grant, a proposal or an incident")
    return _gathered(id, [_lineage(tables, each) for each in proposals], back=True)


def ahead(tables: Tables, who: Horizon, id: str) -> Trail:
    """Return every decision and action that rested on a raw event: an alarm (by our id or its sender's), or a batch.

    Of a batch that is no longer kept, `SOURCE@TIME` still leads on, as `behind` writes it.

    Raises:
        NotFound: no such event was kept for this caller.
    """
    alarms = _alarms(tables, who, id)
    evidence = [each for alarm in alarms for each in _resting_on(tables, alarm)] or _measured(tables, id)
    known = {each.incident_id: tables.incidents.get(each.incident_id) for each in evidence}
    evidence = [each for each in evidence if who.incident(known[each.incident_id])]
    if not alarms and not evidence:
        raise NotFound(f"no raw event `{id}` is kept here; give the id of an alarm or of a batch of readings")
    ids = {each.id for each in evidence}
    incidents = {each.incident_id for each in evidence} | {each.incident_id for each in alarms if each.incident_id}
    diagnoses = [d for incident in sorted(incidents) for d in tables.diagnoses.find(incident_id=incident)]
    asked = [p for incident in sorted(incidents) for p in tables.proposals.find(incident_id=incident)]
    proposals = [each for each in asked if who.proposal(tables, each)]
    found = _gathered(id, [_lineage(tables, p) for p in proposals if ids & set(_rests_on(tables, p))], back=False)
    return found.but(
        raw=(id,),
        evidence=tuple(sorted(ids)),
        incidents=tuple(sorted(incidents)),
        diagnoses=tuple(each.id for each in diagnoses),
    )


def mentioned(trail: Trail) -> list[str]:
    """Return the ids by which the record speaks of what was found."""
    groups = (trail.incidents, trail.diagnoses, trail.proposals, trail.grants, trail.executions, trail.steps)
    raw = [] if trail.back else [trail.start]
    return [*raw, *(id for group in groups for id in group)]


def _gathered(start: str, found: list[Lineage], *, back: bool) -> Trail:
    return Trail(
        start=start,
        back=back,
        raw=_unique(raw for each in found for fact in each.facts for raw in fact.raw),
        evidence=_unique(fact.evidence_id for each in found for fact in each.facts),
        incidents=_unique(each.incident for each in found),
        diagnoses=_unique(each.diagnosis for each in found),
        proposals=_unique(each.proposal for each in found),
        decisions=_unique(each.decision for each in found),
        approvals=_unique(approval for each in found for approval in each.approvals),
        grants=_unique(each.grant for each in found),
        executions=_unique(each.execution for each in found),
        steps=_unique(step for each in found for step in each.steps),
        orphans=_unique(orphan for each in found for orphan in each.orphans),
    )


def _lineage(tables: Tables, proposal: Proposal) -> Lineage:
    return lineage(tables, proposal.but(evidence_ids=_rests_on(tables, proposal)))


def _rests_on(tables: Tables, proposal: Proposal) -> tuple[str, ...]:
    """Return the evidence that a plan rests on: what it cites, and what its diagnosis does."""
    diagnosis = tables.diagnoses.get(proposal.diagnosis_id)
    ids = list(proposal.evidence_ids)
    for cause in diagnosis.causes if diagnosis else ():
        ids += [*cause.evidence_ids, *(id for path in cause.paths for id in path.evidence_ids)]
    return _unique(ids)


def _unique(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for id in ids if id))


def _proposals(tables: Tables, id: str) -> list[Proposal]:
    """Return the proposals that an id of any kind belongs to."""
    if proposal := tables.proposals.get(id):
        return [proposal]
    if diagnosis := tables.diagnoses.get(id):
        return [each for each in tables.proposals.find(incident_id=diagnosis.incident_id) if each.diagnosis_id == id]
    if tables.incidents.get(id):
        return tables.proposals.find(incident_id=id)
    if ticket := tables.tickets.get(id):
        return tables.proposals.find(incident_id=ticket.incident_id)
    found = tables.proposals.get(_proposal_of(tables, id))
    return [found] if found else []


def _proposal_of(tables: Tables, id: str) -> str:
    step, right = tables.steps.get(id), tables.rights.get(id)
    execution = tables.executions.get(step.execution_id if step else id)
    grant = tables.grants.get(right.grant_id if right else id)
    holder = execution or grant or tables.approvals.get(id) or tables.decisions.get(id) or tables.rehearsals.get(id)
    return holder.proposal_id if holder else ""


def _alarms(tables: Tables, who: Horizon, id: str) -> list[Alarm]:
    alarm = tables.alarms.get(id)
    if alarm is None:  # the sender's own id: no index leads there, the question is rare
        return [each for each in tables.alarms.find(tenant=who.tenant) if each.external_id == id and who.alarm(each)]
    return [alarm] if who.alarm(alarm) else []


def _resting_on(tables: Tables, alarm: Alarm) -> list[Evidence]:
    if not alarm.incident_id:
        return []
    return [each for each in tables.evidence.find(incident_id=alarm.incident_id) if each.ref == alarm.id]


def _measured(tables: Tables, id: str) -> list[Evidence]:
    batch = tables.batches.get(id)
    if batch is None:
        source, _, moment = id.rpartition("@")
        told = tables.evidence.find() if source else []
        return [each for each in told if each.source == source and each.event_time.isoformat() == moment]
    told = tables.evidence.find(element=sorted({reading.element for reading in batch.readings}))
    of_it = (EvidenceKind.MEASUREMENT, batch.source, batch.last_event_time)
    return [each for each in told if (each.kind, each.source, each.event_time) == of_it]
