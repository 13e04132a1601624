"""Saying yes: a signature in a role, in the stage that is open; with enough of them a grant is made."""

import hashlib

from control_plane import reach
from control_plane.accounts.recheck import recheck
from control_plane.approvals import lending
from control_plane.approvals.lending import Capacity, Loan
from control_plane.approvals.matters import at, done, guarded, proposal_of, readable, requesters
from control_plane.approvals.verdict import Verdict, verdict
from control_plane.gate import entry, make_grant, moved, sign, waiting
from control_plane.judging import Brief, brief
from control_plane.ports import Written
from control_plane.replay import pins
from control_plane.road import Road
from control_plane.roster import seeding
from control_plane.tables import Message, Tables
from domain.decisions import Ruling
from domain.errors import Conflict, Refused
from domain.gate import Approval, Choice
from domain.identity import Permission, Principal
from domain.proposals import Proposal, ProposalState
from policies.chain import may_sign, person_key, signing_roles
from policies.stages import Progress


def approve(
    road: Road, who: Principal, proposal_id: str, because: str, plan_digest: str | None = None, key: str = ""
) -> Proposal:
    """Say yes to exactly this plan. With enough signatures it is granted, and carried out at once.

    Args:
        road: the present.
        who: who signs.
        proposal_id: what is signed.
        because: why; it is recorded.
        plan_digest: of the plan that was looked at, where the caller knows it.
        key: the caller's own name for this request; sent again it is answered again and done once.

    Raises:
        NotFound: there is no such proposal for this caller.
        Refused: the caller may not sign this proposal, or not in the stage that is open.
        Conflict: it does not wait, its plan is another, this person signed already, or the key was used otherwise.
        Gone: it expired.
    """
    reason = readable(because)
    if (tested := seeding.answer(road, who, proposal_id, Choice.APPROVE, reason, plan_digest)) is not None:
        return tested

    def change(tables: Tables) -> Written[Proposal]:
        if key and (earlier := _sent_before(road, tables, who, key, proposal_id, reason, plan_digest)):
            return Written(earlier)
        return _approve(road, tables, who, proposal_id, reason, plan_digest, key)

    def act() -> Proposal:
        recheck(road, who, proposal_id)
        return done(road, change)

    proposal = guarded(road, who, proposal_id, act)
    road.notice(f"proposal {proposal.state}", proposal.id)
    return proposal


def check_signer(
    road: Road, tables: Tables, who: Principal, proposal: Proposal, *, signed: bool = True
) -> tuple[Loan, ...]:
    """Return by which loans a caller may decide on a proposal, beside its own rights.

    A loan of somebody who asked for the plan counts for nothing. `signed=False`: that the same person has signed
    already does not matter. Raises as `policies.chain.may_sign`.
    """
    asked = requesters(tables, proposal)
    lent = [loan for loan in lending.loans(tables, who, road.clock.now()) if Permission.APPROVE in loan.permissions]
    keys = {person_key(name) for name in (proposal.requester, *proposal.on_behalf_of, *asked)}
    good = tuple(loan for loan in lent if not keys & {person_key(name) for name in loan.lenders})
    own = signing_roles(who)
    may_sign(
        who,
        proposal,
        tables.approvals.find(proposal_id=proposal.id) if signed else (),
        roles=own.union(*(loan.roles for loan in lent)),
        requesters=asked,
        lenders=() if own or good else tuple(name for loan in lent for name in loan.lenders),
    )
    if not lending.capacities(road, proposal, who, good):
        reach.plan(road, who, proposal.region, proposal.plan)
        raise Refused(f"`{who.name}` may sign no plan like this; ask somebody whose role and scope cover it")
    return good


def grant(road: Road, tables: Tables, about: Brief, because: str) -> tuple[Proposal, str, tuple[Message, ...]]:
    """Make the grant of a plan that has its signatures; return the proposal, the grant's id and what to do next."""
    made = make_grant(road, tables, about, about.yes)
    granted = moved(tables, about.proposal, ProposalState.GRANTED, because, at=road.clock.now())
    over = at(road, "wake", granted.incident_id, made.expires_at)  # nobody revives a grant whose end was seen
    return granted, made.id, (road.wake(granted.incident_id), over)


def _approve(
    road: Road, tables: Tables, who: Principal, proposal_id: str, because: str, plan_digest: str | None, key: str
) -> Written[Proposal]:
    proposal = proposal_of(road, tables, who, proposal_id)
    lent = check_signer(road, tables, who, proposal)
    before, now = brief(road, tables, waiting(road, proposal, plan_digest)), road.clock.now()
    capacity = _fitting(who, lending.capacities(road, proposal, who, lent), verdict(road, before, now).progress)
    approval = sign(
        road,
        tables,
        who,
        proposal,
        Choice.APPROVE,
        because,
        role=capacity.role,
        delegation_id=capacity.loan.delegation.id if capacity.loan else "",
        id=_approval_id(who, key) if key else road.id("appr"),
    )
    about = brief(road, tables, proposal)
    said = verdict(road, about, now)
    messages: tuple[Message, ...] = ()
    if said.judgement.answer is Ruling.DENY:
        reasons = "; ".join(rule.because for rule in said.judgement.rules)
        raise Conflict(f"the rules forbid this plan now: {reasons}")
    decision, pinned = pins.decided(road, tables, about, now, said.judgement)
    refs: tuple[str, ...] = (approval.id, decision.id)
    if said.granted:
        proposal, grant_id, messages = grant(road, tables, about, f"approved by {about.signatures}")
        refs = (*refs, grant_id)
    else:
        proposal = _still_waiting(tables, proposal, said)
        messages = (at(road, "notify", proposal.id, now),)
    tickets = [ticket.id for ticket in tables.tickets.find(incident_id=proposal.incident_id)]
    fields = {
        "because": because,
        "person": who.person,
        "signatures": about.signatures,
        "tickets": tickets,
        "pinned": pinned,
    }
    fields |= _told(said, approval)
    made = entry(road, "gate.proposal.approved", who.name, proposal, refs, **fields, **who.on_behalf_of)
    return Written(proposal, (made,), messages)


def _still_waiting(tables: Tables, proposal: Proposal, said: Verdict) -> Proposal:
    """Say who is asked next: the roles of the stage that is open."""
    stage = said.progress.open or said.progress.last
    role = str(stage.stage.roles[0])
    if role == proposal.next_role:
        return proposal
    return moved_within(tables, proposal, next_role=role)


def moved_within(tables: Tables, old: Proposal, **changes: object) -> Proposal:
    """Change a proposal that stays in its state. Raises Conflict when somebody was faster."""
    new = old.but(**changes)
    if not tables.proposals.swap(old, new):
        raise Conflict(f"proposal `{old.id}` changed a moment ago; read it again")
    return new


def _fitting(who: Principal, found: tuple[Capacity, ...], standing: Progress) -> Capacity:
    """Return the capacity that fits the stage that is open; where all are full, the last one takes more."""
    stage = (standing.open or standing.last).stage
    for capacity in found:
        if stage.takes(capacity.role, who.name, who.person) or stage.takes(capacity.role, who.id, who.person):
            return capacity
    whom = " or ".join(stage.roles) + (f" named in the stage ({len(stage.of)} people)" if stage.of else "")
    raise Refused(f"`{who.name}` cannot sign in stage `{stage.id}`, which is open now; it waits for the role {whom}")


def _told(said: Verdict, approval: Approval) -> dict[str, object]:
    """Return what the record says of a signature: the rules, the chain, and the right by which it was given."""
    stage = said.progress.open
    told: dict[str, object] = {
        "rules": [rule.id for rule in said.judgement.rules],
        "chain": said.chain.id,
        "role": approval.role,
        "waits_for": list(stage.stage.roles) if stage and not said.granted else [],
    }
    return told | ({"delegation": approval.delegation_id} if approval.delegation_id else {})


def _approval_id(who: Principal, key: str) -> str:
    """Return the id of the one approval that an account sends under a key of its own."""
    return f"appr_k{hashlib.sha256(f'{who.tenant}|{who.id}|{key}'.encode()).hexdigest()[:40]}"


def _sent_before(
    road: Road, tables: Tables, who: Principal, key: str, proposal_id: str, because: str, plan_digest: str | None
) -> Proposal | None:
    """Return the proposal as it stands when this very request was answered before; None when it is new.

    Raises Conflict when the key was used for something else.
    """
    earlier = tables.approvals.get(_approval_id(who, key))
    if earlier is None:
        return None
    same = earlier.proposal_id == proposal_id and earlier.because == because
    if not same or plan_digest not in {None, earlier.plan_digest}:
        raise Conflict("this idempotency key was used for another decision; take a new key for a new decision")
    return proposal_of(road, tables, who, proposal_id)
