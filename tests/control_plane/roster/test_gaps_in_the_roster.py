"""A time in which nobody is on call is an alarm: found ahead, told once, cleared when it is filled."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from control_plane.roster.gaps import holes, look_ahead
from domain.identity import Role
from domain.ids import new_id
from domain.roster import NoticeKind, RosterGap, Shift
from tests.control_plane.roster.conftest import Room

NEEDED = (Role.APPROVER, Role.CHANGE_MANAGER, Role.OPERATOR, Role.ML_ENGINEER)


def open_gaps(room: Room, role: Role) -> list[RosterGap]:
    gaps = room.stage.ledger.read(lambda t: t.roster_gaps.find(open=True))
    return [gap for gap in gaps if gap.role is role]


def cover(room: Room, hours: float) -> None:
    for role, account in zip(NEEDED, ("one", "manager", "operator", "ml"), strict=True):
        room.on_call(role, account, 0, hours)


def test_where_nobody_keeps_a_roster_there_is_no_gap(room: Room) -> None:
    room.stage.begin()
    room.work_off()

    health = room.stage.queries.health()
    assert (health["roster_kept"], health["roster_gaps"]) == (False, 0)


def test_a_gap_is_found_a_day_ahead_and_told_once(room: Room) -> None:
    room.person("ml", Role.ML_ENGINEER)
    cover(room, 72)
    room.work_off()
    assert room.stage.queries.health()["roster_gaps"] == 0

    room.pass_time(47 * 3600)
    assert open_gaps(room, Role.APPROVER) == []
    room.pass_time(2 * 3600)

    (gap,) = open_gaps(room, Role.APPROVER)
    assert gap.starts_at == room.clock.now() + timedelta(hours=23)
    told = [n for n in room.told("owner", NoticeKind.GAP) if n.ref == gap.id]
    room.pass_time(10 * 3600)
    assert [n for n in room.told("owner", NoticeKind.GAP) if n.ref == gap.id] == told
    assert len(told) == 1
    assert room.stage.queries.health()["roster_gaps"] == len(NEEDED)


def test_a_shift_of_an_account_that_has_ended_is_a_gap(room: Room) -> None:
    room.person("ml", Role.ML_ENGINEER)
    cover(room, 72)
    room.work_off()

    room.issuer.revoke(room.stage.one.id)
    look_ahead(room.stage.road, "default")

    assert [gap.starts_at for gap in open_gaps(room, Role.APPROVER)] == [room.clock.now()]
    assert open_gaps(room, Role.OPERATOR) == []


def test_a_gap_is_cleared_when_somebody_is_put_on_call(room: Room) -> None:
    cover_of = ("two", 10.0, 80.0)
    room.on_call(Role.APPROVER, "one", 0, 10)
    room.work_off()
    assert len(open_gaps(room, Role.APPROVER)) == 1

    room.on_call(Role.APPROVER, *cover_of)
    room.work_off()

    assert open_gaps(room, Role.APPROVER) == []
    assert "roster.gap.filled" in room.stage.kinds()


def test_withdrawing_a_shift_opens_a_gap_at_once(room: Room) -> None:
    shift = room.on_call(Role.APPROVER, "one", 0, 80)
    room.on_call(Role.OPERATOR, "operator", 0, 80)
    room.work_off()
    assert open_gaps(room, Role.APPROVER) == []

    room.desks.roster.withdraw(room.owner, shift.id, "ill")
    room.work_off()

    assert [gap.starts_at for gap in open_gaps(room, Role.APPROVER)] == [room.clock.now()]


def test_a_weekend_without_anybody_is_a_gap_with_an_end(room: Room) -> None:
    room.on_call(Role.APPROVER, "one", 0, 5)
    room.on_call(Role.APPROVER, "one", 15, 80)
    room.work_off()

    (gap,) = open_gaps(room, Role.APPROVER)
    assert gap.ends_at is not None
    assert gap.ends_at - gap.starts_at == timedelta(hours=10)


HOURS = st.integers(0, 40)


@given(st.lists(st.tuples(HOURS, st.integers(1, 12)), max_size=12))
def test_a_moment_is_in_a_hole_exactly_when_nobody_is_on_call(spans: list[tuple[int, int]]) -> None:
    start = datetime(2026, 1, 12, tzinfo=UTC)
    shifts = [
        Shift(
            id=new_id("shift", start),
            role=Role.APPROVER,
            account="one",
            person="one",
            starts_at=start + timedelta(hours=begin),
            ends_at=start + timedelta(hours=begin + length),
            declared_by="owner",
        )
        for begin, length in spans
    ]
    until = start + timedelta(hours=40)

    found = holes(shifts, [Role.APPROVER], ["default"], start, until)

    for hour in range(40):
        moment = start + timedelta(hours=hour, minutes=30)
        covered = any(shift.on(moment) for shift in shifts)
        assert covered != any(
            hole.starts_at <= moment and (hole.ends_at is None or moment < hole.ends_at) for hole in found
        )


def test_a_region_of_its_own_needs_somebody_of_its_own(room: Room) -> None:
    start = room.clock.now()
    north = Shift(
        id=new_id("shift", start), role=Role.APPROVER, account="one", person="one", region="north",
        starts_at=start, ends_at=start + timedelta(hours=99), declared_by="owner",
    )  # fmt: skip

    found = holes([north], [Role.APPROVER], ["north", "south"], start, start + timedelta(hours=24))

    assert [(hole.region, hole.starts_at) for hole in found] == [("south", start)]
