"""The last look before the first step: is the grant still the right to do this, here, now?"""

from control_plane.executor import execution_id_of
from control_plane.gate import entry, grant_id_of, withdraw
from control_plane.judging import brief, judge
from control_plane.ports import Written
from control_plane.rehearsing import rehearsal_of
from control_plane.relevance import changed_facts
from control_plane.road import Road
from control_plane.tables import Tables
from domain.decisions import Ruling
from domain.errors import BadInput
from domain.execution import Execution
from domain.gate import Grant
from domain.proposals import Proposal, ProposalState
from policies.chain import CHAIN_VERSION


def begin(road: Road, proposal: Proposal) -> bool:
    """Turn a granted proposal into an execution, or withdraw it and say what changed. True when it began."""
    reasons = _reasons_against(road, proposal)
    if reasons:
        _void(road, proposal, reasons)
        return False
    execution = Execution(
        id=execution_id_of(proposal.id),
        proposal_id=proposal.id,
        incident_id=proposal.incident_id,
        grant_id=grant_id_of(proposal.id),
        started_at=road.clock.now(),
    )

    def change(tables: Tables) -> Written[bool]:
        executing = proposal.moved(ProposalState.EXECUTING, "the grant held")
        if not tables.proposals.swap(proposal, executing):
            return Written(False)
        tables.executions.add(execution)
        tickets = [ticket.id for ticket in tables.tickets.find(incident_id=proposal.incident_id)]
        refs = (execution.id, execution.grant_id, *tickets)
        return Written(True, (entry(road, "act.execution.begun", "plane", executing, refs, tickets=tickets),))

    began = road.ledger.do(change)
    road.notice("begun", execution.id)
    return began


def _reasons_against(road: Road, proposal: Proposal) -> list[str]:
    grant = road.ledger.read(lambda tables: tables.grants.get(grant_id_of(proposal.id)))
    if grant is None:
        return ["it has no grant"]
    return (
        _grant_reasons(road, grant, proposal) or _rule_reasons(road, proposal) or _state_reasons(road, grant, proposal)
    )


def _grant_reasons(road: Road, grant: Grant, proposal: Proposal) -> list[str]:
    checks = {
        f"the grant expired at {grant.expires_at:%H:%M:%S}": road.clock.now() < grant.expires_at,
        "the plan is not the one that was granted": grant.plan_digest == proposal.plan.digest,
        "the policy book changed since the grant": grant.policy_version == road.book.version,
        "the approval chain changed since the grant": grant.chain_version == CHAIN_VERSION,
        "it was rehearsed anew since the grant": grant.rehearsal_id == proposal.rehearsal_id,
    }
    return [reason for reason, holds in checks.items() if not holds]


def _rule_reasons(road: Road, proposal: Proposal) -> list[str]:
    """Ask the book again, with the signatures that are really there."""
    about = road.ledger.read(lambda tables: brief(tables, proposal))
    judgement = judge(road, about, road.clock.now(), about.signatures)
    if judgement.answer is Ruling.ALLOW:
        return []
    return [f"the rules now say {judgement.answer}: {rule.because} ({rule.id})" for rule in judgement.rules]


def _state_reasons(road: Road, grant: Grant, proposal: Proposal) -> list[str]:
    """The facts must hold, and a fresh rehearsal must still find the plan sound."""
    changed = changed_facts(road, grant.facts)
    if changed:
        return changed
    try:
        again = rehearsal_of(road, proposal, road.live.snapshot())
    except BadInput as error:
        return [f"it cannot be rehearsed any more: {error.reason}"]
    return [] if again.sound else [f"rehearsed again, it is not sound: {'; '.join(again.reasons)}"]


def _void(road: Road, proposal: Proposal, reasons: list[str]) -> None:
    """Withdraw the proposal, and have the incident looked at anew: the world is not what was approved."""

    def change(tables: Tables) -> Written[None]:
        _, withdrawn = withdraw(road, tables, proposal, "; ".join(reasons))
        voided = entry(road, "gate.grant.voided", "plane", proposal, (grant_id_of(proposal.id),), reasons=reasons)
        incident = tables.incidents.get(proposal.incident_id)
        if incident is not None:
            tables.incidents.swap(incident, incident.but(revision=incident.revision + 1))
        return Written(None, (voided, withdrawn), (road.wake(proposal.incident_id),))

    road.ledger.do(change)
    road.notice("voided", proposal.id)
