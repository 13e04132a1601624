"""Locks on what a granted plan rests on or moves, from the grant to the end of its execution.

A lock is taken in the transaction that makes the grant. Two plans that touch each other run at the same time only if
their joint rehearsal found them safe together. Whether a lock still holds is asked of its proposal's state as well,
so one that nobody released holds up nobody.
"""

from control_plane.guards.collisions import known
from control_plane.guards.influence import influence
from control_plane.road import Road
from control_plane.tables import Tables
from domain.actions import ActivateCircuit
from domain.errors import Conflict
from domain.guards import InfluenceLock
from domain.proposals import Plan, Proposal, ProposalState
from domain.rehearsal import Rehearsal

_HOLDING = frozenset({ProposalState.GRANTED, ProposalState.EXECUTING})
#: So many newest locks are looked at; a plan that is older than that many others has expired.
_MOST_OVERTAKING = 200


def against(road: Road, tables: Tables, proposal: Proposal, rehearsal: Rehearsal) -> list[str]:
    """Return one phrase per plan that has begun to be carried out and is not known to be safe together with this.

    The network is every tenant's, so the plans of others count; their ids are not told.
    """
    mine, phrases = influence(road, proposal.plan, rehearsal), []
    for lock in tables.influence_locks.find(held=True):
        shared = sorted(mine.intersection(lock.elements))
        if lock.id == proposal.id or not shared or not _holds(tables, lock):
            continue
        together = known(tables, rehearsal.id, lock.rehearsal_id)
        if together is None or not together.safe_together:
            why = "they were not rehearsed together" if together is None else "; ".join(together.reasons)
            which = f"plan `{lock.id}`" if lock.tenant == proposal.tenant else "a plan of another tenant"
            phrases.append(f"{which} is being carried out and touches `{shared[0]}`, too: {why}")
    return phrases or overtaken(road, tables, proposal, rehearsal)


def overtaken(road: Road, tables: Tables, proposal: Proposal, rehearsal: Rehearsal) -> list[str]:
    """Return one phrase per plan that put an ordered circuit where this one is to go, since this one was rehearsed.

    No measured fact tells of it: a new circuit may carry more tomorrow than it does by now.
    """
    if not _activates(proposal.plan):
        return []
    mine, phrases = influence(road, proposal.plan, rehearsal), []
    for lock in tables.influence_locks.find(held=False, newest=True, limit=_MOST_OVERTAKING):
        since = lock.released_at is not None and lock.released_at >= rehearsal.made_at
        shared = sorted(mine.intersection(lock.elements))
        other = tables.proposals.get(lock.id) if since and shared and lock.id != proposal.id else None
        if other is not None and other.state is ProposalState.SETTLED and _activates(other.plan):
            phrases.append(f"another order was carried out over `{shared[0]}` since this one was rehearsed")
    return phrases


def _activates(plan: Plan) -> bool:
    return any(isinstance(step, ActivateCircuit) for step in plan.steps)


def take(road: Road, tables: Tables, proposal: Proposal, rehearsal: Rehearsal) -> None:
    """Lock what a plan rests on and moves. Raises Conflict when another plan's lock stands against it."""
    phrases = against(road, tables, proposal, rehearsal)
    if phrases:
        raise Conflict(f"{'; '.join(phrases)}; decide again when it is over")
    lock = InfluenceLock(
        id=proposal.id,
        tenant=proposal.tenant,
        rehearsal_id=rehearsal.id,
        elements=tuple(sorted(influence(road, proposal.plan, rehearsal))),
        taken_at=road.clock.now(),
    )
    old = tables.influence_locks.get(lock.id)
    if old is None:
        tables.influence_locks.add(lock)
    else:
        tables.influence_locks.swap(old, lock)


def let_go(road: Road, tables: Tables, proposal_id: str) -> None:
    """Release the lock of a plan that is over, if it has one."""
    lock = tables.influence_locks.get(proposal_id)
    if lock is not None and lock.held:
        tables.influence_locks.swap(lock, lock.but(held=False, released_at=road.clock.now()))


def _holds(tables: Tables, lock: InfluenceLock) -> bool:
    proposal = tables.proposals.get(lock.id)
    return proposal is not None and proposal.state in _HOLDING
