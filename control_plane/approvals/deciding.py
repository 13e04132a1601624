"""Saying no, something else, or later. Each is recorded with its reason; none needs a stage of its own."""

from collections.abc import Callable
from datetime import datetime, timedelta

from control_plane import reach
from control_plane.approvals import changes
from control_plane.approvals.matters import asked_for, done, guarded, proposal_of, readable, reminders
from control_plane.approvals.signing import check_signer
from control_plane.autonomy.crediting import refused
from control_plane.gate import entry, moved, sign, waiting
from control_plane.guards.budgets import check_length
from control_plane.orders.behind import behind
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster import seeding
from control_plane.tables import Tables
from control_plane.ways import WAYS
from domain.errors import BadInput
from domain.gate import Choice
from domain.identity import Principal
from domain.incidents import IncidentClass
from domain.proposals import Plan, Proposal, ProposalState


def reject(road: Road, who: Principal, proposal_id: str, because: str) -> Proposal:
    """Say no. The same plan is not proposed again for this incident. Raises as `signing.approve`."""
    reason = readable(because)
    if (tested := seeding.answer(road, who, proposal_id, Choice.REJECT, reason)) is not None:
        return tested

    def change(tables: Tables) -> Written[Proposal]:
        proposal = _decidable(road, tables, who, proposal_id)
        approval = sign(road, tables, who, proposal, Choice.REJECT, reason)
        now = road.clock.now()
        rejected = moved(tables, proposal, ProposalState.REJECTED, reason, at=now)
        credited = refused(road, tables, rejected, Choice.REJECT, who.person, reason)
        said = {"because": reason, "person": who.person, **who.on_behalf_of}
        made = entry(road, "gate.proposal.rejected", who.name, rejected, (approval.id,), **said)
        return Written(rejected, (made, *credited.entries), (road.wake(rejected.incident_id), *credited.messages))

    return _decided(road, who, proposal_id, lambda: done(road, change))


def defer(road: Road, who: Principal, proposal_id: str, until: datetime, because: str) -> Proposal:
    """Put the decision off until a moment, at most a day away; it can still be decided earlier.

    Raises:
        BadInput: the moment has passed, or is too far away.
        Refused, Conflict, Gone, NotFound: as `signing.approve`.
    """
    reason, now = readable(because), road.clock.now()
    if not now < until <= now + timedelta(seconds=road.settings.defer_most_s):
        raise BadInput("a decision can be put off to a moment within the next 24 hours; give a later or nearer time")
    if (tested := seeding.answer(road, who, proposal_id, Choice.DEFER, reason)) is not None:
        return tested
    expires_at = until + timedelta(seconds=road.settings.proposal_s)

    def change(tables: Tables) -> Written[Proposal]:
        proposal = _decidable(road, tables, who, proposal_id)
        approval = sign(road, tables, who, proposal, Choice.DEFER, reason)
        deferred = moved(
            tables,
            proposal,
            ProposalState.DEFERRED,
            reason,
            at=road.clock.now(),
            deferred_until=until,
            expires_at=expires_at,
        )
        back = road.wake(deferred.incident_id, (until - road.clock.now()).total_seconds())
        said = {"because": reason, "person": who.person, **who.on_behalf_of}
        made = entry(road, "gate.proposal.deferred", who.name, deferred, (approval.id,), **said)
        return Written(deferred, (made,), (road.wake(deferred.incident_id), back, *reminders(road, deferred)))

    return _decided(road, who, proposal_id, lambda: done(road, change))


def change_plan(road: Road, who: Principal, proposal_id: str, plan: Plan, because: str) -> Proposal:
    """Ask for another plan instead. It is a new proposal: rehearsed, judged and signed by somebody else.

    The old one can no longer be carried out, and stays in the record.

    Raises:
        BadInput: it is the same plan, or one that could never be rehearsed.
        Refused, Conflict, Gone, NotFound: as `signing.approve`.
    """
    reason = readable(because)
    if (tested := seeding.answer(road, who, proposal_id, Choice.CHANGE, reason)) is not None:
        return tested

    def change(tables: Tables) -> Written[Proposal]:
        old = _decidable(road, tables, who, proposal_id)
        if plan.digest == old.plan_digest:
            raise BadInput("this is the same plan; approve it, or change a step")
        reach.plan(road, who, old.region, plan)
        _could_be_rehearsed(road, tables, old, plan)
        approval = sign(road, tables, who, old, Choice.CHANGE, reason)
        gone = moved(tables, old, ProposalState.CHANGED, reason, at=road.clock.now())
        credited = refused(road, tables, gone, Choice.CHANGE, who.person, reason)
        new = _instead(road, tables, who, old, plan, reason)
        tables.proposals.add(new)
        changes.follow(tables, new, new.made_at)
        said = {"because": reason, "person": who.person, "plan": plan.model_dump(mode="json"), **who.on_behalf_of}
        entries = (
            entry(road, "gate.proposal.changed", who.name, gone, (approval.id, new.id), because=reason),
            entry(road, "propose.proposal.drafted", who.name, new, (old.id,), **said),
        )
        return Written(new, (*entries, *credited.entries), (road.wake(new.incident_id), *credited.messages))

    return _decided(road, who, proposal_id, lambda: done(road, change))


def _decidable(road: Road, tables: Tables, who: Principal, proposal_id: str) -> Proposal:
    """Return a proposal that waits, and on which the caller may decide."""
    proposal = proposal_of(road, tables, who, proposal_id)
    check_signer(road, tables, who, proposal, signed=False)
    return waiting(road, proposal, None)


def _decided(road: Road, who: Principal, proposal_id: str, act: Callable[[], Proposal]) -> Proposal:
    proposal = guarded(road, who, proposal_id, act)
    road.notice(f"proposal {proposal.state}", proposal.id)
    return proposal


def _instead(road: Road, tables: Tables, who: Principal, old: Proposal, plan: Plan, because: str) -> Proposal:
    """Return the proposal of another plan, asked for by a person."""
    now = road.clock.now()
    return old.but(
        id=road.id("prop"),
        change_id=road.id("chg"),
        requester=who.name,
        on_behalf_of=(*asked_for(who), *behind(tables, tables.incidents.get(old.incident_id))),
        state=ProposalState.DRAFTED,
        state_reason="",
        title=f"{old.title} (changed)",
        why=because,
        plan=plan,
        plan_digest=plan.digest,
        rehearsal_id=None,
        decision_id=None,
        replaces=old.id,
        deferred_until=None,
        warned_at=None,
        expires_at=now + timedelta(seconds=road.settings.proposal_s),
        next_role=Proposal.model_fields["next_role"].default,
        made_at=now,
    )


def _could_be_rehearsed(road: Road, tables: Tables, old: Proposal, plan: Plan) -> None:
    """Refuse a plan that could never be rehearsed: the one that waits would be lost for a slip of the pen."""
    for step in plan.steps:
        road.hands_for(step)
    check_length(road, plan)
    incident = tables.incidents.get(old.incident_id)
    WAYS[incident.about if incident else IncidentClass.NETWORK].check(road, plan)
