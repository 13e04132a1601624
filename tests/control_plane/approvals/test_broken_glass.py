"""In an emergency one person signs alone: freshly proved, once, for one plan; it cures no forbid, and is reviewed."""

from datetime import UTC, datetime, timedelta

import pytest

from control_plane import flow
from control_plane.approvals.breaking_glass import next_working_day
from control_plane.roster.desk import RosterDesk
from domain.approvals import BrokenGlass, ChangeKind, ChangeState
from domain.errors import Conflict, NotFound, Refused
from domain.identity import Permission, Principal, Role, Scope
from domain.proposals import Proposal, ProposalState
from tests.control_plane.approvals.people import (
    ENGINEER_THEN_MANAGER,
    chained,
    change_of,
    changed,
    desk,
    person,
    records,
    stored,
)
from tests.stage import Stage


def fresh(stage: Stage, who: Principal, seconds_ago: float = 10) -> Principal:
    return who.but(authenticated_at=stage.clock.now() - timedelta(seconds=seconds_ago))


def smash(stage: Stage, who: Principal, proposal: Proposal) -> Proposal:
    return desk(stage).break_glass(who, proposal.id, proposal.plan_digest, "customers are down")


def only(stage: Stage) -> BrokenGlass:
    (glass,) = stage.ledger.read(lambda tables: tables.broken_glass.find())
    return glass


def test_one_person_signs_where_two_stages_would(stage: Stage) -> None:
    proposal = chained(stage, ENGINEER_THEN_MANAGER).begin()

    granted = smash(stage, fresh(stage, stage.one), proposal)
    stage.walk_all()

    assert granted.state is ProposalState.GRANTED
    assert len(stage.network.journal) == 1
    assert only(stage).plan_digest == proposal.plan_digest


def test_it_is_an_emergency_change_and_loud_in_the_record(stage: Stage) -> None:
    proposal = stage.begin()

    smash(stage, fresh(stage, stage.one), proposal)

    change = change_of(stage, proposal)
    broken = records(stage, "gate.glass.broken")[0]
    assert (change.kind, change.state, change.approved_by) == (ChangeKind.EMERGENCY, ChangeState.APPROVED, ("one",))
    assert (broken.actor, broken.fields["because"].value) == ("one", "customers are down")
    told = stage.ledger.read(lambda tables: tables.notices.find(ref=only(stage).id))
    assert {"operator", "two"} <= {notice.to_account for notice in told}


@pytest.mark.parametrize("ago", [None, 301.0, 86_400.0, -5.0])
def test_who_has_not_just_proved_who_they_are_is_told_how(stage: Stage, ago: float | None) -> None:
    proposal = stage.begin()
    who = stage.one if ago is None else fresh(stage, stage.one, ago)

    with pytest.raises(Refused, match="prove who you are again"):
        smash(stage, who, proposal)

    assert stored(stage, proposal).state is ProposalState.HELD
    assert records(stage, "gate.proposal.refused")


def test_one_proof_breaks_one_glass(stage: Stage) -> None:
    who = fresh(stage, stage.one)
    first = stage.begin()
    smash(stage, who, first)
    stage.commands.stop(stage.operator, first.id, "wait")
    stage.ledger.read(lambda tables: tables.proposals.get(first.id))
    stage.clock.advance(1)
    incident = stage.ledger.read(lambda tables: tables.incidents.find())[0]
    second = first.but(id="prop_second", change_id="chg_second", state=ProposalState.HELD)
    from control_plane.ports import Written
    from domain.records import Entry

    entry = Entry(kind="propose.proposal.drafted", actor="test", event_time=stage.clock.now(), refs=(incident.id,))
    stage.ledger.do(lambda tables: Written(tables.proposals.add(second), (entry,)))

    with pytest.raises(Refused, match="was used to break a glass already"):
        smash(stage, who, second)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ENGINEER, Role.CHANGE_MANAGER, Role.VIEWER, Role.ADMIN])
def test_who_may_not_break_glass_does_not(stage: Stage, role: Role) -> None:
    proposal = stage.begin()

    with pytest.raises(Refused):
        smash(stage, fresh(stage, person(stage, "eve", role)), proposal)


def test_what_is_lent_for_stopping_breaks_no_glass_beyond_ones_own_scope(stage: Stage) -> None:
    proposal, now = stage.begin(), stage.clock.now()
    far = person(stage, "far", scope=Scope(regions=frozenset({"elsewhere"})))
    desk(stage).delegate(stage.one, "far", [Permission.STOP], now, now + timedelta(hours=1), "watch it for me")

    with pytest.raises(Refused, match="outside the scope"):
        smash(stage, fresh(stage, far), proposal)

    assert stored(stage, proposal).state is ProposalState.HELD


def test_nobody_breaks_glass_for_what_they_asked_for(stage: Stage) -> None:
    proposal = changed(stage, stage.begin(), stage.one)

    with pytest.raises(Refused, match="another person"):
        smash(stage, fresh(stage, stage.one), proposal)


def test_it_is_for_one_plan_only(stage: Stage) -> None:
    old = stage.begin()
    new = changed(stage, old, stage.two)

    with pytest.raises(Conflict, match="not the one you looked at"):
        desk(stage).break_glass(fresh(stage, stage.one), new.id, old.plan_digest, "customers are down")


def test_it_overrides_no_freeze(stage: Stage) -> None:
    proposal = stage.begin()
    now = stage.clock.now()
    stage.commands.declare_freeze(stage.operator, "", now, now + timedelta(hours=1), "election night")

    with pytest.raises(Conflict, match="no signature cures this"):
        smash(stage, fresh(stage, stage.one), proposal)

    assert stored(stage, proposal).state is ProposalState.HELD
    assert stage.ledger.read(lambda tables: tables.broken_glass.find()) == []


def test_a_freeze_that_comes_after_it_stops_it_still(stage: Stage) -> None:
    proposal = stage.begin()
    smash(stage, fresh(stage, stage.one), proposal)
    now = stage.clock.now()
    stage.commands.declare_freeze(stage.operator, "", now, now + timedelta(hours=1), "election night")

    flow.act(stage.road, proposal.incident_id)

    assert stage.network.journal == []
    assert stored(stage, proposal).state is ProposalState.WITHDRAWN


def test_a_review_is_owed_and_held_by_somebody_else(stage: Stage) -> None:
    smash(stage, fresh(stage, stage.one), stage.begin())
    glass, auditor = only(stage), person(stage, "aud", Role.AUDITOR)
    night = person(stage, "one-at-night", Role.AUDITOR, human="ONE")

    with pytest.raises(Refused, match="somebody else must review"):
        desk(stage).review(night, glass.id, justified=True, because="I was right")
    with pytest.raises(Refused):
        desk(stage).review(stage.two, glass.id, justified=True, because="no auditor")
    reviewed = desk(stage).review(auditor, glass.id, justified=False, because="the manager was on call")

    assert (reviewed.reviewed_by, reviewed.verdict) == ("aud", "not justified: the manager was on call")
    (owed,) = stage.ledger.read(lambda tables: tables.reviews.find(ref=glass.id))
    assert (owed.due_at, owed.held_at, owed.attendees) == (glass.review_due, stage.clock.now(), ("aud",))
    with pytest.raises(Conflict):
        desk(stage).review(auditor, glass.id, justified=True, because="changed my mind")


def test_whoever_broke_it_cannot_have_it_off_the_list_by_holding_a_meeting(stage: Stage) -> None:
    both = person(stage, "max", Role.APPROVER, Role.CHANGE_MANAGER)
    smash(stage, fresh(stage, both), stage.begin())
    (owed,) = stage.ledger.read(lambda tables: tables.reviews.find(ref=only(stage).id))

    with pytest.raises(Conflict, match="nocturne review-glass"):
        RosterDesk(stage.road).hold_review(both, owed.id, ["max"], ["it was right"])

    (still,) = stage.ledger.read(lambda tables: tables.reviews.find(ref=only(stage).id))
    assert still.held_at is None


def test_a_late_review_is_listed(stage: Stage) -> None:
    smash(stage, fresh(stage, stage.one), stage.begin())
    auditor = person(stage, "aud", Role.AUDITOR)
    assert desk(stage).broken_glass(auditor, overdue=True) == []

    stage.clock.advance((only(stage).review_due - stage.clock.now()).total_seconds())

    assert [glass.id for glass in desk(stage).broken_glass(auditor, overdue=True)] == [only(stage).id]


def test_another_tenants_glass_is_not_there(stage: Stage) -> None:
    smash(stage, fresh(stage, stage.one), stage.begin())
    stranger = person(stage, "sam", Role.AUDITOR, tenant="other")

    with pytest.raises(NotFound):
        desk(stage).review(stranger, only(stage).id, justified=True, because="fine")
    assert desk(stage).broken_glass(stranger) == []


@pytest.mark.parametrize(
    ("broken", "due"),
    [
        (datetime(2026, 1, 12, 12, tzinfo=UTC), datetime(2026, 1, 13, 17, tzinfo=UTC)),  # Monday
        (datetime(2026, 1, 15, 23, 59, tzinfo=UTC), datetime(2026, 1, 16, 17, tzinfo=UTC)),
        (datetime(2026, 1, 16, 1, tzinfo=UTC), datetime(2026, 1, 19, 17, tzinfo=UTC)),  # Friday
        (datetime(2026, 1, 17, 1, tzinfo=UTC), datetime(2026, 1, 19, 17, tzinfo=UTC)),
        (datetime(2026, 1, 18, 23, tzinfo=UTC), datetime(2026, 1, 19, 17, tzinfo=UTC)),
    ],
)
def test_the_review_is_due_on_the_next_working_day(broken: datetime, due: datetime) -> None:
    assert next_working_day(broken) == due
