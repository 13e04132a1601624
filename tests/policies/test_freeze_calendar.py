"""A freeze covers its region while it lasts, and every region when it names none."""

from datetime import UTC, datetime, timedelta

from domain.planned_work import Freeze
from policies.calendar import frozen

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def freeze(id: str, region: str = "", hours: int = 1) -> Freeze:
    return Freeze(
        id=id, region=region, starts_at=NOON, ends_at=NOON + hours * HOUR, because="holiday", declared_by="operator"
    )


def test_a_freeze_covers_its_region_and_its_time_only() -> None:
    north = freeze("frz_1", "north")

    assert frozen([north], "north", NOON) == north
    assert frozen([north], "north", NOON + HOUR) == north
    assert frozen([north], "south", NOON) is None
    assert frozen([north], "north", NOON + HOUR + timedelta(seconds=1)) is None
    assert frozen([north], "north", NOON - timedelta(seconds=1)) is None


def test_a_freeze_without_a_region_covers_all() -> None:
    assert frozen([freeze("frz_1")], "anywhere", NOON) is not None


def test_of_several_freezes_the_longest_is_named_in_any_order() -> None:
    short, long = freeze("frz_1"), freeze("frz_2", "north", hours=5)

    assert frozen([short, long], "north", NOON) == frozen([long, short], "north", NOON) == long


def test_an_empty_calendar_freezes_nothing() -> None:
    assert frozen([], "north", NOON) is None
