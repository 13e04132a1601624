"""Taking a signature back, and stopping what it started."""

from control_plane.approvals.matters import at, done, guarded, proposal_of, readable, reminders
from control_plane.approvals.signing import moved_within
from control_plane.autonomy.crediting import refused
from control_plane.executor import execution_id_of
from control_plane.gate import WAITING, entry, grant_id_of, moved, withdraw
from control_plane.guards import locks
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Tables
from domain.errors import Conflict, Refused
from domain.execution import ExecutionState
from domain.gate import Approval
from domain.identity import Principal
from domain.proposals import Proposal, ProposalState
from policies.chain import counts, person_key

_STOPPABLE = frozenset({ExecutionState.RUNNING, ExecutionState.VERIFYING})
_BEFORE = frozenset({*WAITING, ProposalState.GRANTED, ProposalState.DRAFTED, ProposalState.REHEARSED})


def revoke(road: Road, who: Principal, proposal_id: str, because: str) -> Proposal:
    """Take one's own signature back. Before the plan began the grant dies and the plan waits again; after, it stops.

    Raises:
        Refused: this person has not signed this plan.
        Conflict: there is nothing left to take back.
        NotFound: there is no such proposal for this caller.
    """
    reason = readable(because)

    def change(tables: Tables) -> Written[Proposal]:
        proposal = proposal_of(road, tables, who, proposal_id)
        own = _own(tables, who, proposal)
        if proposal.state is ProposalState.EXECUTING:
            return stop(road, tables, who, proposal, reason)
        if proposal.state not in {*WAITING, ProposalState.GRANTED}:
            raise Conflict(f"proposal `{proposal.id}` is {proposal.state}; there is no signature to take back any more")
        return _take_back(road, tables, who, proposal, own, reason)

    proposal = guarded(road, who, proposal_id, lambda: done(road, change))
    road.notice(f"proposal {proposal.state}", proposal.id)
    return proposal


def stop(road: Road, tables: Tables, who: Principal, proposal: Proposal, because: str) -> Written[Proposal]:
    """Stop a plan: what is granted is withdrawn, what runs is halted and its done steps are undone.

    Raises Conflict when there is nothing to stop.
    """
    credited = refused(road, tables, proposal, "stop", who.person or who.name, because)
    if proposal.state in _BEFORE:
        new, told = withdraw(road, tables, proposal, f"stopped by {who.name}: {because}")
        made = told.but(fields={**told.fields, **who.on_behalf_of})
        return Written(new, (made, *credited.entries), (road.wake(proposal.incident_id), *credited.messages))
    execution = tables.executions.get(execution_id_of(proposal.id))
    if execution is None or execution.state not in _STOPPABLE:
        state = execution.state if execution else proposal.state
        raise Conflict(f"proposal `{proposal.id}` is {state}; there is nothing to stop")
    halted = execution.but(state=ExecutionState.STOPPING, stopped_by=who.name, note=because)
    if not tables.executions.swap(execution, halted):
        raise Conflict(f"execution `{execution.id}` moved a moment ago; say stop again")
    said = {"because": because, **who.on_behalf_of}
    made = entry(road, "act.execution.stopping", who.name, proposal, (execution.id,), **said)
    return Written(proposal, (made, *credited.entries), (road.wake(proposal.incident_id), *credited.messages))


def _own(tables: Tables, who: Principal, proposal: Proposal) -> list[Approval]:
    """Return the signatures of the caller's person under the plan as it stands."""
    given = tables.approvals.find(proposal_id=proposal.id)
    me = person_key(who.person)
    own = [each for each in given if me and person_key(each.person) == me and counts(each, proposal)]
    if not own:
        raise Refused(f"`{who.name}` has not signed proposal `{proposal.id}`; only its signer takes a signature back")
    return own


def _take_back(
    road: Road, tables: Tables, who: Principal, proposal: Proposal, own: list[Approval], because: str
) -> Written[Proposal]:
    now = road.clock.now()
    for approval in own:
        if not tables.approvals.swap(approval, approval.but(revoked_at=now)):
            raise Conflict(f"approval `{approval.id}` changed a moment ago; say it again")
    refs = [approval.id for approval in own]
    if proposal.state is ProposalState.GRANTED:
        grant = tables.grants.get(grant_id_of(proposal.id))
        assert grant is not None, "a granted proposal has a grant"
        tables.grants.swap(grant, grant.but(revoked_at=now))
        locks.let_go(road, tables, proposal.id)
        refs.append(grant.id)
        held = moved(tables, proposal, ProposalState.HELD, f"{who.person} took the signature back: {because}", at=now)
    else:
        held = moved_within(tables, proposal, state_reason=f"{who.person} took the signature back: {because}")
    said = {"because": because, "person": who.person, **who.on_behalf_of}
    made = entry(road, "gate.approval.revoked", who.name, held, refs, **said)
    told = at(road, "notify", held.id, now)
    return Written(held, (made,), (road.wake(held.incident_id), told, *reminders(road, held)))
