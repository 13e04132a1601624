"""A time in which nobody is on call in a role that is needed. It is found ahead, told once, and cleared when filled.

A shift of an account that has ended, or lost the role, puts nobody on call.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import NamedTuple

from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster.notices import to_keepers
from control_plane.roster.on_call import kept, standing, watcher_of
from control_plane.tables import Message, Tables
from domain.identity import ANY, NetworkDomain, Role
from domain.records import Entry
from domain.roster import NoticeKind, RosterGap, Shift

#: The roles that decisions wait for, and the one that is in charge when nobody decides.
NEEDED = (Role.APPROVER, Role.CHANGE_MANAGER, Role.OPERATOR, Role.ML_ENGINEER)
#: What is looked after apart where a roster names domains at all.
_DOMAINS = (NetworkDomain.RAN, NetworkDomain.TRANSPORT, NetworkDomain.CORE, NetworkDomain.POWER)


class Hole(NamedTuple):
    """Nobody is on call in `role` for a region and domain from `starts_at` on; `ends_at` None: nobody comes later."""

    role: Role
    region: str
    domain: str
    starts_at: datetime
    ends_at: datetime | None


def holes(
    shifts: Iterable[Shift], roles: Sequence[Role], regions: Sequence[str], since: datetime, until: datetime
) -> list[Hole]:
    """Return the times that begin from `since` to `until` and in which a role has nobody on call."""
    stand = [shift for shift in shifts if shift.withdrawn_at is None]
    found = []
    for role, region in product(roles, regions):
        here = [shift for shift in stand if shift.role is role and shift.region in {ANY, region}]
        apart = any(shift.domain != ANY for shift in here)
        for domain in _DOMAINS if apart else (ANY,):
            covering = [shift for shift in here if shift.domain in {ANY, domain}]
            found += [Hole(role, region, domain, *times) for times in _uncovered(covering, since, until)]
    return found


def _uncovered(shifts: Iterable[Shift], since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime | None]]:
    covered_to = since
    for shift in sorted(shifts, key=lambda shift: shift.starts_at):
        if covered_to < shift.starts_at and covered_to <= until:
            yield covered_to, shift.starts_at
        covered_to = max(covered_to, shift.ends_at)
    if covered_to <= until:
        yield covered_to, None


def look_ahead(road: Road, tenant: str) -> None:
    """Compare the roster of the next hours with the gaps that are known: tell of new ones, clear those filled."""
    now = road.clock.now()
    until = now + timedelta(seconds=road.settings.roster_ahead_s)
    regions = sorted({*road.live.regions.values()} or {"default"})

    def change(tables: Tables) -> Written[None]:
        known = tables.roster_gaps.find(tenant=tenant, open=True)
        keeps = kept(tables, tenant)
        alive = [shift for shift in standing(tables, tenant, now) if watcher_of(tables, shift) is not None]
        found = holes(alive, NEEDED, regions, now, until) if keeps else []
        entries: list[Entry] = []
        messages: list[Message] = []
        for gap in known:
            hole = next((hole for hole in found if _same(gap, hole)), None)
            if hole is None:
                because = "somebody is on call again" if keeps else "no roster is kept any more"
                entries.append(_moved(road, tables, gap, gap.but(filled_at=now), "filled", because))
                continue
            found.remove(hole)
            if hole.ends_at != gap.ends_at:
                entries.append(
                    _moved(road, tables, gap, gap.but(ends_at=hole.ends_at), "changed", "the roster changed")
                )
        for hole in found:
            made, sent = _found(road, tables, tenant, hole)
            entries += made
            messages += sent
        return Written(None, tuple(entries), tuple(messages))

    road.ledger.do(change)


def _same(gap: RosterGap, hole: Hole) -> bool:
    """Say whether a hole is what a known gap has become: time passes in it, and the roster may change around it."""
    where = (gap.role, gap.region, gap.domain) == (hole.role, hole.region, hole.domain)
    return where and gap.starts_at <= hole.starts_at and (gap.ends_at is None or hole.starts_at < gap.ends_at)


def _found(road: Road, tables: Tables, tenant: str, hole: Hole) -> tuple[list[Entry], tuple[Message, ...]]:
    gap = RosterGap(id=road.id("gap"), tenant=tenant, found_at=road.clock.now(), **hole._asdict())
    tables.roster_gaps.add(gap)
    where = gap.region if gap.domain == ANY else f"{gap.region}, {gap.domain}"
    ends = f"until {gap.ends_at:%Y-%m-%d %H:%M} UTC" if gap.ends_at else "and nobody comes afterwards"
    text = f"nobody is on call as {gap.role} ({where}) from {gap.starts_at:%Y-%m-%d %H:%M} UTC, {ends}"
    told = to_keepers(road, tables, tenant=tenant, kind=NoticeKind.GAP, ref=gap.id, text=text, deadline=gap.starts_at)
    return [_entry(road, gap, "found", text), *told.entries], told.messages


def _moved(road: Road, tables: Tables, old: RosterGap, new: RosterGap, what: str, because: str) -> Entry:
    tables.roster_gaps.swap(old, new)
    return _entry(road, new, what, because)


def _entry(road: Road, gap: RosterGap, what: str, because: str) -> Entry:
    return Entry(
        kind=f"roster.gap.{what}",
        actor="plane",
        refs=(gap.id,),
        event_time=road.clock.now(),
        tenant=gap.tenant,
        residency=gap.region,
        fields={
            "role": gap.role,
            "region": gap.region,
            "domain": gap.domain,
            "starts_at": gap.starts_at.isoformat(),
            "ends_at": gap.ends_at.isoformat() if gap.ends_at else "",
            "because": because,
        },
    )
