"""Breaking the glass: in an emergency one person, who has just proved who they are, signs alone. Once, for one plan.

It counts as every signature that the rules ask for, so it cures nothing that no signature cures: a freeze, an unsound
rehearsal, an error in the book stay what they are, and a kill switch still stops it. It is loud in the record, makes
an emergency change, and is looked back at by somebody else on the next working day.
"""

from datetime import datetime, time, timedelta

from control_plane import reach
from control_plane.accounts.recheck import recheck
from control_plane.approvals.matters import asked_for, done, guarded, proposal_of, readable, requesters
from control_plane.approvals.signing import grant
from control_plane.approvals.verdict import verdict
from control_plane.gate import entry, sign, waiting
from control_plane.judging import brief
from control_plane.ports import Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.roster import notices, reviews, seeding
from control_plane.tables import Message, Tables
from domain.approvals import BrokenGlass
from domain.errors import Conflict, NotFound, Refused
from domain.gate import Choice
from domain.identity import Permission, Principal, Role
from domain.proposals import Proposal
from domain.records import Entry
from domain.roster import NoticeKind
from policies.chain import may_sign, person_key

KIND = "broken_glass"
_TOLD = (Role.CHANGE_MANAGER, Role.OPERATOR, Role.APPROVER)
_WORKING_DAYS, _WORK_ENDS = 5, time(17, 0)


def break_glass(road: Road, who: Principal, proposal_id: str, plan_digest: str, because: str) -> Proposal:
    """Sign a plan alone, in an emergency.

    Args:
        road: the present.
        who: who breaks the glass; `authenticated_at` must lie within the last five minutes (`fresh_s`).
        proposal_id: of the plan.
        plan_digest: of exactly the plan that was looked at.
        because: why it cannot wait; it is recorded, and asked about in the review.

    Raises:
        Refused: the caller may not do this, asked for the plan, or has not just proved who it is.
        Conflict: the plan does not wait or is another; the rules forbid it whoever signs; this proof was used before.
        Gone: it expired.
        NotFound: there is no such proposal for this caller.
    """
    reason = readable(because)
    if (tested := seeding.answer(road, who, proposal_id, Choice.APPROVE, reason, plan_digest)) is not None:
        return tested

    def act() -> Proposal:
        recheck(road, who, proposal_id, always=True)
        return done(road, lambda tables: _break(road, tables, who, proposal_id, plan_digest, reason))

    proposal = guarded(road, who, proposal_id, act)
    road.notice(f"proposal {proposal.state}", proposal.id)
    return proposal


def review(road: Road, who: Principal, glass_id: str, verdict: str, because: str) -> BrokenGlass:
    """Record what somebody else finds of a broken glass afterwards: `justified` or `not_justified`, and why.

    Raises:
        Refused: the caller may not review, or broke it itself.
        Conflict: it was reviewed already.
        NotFound: there is no such broken glass for this caller.
    """
    reason = readable(because)

    def change(tables: Tables) -> Written[BrokenGlass]:
        need(who, Permission.REVIEW)
        old = tables.broken_glass.get(glass_id)
        if old is None or old.tenant != who.tenant:
            raise NotFound(f"there is no broken glass `{glass_id}`; `nocturne glass` lists them")
        people = {person_key(name) for name in (who.person, *asked_for(who))}
        if not person_key(who.person) or person_key(old.person) in people:
            raise Refused(f"`{who.name}` broke glass `{glass_id}`, or is no person; somebody else must review it")
        if old.reviewed_at is not None:
            raise Conflict(f"glass `{glass_id}` was reviewed by {old.reviewed_by}; there is nothing left to say")
        now = road.clock.now()
        new = old.but(reviewed_by=who.name, reviewed_at=now, verdict=f"{verdict}: {reason}")
        tables.broken_glass.swap(old, new)
        for owed in tables.reviews.find(tenant=old.tenant, kind=KIND, ref=old.id):
            if owed.held_at is None:
                held = {"held_at": now, "attendees": (who.person,), "decisions": (new.verdict,)}
                tables.reviews.swap(owed, owed.but(**held, recorded_by=who.name))
        fields = {"verdict": verdict, "because": reason, "person": who.person, "late": now >= old.review_due}
        return Written(new, (_entry(road, "gate.glass.reviewed", who.name, new, **fields),))

    return guarded(road, who, glass_id, lambda: done(road, change))


def next_working_day(at: datetime) -> datetime:
    """Return the end of the next working day (17:00 UTC, Monday to Friday) after the day of `at`."""
    day = at.date() + timedelta(days=1)
    while day.weekday() >= _WORKING_DAYS:
        day += timedelta(days=1)
    return datetime.combine(day, _WORK_ENDS, tzinfo=at.tzinfo)


def _break(
    road: Road, tables: Tables, who: Principal, proposal_id: str, plan_digest: str, because: str
) -> Written[Proposal]:
    proposal, now = proposal_of(road, tables, who, proposal_id), road.clock.now()
    need(who, Permission.BREAK_GLASS)
    reach.plan(road, who, proposal.region, proposal.plan)  # by its own scope: what is lent is lent for something else
    proved = _fresh(road, tables, who, now)
    may_sign(who, proposal, (), requesters=requesters(tables, proposal))
    waiting(road, proposal, plan_digest)
    glass = BrokenGlass(
        id=road.id("glass"),
        tenant=who.tenant,
        proposal_id=proposal.id,
        plan_digest=proposal.plan_digest,
        account=who.name,
        person=who.person,
        because=because,
        authenticated_at=proved,
        broken_at=now,
        review_due=next_working_day(now),
    )
    approval = sign(road, tables, who, proposal, Choice.APPROVE, because, broken_glass_id=glass.id)
    about = brief(road, tables, proposal)
    said = verdict(road, about, now)
    if not said.granted:
        reasons = "; ".join(rule.because for rule in said.judgement.rules)
        raise Conflict(f"no signature cures this, an emergency's neither: {reasons}")
    tables.broken_glass.add(glass)
    granted, grant_id, wakes = grant(road, tables, about, f"the glass was broken by {who.person}: {because}")
    fields = {"because": because, "person": who.person, "review_due": glass.review_due.isoformat()}
    made = entry(
        road, "gate.glass.broken", who.name, granted, (glass.id, approval.id, grant_id), **fields, **who.on_behalf_of
    )
    owed = reviews.owe(road, tables, tenant=glass.tenant, kind=KIND, ref=glass.id, due_at=glass.review_due, by=who.name)
    told, messages = _tell(road, tables, granted, glass)
    return Written(granted, (made, *owed.entries, *told), (*wakes, *owed.messages, *messages))


def _fresh(road: Road, tables: Tables, who: Principal, now: datetime) -> datetime:
    """Return when the caller proved who it is: lately, and for this one use."""
    how = "prove who you are again (`POST /identity/proof`, or log in again) and say it within five minutes"
    proved = who.authenticated_at
    if proved is None or not timedelta(0) <= now - proved <= timedelta(seconds=road.settings.fresh_s):
        raise Refused(f"`{who.name}` has not just proved who it is; {how}")
    used = tables.broken_glass.find(tenant=who.tenant)
    if any(person_key(g.person) == person_key(who.person) and g.authenticated_at == proved for g in used):
        raise Refused(f"this proof of `{who.name}` was used to break a glass already; {how}")
    return proved


def _tell(
    road: Road, tables: Tables, proposal: Proposal, glass: BrokenGlass
) -> tuple[tuple[Entry, ...], tuple[Message, ...]]:
    """Tell everybody who is on call in the roles that answer for changes."""
    text = f"{glass.person} broke the glass and signed alone: {proposal.title} (`{proposal.id}`); {glass.because}"
    told = [
        notices.to_role(
            road,
            tables,
            role,
            tenant=glass.tenant,
            kind=NoticeKind.ALARM,
            ref=glass.id,
            text=text[:1000],
            region=proposal.region,
        )
        for role in _TOLD
    ]
    entries = tuple(entry for each in told for entry in each.entries)
    return entries, tuple(message for each in told for message in each.messages)


def _entry(road: Road, kind: str, actor: str, glass: BrokenGlass, **fields: object) -> Entry:
    return Entry(
        kind=kind,
        actor=actor,
        refs=(glass.id, glass.proposal_id),
        event_time=road.clock.now(),
        tenant=glass.tenant,
        fields={"plan_digest": glass.plan_digest, **fields},
    )
