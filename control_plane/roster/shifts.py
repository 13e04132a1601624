"""Declaring who is on call. A whole week comes in at once or not at all, and nobody is put on call without the role."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import Field

from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster.on_call import LONGEST_SHIFT, account_of, standing
from control_plane.tables import Message, Tables
from domain.base import Utc, Word
from domain.errors import BadInput, Conflict, NotFound
from domain.identity import ANY, NetworkDomain, Principal, Role
from domain.ids import new_id
from domain.records import Entry
from domain.roster import Shift

#: A roster's import has at most so many shifts: a year of three shifts a day for one role.
MOST = 1100
_FURTHEST = timedelta(days=400)


class Line(Word):
    """One shift, as a roster's file says it."""

    role: Role
    account: str = Field(min_length=1, max_length=128)
    region: str = Field(default=ANY, min_length=1, max_length=256)
    domain: str = Field(default=ANY, min_length=1, max_length=64)
    order: int = Field(default=1, ge=1, le=9)
    starts_at: Utc
    ends_at: Utc


def declare(road: Road, who: Principal, lines: Iterable[Line]) -> list[Shift]:
    """Put people on call; all of the shifts, or none.

    One person may be on call in several roles or places at once, but not twice for the same.

    Raises:
        BadInput: a line is impossible; the reason names its number.
        Conflict: a person is on call for the same already, at the same time.
    """
    wanted = list(lines)
    if not 1 <= len(wanted) <= MOST:
        raise BadInput(f"a roster has 1 to {MOST} shifts; send fewer at a time")

    def change(tables: Tables) -> Written[list[Shift]]:
        made: list[Shift] = []
        for number, line in enumerate(wanted, 1):
            shift = _shift(road, tables, who, line, f"shift {number}: " if len(wanted) > 1 else "")
            _not_twice(made, shift, number)
            made.append(shift)
        _not_twice_on_the_shelf(tables, who.tenant, made)
        tables.shifts.add(*made)
        return Written(made, (_entry(road, who, "declared", made),), _looks(road, made))

    return road.ledger.do(change)


def withdraw(road: Road, who: Principal, shift_id: str, because: str) -> Shift:
    """Take somebody off call; what was pending with them goes to whoever is on call now.

    Raises:
        NotFound: there is no such shift.
        Conflict: it is withdrawn, or over.
    """

    def change(tables: Tables) -> Written[Shift]:
        old, now = tables.shifts.get(shift_id), road.clock.now()
        if old is None or old.tenant != who.tenant:
            raise NotFound(f"there is no shift `{shift_id}`; `nocturne roster` lists them")
        if old.withdrawn_at is not None or old.ends_at <= now:
            raise Conflict(f"shift `{shift_id}` is over or withdrawn already; there is nothing to withdraw")
        new = old.but(withdrawn_at=now)
        tables.shifts.swap(old, new)
        looks = [_message(road, "roster", who.tenant, now), _message(road, "shift_change", shift_id, now)]
        return Written(new, (_entry(road, who, "withdrawn", [new], because=because),), tuple(looks))

    return road.ledger.do(change)


def _shift(road: Road, tables: Tables, who: Principal, line: Line, place: str) -> Shift:
    now = road.clock.now()
    if line.ends_at <= line.starts_at:
        raise BadInput(f"{place}it ends before it starts; swap the times")
    if line.ends_at - line.starts_at > LONGEST_SHIFT:
        raise BadInput(f"{place}a shift lasts at most {LONGEST_SHIFT.days} days; declare a shorter one")
    if line.ends_at <= now or line.starts_at > now + _FURTHEST:
        raise BadInput(f"{place}it is over, or more than {_FURTHEST.days} days away; check the dates")
    if line.domain not in {ANY, *NetworkDomain}:
        raise BadInput(f"{place}there is no domain `{line.domain}`; take one of {', '.join(NetworkDomain)}, or {ANY}")
    regions = {ANY, "default", *road.live.regions.values()}
    if line.region not in regions:
        raise BadInput(f"{place}there is no region `{line.region}`; take one of {', '.join(sorted(regions))}")
    account = account_of(tables, who.tenant, line.account)
    if account is None:
        raise BadInput(f"{place}there is no account `{line.account}`; make one first")
    if not account.person or line.role not in account.roles or line.role in {Role.AGENT, Role.FEED}:
        raise BadInput(f"{place}`{line.account}` is no person with the role {line.role}; put somebody on call who is")
    return Shift(
        id=new_id("shift", line.starts_at),
        tenant=who.tenant,
        person=account.person,
        declared_by=who.name,
        **line.model_dump(),
    )


def _not_twice(earlier: Iterable[Shift], shift: Shift, number: int) -> None:
    for other in earlier:
        if _same_place(other, shift) and other.starts_at < shift.ends_at and shift.starts_at < other.ends_at:
            raise BadInput(
                f"shift {number}: `{shift.account}` is on call for the same twice at {shift.starts_at:%Y-%m-%d %H:%M}; "
                "take one of the two out"
            )


def _not_twice_on_the_shelf(tables: Tables, tenant: str, made: Iterable[Shift]) -> None:
    new = list(made)
    for other in standing(tables, tenant, min(shift.starts_at for shift in new)):
        for shift in new:
            if _same_place(other, shift) and other.starts_at < shift.ends_at and shift.starts_at < other.ends_at:
                raise Conflict(
                    f"`{shift.account}` is on call for the same already (`{other.id}`, until "
                    f"{other.ends_at:%Y-%m-%d %H:%M}); withdraw that shift first"
                )


def _same_place(one: Shift, other: Shift) -> bool:
    return (one.person, one.role, one.region, one.domain) == (other.person, other.role, other.region, other.domain)


def _looks(road: Road, made: Iterable[Shift]) -> tuple[Message, ...]:
    """Have the hand-over made when each shift starts and ends, and the roster looked through when it could run out."""
    now, messages = road.clock.now(), []
    ahead = timedelta(seconds=road.settings.roster_ahead_s)
    looks: set[tuple[str, datetime]] = set()
    for shift in made:
        messages.append(_message(road, "shift_change", shift.id, max(now, shift.starts_at)))
        messages.append(_message(road, "shift_change", shift.id, shift.ends_at))
        looks |= {(shift.tenant, now), (shift.tenant, max(now, shift.ends_at - ahead)), (shift.tenant, shift.ends_at)}
    return (*messages, *(_message(road, "roster", tenant, at) for tenant, at in sorted(looks)))


def _message(road: Road, topic: str, ref: str, at: datetime) -> Message:
    return Message(id=road.id("msg"), topic=topic, ref=ref, due_at=at)


def _entry(road: Road, who: Principal, what: str, shifts: list[Shift], **more: object) -> Entry:
    rows = [
        [s.role, s.account, s.region, s.domain, s.order, s.starts_at.isoformat(), s.ends_at.isoformat()] for s in shifts
    ]
    return Entry(
        kind=f"roster.shift.{what}",
        actor=who.name,
        refs=tuple(shift.id for shift in shifts[:32]),
        event_time=road.clock.now(),
        tenant=who.tenant,
        fields={"shifts": rows, **more},
    )
