"""While the house runs, another book in force is loaded, and a folder that changed is offered, never obeyed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from control_plane.policy.desk import PolicyDesk, health
from control_plane.policy.watching import PolicyWatch
from control_plane.ports import Written
from control_plane.tables import Tables
from domain.clock import ManualClock
from domain.identity import Principal
from domain.records import Entry
from tests.stage import Stage

Files = Callable[..., dict[str, str]]
STRICT = '@id("no") @because("no") forbid (principal, action, resource);'


@pytest.fixture
def folder(tmp_path: Path, files: Files) -> Path:
    place = tmp_path / "book"
    place.mkdir()
    for name, text in files().items():
        (place / name).write_text(text, "utf-8")
    return place


@pytest.fixture
def watch(stage: Stage, folder: Path) -> PolicyWatch:
    stage.road.settings = type(stage.road.settings)(policies=str(folder))
    return PolicyWatch(stage.road)


def write(folder: Path, name: str, text: str, at_ns: int) -> None:
    (folder / name).write_text(text, "utf-8")
    os.utime(folder / name, ns=(at_ns, at_ns))


def test_a_folder_that_changed_is_offered_and_not_in_force(
    stage: Stage, desk: PolicyDesk, watch: PolicyWatch, folder: Path, clock: ManualClock, keeper: Principal
) -> None:
    before = stage.road.book.version
    write(folder, "zz.cedar", STRICT, 10**18)

    clock.advance(2)
    watch.look()

    (offered,) = desk.current(keeper).offered
    assert stage.road.book.version == before
    assert offered.notice.added == ("`no` (forbids): no",)
    desk.activate(keeper, offered.version, offered.notice_digest, "read it")
    assert stage.road.book.version == offered.version


def test_a_folder_that_turned_bad_is_refused_once_and_named_without_its_place(
    stage: Stage, watch: PolicyWatch, folder: Path, clock: ManualClock
) -> None:
    before = stage.road.book
    write(folder, "zz.cedar", "permit (", 10**18)

    for _ in range(3):
        clock.advance(2)
        watch.look()
    for path in folder.glob("*.cedar"):
        path.unlink()
    clock.advance(2)
    watch.look()

    assert stage.road.book is before
    assert stage.kinds().count("policy.book.refused") == 2
    assert str(folder.parent) not in health(stage.road)["note"]
    assert "the policy book at `book` is empty" in health(stage.road)["note"]


def test_a_folder_that_stays_as_it_is_is_read_once(stage: Stage, watch: PolicyWatch, clock: ManualClock) -> None:
    before = stage.kinds()

    for _ in range(5):
        clock.advance(2)
        watch.look()

    assert stage.kinds() == before


def test_a_book_that_another_process_put_in_force_is_loaded(
    stage: Stage, desk: PolicyDesk, watch: PolicyWatch, clock: ManualClock, keeper: Principal, files: Files
) -> None:
    old = stage.road.book
    loaded = desk.load(keeper, files(zz=STRICT))
    assert loaded.notice is not None
    desk.activate(keeper, loaded.id, loaded.notice.digest, "read it")
    stage.road.book = old

    watch.look()
    clock.advance(2)
    watch.look()

    assert stage.road.book.version == loaded.id


def test_a_clock_that_is_set_back_keeps_nobody_from_hearing_of_another_book(
    stage: Stage, desk: PolicyDesk, watch: PolicyWatch, clock: ManualClock, keeper: Principal, files: Files
) -> None:
    old = stage.road.book
    loaded = desk.load(keeper, files(zz=STRICT))
    assert loaded.notice is not None
    desk.activate(keeper, loaded.id, loaded.notice.digest, "read it")
    watch.look()
    stage.road.book = old

    clock.jump(-24 * 3600)
    clock.advance(2)
    watch.look()

    assert stage.road.book.version == loaded.id


def test_a_book_in_force_that_cannot_be_read_here_holds_everything(
    stage: Stage, watch: PolicyWatch, clock: ManualClock
) -> None:
    def elsewhere(tables: Tables) -> Written[None]:
        (row,) = tables.policy_in_force.find()
        assert tables.policy_in_force.swap(row, row.but(version="e" * 64))
        return Written(None, (Entry(kind="test", actor="test", event_time=clock.now()),))

    stage.ledger.do(elsewhere)

    clock.advance(2)
    watch.look()
    held = stage.begin()

    assert "holds everything" in health(stage.road)["note"]
    decision = stage.ledger.read(lambda tables: tables.decisions.get(held.decision_id or ""))
    assert decision is not None
    assert [rule.id for rule in decision.judgement.rules] == ["books-differ"]
