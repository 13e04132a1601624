"""Collisions: two plans that are each safe alone, and perhaps not together.

Where the influence sets of two live plans overlap, both are rehearsed as one plan, in both orders, under the
hypotheses of both diagnoses. What that said is stored; the judgement and the gate only look it up, so that the same
decision can be recomputed from what was pinned.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from control_plane.guards.influence import influence, written
from control_plane.ports import Written
from control_plane.rehearsing import hypotheses_of, self_heal
from control_plane.road import Road
from control_plane.tables import Tables
from domain.actions import Action
from domain.changes import Change
from domain.diagnosis import Diagnosis
from domain.errors import BadInput
from domain.execution import StepState
from domain.gate import RightKind
from domain.guards import Collision
from domain.proposals import Plan, Proposal, ProposalState
from domain.records import Entry
from domain.rehearsal import Rehearsal
from twin.rehearsal import rehearse
from twin.snapshot import Snapshot
from twin.steps import touches_network
from twin.together import objections

#: What something can still come of, or comes of now.
_IN_PLAY = (
    ProposalState.REHEARSED,
    ProposalState.HELD,
    ProposalState.DEFERRED,
    ProposalState.GRANTED,
    ProposalState.EXECUTING,
)
_BEGUN = frozenset({ProposalState.GRANTED, ProposalState.EXECUTING})
#: So many of each diagnosis' likeliest causes are combined.
_CAUSES = 2
_LONGEST = 64
#: With more plans than this on the same elements, the rest are not rehearsed together, and so never run together.
_MOST_PAIRS = 16


class Party(NamedTuple):
    """One of the two plans: `left` are its steps that are still to be done, `done` those that are."""

    proposal: Proposal
    rehearsal: Rehearsal
    diagnosis: Diagnosis
    left: tuple[Action, ...]
    done: tuple[Action, ...]


def look(road: Road, proposal_id: str) -> None:
    """Rehearse a plan together with each other plan in play that it touches, where that was not done yet."""
    mine, others = road.ledger.read(lambda tables: _parties(road, tables, proposal_id))
    if mine is None or not others:
        return
    snapshot = road.live.snapshot()
    made = [_together(road, snapshot, mine, other, shared) for other, shared in others[:_MOST_PAIRS]]

    def change(tables: Tables) -> Written[None]:
        fresh = [collision for collision in made if tables.collisions.get(collision.id) is None]
        tables.collisions.add(*fresh)
        return Written(None, tuple(_entry(mine.proposal, collision) for collision in fresh))

    road.ledger.do(change)
    for collision in made:
        if not collision.safe_together:
            road.notice("collided", collision.id)


def collides(tables: Tables, proposal: Proposal) -> bool:
    """Say whether a plan is not safe together with another that waits, is granted, or is carried out.

    A plan that has begun does not yield to one that still waits: that one does.
    """
    return any(not row.safe_together and _yields(tables, proposal, row) for row in collisions_of(tables, proposal))


def collisions_of(tables: Tables, proposal: Proposal) -> list[Collision]:
    """Return what is known of a plan, as it is rehearsed now, together with others that are in play."""
    rows = (
        *tables.collisions.find(tenant=proposal.tenant, proposal_id=proposal.id),
        *tables.collisions.find(tenant=proposal.tenant, other_id=proposal.id),
    )
    return [row for row in rows if _stands(tables, row)]


def known(tables: Tables, one: str, other: str) -> Collision | None:
    """Return what the joint rehearsal of two rehearsed plans said, or None where there was none."""
    return tables.collisions.get(_id(one, other))


def _yields(tables: Tables, proposal: Proposal, row: Collision) -> bool:
    if proposal.state not in _BEGUN:
        return True
    other = tables.proposals.get(row.other_id if row.proposal_id == proposal.id else row.proposal_id)
    return other is not None and other.state in _BEGUN


def _stands(tables: Tables, row: Collision) -> bool:
    both = (tables.proposals.get(row.proposal_id), tables.proposals.get(row.other_id))
    present = {p.rehearsal_id for p in both if p is not None and p.state in _IN_PLAY}
    return present == set(row.rehearsal_ids)


def _parties(road: Road, tables: Tables, proposal_id: str) -> tuple[Party | None, list[tuple[Party, tuple[str, ...]]]]:
    """Return a plan, and those of others that touch it and were not rehearsed with it, with what they share."""
    proposal = tables.proposals.get(proposal_id)
    mine = _party(tables, proposal) if proposal else None
    if proposal is None or mine is None or not mine.rehearsal.sound:
        return None, []
    reach, found = influence(road, proposal.plan, mine.rehearsal), []
    for other in tables.proposals.find(tenant=proposal.tenant, state=_IN_PLAY):
        party = None if other.id == proposal.id else _party(tables, other)
        if party is None or not (party.rehearsal.sound or other.state in _BEGUN):
            continue
        shared = reach & influence(road, other.plan, party.rehearsal)
        if shared and known(tables, mine.rehearsal.id, party.rehearsal.id) is None:
            found.append((party, tuple(sorted(shared))))
    return mine, found


def _party(tables: Tables, proposal: Proposal) -> Party | None:
    rehearsal = tables.rehearsals.get(proposal.rehearsal_id or "")
    diagnosis = tables.diagnoses.get(proposal.diagnosis_id)
    if rehearsal is None or diagnosis is None:
        return None
    runs = tables.executions.find(proposal_id=proposal.id)
    steps = tables.steps.find(execution_id=runs[0].id) if runs else []
    gone = {step.index for step in steps if step.kind is RightKind.STEP and step.state is StepState.DONE}
    numbered = list(enumerate(proposal.plan.steps))
    return Party(
        proposal,
        rehearsal,
        diagnosis,
        left=tuple(step for index, step in numbered if index not in gone),
        done=tuple(step for index, step in numbered if index in gone),
    )


def _together(road: Road, snapshot: Snapshot, mine: Party, other: Party, shared: tuple[str, ...]) -> Collision:
    reasons = tuple(dict.fromkeys(_objections(road, snapshot, mine, other)))
    return Collision(
        id=_id(mine.rehearsal.id, other.rehearsal.id),
        tenant=mine.proposal.tenant,
        proposal_id=mine.proposal.id,
        other_id=other.proposal.id,
        rehearsal_ids=(mine.rehearsal.id, other.rehearsal.id),
        elements=shared[:64],
        safe_together=not reasons,
        reasons=reasons[:8],
        made_at=road.clock.now(),
    )


def _objections(road: Road, snapshot: Snapshot, mine: Party, other: Party) -> Iterator[str]:
    """Yield what speaks against doing both, in either order."""
    both = written(mine.proposal.plan).keys() & written(other.proposal.plan).keys()
    for element, attribute in sorted(both):
        yield f"both set `{attribute}` of `{element}`"
    if both or not (touches_network(mine.proposal.plan) and touches_network(other.proposal.plan)):
        return
    if not mine.left or not other.left:
        return  # of one of them everything is done: the other was rehearsed on top of it
    if len(mine.left) + len(other.left) > _LONGEST:
        yield f"together they have more than {_LONGEST} steps"
        return
    try:
        yield from objections(lambda steps: _rehearsed(road, snapshot, mine, other, steps), mine.left, other.left)
    except BadInput as error:
        yield f"they cannot be rehearsed together: {error.reason}"


def _rehearsed(road: Road, snapshot: Snapshot, mine: Party, other: Party, steps: Sequence[Action]) -> Rehearsal:
    """Rehearse steps under what either diagnosis takes for possible, on top of what is done of either plan."""
    done = [change for step in (*mine.done, *other.done) for change in step.changes()]
    return rehearse(
        proposal_id=mine.proposal.id,
        plan=Plan(steps=tuple(steps)),
        snapshot=snapshot.with_changes(done),
        hypotheses=list(_hypotheses(mine.diagnosis, other.diagnosis)),
        observed=road.live.observed,
        twin_error=road.live.twin.fidelity(),
        self_heal=max(self_heal(road, mine.diagnosis), self_heal(road, other.diagnosis)),
        now=road.clock.now(),
        new_id=road.id,
    )


def _hypotheses(one: Diagnosis, other: Diagnosis) -> Iterator[tuple[float, tuple[Change, ...]]]:
    """Yield the likeliest causes of both troubles together, with their joint probabilities."""
    mine = hypotheses_of(one)[:_CAUSES]
    if one.id == other.id:
        yield from mine
        return
    for weight, overlay in mine or [(1.0, ())]:
        for share, more in hypotheses_of(other)[:_CAUSES] or [(1.0, ())]:
            yield weight * share, tuple(dict.fromkeys((*overlay, *more)))


def _id(one: str, other: str) -> str:
    return "+".join(sorted((one, other)))


def _entry(proposal: Proposal, collision: Collision) -> Entry:
    return Entry(
        kind="rehearse.collision.found" if not collision.safe_together else "rehearse.collision.none",
        actor="plane",
        refs=(collision.proposal_id, collision.other_id, proposal.incident_id, *collision.rehearsal_ids),
        event_time=collision.made_at,
        tenant=collision.tenant,
        residency=proposal.region,
        fields={
            "elements": list(collision.elements),
            "safe_together": collision.safe_together,
            "reasons": list(collision.reasons),
        },
    )
