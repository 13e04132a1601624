"""A plan that somebody asks for by a door: a person with the permission to propose, or an agent outside the house.

It becomes a proposal like any other: rehearsed, judged, and signed by others. Who asks is who is authenticated, and
for whom; nothing that is sent along can say otherwise.
"""

from datetime import timedelta

from control_plane import reach
from control_plane.approvals import changes
from control_plane.approvals.matters import asked_for, done, readable
from control_plane.gate import entry
from control_plane.guards.budgets import check_length
from control_plane.guards.throttle import stands_against
from control_plane.handoffs import off_card
from control_plane.horizon import Horizon, no_incident
from control_plane.orders.behind import behind
from control_plane.ports import Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from control_plane.ways import WAYS
from domain.actions import ActionClass
from domain.agents import AgentCard
from domain.errors import Conflict, Refused
from domain.identity import Permission, Principal, Scope
from domain.incidents import Incident, IncidentState
from domain.proposals import Plan, Proposal, ProposalState
from policies.chain import is_agent
from policies.permissions import scope

_AGENT = "agent:"
_TITLE_MOST = 200
#: So many proposals of one requester may be alive in one incident.
_MOST_LIVE = 8
#: What people said no to, or what was tried, an agent asks for no more.
_NOT_AGAIN = frozenset({ProposalState.REJECTED, ProposalState.CHANGED, ProposalState.SETTLED})


def propose(road: Road, who: Principal, incident_id: str, plan: Plan, because: str, title: str = "") -> Proposal:
    """Ask for a plan to be carried out in an incident.

    Raises:
        BadInput: the reason is unreadable, or the plan could never be rehearsed.
        Refused: the caller may not propose this: by permission, by scope, or by an agent's list of actions.
        NotFound: there is no such incident for this caller.
        Conflict: the incident is closed or not yet diagnosed, this plan waits already or was refused before, or an
            agent asks for one plan after another.
    """
    need(who, Permission.PROPOSE)
    reason = readable(because)

    def change(tables: Tables) -> Written[Proposal | None]:
        incident = tables.incidents.get(incident_id)
        if incident is None or not Horizon(road.live, who).incident(incident):
            raise no_incident(incident_id)
        reach.plan(road, who, incident.region, plan)
        requester = _requester(road, who, plan)
        for step in plan.steps:
            road.hands_for(step)
        check_length(road, plan)
        WAYS[incident.about].check(road, plan)
        _in_time(tables, incident, requester, plan)
        if requester.startswith(_AGENT) and (told := stands_against(road, tables, incident, requester, plan)):
            return Written(None, told.entries, told.messages)
        new = _drafted(road, tables, who, incident, requester, plan, reason, title)
        tables.proposals.add(new)
        changes.follow(tables, new, new.made_at)
        said = {"because": reason, "person": who.person, "plan": plan.model_dump(mode="json"), **who.on_behalf_of}
        made = entry(road, "propose.proposal.drafted", who.name, new, (new.diagnosis_id,), **said)
        return Written(new, (made,), (road.wake(new.incident_id),))

    new = done(road, change)
    if new is None:
        raise Conflict(
            f"`{who.name}` has asked for too many plans in incident `{incident_id}` lately; people were told"
        )
    return new


def _requester(road: Road, who: Principal, plan: Plan) -> str:
    """Return the name under which a plan is asked for: that of an account through which an agent speaks says so.

    Raises Refused for an action that is not on the agent's list, and for the name of one of the house's own agents.
    """
    if any(step.kind is ActionClass.SET_AUTONOMY for step in plan.steps):
        raise Refused("a level of autonomy is asked for by the house, on evidence; see `nocturne autonomy show`")
    if not is_agent(who):
        return who.name
    name, cards = who.name, _cards(road)
    if not name.startswith(_AGENT):
        name = f"{_AGENT}{name}"
        if name in cards:
            raise Refused(f"`{name}` is an agent of the house, and `{who.name}` is not; rename the account")
    beyond = off_card(road, cards[name], plan) if name in cards else _off_list(scope(who), who.name, plan)
    if beyond:
        raise Refused(f"{beyond}; ask somebody who may")
    return name


def _cards(road: Road) -> dict[str, AgentCard]:
    cards = [planner.card for planner in road.planners]
    cards += [diagnostician.card for diagnostician in road.diagnosticians.values()]
    return {card.principal: card for card in cards}


def _off_list(held: Scope, name: str, plan: Plan) -> str:
    """An agent from outside has its list of actions in its scope, as a bound on `kind`; without one it has none."""
    lists = [bound for bound in held.bounds if bound.argument == "kind"]
    if not lists:
        return f"the account of agent `{name}` lists no actions (a bound on `kind`)"
    wrong = next((step.kind for step in plan.steps if not all(each.permits(step.kind.value) for each in lists)), None)
    return f"the account of agent `{name}` does not list the action `{wrong}`" if wrong else ""


def _in_time(tables: Tables, incident: Incident, requester: str, plan: Plan) -> None:
    """Refuse what comes too late, too early, or again. Raises Conflict."""
    if incident.state is IncidentState.CLOSED:
        raise Conflict(f"incident `{incident.id}` is closed; nothing is to be repaired in it")
    if not incident.diagnosis_id:
        raise Conflict(f"incident `{incident.id}` is not diagnosed yet; try again in a moment")
    earlier = tables.proposals.find(incident_id=incident.id)
    for proposal in earlier:
        if proposal.plan_digest == plan.digest and proposal.live:
            raise Conflict(f"this plan waits already, as proposal `{proposal.id}`; decide on that one")
        if proposal.plan_digest == plan.digest and proposal.state in _NOT_AGAIN and requester.startswith(_AGENT):
            raise Conflict(f"this plan was {proposal.state} before, as proposal `{proposal.id}`; ask for another one")
    if sum(proposal.live and proposal.requester == requester for proposal in earlier) >= _MOST_LIVE:
        raise Conflict(f"`{requester}` has {_MOST_LIVE} proposals in incident `{incident.id}`; wait for an answer")


def _drafted(
    road: Road, tables: Tables, who: Principal, incident: Incident, requester: str, plan: Plan, why: str, title: str
) -> Proposal:
    """Return the proposal: on the incident's diagnosis, and no surer than that is."""
    now, diagnosis = road.clock.now(), tables.diagnoses.get(incident.diagnosis_id or "")
    top = diagnosis.top if diagnosis else None
    actions = ", ".join(f"{step.kind} {step.target}" for step in plan.steps)
    return Proposal(
        id=road.id("prop"),
        incident_id=incident.id,
        diagnosis_id=incident.diagnosis_id or "",
        change_id=road.id("chg"),
        tenant=incident.tenant,
        region=incident.region,
        requester=requester,
        on_behalf_of=(*asked_for(who), *behind(tables, incident)),
        title=(title.strip() or actions)[:_TITLE_MOST],
        why=why,
        plan=plan,
        plan_digest=plan.digest,
        evidence_ids=top.evidence_ids if top else (),
        confidence=top.confidence if top else 0.0,
        cause_element=top.element if top else "",
        expires_at=now + timedelta(seconds=road.settings.proposal_s),
        made_at=now,
    )
