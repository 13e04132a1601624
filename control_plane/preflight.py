"""The last look before the first step: is the grant still the right to do this, here, now?"""

from control_plane.approvals import changes
from control_plane.executor import execution_id_of
from control_plane.gate import entry, grant_id_of, withdraw
from control_plane.guards import budgets, switches
from control_plane.ports import Written
from control_plane.rehearsing import since_then
from control_plane.road import Road
from control_plane.standing import grant_of, reasons_against
from control_plane.tables import Tables
from control_plane.ways import rehearse
from domain.errors import BadInput
from domain.execution import Execution
from domain.proposals import Proposal, ProposalState
from twin.departures import departures


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
        if switches.off_for(road, tables, proposal) or not tables.proposals.swap(proposal, executing):
            return Written(False)
        changes.follow(tables, executing, execution.started_at)
        tables.executions.add(execution)
        budgets.count_plan(road, tables, proposal)
        tickets = [ticket.id for ticket in tables.tickets.find(incident_id=proposal.incident_id)]
        refs = (execution.id, execution.grant_id, *tickets)
        return Written(True, (entry(road, "act.execution.begun", "plane", executing, refs, tickets=tickets),))

    began = road.ledger.do(change)
    road.notice("begun", execution.id)
    return began


def _reasons_against(road: Road, proposal: Proposal) -> list[str]:
    """The grant must stand, and rehearsed once more the plan must still come to what was approved."""
    grant = grant_of(road, proposal)
    reasons = reasons_against(road, proposal, grant.facts if grant else ())
    if reasons:
        return reasons
    granted = road.ledger.read(lambda tables: tables.rehearsals.get(proposal.rehearsal_id or ""))
    assert granted is not None  # without it there would be no grant
    try:
        again = rehearse(road, proposal, since_then(road.live.snapshot(), granted, road.live.twin.down()))
    except BadInput as error:
        return [f"it cannot be rehearsed any more: {error.reason}"]
    return list(departures(granted, again))


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
