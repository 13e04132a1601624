"""What is pending when a shift ends is looked after by whoever comes, who is shown what changed meanwhile."""

import pytest

from control_plane.road import RoadSettings
from domain.errors import Refused
from domain.identity import Role
from domain.proposals import ProposalState
from domain.roster import NoticeKind
from policies.permissions import permissions, scope
from tests.control_plane.roster.conftest import Room

LIFE = 4 * 3600.0


@pytest.fixture
def room(make_room):
    return make_room(settings=RoadSettings(proposal_s=LIFE))


def test_what_one_leaves_the_next_one_gets(room: Room) -> None:
    room.on_call(Role.APPROVER, "one", 0, 0.5)
    room.on_call(Role.APPROVER, "two", 0.5, 8)
    proposal = room.stage.begin()
    room.work_off()
    assert room.told("two") == []

    room.pass_time(1801)

    (handed,) = room.desks.roster.take_over(room.stage.two).hand_overs
    assert (handed.from_person, handed.moved) == ("one", (proposal.id,))
    assert [n.kind for n in room.told("two")] == [NoticeKind.DECIDE]
    room.stage.commands.approve(room.stage.two, proposal.id, "looks right")


def test_a_shift_that_changes_on_the_deadline_asks_who_came(room: Room) -> None:
    room.on_call(Role.APPROVER, "one", 0, LIFE / 4 / 3600)
    room.on_call(Role.APPROVER, "two", LIFE / 4 / 3600, 8)
    proposal = room.stage.begin()
    room.work_off()

    room.pass_time(LIFE / 4)

    assert {n.ref for n in room.told("two")} >= {proposal.id}
    assert room.stage.ledger.read(lambda t: t.proposals.get(proposal.id)).state is ProposalState.HELD
    assert room.stage.network.journal == []


def test_taking_over_gives_attention_and_no_right(room: Room) -> None:
    room.on_call(Role.APPROVER, "one", 0, 0.5)
    room.on_call(Role.OPERATOR, "operator", 0, 8)
    before = permissions(room.stage.operator), scope(room.stage.operator)
    proposal = room.stage.begin()
    room.pass_time(1801)

    room.desks.roster.accept(room.stage.operator)

    assert (permissions(room.stage.operator), scope(room.stage.operator)) == before
    with pytest.raises(Refused):
        room.stage.commands.approve(room.stage.operator, proposal.id, "it was handed to me")


def test_a_machine_takes_nothing_over(room: Room) -> None:
    with pytest.raises(Refused):
        room.desks.roster.accept(room.stage.feed)


def test_whoever_does_not_take_over_is_told_of(room: Room) -> None:
    room.on_call(Role.APPROVER, "one", 0, 0.5)
    room.on_call(Role.APPROVER, "two", 0.5, 8)
    room.stage.begin()

    room.pass_time(1800 + LIFE / 4 + 1)

    assert any("has not taken over" in notice.text for notice in room.told("owner", NoticeKind.ESCALATED))


def test_the_next_one_is_shown_what_changed_since_they_last_looked(room: Room) -> None:
    proposal = room.stage.begin()
    room.desks.roster.accept(room.stage.two)
    room.clock.advance(60)
    room.stage.commands.reject(room.stage.one, proposal.id, "wrong link")
    room.stage.walk_all()

    (changed,) = room.desks.roster.take_over(room.stage.two).changed

    assert (changed.id, changed.was, changed.now) == (proposal.id, "held", "rejected")
    assert (changed.because, changed.by) == ("wrong link", "one")


def test_what_has_not_changed_is_not_shown_as_changed(room: Room) -> None:
    proposal = room.stage.begin()
    room.clock.advance(1)
    room.desks.roster.accept(room.stage.two)
    room.clock.advance(60)

    found = room.desks.roster.take_over(room.stage.two)

    assert found.changed == ()
    assert [(row.id, row.new) for row in found.pending] == [(proposal.id, False)]
