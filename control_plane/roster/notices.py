"""Telling people. A notice is kept first, and goes out from the outbox: it announces what is recorded, so it needs no
grant, it may go out twice, and none is lost.

Whoever has something to announce calls one of the functions below inside its own change, and hands on what they return.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from control_plane.road import Road
from control_plane.roster.holding import Kind, Matter, Watcher, hold
from control_plane.roster.on_call import holders, watch
from control_plane.tables import Message, Tables
from domain.identity import Role
from domain.records import Entry
from domain.roster import Notice, NoticeKind

#: Who keeps a roster, and so is told when nobody is on call.
KEEPERS = (Role.TENANT_OWNER, Role.CHANGE_MANAGER, Role.ADMIN)


class Told(NamedTuple):
    """What telling somebody leaves for the ledger: notices made (none where all were told before), record, outbox."""

    notices: tuple[Notice, ...] = ()
    entries: tuple[Entry, ...] = ()
    messages: tuple[Message, ...] = ()


def tell(
    road: Road,
    tables: Tables,
    people: Iterable[Watcher],
    *,
    tenant: str,
    kind: NoticeKind,
    ref: str,
    text: str,
    mark: str = "",
    deadline: datetime | None = None,
    next_role: str = "",
    region: str = "default",
) -> Told:
    """Tell some people of something, each once for one `mark`."""
    now = road.clock.now()
    known = {(n.to_account, n.mark) for n in tables.notices.find(ref=ref, kind=kind)}
    made = tuple(
        Notice(
            id=road.id("ntc"),
            tenant=tenant,
            kind=kind,
            to_account=watcher.account,
            to_person=watcher.person,
            role=watcher.role,
            ref=ref,
            mark=mark,
            text=text,
            deadline=deadline,
            next_role=next_role,
            made_at=now,
        )
        for watcher in {watcher.account: watcher for watcher in people}.values()
        if (watcher.account, mark) not in known
    )
    if not made:
        return Told()
    tables.notices.add(*made)
    entry = Entry(
        kind="roster.notice.made",
        actor="plane",
        refs=(ref,),
        event_time=now,
        tenant=tenant,
        residency=region,
        fields={
            "kind": kind,
            "to": [notice.to_account for notice in made],
            "roles": sorted({notice.role for notice in made}),
            "text": text,
            "deadline": deadline.isoformat() if deadline else "",
            "next_role": next_role,
        },
    )
    out = tuple(Message(id=road.id("msg"), topic="deliver", ref=notice.id, due_at=now) for notice in made)
    return Told(made, (entry,), out)


def to_role(
    road: Road,
    tables: Tables,
    role: Role,
    *,
    tenant: str,
    kind: NoticeKind,
    ref: str,
    text: str,
    region: str = "",
    domain: str = "",
    mark: str = "",
    deadline: datetime | None = None,
) -> Told:
    """Tell whoever is on call in a role; where nobody is, whoever is next; where nobody at all is, the keepers."""
    now = road.clock.now()
    matter = Matter(ref, Kind.RUNNING, (role,), _some(region), _some(domain), text, now)
    held = hold(matter, watch(tables, tenant, now), now, road.settings.escalate_share)
    people = held.by or keepers(tables, tenant)
    return tell(
        road,
        tables,
        people,
        tenant=tenant,
        kind=kind,
        ref=ref,
        text=text,
        mark=mark,
        deadline=deadline,
        next_role=held.next_role,
        region=region or "default",
    )


def to_keepers(
    road: Road, tables: Tables, *, tenant: str, kind: NoticeKind, ref: str, text: str, deadline: datetime | None = None
) -> Told:
    """Tell those who keep the roster, on call or not."""
    people = keepers(tables, tenant)
    return tell(road, tables, people, tenant=tenant, kind=kind, ref=ref, text=text, deadline=deadline)


def keepers(tables: Tables, tenant: str) -> tuple[Watcher, ...]:
    """Return who keeps the roster of a tenant. Where nobody does, the notice is for the house: it shows as unread."""
    found = tuple(
        Watcher(account.name, account.person, role)
        for account in holders(tables, tenant, KEEPERS)
        for role in KEEPERS
        if role in account.roles
    )
    return found or (Watcher("", "", KEEPERS[0]),)


def _some(name: str) -> tuple[str, ...]:
    return (name,) if name else ()


def deliver(road: Road, notice_id: str) -> None:
    """Errand: send a notice out, by whatever messenger the house has. Being kept, it is never lost."""
    notice = road.ledger.read(lambda tables: tables.notices.get(notice_id))
    if notice is not None and road.messenger is not None:
        road.messenger.send(notice)
