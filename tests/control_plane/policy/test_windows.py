"""A region that declared windows takes changes in them only; windows and freezes can be taken back."""

from datetime import timedelta

import pytest

from control_plane.judging import ask, brief
from control_plane.policy.desk import PolicyDesk
from domain.clock import ManualClock
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.identity import Principal, Role, Scope
from domain.proposals import ProposalState
from tests.stage import Stage

HOUR = timedelta(hours=1)


def in_window(stage: Stage) -> bool:
    proposal = stage.proposal()
    about = stage.ledger.read(lambda tables: brief(stage.road, tables, proposal))
    return ask(about, stage.clock.now())[0].in_window


def test_a_region_without_windows_takes_changes_at_any_time(stage: Stage) -> None:
    assert stage.begin().state is ProposalState.HELD
    assert in_window(stage)


def test_outside_its_windows_a_region_takes_no_change(stage: Stage, desk: PolicyDesk, clock: ManualClock) -> None:
    now = clock.now()
    desk.declare_window(stage.operator, "default", now + HOUR, now + 2 * HOUR, "the weekly window")

    denied = stage.begin()

    assert denied.state is ProposalState.DENIED
    assert "declared windows only" in denied.state_reason
    clock.advance(3600)
    assert in_window(stage)
    clock.advance(3601)
    assert not in_window(stage)


def test_a_window_that_is_over_still_says_that_there_are_windows(
    stage: Stage, desk: PolicyDesk, clock: ManualClock
) -> None:
    now = clock.now()
    desk.declare_window(stage.operator, "default", now, now + HOUR, "the first")
    clock.advance(7200)

    assert stage.begin().state is ProposalState.DENIED


def test_windows_of_another_region_or_tenant_do_not_bind(stage: Stage, desk: PolicyDesk, clock: ManualClock) -> None:
    stage.road.live.regions["node:c"] = "south"
    now = clock.now()
    desk.declare_window(stage.operator, "south", now + HOUR, now + 2 * HOUR, "theirs")
    foreign = Principal(id="x", name="x", person="x", roles=frozenset({Role.OPERATOR}), tenant="other")
    desk.declare_window(foreign, "default", now + HOUR, now + 2 * HOUR, "not ours")

    assert stage.begin().state is ProposalState.HELD
    assert in_window(stage)


def test_a_window_that_was_withdrawn_is_as_if_it_had_never_been(
    stage: Stage, desk: PolicyDesk, clock: ManualClock
) -> None:
    now = clock.now()
    window = desk.declare_window(stage.operator, "default", now + HOUR, now + 2 * HOUR, "a slip")

    desk.withdraw_window(stage.operator, window.id, "wrong week")

    assert desk.windows(stage.operator) == ((), ())
    assert stage.begin().state is ProposalState.HELD
    with pytest.raises(Conflict, match="withdrawn already"):
        desk.withdraw_window(stage.operator, window.id, "again")


def test_a_freeze_can_be_ended_before_its_time(stage: Stage, desk: PolicyDesk, clock: ManualClock) -> None:
    freeze = stage.commands.declare_freeze(stage.operator, "", clock.now(), clock.now() + HOUR, "holiday")

    desk.withdraw_freeze(stage.operator, freeze.id, "holiday moved")

    assert stage.begin().state is ProposalState.HELD
    assert "plane.freeze.withdrawn" in stage.kinds()
    with pytest.raises(Conflict, match="over already"):
        desk.withdraw_freeze(stage.operator, freeze.id, "again")


def test_who_may_not_declare_may_not_withdraw_and_foreign_ids_are_not_there(
    stage: Stage, desk: PolicyDesk, clock: ManualClock
) -> None:
    now = clock.now()
    window = desk.declare_window(stage.operator, "default", now, now + HOUR, "ours")
    viewer = Principal(id="v", name="v", person="v", roles=frozenset({Role.VIEWER}))
    foreign = Principal(id="f", name="f", person="f", roles=frozenset({Role.OPERATOR}), tenant="other")
    elsewhere = stage.operator.but(scope=Scope(regions=frozenset({"south"})))

    for act in (
        lambda: desk.declare_window(viewer, "default", now, now + HOUR, "x"),
        lambda: desk.withdraw_window(viewer, window.id, "x"),
        lambda: desk.declare_window(elsewhere, "default", now, now + HOUR, "x"),
        lambda: desk.withdraw_window(elsewhere, window.id, "x"),
    ):
        with pytest.raises(Refused):
            act()
    with pytest.raises(NotFound):
        desk.withdraw_window(foreign, window.id, "x")
    with pytest.raises(NotFound):
        desk.withdraw_freeze(stage.operator, "freeze_nowhere", "x")


@pytest.mark.parametrize(
    ("region", "hours", "because", "words"),
    [
        ("atlantis", 1, "x", "no region `atlantis`"),
        ("default", -1, "x", "ends before it starts"),
        ("default", 24 * 40, "x", "at most 31 days"),
        ("default", 1, "\x00 ", "readable"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(
    stage: Stage, desk: PolicyDesk, clock: ManualClock, region: str, hours: int, because: str, words: str
) -> None:
    now = clock.now()

    with pytest.raises(BadInput, match=words):
        desk.declare_window(stage.operator, region, now, now + hours * HOUR, because)
