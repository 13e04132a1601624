"""Change windows and freezes: declared by people, withdrawn by people, looked up by every judgement."""

from datetime import datetime, timedelta

from control_plane import reach
from control_plane.approvals.matters import done, readable
from control_plane.ports import Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.errors import BadInput, Conflict, NotFound
from domain.identity import Permission, Principal
from domain.planned_work import ChangeWindow, Freeze
from domain.records import Entry

_LONGEST = timedelta(days=31)


def declare_window(
    road: Road, who: Principal, region: str, starts_at: datetime, ends_at: datetime, because: str
) -> ChangeWindow:
    """Declare a time in which a region takes changes; from then on it takes them in its windows only.

    Raises:
        Refused: the caller may not, or not there.
        BadInput: there is no such region, the times are no window, or no reason was given.
    """
    need(who, Permission.FREEZE)
    reach.region(who, region)
    if region not in set(road.live.regions.values()):
        raise BadInput(f"there is no region `{region[:80]}` in the inventory; a window is a region's")
    _check(starts_at, ends_at)
    window = ChangeWindow(
        id=road.id("window"),
        tenant=who.tenant,
        region=region,
        starts_at=starts_at,
        ends_at=ends_at,
        because=readable(because),
        declared_by=who.name,
    )

    def change(tables: Tables) -> Written[ChangeWindow]:
        tables.change_windows.add(window)
        fields = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
        return Written(
            window, (_entry(road, "plane.window.declared", who, window.id, region, window.because, **fields),)
        )

    return done(road, change)


def withdraw_window(road: Road, who: Principal, id: str, because: str) -> ChangeWindow:
    """Take a window back, as if it had never been declared. Raises NotFound, Refused, Conflict."""
    need(who, Permission.FREEZE)
    reason = readable(because)

    def change(tables: Tables) -> Written[ChangeWindow]:
        window = tables.change_windows.get(id)
        if window is None or window.tenant != who.tenant:
            raise NotFound(f"there is no change window `{id[:80]}`; `nocturne policy windows` lists them")
        reach.region(who, window.region)
        if window.withdrawn_at is not None:
            raise Conflict(f"change window `{id}` was withdrawn already")
        gone = window.but(withdrawn_at=road.clock.now())
        tables.change_windows.swap(window, gone)
        return Written(gone, (_entry(road, "plane.window.withdrawn", who, id, window.region, reason),))

    return done(road, change)


def withdraw_freeze(road: Road, who: Principal, id: str, because: str) -> Freeze:
    """End a freeze before its time. Raises NotFound, Refused, Conflict."""
    need(who, Permission.FREEZE)
    reason = readable(because)

    def change(tables: Tables) -> Written[Freeze]:
        freeze = tables.freezes.get(id)
        if freeze is None or freeze.tenant != who.tenant:
            raise NotFound(f"there is no freeze `{id[:80]}`; `nocturne policy windows` lists them")
        reach.region(who, freeze.region)
        if freeze.withdrawn_at is not None or freeze.ends_at <= road.clock.now():
            raise Conflict(f"freeze `{id}` is over already")
        gone = freeze.but(withdrawn_at=road.clock.now())
        tables.freezes.swap(freeze, gone)
        return Written(gone, (_entry(road, "plane.freeze.withdrawn", who, id, freeze.region, reason),))

    return done(road, change)


def _check(starts_at: datetime, ends_at: datetime) -> None:
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise BadInput("times need a zone: write them with an offset, for example `2026-01-31T12:00:00Z`")
    if ends_at <= starts_at:
        raise BadInput("the window ends before it starts; swap the times")
    if ends_at - starts_at > _LONGEST:
        raise BadInput(f"a window lasts at most {_LONGEST.days} days; declare a shorter one")


def _entry(road: Road, kind: str, who: Principal, id: str, region: str, because: str, **fields: object) -> Entry:
    return Entry(
        kind=kind,
        actor=who.name,
        refs=(id,),
        fields={"region": region, "because": because, **fields, **who.on_behalf_of},
        event_time=road.clock.now(),
        tenant=who.tenant,
        residency=region or "default",
    )
