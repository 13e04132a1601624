"""Writes that wait for the end of a round: everybody sees them as if they had not waited."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.store.staging import NeedsCare, Staged
from control_plane.ports import Change, Written
from control_plane.tables import Tables
from domain.bookkeeping import Cursor
from domain.clock import ManualClock
from domain.errors import Conflict
from domain.records import Entry
from tests.adapters.store.test_group_commit import Group, group  # noqa: F401  # a fixture

Step = Callable[[Tables], Any]


def change_of(clock: ManualClock, step: Step, then: BaseException | None = None) -> Change[Any]:
    """A change that takes one step, and may raise after it."""

    def change(tables: Tables) -> Written[Any]:
        result = step(tables)
        if then is not None:
            raise then
        return Written(result, (Entry(kind="test.cursor.moved", actor="writer", event_time=clock.now()),))

    return change


def make(tables: Tables) -> None:
    """Put a cursor on the shelf after looking that it is not there: such a write waits."""
    assert tables.cursors.get("c") is None
    tables.cursors.add(Cursor(id="c", position=0))


def move(tables: Tables) -> int:
    """Move the cursor on by one: a swap of what was read waits."""
    old = tables.cursors.get("c")
    assert old is not None
    assert tables.cursors.swap(old, Cursor(id="c", position=old.position + 1))
    return old.position + 1


def found(tables: Tables) -> list[int]:
    return [cursor.position for cursor in tables.cursors.find()]


def answers(group: Group, *steps: Step | tuple[Step, BaseException]) -> list[object]:  # noqa: F811
    told = [step if isinstance(step, tuple) else (step, None) for step in steps]
    return group.changes_in_one_round([change_of(group.clock, *one) for one in told])


def test_later_changes_of_a_round_see_what_earlier_ones_wrote(group: Group) -> None:  # noqa: F811
    told = answers(group, make, move, lambda tables: tables.cursors.get("c"), found, move, move, found)

    assert told == [None, 1, Cursor(id="c", position=1), [1], 2, 3, [3]]
    assert group.beside.read(found) == [3]


def test_a_change_finds_and_counts_what_it_wrote_itself(group: Group) -> None:  # noqa: F811
    def looks(tables: Tables) -> tuple[list[int], int]:
        make(tables)
        move(tables)
        return found(tables), tables.cursors.count()

    assert answers(group, looks) == [([1], 1)]


def and_looks(tables: Tables) -> None:
    move(tables)
    found(tables)


@pytest.mark.parametrize("step", [move, and_looks], ids=["while it waits", "once it is written"])
def test_what_raises_after_its_write_takes_back_that_write_alone(group: Group, step: Step) -> None:  # noqa: F811
    refusal = Conflict("changed my mind")

    told = answers(group, make, move, (step, refusal), move)

    assert told == [None, 1, refusal, 2]
    assert group.beside.read(found) == [2]
    assert len(group.beside.records()) == 3


def test_a_new_record_that_waits_is_on_the_shelf_for_everyone_else(group: Group) -> None:  # noqa: F811
    def adds(*positions: int) -> Step:
        return lambda tables: tables.cursors.add(*(Cursor(id="cde"[at], position=at) for at in positions))

    told = answers(group, make, adds(0), adds(1, 0), adds(1, 2))

    assert [type(answer) for answer in told] == [type(None), Conflict, Conflict, type(None)]
    assert group.beside.read(found) == [0, 1, 2]


def test_a_record_that_is_not_what_it_was_is_not_swapped(group: Group) -> None:  # noqa: F811
    def stale(tables: Tables) -> tuple[bool, bool]:
        old = tables.cursors.get("c")
        assert old is not None
        moved = tables.cursors.swap(old, old.but(position=7))
        return moved, tables.cursors.swap(old, old.but(position=8))

    assert answers(group, make, stale, found) == [None, (True, False), [7]]


@pytest.mark.parametrize("stored", [None, '{"id":"c","position":5}'])
def test_a_write_over_what_is_not_stored_any_more_needs_care(group: Group, stored: str | None) -> None:  # noqa: F811
    row = {"id": "c", "body": '{"id":"c","position":6}'}
    with group.database.write() as connection:
        staged = Staged(connection)
        if stored is not None:
            staged.put(("cursors", "c"), row | {"body": stored}, None)
            staged.flush()
        staged.put(("cursors", "c"), row, '{"id":"c","position":4}')

        with pytest.raises(NeedsCare):
            staged.flush()
        with pytest.raises(NeedsCare):  # nothing of this transaction can be kept
            staged.flush()
