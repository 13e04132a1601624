"""The change record: what is asked for, by whom, who approved it, and what came of it (TMF655, ITIL).

It follows its proposal within the same transaction, from every place in which a proposal moves, so the two never
disagree. Nothing is carried out without an approved one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from control_plane.tables import Tables
from domain.approvals import ChangeKind, ChangeRecord, ChangeState
from domain.execution import Outcome
from domain.gate import Approval
from domain.incidents import Resolution
from domain.proposals import Proposal, ProposalState
from policies.chain import counts

_S, _C = ProposalState, ChangeState
_STATES: dict[ProposalState, ChangeState] = {
    _S.DRAFTED: _C.REQUESTED,
    _S.REHEARSED: _C.REQUESTED,
    _S.HELD: _C.REQUESTED,
    _S.DEFERRED: _C.REQUESTED,
    _S.GRANTED: _C.APPROVED,
    _S.EXECUTING: _C.IN_PROGRESS,
    _S.DENIED: _C.REFUSED,
    _S.REJECTED: _C.REFUSED,
    _S.CHANGED: _C.CANCELLED,
    _S.WITHDRAWN: _C.CANCELLED,
    _S.EXPIRED: _C.CANCELLED,
}
_APPROVED = frozenset({_C.APPROVED, _C.IN_PROGRESS})
_IN_FORCE = _APPROVED | {_C.COMPLETED, _C.FAILED}
#: A change that went through and did not help, or was undone, failed; one whose trouble healed meanwhile did not.
_FAILED = frozenset({Resolution.ROLLED_BACK, Resolution.UNRESOLVED})


def follow(tables: Tables, proposal: Proposal, at: datetime | None = None) -> ChangeRecord:
    """Bring the change record of a proposal to where the proposal is now; make it when there is none yet."""
    old = tables.change_records.get(proposal.change_id)
    outcome = _outcome(tables, proposal)
    state = _state(proposal, outcome)
    said = {
        **(_approved(tables, proposal) if state in _IN_FORCE else {"approved_by": ()}),
        "state": state,
        "changed_at": at or (old.changed_at if old else proposal.made_at),
        "note": outcome.because if outcome else proposal.state_reason,
    }
    if old is not None:
        new = old.but(**said)
        tables.change_records.swap(old, new)
        return new
    new = ChangeRecord(
        id=proposal.change_id,
        proposal_id=proposal.id,
        incident_id=proposal.incident_id,
        tenant=proposal.tenant,
        region=proposal.region,
        title=proposal.title,
        plan_digest=proposal.plan_digest,
        requested_by=proposal.requester,
        made_at=proposal.made_at,
        **{"kind": _kind(proposal, ()), **said},
    )
    tables.change_records.add(new)
    return new


def reasons_against(tables: Tables, proposal: Proposal) -> list[str]:
    """Return why the change record does not let the plan be carried out, or nothing."""
    record = tables.change_records.get(proposal.change_id)
    if record is None:
        return [f"there is no change record `{proposal.change_id}`"]
    if record.state not in _APPROVED:
        return [f"change `{record.id}` is {record.state}, not approved"]
    if record.proposal_id != proposal.id or record.plan_digest != proposal.plan.digest:
        return [f"change `{record.id}` was approved for another plan"]
    return []


def _outcome(tables: Tables, proposal: Proposal) -> Outcome | None:
    if proposal.state is not ProposalState.SETTLED:
        return None
    executions = tables.executions.find(proposal_id=proposal.id, newest=True, limit=1)
    return executions[0].outcome if executions else None


def _state(proposal: Proposal, outcome: Outcome | None) -> ChangeState:
    if proposal.state is not ProposalState.SETTLED:
        return _STATES[proposal.state]
    failed = outcome is None or outcome.resolution in _FAILED
    return ChangeState.FAILED if failed else ChangeState.COMPLETED


def _approved(tables: Tables, proposal: Proposal) -> dict[str, Any]:
    """Return what a change record says of its approval: how it was approved, by whom, and beside which tickets."""
    yes = _yes(tables, proposal)
    return {
        "kind": _kind(proposal, yes),
        "approved_by": _approved_by(tables, proposal, yes),
        "ticket_ids": tuple(ticket.id for ticket in tables.tickets.find(incident_id=proposal.incident_id)),
    }


def _yes(tables: Tables, proposal: Proposal) -> list[Approval]:
    return [each for each in tables.approvals.find(proposal_id=proposal.id) if counts(each, proposal)]


def _kind(proposal: Proposal, yes: Sequence[Approval]) -> ChangeKind:
    if any(each.broken_glass_id for each in yes):
        return ChangeKind.EMERGENCY
    standard = all(step.standard for step in proposal.plan.steps)
    return ChangeKind.STANDARD if standard else ChangeKind.NORMAL


def _approved_by(tables: Tables, proposal: Proposal, yes: Sequence[Approval]) -> tuple[str, ...]:
    """Return the people who signed; where nobody had to, the rules that allow it (`rule:ID`)."""
    people = tuple(dict.fromkeys(each.person for each in yes))
    if people:
        return people
    decision = tables.decisions.get(proposal.decision_id or "")
    return tuple(f"rule:{rule.id}" for rule in (decision.judgement.rules if decision else ()))
