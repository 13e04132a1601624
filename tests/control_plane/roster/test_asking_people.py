"""Who is told that a proposal waits, and who is asked when they do not answer."""

from control_plane.roster.asking import attend
from domain.actions import InterfaceUp, RestartProcess
from domain.gate import Choice
from domain.identity import Role
from domain.proposals import ProposalState
from domain.roster import NoticeKind
from tests.control_plane.roster.conftest import Room
from tests.stage import CULPRIT

K = NoticeKind


def test_without_a_roster_everybody_who_may_sign_is_asked(room: Room) -> None:
    proposal = room.stage.begin()
    room.work_off()

    asked = room.told("one", K.DECIDE)
    assert [notice.ref for notice in asked] == [proposal.id]
    assert room.told("two", K.DECIDE) != []
    assert room.told("operator", K.DECIDE) == []


def test_with_a_roster_only_who_is_on_call_first_is_asked(room: Room) -> None:
    room.on_call(Role.APPROVER, "one", 0, 8)
    room.on_call(Role.APPROVER, "two", 0, 8, order=2)

    room.stage.begin()
    room.work_off()

    assert room.told("one", K.DECIDE) != []
    assert room.told("two") == []


def test_nobody_is_told_of_the_same_thing_twice(room: Room) -> None:
    proposal = room.stage.begin()
    room.work_off()
    before = room.stage.ledger.read(lambda t: t.notices.count())

    for _ in range(3):
        attend(room.stage.road, proposal.id)

    assert room.stage.ledger.read(lambda t: t.notices.count()) == before


def test_silence_climbs_the_ladder_and_executes_nothing(room: Room) -> None:
    room.on_call(Role.APPROVER, "one", 0, 8)
    room.on_call(Role.APPROVER, "two", 0, 8, order=2)
    room.on_call(Role.CHANGE_MANAGER, "manager", 0, 8)
    room.on_call(Role.OPERATOR, "operator", 0, 8)
    proposal = room.stage.begin()
    life = room.stage.road.settings.proposal_s
    room.work_off()

    asked = []
    for account, seconds in (("two", life / 4), ("manager", life / 4), ("operator", life / 4)):
        assert room.told(account, K.ESCALATED) == []
        room.pass_time(seconds)
        asked.append((account, [notice.kind for notice in room.told(account, K.ESCALATED)]))
    room.pass_time(life / 4 + 1)

    assert asked == [("two", [K.ESCALATED]), ("manager", [K.ESCALATED]), ("operator", [K.ESCALATED])]
    assert room.stage.ledger.read(lambda t: t.proposals.get(proposal.id)).state is ProposalState.EXPIRED
    assert room.stage.network.journal == []
    assert "nobody decided in time" in room.told("operator")[-1].text


def test_every_asking_names_the_next_role_and_a_deadline(room: Room) -> None:
    room.stage.begin()
    room.pass_time(room.stage.road.settings.proposal_s - 1)

    asked = [r for r in room.stage.ledger.records() if r.kind == "roster.matter.asked"]
    assert asked != []
    assert all(record.fields["next_role"].value and record.fields["deadline"].value for record in asked)
    notices = room.stage.ledger.read(lambda t: t.notices.find())
    assert all(notice.next_role and notice.deadline for notice in notices)


def test_a_rung_on_which_nobody_stands_is_passed_at_once(room: Room) -> None:
    room.on_call(Role.OPERATOR, "operator", 0, 8)

    room.stage.begin()
    room.work_off()

    assert room.told("operator", K.ESCALATED) != []
    assert room.told("one", K.DECIDE, K.ESCALATED) == []


def test_with_nobody_on_call_at_all_who_keeps_the_roster_is_told(room: Room) -> None:
    shift = room.on_call(Role.APPROVER, "one", 0, 1)
    room.clock.advance(3600)

    room.stage.begin()
    room.work_off()

    assert shift.ends_at == room.clock.now()
    assert "nobody on call can look after it" in room.told("owner", K.ESCALATED)[0].text


def test_a_second_signature_is_asked_of_somebody_else(room: Room) -> None:

    room.stage.road.planners[0].steps = (InterfaceUp(target=CULPRIT), RestartProcess(target="node:a"))
    room.on_call(Role.APPROVER, "one", 0, 8)
    room.on_call(Role.APPROVER, "two", 0, 8, order=2)
    proposal = room.stage.begin()
    room.work_off()
    assert room.told("two") == []

    assert room.stage.commands.approve(room.stage.one, proposal.id, "fits").state is ProposalState.HELD
    room.work_off()

    assert [notice.kind for notice in room.told("two")] == [K.DECIDE]
    assert room.stage.ledger.read(lambda t: t.approvals.find())[0].choice is Choice.APPROVE
