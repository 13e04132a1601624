"""The change of a shift: what is pending moves to whoever is on call now, with what changed since they last looked.

It moves attention, never rights: a person is handed only what they may act on by their own roles and scope, and taking
over gives nobody a role. What nobody who is on call may act on goes up the ladder, or to whoever keeps the roster.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from control_plane.horizon import Horizon
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster.asking import message
from control_plane.roster.differences import Changed, differences
from control_plane.roster.holding import Matter, Watcher, change_watch, hold
from control_plane.roster.matters import pending
from control_plane.roster.notices import keepers, tell
from control_plane.roster.on_call import watch, watcher_of
from control_plane.tables import Message, Tables
from domain.base import Utc, Word
from domain.errors import Refused
from domain.identity import Principal
from domain.ids import lowest_id
from domain.proposals import Proposal
from domain.records import Entry
from domain.roster import HandOver, NoticeKind, Shift

#: Whoever was away for longer is shown the changes of this time: what is older is over, or still pending.
FURTHEST_BACK = timedelta(days=7)
#: A proposal lives at most so long before its last change, so older ones cannot have changed since.
_LONGEST_LIFE = timedelta(days=2)


class Pending(Word):
    """One matter that the arriving person has to look after."""

    id: str
    kind: str
    title: str
    region: str
    asked: tuple[str, ...]
    deadline: Utc | None
    new: bool


class TakeOver(Word):
    """What a person finds when coming on shift. `since` is when they last looked; None: they never did."""

    since: Utc | None
    pending: tuple[Pending, ...]
    changed: tuple[Changed, ...]
    hand_overs: tuple[HandOver, ...]


def shift_change(road: Road, shift_id: str) -> None:
    """Errand: a shift has begun, ended or been withdrawn. Hand over what is pending, and have everybody asked anew."""

    def change(tables: Tables) -> Written[None]:
        shift = tables.shifts.get(shift_id)
        at = _boundary(shift, road.clock.now()) if shift else None
        if shift is None or at is None:
            return Written(None)
        matters, share = pending(road, tables, shift.tenant), road.settings.escalate_share
        before, after = _before(tables, shift, at), watch(tables, shift.tenant, road.clock.now())
        moves = change_watch(matters, before, after, road.clock.now(), share)
        gone = {w.account: w.person for w in before if w.account not in {each.account for each in after}}
        earlier = {matter.id for matter in matters if matter.since < at}
        made = []
        for watcher in {w.account: w for w in after}.values():
            ids = tuple(id for id in moves.moved.get(watcher.account, ()) if id in earlier)
            left = tuple(id for id in moves.left if id not in ids)
            if ids and tables.hand_overs.get(_id(at, watcher.account)) is None:
                made.append(_hand_over(road, tables, shift, watcher, ids, left, gone, at))
        tables.hand_overs.add(*made)
        messages = [*(message(road, matter.id) for matter in matters), *(_due(road, each) for each in made)]
        return Written(None, tuple(_entry(road, "plane", "made", each) for each in made), tuple(messages))

    road.ledger.do(change)


def overdue(road: Road, hand_over_id: str) -> None:
    """Errand: somebody who should have taken over by now did not; who keeps the roster is told."""

    def change(tables: Tables) -> Written[None]:
        made = tables.hand_overs.get(hand_over_id)
        if made is None or made.accepted_at is not None:
            return Written(None)
        text = f"`{made.to_account}` has not taken over {len(made.moved)} pending matters"
        told = tell(
            road,
            tables,
            keepers(tables, made.tenant),
            tenant=made.tenant,
            kind=NoticeKind.ESCALATED,
            ref=made.id,
            text=text,
            mark="overdue",
        )
        return Written(None, told.entries, told.messages)

    road.ledger.do(change)


def accept(road: Road, who: Principal) -> list[HandOver]:
    """Take over what was handed to the caller; what changes from now on is new to them next time.

    Raises:
        Refused: no person stands behind the account.
    """
    if not who.person:
        raise Refused(f"no person stands behind the account `{who.name}`; a shift is taken over by a person")
    now = road.clock.now()

    def change(tables: Tables) -> Written[list[HandOver]]:
        waiting = [each for each in _to(tables, who) if each.accepted_at is None]
        taken = [each.but(accepted_at=now) for each in waiting]
        for old, new in zip(waiting, taken, strict=True):
            tables.hand_overs.swap(old, new)
        if not taken:  # nobody handed anything over: they looked, and that is kept
            mine = tuple(matter.id for matter, _ in _mine(road, tables, who, now))
            looked = _blank(road, who, mine, now)
            tables.hand_overs.add(looked)
            taken = [looked]
        return Written(taken, tuple(_entry(road, who.name, "accepted", each) for each in taken))

    return road.ledger.do(change)


def take_over(road: Road, who: Principal) -> TakeOver:
    """Return what a person has to look after now, and what changed since they last took over."""
    now = road.clock.now()

    def read(tables: Tables) -> tuple[list[HandOver], list[tuple[Matter, datetime | None]], list[Proposal]]:
        return _to(tables, who), _mine(road, tables, who, now), _lately(tables, who.tenant, now)

    handed, mine, lately = road.ledger.read(read)
    since = max((each.accepted_at for each in handed if each.accepted_at), default=None)
    changed = differences(road.ledger, who.tenant, lately, since) if since else ()
    rows = tuple(
        Pending(
            id=matter.id,
            kind=matter.kind,
            title=matter.title,
            region=matter.region,
            asked=tuple(matter.roles),
            deadline=deadline,
            new=since is None or matter.since > since,
        )
        for matter, deadline in mine
    )
    return TakeOver(since=since, pending=rows, changed=changed, hand_overs=tuple(each for each in handed[-20:]))


def _lately(tables: Tables, tenant: str, now: datetime) -> list[Proposal]:
    return tables.proposals.find(tenant=tenant, after=lowest_id("prop", now - FURTHEST_BACK - _LONGEST_LIFE))


def _to(tables: Tables, who: Principal) -> list[HandOver]:
    return tables.hand_overs.find(tenant=who.tenant, to_account=who.name)


def _mine(road: Road, tables: Tables, who: Principal, now: datetime) -> list[tuple[Matter, datetime | None]]:
    on, share = watch(tables, who.tenant, now), road.settings.escalate_share
    horizon = Horizon(road.live, who)
    seen = [each for each in pending(road, tables, who.tenant) if horizon.regions(who.tenant, each.regions)]
    held = [(matter, hold(matter, on, now, share)) for matter in seen]
    return [(matter, h.deadline) for matter, h in held if who.name in {watcher.account for watcher in h.by}]


def _boundary(shift: Shift, now: datetime) -> datetime | None:
    """Return when the shift last began or ended; None when it has not begun."""
    moments = [shift.withdrawn_at] if shift.withdrawn_at else [shift.starts_at, shift.ends_at]
    return max((moment for moment in moments if moment <= now), default=None)


def _before(tables: Tables, shift: Shift, at: datetime) -> tuple[Watcher, ...]:
    """Return who was on call just before a shift began, ended or was withdrawn."""
    just_before = at - timedelta(microseconds=1)
    withdrawn = (
        watcher_of(tables, shift) if shift.withdrawn_at and shift.but(withdrawn_at=None).on(just_before) else None
    )
    return (*watch(tables, shift.tenant, just_before), *([withdrawn] if withdrawn else []))


def _hand_over(
    road: Road,
    tables: Tables,
    shift: Shift,
    to: Watcher,
    moved: tuple[str, ...],
    left: tuple[str, ...],
    gone: Mapping[str, str],
    at: datetime,
) -> HandOver:
    """Return the hand-over to somebody who arrives; the time to take over is a rung's share of a proposal's."""
    now = road.clock.now()
    earlier = tables.hand_overs.find(tenant=shift.tenant, to_account=to.account)
    return HandOver(
        id=_id(at, to.account),
        tenant=shift.tenant,
        from_person=", ".join(sorted(set(gone.values()))),
        to_person=to.person,
        to_account=to.account,
        role=to.role,
        moved=moved,
        left=left,
        deadline=now + timedelta(seconds=road.settings.proposal_s * road.settings.escalate_share),
        last_seen=max((each.accepted_at for each in earlier if each.accepted_at), default=None),
        made_at=now,
    )


def _blank(road: Road, who: Principal, mine: tuple[str, ...], now: datetime) -> HandOver:
    return HandOver(
        id=f"{road.id('hand')}:{who.name}",
        tenant=who.tenant,
        from_person="",
        to_person=who.person,
        to_account=who.name,
        role=min(who.roles),
        moved=mine,
        made_at=now,
        accepted_at=now,
    )


def _id(at: datetime, account: str) -> str:
    """Return the id of what is handed to an account at a change of the watch: there is one, whoever tells of it."""
    return f"{lowest_id('hand', at)}:{account}"


def _entry(road: Road, actor: str, what: str, made: HandOver) -> Entry:
    return Entry(
        kind=f"roster.hand_over.{what}",
        actor=actor,
        refs=(made.id, *made.moved[:32]),
        event_time=road.clock.now(),
        tenant=made.tenant,
        fields={"from": made.from_person, "to": made.to_account, "role": made.role, "moved": list(made.moved)},
    )


def _due(road: Road, made: HandOver) -> Message:
    assert made.deadline is not None
    return Message(id=road.id("msg"), topic="hand_over_due", ref=made.id, due_at=made.deadline)
