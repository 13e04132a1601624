"""What is pending, and who is to look after it: proposals, enquiries, doubts, running plans, reviews, models."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from control_plane.approvals.verdict import verdict
from control_plane.horizon import plan_regions
from control_plane.judging import brief
from control_plane.road import Road
from control_plane.roster.holding import Kind, Matter
from control_plane.tables import Tables
from domain.approvals import Enquiry
from domain.diagnosis import Verdict
from domain.errors import NotFound
from domain.execution import Execution, ExecutionState, StepState
from domain.identity import NetworkDomain, Role, domain_of
from domain.incidents import Incident, IncidentClass, IncidentState
from domain.keeping import Review
from domain.models import ModelStatus
from domain.proposals import Plan, Proposal, ProposalState
from policies.chain import counts
from policies.question import KINDS

_WAITING = (ProposalState.HELD, ProposalState.DEFERRED)
_GOING_ON = (ExecutionState.RUNNING, ExecutionState.STOPPING, ExecutionState.COMPENSATING, ExecutionState.VERIFYING)


def pending(road: Road, tables: Tables, tenant: str) -> list[Matter]:
    """Return everything of a tenant that somebody has to look after, in order of id within each kind."""
    return [*_proposals(road, tables, tenant), *_work(road, tables, tenant), *_reviews(road, tables, tenant)]


def matter_of(road: Road, tables: Tables, ref: str) -> tuple[str, Matter] | None:
    """Return one matter and its tenant; None when it is not pending (any more)."""
    if (proposal := tables.proposals.get(ref)) is not None:
        return (proposal.tenant, _to_decide(road, tables, proposal)) if proposal.state in _WAITING else None
    if (enquiry := tables.enquiries.get(ref)) is not None:
        about = tables.proposals.get(enquiry.proposal_id)
        waits = about is not None and about.state in _WAITING and enquiry.answered_at is None
        return (about.tenant, _to_answer(road, about, enquiry)) if about is not None and waits else None
    if (review := tables.reviews.get(ref)) is not None:
        return None if review.held_at else (review.tenant, _to_review(road, review))
    if (incident := tables.incidents.get(ref)) is not None:
        found = _of_incident(road, tables, incident)
        return (incident.tenant, found) if found else None
    step = tables.steps.get(ref)
    execution = tables.executions.get(step.execution_id if step else ref)
    if execution is None:
        return None
    rows = ((tenant, m) for tenant, m in _of_execution(road, tables, execution) if m.id == ref)
    return next(rows, None)


def domains_of(road: Road, plan: Plan) -> tuple[str, ...]:
    """Return the domains that a plan acts in."""
    nodes = road.live.graph.nodes
    kinds = [str(nodes[s.target]["kind"]) if s.target in nodes else KINDS.get(s.kind, "") for s in plan.steps]
    return tuple(sorted({domain_of(kind) for kind in kinds}))


def _where(road: Road, proposal: Proposal) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return every region and domain that a plan touches, its own region first."""
    others = sorted(plan_regions(road.live, proposal.region, proposal.plan) - {proposal.region})
    return (proposal.region, *others), domains_of(road, proposal.plan)


def _proposals(road: Road, tables: Tables, tenant: str) -> Iterator[Matter]:
    for proposal in tables.proposals.find(tenant=tenant, state=_WAITING):
        yield _to_decide(road, tables, proposal)
        for enquiry in tables.enquiries.find(proposal_id=proposal.id):
            if enquiry.answered_at is None:
                yield _to_answer(road, proposal, enquiry)


def _to_decide(road: Road, tables: Tables, proposal: Proposal) -> Matter:
    given = [a for a in tables.approvals.find(proposal_id=proposal.id) if counts(a, proposal)]
    decision = tables.decisions.get(proposal.decision_id or "")
    since = [proposal.made_at, *(a.made_at for a in given)] + ([decision.made_at] if decision else [])
    if proposal.deferred_until is not None and proposal.state is ProposalState.HELD:
        since.append(min(proposal.deferred_until, road.clock.now()))
    roles, named = _asked(road, tables, proposal)
    return Matter(
        proposal.id,
        Kind.DECIDE,
        roles,
        *_where(road, proposal),
        proposal.title,
        max(since),
        proposal.expires_at,
        frozenset(
            {
                proposal.requester,
                *proposal.on_behalf_of,
                *_person(tables, proposal),
                *(approval.person for approval in given),
            }
        ),
        frozenset(named),
        f"{proposal.rehearsal_id}:{len(given)}:{proposal.deferred_until or ''}",
        quiet=proposal.state is ProposalState.DEFERRED,
        ending=proposal.warned_at is not None,
    )


def _asked(road: Road, tables: Tables, proposal: Proposal) -> tuple[tuple[Role, ...], tuple[str, ...]]:
    """Return the roles (and people) of whom the next signature is wanted."""
    try:
        about = brief(road, tables, proposal)
    except NotFound:
        return (Role.APPROVER,), ()
    said = verdict(road, about, road.clock.now())
    stage = (said.progress.open or said.progress.last).stage
    return tuple(stage.roles), tuple(stage.of)


def _person(tables: Tables, proposal: Proposal) -> tuple[str, ...]:
    account = tables.principals.find(name=proposal.requester, limit=1)
    return (account[0].person,) if account and account[0].person else ()


def _to_answer(road: Road, proposal: Proposal, enquiry: Enquiry) -> Matter:
    return Matter(
        enquiry.id,
        Kind.ENQUIRY,
        (Role.ENGINEER, Role.APPROVER),
        *_where(road, proposal),
        f"a question about: {proposal.title}",
        enquiry.asked_at,
        proposal.expires_at,
        frozenset({enquiry.person}),
    )


def _work(road: Road, tables: Tables, tenant: str) -> Iterator[Matter]:
    """Yield plans in flight, steps that nobody can tell the fate of, and incidents that people must look at."""
    for execution in tables.executions.find(state=(*_GOING_ON, ExecutionState.IN_DOUBT)):
        yield from (matter for whose, matter in _of_execution(road, tables, execution) if whose == tenant)
    for incident in tables.incidents.find(tenant=tenant, state=IncidentState.OPEN):
        if (found := _of_incident(road, tables, incident)) is not None:
            yield found


def _of_execution(road: Road, tables: Tables, execution: Execution) -> Iterator[tuple[str, Matter]]:
    proposal = tables.proposals.get(execution.proposal_id)
    if proposal is None or execution.state not in (*_GOING_ON, ExecutionState.IN_DOUBT):
        return
    where = _where(road, proposal)
    doubts = tables.steps.find(execution_id=execution.id, state=StepState.IN_DOUBT)
    for step in doubts:
        title = f"nobody can tell whether this happened: {step.action.kind} {step.action.target}"
        since = step.settled_at or step.intended_at
        yield proposal.tenant, Matter(step.id, Kind.DOUBT, (Role.OPERATOR,), *where, title, since)
    if not doubts:
        since = execution.started_at
        roles = (Role.OPERATOR,)
        yield proposal.tenant, Matter(execution.id, Kind.RUNNING, roles, *where, proposal.title, since, quiet=True)


def _of_incident(road: Road, tables: Tables, incident: Incident) -> Matter | None:
    """Return what people must look at by themselves: a model in trouble, or trouble that nobody could explain."""
    if incident.state is not IncidentState.OPEN:
        return None
    if incident.about is IncidentClass.AI_MODEL:
        return _model(road, tables, incident)
    diagnosis = tables.diagnoses.get(incident.diagnosis_id or "")
    if diagnosis is None or diagnosis.verdict is not Verdict.CANNOT_TELL or diagnosis.provisional:
        return None
    return Matter(
        incident.id,
        Kind.ABSTAINED,
        (Role.OPERATOR,),
        (incident.region,),
        (),
        f"the cause of the trouble at {', '.join(incident.elements[:3])} could not be told",
        incident.opened_at,
        incident.opened_at + timedelta(seconds=road.settings.proposal_s),
    )


def _model(road: Road, tables: Tables, incident: Incident) -> Matter:
    """A model in trouble goes to who keeps the models, with the name of its owner, and then up."""
    serving = tables.model_versions.find(slot=incident.elements[:8], status=ModelStatus.PRODUCTION)
    owners = frozenset(version.card.owner for version in serving)
    return Matter(
        incident.id,
        Kind.MODEL,
        (Role.ML_ENGINEER,),
        (incident.region,),
        (NetworkDomain.MODELS,),
        f"the model of {', '.join(incident.elements[:3])} is in trouble (owner: {', '.join(sorted(owners)) or 'none'})",
        incident.opened_at,
        incident.opened_at + timedelta(seconds=road.settings.proposal_s),
    )


def _reviews(road: Road, tables: Tables, tenant: str) -> Iterator[Matter]:
    for review in tables.reviews.find(tenant=tenant):
        if review.held_at is None:
            yield _to_review(road, review)


def _to_review(road: Road, review: Review) -> Matter:
    now: datetime = road.clock.now()
    title = f"a review is owed ({review.kind}): {review.ref}"
    overdue = now >= review.due_at
    return Matter(
        review.id,
        Kind.REVIEW,
        (Role.CHANGE_MANAGER, Role.AUDITOR),
        (),
        (),
        title,
        review.due_at,
        round="overdue" if overdue else "",
    )
