"""Putting people on call: all of a roster or none of it, and nobody without the role."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.roster.shifts import Line
from control_plane.roster.weeks import read_csv
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.identity import Role
from tests.control_plane.roster.conftest import Room

HEADER = "role,account,region,domain,order,starts_at,ends_at\n"
GOOD = HEADER + "approver,one,,,1,2026-01-12T14:00:00Z,2026-01-12T22:00:00Z\n"


def shifts(room: Room) -> int:
    return room.stage.ledger.read(lambda t: t.shifts.count())


def line(room: Room, **changes: object) -> Line:
    now = room.clock.now()
    given = {"role": Role.APPROVER, "account": "one", "starts_at": now, "ends_at": now + timedelta(hours=8)}
    return Line(**given | changes)


def test_a_week_comes_in_from_a_spreadsheet(room: Room) -> None:
    made = room.desks.roster.declare(room.owner, read_csv("\ufeff" + GOOD))

    assert [(s.account, s.region, s.order) for s in made] == [("one", "*", 1)]
    at = made[0].starts_at
    on_call = room.desks.roster.roster(room.owner, at=at, role=Role.APPROVER).on_call
    assert [row.account for row in on_call] == ["one"]
    assert room.desks.roster.roster(room.owner, at=made[0].ends_at, role=Role.APPROVER).on_call == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ends_at": 0}, "swap the times"),
        ({"account": "nobody"}, "no account `nobody`"),
        ({"account": "operator"}, "no person with the role"),
        ({"account": "feed", "role": Role.FEED}, "no person"),
        ({"region": "atlantis"}, "no region `atlantis`"),
        ({"domain": "weather"}, "no domain `weather`"),
        ({"starts_at": 24 * 500, "ends_at": 24 * 501}, "days away"),
        ({"ends_at": 24 * 40}, "at most 31 days"),
    ],
)
def test_an_impossible_line_names_itself_and_nothing_comes_in(room: Room, changes, reason: str) -> None:
    now = room.clock.now()
    bad = {k: now + timedelta(hours=v) if isinstance(v, int) else v for k, v in changes.items()}

    with pytest.raises(BadInput, match=f"shift 2: .*{reason}"):
        room.desks.roster.declare(room.owner, [line(room), line(room, **bad)])

    assert shifts(room) == 0


def test_one_person_may_be_on_call_in_two_places_and_not_twice_in_one(room: Room) -> None:
    regions = ("*", "default")
    room.desks.roster.declare(room.owner, [line(room, region=region) for region in regions])
    with pytest.raises(Conflict):
        room.desks.roster.declare(room.owner, [line(room)])
    with pytest.raises(BadInput):
        room.desks.roster.declare(room.owner, [line(room, order=2), line(room, order=3)])
    assert shifts(room) == len(regions)


def test_only_who_keeps_the_roster_declares_and_withdraws(room: Room) -> None:
    shift = room.on_call(Role.APPROVER, "one", 0, 8)
    with pytest.raises(Refused):
        room.desks.roster.declare(room.stage.one, [line(room)])
    with pytest.raises(Refused):
        room.desks.roster.withdraw(room.stage.one, shift.id, "mine")
    room.desks.roster.withdraw(room.owner, shift.id, "ill")
    with pytest.raises(Conflict):
        room.desks.roster.withdraw(room.owner, shift.id, "ill")
    with pytest.raises(NotFound):
        room.desks.roster.withdraw(room.owner, "shift_none", "ill")


def test_a_person_who_loses_the_role_is_on_call_no_more(room: Room) -> None:
    room.on_call(Role.APPROVER, "one", 0, 8)
    room.issuer.revoke(room.stage.one.id)

    assert room.desks.roster.roster(room.owner, role=Role.APPROVER).on_call == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "role,account\n",
        "role,account,starts_at,ends_at,shoe\n",
        "role,role,account,starts_at,ends_at\n",
        GOOD + "approver,one\n",
        GOOD + "king,one,,,1,2026-01-12T14:00:00Z,2026-01-12T22:00:00Z\n",
        GOOD + "approver,one,,,1,yesterday,2026-01-12T22:00:00Z\n",
        GOOD + "approver,one,,,1,2026-01-12T14:00:00,2026-01-12T22:00:00Z\n",
        GOOD + 'approver,"one\n',
    ],
)
def test_a_roster_that_cannot_be_read_says_where(text: str) -> None:
    with pytest.raises(BadInput, match=r"roster|columns"):
        read_csv(text)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(BadInput):
        assert isinstance(read_csv(HEADER + text), list)
