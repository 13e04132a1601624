"""Reviews that are owed, models in trouble, and trust that goes."""

from datetime import timedelta

import pytest

from control_plane.ports import Written
from control_plane.roster.asking import attend
from control_plane.roster.trust import notice_drop, trust_in
from domain.alarms import Severity
from domain.errors import BadInput, Conflict, Refused
from domain.gate import Approval, Choice
from domain.identity import Role
from domain.incidents import Incident, IncidentClass
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from domain.roster import NoticeKind
from tests.control_plane.roster.conftest import Room


def test_a_review_is_told_when_owed_and_again_when_overdue(room: Room) -> None:
    due = room.clock.now() + timedelta(days=1)
    review = room.desks.roster.call_review(room.manager, "model", "default-ranker", due)
    room.work_off()
    assert len(room.told("manager", NoticeKind.REVIEW)) == 1

    room.until(due)

    assert [n.mark for n in room.told("manager", NoticeKind.REVIEW)] == ["", "overdue"]
    assert [r.id for r in room.desks.roster.reviews(room.manager, owed=True)] == [review.id]


def test_a_held_review_keeps_date_attendees_and_decisions(room: Room) -> None:
    due = room.clock.now() + timedelta(days=1)
    review = room.desks.roster.call_review(room.manager, "agent", "agent:provisioning", due)

    held = room.desks.roster.hold_review(room.manager, review.id, ["manager", "one"], ["keep it at its level"])
    room.until(due)

    assert (held.attendees, held.decisions) == (("manager", "one"), ("keep it at its level",))
    assert held.held_at is not None
    assert room.told("manager", NoticeKind.REVIEW) == []
    assert room.desks.roster.reviews(room.manager, owed=True) == []
    with pytest.raises(Conflict):
        room.desks.roster.hold_review(room.manager, review.id, ["manager"], ["again"])


@pytest.mark.parametrize(("attendees", "decisions"), [([], ["x"]), (["x"], []), (["a\x1b"], ["x"]), ([" "], ["x"])])
def test_a_review_without_people_or_decisions_is_none(room: Room, attendees, decisions) -> None:
    review = room.desks.roster.call_review(room.manager, "agent", "a", room.clock.now() + timedelta(days=1))
    with pytest.raises(BadInput):
        room.desks.roster.hold_review(room.manager, review.id, attendees, decisions)
    with pytest.raises(Refused):
        room.desks.roster.hold_review(room.stage.one, review.id, ["one"], ["fine"])


def decided(room: Room, like: Proposal, state: ProposalState, seconds: float) -> None:
    """Keep one proposal that people decided on after so many seconds."""
    room.clock.advance(1)
    now = room.clock.now()
    proposal = like.but(id=room.stage.road.id("prop"), state=state, decision_id=None, made_at=now)
    choice = Choice.APPROVE if state is ProposalState.SETTLED else Choice.REJECT
    approval = Approval(
        id=room.stage.road.id("appr"), proposal_id=proposal.id, plan_digest=proposal.plan_digest, choice=choice,
        account="one", person="one", because="so", made_at=now + timedelta(seconds=seconds),
    )  # fmt: skip

    def change(tables):
        tables.proposals.add(proposal)
        if state is not ProposalState.EXPIRED:
            tables.approvals.add(approval)
        return Written(None, (Entry(kind="test.proposal.decided", actor="test", event_time=now),))

    room.stage.ledger.do(change)


def trust_of(room: Room, requester: str):
    (row,) = room.stage.ledger.read(lambda t: trust_in(t, "default", requester))
    return row


def test_steady_trust_raises_no_alarm(room: Room) -> None:
    like = room.stage.begin()
    for number in range(60):
        decided(room, like, ProposalState.REJECTED if number % 5 == 0 else ProposalState.SETTLED, 30 + number % 7)

    row = trust_of(room, like.requester)

    assert row.alarms == ()
    assert (row.accepted.n, row.accepted.count) == (20, 16)
    assert row.accepted.low < 0.8 < row.accepted.high


def test_being_passed_over_is_noticed_and_told_once_a_day(room: Room) -> None:
    like = room.stage.begin()
    for number in range(60):
        decided(room, like, ProposalState.SETTLED if number < 45 else ProposalState.EXPIRED, 30)

    def drop(tables):
        told = notice_drop(room.stage.road, tables, "default", like.requester)
        return Written(len(told.notices), told.entries, told.messages)

    assert trust_of(room, like.requester).alarms[0].startswith("ignored: 15 of 20")
    assert [room.stage.ledger.do(drop) for _ in range(2)] == [1, 0]
    assert room.told("manager", NoticeKind.ALARM) != []
    assert "attention.trust.dropped" in room.stage.kinds()


def test_deciding_ever_more_slowly_is_noticed(room: Room) -> None:
    like = room.stage.begin()
    for number in range(60):
        decided(room, like, ProposalState.SETTLED, 30 + number % 5 if number < 40 else 200 + number % 5)

    assert trust_of(room, like.requester).alarms[0].startswith("time: 202 s")


def test_one_drawn_out_afternoon_is_no_trend(room: Room) -> None:
    like = room.stage.begin()
    for number in range(60):
        decided(room, like, ProposalState.SETTLED, 900 if number == 59 else 30 + number % 5)

    assert trust_of(room, like.requester).alarms == ()


def test_a_model_in_trouble_goes_to_who_keeps_the_models_and_then_up(room: Room) -> None:
    keeper = room.person("keeper", Role.ML_ENGINEER)
    now = room.clock.now()
    incident = Incident(
        id=room.stage.road.id("inc"), about=IncidentClass.AI_MODEL, severity=Severity.MAJOR, opened_at=now,
        last_alarm_at=now, last_known_at=now, alarm_ids=("alm_1",), elements=("diagnosis-ranker",), open_alarms=1,
    )  # fmt: skip
    entry = Entry(kind="test.incident.opened", actor="test", event_time=now)
    room.stage.ledger.do(lambda t: Written(t.incidents.add(incident), (entry,)))

    attend(room.stage.road, incident.id)
    assert [n.kind for n in room.told(keeper.name)] == [NoticeKind.ALARM]
    assert room.told("manager", NoticeKind.ESCALATED) == []
    room.pass_time(room.stage.road.settings.proposal_s / 2)

    assert room.told("manager", NoticeKind.ESCALATED) != []


def test_an_incident_says_whether_a_machine_had_a_part_in_it(room: Room) -> None:
    proposal = room.stage.begin()

    view = room.stage.queries.incident(room.stage.one, proposal.incident_id)

    assert view.ai_involved
    assert view.decision_ids == (proposal.decision_id,)
