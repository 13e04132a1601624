"""The gate: approvals become a grant, and a grant means exactly one thing, once.

Everything here runs inside a change of the ledger, so that two people (or fifty threads) cannot both win.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from control_plane.approvals.changes import follow
from control_plane.guards import locks
from control_plane.guards.passing import pass_through
from control_plane.judging import Brief
from control_plane.road import Road
from control_plane.roster import seeding, viewing
from control_plane.tables import Tables
from domain.errors import Conflict, Gone
from domain.gate import Approval, Choice, Grant, Right, RightKind
from domain.identity import Principal
from domain.proposals import Proposal, ProposalState
from domain.records import Entry

WAITING = (ProposalState.HELD, ProposalState.DEFERRED)


def waiting(road: Road, proposal: Proposal, plan_digest: str | None) -> Proposal:
    """Check that a proposal waits for people, is not expired, and is the plan that was looked at.

    Raises:
        Conflict: it is not waiting, or the plan is another one.
        Gone: it expired.
    """
    if road.clock.now() >= proposal.expires_at:
        raise Gone(f"proposal `{proposal.id}` expired at {proposal.expires_at:%H:%M:%S}; look for a newer one")
    if proposal.state in {ProposalState.DRAFTED, ProposalState.REHEARSED}:
        raise Conflict(f"proposal `{proposal.id}` is being rehearsed on what is known now; try again in a moment")
    if proposal.state not in WAITING:
        raise Conflict(f"proposal `{proposal.id}` is {proposal.state} and waits for nobody ({proposal.state_reason})")
    if plan_digest is not None and plan_digest != proposal.plan_digest:
        raise Conflict(f"the plan of `{proposal.id}` is not the one you looked at; read it again before you decide")
    return proposal


def sign(
    road: Road,
    tables: Tables,
    who: Principal,
    proposal: Proposal,
    choice: Choice,
    because: str,
    *,
    role: str = "",
    delegation_id: str = "",
    broken_glass_id: str = "",
    id: str = "",
) -> Approval:
    """Store what one person says of one plan, and by which right."""
    approval = Approval(
        id=id or road.id("appr"),
        proposal_id=proposal.id,
        plan_digest=proposal.plan_digest,
        rehearsal_id=proposal.rehearsal_id or "",
        choice=choice,
        account=who.id,
        person=who.person,
        because=because,
        made_at=road.clock.now(),
        role=role,
        delegation_id=delegation_id,
        broken_glass_id=broken_glass_id,
        turn=tables.approvals.count(proposal_id=proposal.id),
    )
    tables.approvals.add(approval)
    viewing.decided(tables, proposal, approval)
    return approval


def grant_id_of(proposal_id: str) -> str:
    """Return the id of a proposal's grant: there can be only one, so a second one collides in the store."""
    return proposal_id.replace("prop_", "grant_", 1)


def make_grant(road: Road, tables: Tables, about: Brief, approvals: Sequence[Approval]) -> Grant:
    """Store the grant of a proposal, with one right per step and one per inverse.

    A grant that died because a signature was taken back, before anything was done, is replaced; its rights are unused.
    """
    now, proposal = road.clock.now(), about.proposal
    seeding.refuse(tables, proposal.id)
    pass_through(road, tables, about, approvals)
    grant = Grant(
        id=grant_id_of(proposal.id),
        proposal_id=proposal.id,
        plan_digest=proposal.plan_digest,
        policy_version=road.book.version,
        chain_version=road.chains.version,
        rehearsal_id=about.rehearsal.id,
        facts=about.rehearsal.facts,
        approval_ids=tuple(approval.id for approval in approvals),
        made_at=now,
        expires_at=now + timedelta(seconds=road.settings.grant_s),
    )
    dead = tables.grants.get(grant.id)
    if dead is not None and dead.revoked_at is not None and tables.grants.swap(dead, grant):
        return grant
    tables.grants.add(grant)
    steps = proposal.plan.steps
    tables.rights.add(*(_right(grant, RightKind.STEP, index) for index in range(len(steps))))
    tables.rights.add(
        *(_right(grant, RightKind.INVERSE, index) for index, step in enumerate(steps) if step.inverse() is not None)
    )
    return grant


def right_id(grant_id: str, kind: RightKind, index: int) -> str:
    """Return the id of one right of a grant."""
    return f"{grant_id}:{kind}:{index}"


def _right(grant: Grant, kind: RightKind, index: int) -> Right:
    return Right(id=right_id(grant.id, kind, index), grant_id=grant.id, kind=kind, index=index)


def consume(road: Road, tables: Tables, right: str, by: str) -> bool:
    """Use a right up; say whether this caller was the one who got it."""
    stored = tables.rights.get(right)
    if stored is None or stored.consumed_by is not None:
        return False
    return tables.rights.swap(stored, stored.but(consumed_by=by, consumed_at=road.clock.now()))


def moved(
    tables: Tables, old: Proposal, to: ProposalState, because: str, *, at: datetime | None = None, **changes: object
) -> Proposal:
    """Move a proposal to another state, and its change record with it (`at`: when, where the caller knows the time).

    Raises:
        Conflict: somebody was faster.
    """
    new = old.moved(to, because, **changes)
    if not tables.proposals.swap(old, new):
        raise Conflict(f"proposal `{old.id}` changed a moment ago; read it again")
    follow(tables, new, at)
    return new


def entry(road: Road, kind: str, actor: str, proposal: Proposal, refs: Sequence[str] = (), **fields: object) -> Entry:
    """Return a record entry about a proposal: who, what plan, under which rules, and what came of it."""
    return Entry(
        kind=kind,
        actor=actor,
        refs=(proposal.id, proposal.incident_id, *refs),
        event_time=road.clock.now(),
        tenant=proposal.tenant,
        residency=proposal.region,
        fields={
            "state": proposal.state,
            "plan_digest": proposal.plan_digest,
            "change_id": proposal.change_id,
            "policy_version": road.book.version,
            **fields,
        },
    )


def withdraw(road: Road, tables: Tables, proposal: Proposal, because: str) -> tuple[Proposal, Entry]:
    """Withdraw a proposal: a fact under it changed. Rights that its grant may have are dead with it."""
    new = moved(tables, proposal, ProposalState.WITHDRAWN, because, at=road.clock.now())
    locks.let_go(road, tables, proposal.id)
    return new, entry(road, "gate.proposal.withdrawn", "plane", new, because=because)


def expire(road: Road, tables: Tables, proposal: Proposal) -> tuple[Proposal, Entry]:
    """Expire a proposal nobody decided on in time: the safe default is that nothing happens."""
    because = f"nobody decided until {proposal.expires_at:%Y-%m-%d %H:%M:%S} UTC; next to ask: {proposal.next_role}"
    new = moved(tables, proposal, ProposalState.EXPIRED, because, at=road.clock.now())
    locks.let_go(road, tables, proposal.id)
    fields = {"because": because, "next_role": new.next_role, "decided_by": "nobody"}
    return new, entry(road, "gate.proposal.expired", "plane", new, **fields)
