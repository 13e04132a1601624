"""Asking people, and asking others when nobody answers. A timeout only asks the next one: it never decides anything.

`attend` is an errand. It may run any number of times: who is asked follows from the roster and the clock, each is told
once, and the next look is due when the next rung of the ladder is reached.
"""

from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster.holding import IN_CHARGE, Held, Kind, Matter, deadline, hold, ladder
from control_plane.roster.matters import matter_of
from control_plane.roster.notices import Told, keepers, tell
from control_plane.roster.on_call import watch
from control_plane.roster.trust import notice_drop
from control_plane.tables import Message, Tables
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from domain.roster import NoticeKind

#: Kind of matter → how the first who are asked are told.
_FIRST = {
    Kind.DECIDE: NoticeKind.DECIDE,
    Kind.ENQUIRY: NoticeKind.ENQUIRY,
    Kind.DOUBT: NoticeKind.DECIDE,
    Kind.RUNNING: NoticeKind.DECIDE,
    Kind.REVIEW: NoticeKind.REVIEW,
    Kind.MODEL: NoticeKind.ALARM,
    Kind.ABSTAINED: NoticeKind.DECIDE,
}


def attend(road: Road, ref: str) -> None:
    """Errand: tell whoever has to look after a pending matter now, and look again when the next has to."""
    road.ledger.do(lambda tables: _attend(road, tables, ref))


def message(road: Road, ref: str) -> Message:
    """Return the outbox message that has a matter attended to."""
    return Message(id=road.id("msg"), topic="notify", ref=ref, due_at=road.clock.now())


def _attend(road: Road, tables: Tables, ref: str) -> Written[None]:
    found = matter_of(road, tables, ref)
    if found is None:
        late = _too_late(road, tables, ref)
        return Written(None, late.entries, late.messages)
    tenant, matter = found
    if matter.quiet:
        return Written(None)
    now, share = road.clock.now(), road.settings.escalate_share
    held = hold(matter, watch(tables, tenant, now), now, share)
    before = tables.notices.find(ref=ref)
    told = [_tell(road, tables, tenant, matter, held)]
    last = held.rung == len(ladder(matter.roles)) - 1
    if matter.until is not None and (matter.ending or last):
        told.append(_warn(road, tables, tenant, matter, held))
    if matter.kind is Kind.DECIDE and any(each.notices for each in told):
        told.append(_trust(road, tables, tenant, ref))
    entries = [entry for each in told for entry in each.entries]
    messages = [message for each in told for message in each.messages]
    if matter.kind is Kind.DECIDE and held.rung == 0 and road.settings.seeded_share > 0:
        messages += [_draw(road, ref, notice.to_account) for notice in told[0].notices if notice.to_account]
    if not any(notice.mark == matter.round for notice in before):
        messages += _looks(road, matter)
    if entries:
        entries.append(_asked(road, tenant, matter, held))
    return Written(None, tuple(entries), tuple(messages))


def _looks(road: Road, matter: Matter) -> list[Message]:
    """Return the messages of a matter that is first asked about: a look at each moment at which it climbs."""
    now, share = road.clock.now(), road.settings.escalate_share
    moments = {deadline(matter, rung, share) for rung in range(len(ladder(matter.roles)))}
    due = sorted(moment for moment in moments if moment is not None and moment > now)
    return [Message(id=road.id("msg"), topic="notify", ref=matter.id, due_at=moment) for moment in due]


def _trust(road: Road, tables: Tables, tenant: str, proposal_id: str) -> Told:
    """Where an agent asks people again is where it is noticed that they trust it less."""
    proposal = tables.proposals.get(proposal_id)
    return notice_drop(road, tables, tenant, proposal.requester) if proposal else Told()


def _draw(road: Road, proposal_id: str, account: str) -> Message:
    return Message(id=road.id("msg"), topic="seed", ref=f"{proposal_id} {account}", due_at=road.clock.now())


def _tell(road: Road, tables: Tables, tenant: str, matter: Matter, held: Held) -> Told:
    """Tell those on the first rung that it is theirs, and everybody above that it was escalated."""
    kind = _FIRST[matter.kind] if held.rung == 0 else NoticeKind.ESCALATED
    verb = "waits for you" if held.rung == 0 else "waits, and nobody has answered yet"
    before = {n.to_account for n in tables.notices.find(ref=matter.id) if n.mark == matter.round}
    people = [watcher for watcher in held.by if watcher.account not in before] or (
        [] if held.by else keepers(tables, tenant)
    )
    text = f"{matter.title}: {verb} (`{matter.id}`)"
    if held.escalated:
        text = f"{matter.title}: nobody on call can look after it (`{matter.id}`)"
    return tell(
        road,
        tables,
        people,
        tenant=tenant,
        kind=NoticeKind.ESCALATED if held.escalated else kind,
        ref=matter.id,
        text=text,
        mark=matter.round,
        deadline=held.deadline,
        next_role=held.next_role,
        region=matter.region,
    )


def _warn(road: Road, tables: Tables, tenant: str, matter: Matter, held: Held) -> Told:
    """On the last rung, or when it ends soon anyhow, tell everybody who was asked."""
    assert matter.until is not None
    return tell(
        road,
        tables,
        held.by,
        tenant=tenant,
        kind=NoticeKind.EXPIRES,
        ref=matter.id,
        text=f"{matter.title}: it ends at {matter.until:%H:%M:%S} UTC, and then nothing is done (`{matter.id}`)",
        mark=matter.round,
        deadline=matter.until,
        next_role=held.next_role,
        region=matter.region,
    )


def _too_late(road: Road, tables: Tables, ref: str) -> Told:
    """Where a proposal has expired, tell whoever is in charge: nothing was done, and the trouble stands."""
    proposal = tables.proposals.get(ref)
    if proposal is None or proposal.state is not ProposalState.EXPIRED:
        return Told()
    return _expired(road, tables, proposal)


def _expired(road: Road, tables: Tables, proposal: Proposal) -> Told:
    now = road.clock.now()
    matter = Matter(proposal.id, Kind.RUNNING, (IN_CHARGE,), (proposal.region,), (), proposal.title, now)
    held = hold(matter, watch(tables, proposal.tenant, now), now, road.settings.escalate_share)
    return tell(
        road,
        tables,
        held.by or keepers(tables, proposal.tenant),
        tenant=proposal.tenant,
        kind=NoticeKind.ESCALATED,
        ref=proposal.id,
        text=f"{proposal.title}: nobody decided in time, and nothing was done (`{proposal.id}`)",
        mark="expired",
        next_role=held.next_role,
        region=proposal.region,
    )


def _asked(road: Road, tenant: str, matter: Matter, held: Held) -> Entry:
    return Entry(
        kind="roster.matter.asked",
        actor="plane",
        refs=(matter.id,),
        event_time=road.clock.now(),
        tenant=tenant,
        residency=matter.region,
        fields={
            "what": matter.kind,
            "rung": held.rung,
            "roles": list(ladder(matter.roles)[held.rung].roles),
            "to": [watcher.account for watcher in held.by],
            "escalated": held.escalated,
            "deadline": held.deadline.isoformat() if held.deadline else "",
            "next_role": held.next_role,
        },
    )
