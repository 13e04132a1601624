"""A level is lost at once, without a signature, and its evidence begins anew; waivers end with it."""

from datetime import timedelta

import pytest

from control_plane.autonomy import record
from control_plane.ports import Written
from control_plane.tables import Tables
from domain.actions import ActionClass
from domain.autonomy import Band, Ground, Level
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.identity import NetworkDomain, Principal, Role, Scope
from domain.incidents import Resolution
from domain.proposals import ProposalState
from domain.records import Entry
from tests.control_plane.autonomy.earning import GROUND, STANDING, Earning


def in_days(earning: Earning, days: float) -> object:
    return earning.stage.clock.now() + timedelta(days=days)


@pytest.mark.parametrize("bad", [Resolution.ROLLED_BACK, Resolution.UNRESOLVED])
def test_one_failure_while_alone_costs_the_level(earning: Earning, bad: Resolution) -> None:
    earning.promote()
    earning.settle(bad, alone=True)

    standing = earning.standing()
    assert earning.level() is Level.ADVISE
    assert (standing.outcomes, standing.failures, standing.demotions) == (0, 0, 1)


def test_the_fall_is_recorded_and_told_with_the_outcome_that_caused_it(earning: Earning) -> None:
    earning.promote()
    earning.settle(Resolution.ROLLED_BACK, alone=True)

    kinds = [record.kind for record in earning.ledger.records(ref=STANDING)]
    assert "autonomy.level.fell" in kinds
    notices = earning.ledger.read(lambda tables: tables.notices.find(ref=STANDING))
    assert any("people sign again" in notice.text for notice in notices)


def test_one_failure_of_a_signed_plan_does_not_cost_the_level(earning: Earning) -> None:
    earning.promote()
    earning.settle(Resolution.ROLLED_BACK)

    assert earning.level() is Level.ACT_HARMLESS


def test_failures_of_signed_plans_cost_it_when_they_are_surely_too_many(earning: Earning) -> None:
    earning.promote()
    failures = 0
    while earning.level() is not Level.ADVISE:
        earning.settle(Resolution.ROLLED_BACK)
        failures += 1

    assert 2 <= failures <= 5


def test_healing_by_itself_costs_nothing(earning: Earning) -> None:
    earning.promote()
    earning.settle(Resolution.NOT_OURS, 20, alone=True)

    assert earning.level() is Level.ACT_HARMLESS


def test_a_second_chance_is_dearer_than_a_first(earning: Earning) -> None:
    earning.promote()
    earning.settle(Resolution.ROLLED_BACK, alone=True)
    earning.settle(Resolution.RESTORED, 88)

    assert not record.earned(earning.standing(), GROUND)
    earning.settle(Resolution.RESTORED, 17)
    assert record.earned(earning.standing(), GROUND)


def test_a_key_that_raised_a_level_does_not_raise_it_again_after_the_fall(earning: Earning) -> None:
    earning.promote()
    (move,) = earning.ledger.read(lambda tables: tables.level_moves.find())
    asked = earning.asked()
    assert asked is not None
    earning.settle(Resolution.ROLLED_BACK, alone=True)
    earning.stage.road.hands[0].send(move.id, asked.plan.steps[0])

    assert earning.level() is Level.ADVISE


# --- acting alone, on the road ---


def test_with_the_level_a_repair_is_carried_out_without_a_signature(earning: Earning) -> None:
    stage = earning.stage
    earning.promote()
    stage.commands.reject(stage.one, earning.sample.id, "let us see it do this alone")
    stage.network.put("tp:a-b", administrative="unlocked")
    stage.recover()
    stage.settle()
    stage.suffer(1)

    again = stage.begin()
    stage.walk_all()

    assert again.state in {ProposalState.GRANTED, ProposalState.EXECUTING}
    assert len(stage.network.journal) == 1
    grant = earning.ledger.read(lambda tables: tables.grants.find(proposal_id=again.id))[0]
    assert grant.approval_ids == ()


# --- waivers ---


def test_a_waiver_lends_a_level_until_it_ends(earning: Earning) -> None:
    earning.desk.waive(earning.manager, GROUND.key, 1, in_days(earning, 7), "a trial week with extra watch")
    assert earning.level() is Level.ACT_HARMLESS

    earning.stage.clock.advance(7 * 86400)
    assert earning.level() is Level.ADVISE


def test_a_waiver_ends_with_the_first_failure(earning: Earning) -> None:
    waiver = earning.desk.waive(earning.manager, GROUND.key, 1, in_days(earning, 7), "a trial week")
    earning.settle(Resolution.ROLLED_BACK, alone=True)

    ended = earning.ledger.read(lambda tables: tables.waivers.get(waiver.id))
    assert earning.level() is Level.ADVISE
    assert ended is not None
    assert "went wrong" in ended.revoked_because


def test_a_waiver_can_be_revoked(earning: Earning) -> None:
    waiver = earning.desk.waive(earning.manager, GROUND.key, 1, in_days(earning, 7), "a trial week")
    earning.desk.revoke(earning.manager, waiver.id, "seen enough")

    assert earning.level() is Level.ADVISE
    with pytest.raises(Conflict):
        earning.desk.revoke(earning.manager, waiver.id, "once more")


def test_who_keeps_another_domain_revokes_no_waiver(earning: Earning) -> None:
    waiver = earning.desk.waive(earning.manager, GROUND.key, 1, in_days(earning, 7), "a trial week")
    elsewhere = earning.manager.but(scope=Scope(domains=frozenset({"ran"})))

    with pytest.raises(Refused, match="outside the scope"):
        earning.desk.revoke(elsewhere, waiver.id, "not mine")
    assert earning.level() is Level.ACT_HARMLESS


def test_a_waiver_is_loud(earning: Earning) -> None:
    waiver = earning.desk.waive(earning.manager, GROUND.key, 1, in_days(earning, 7), "a trial week")

    (said,) = earning.ledger.records(ref=waiver.id)[:1]
    assert (said.kind, said.actor, said.fields["because"].value) == (
        "autonomy.waiver.signed",
        "manager",
        "a trial week",
    )
    assert earning.ledger.read(lambda tables: tables.notices.count(ref=STANDING)) > 0


@pytest.mark.parametrize("days", [-1, 0, 14.001, 400])
def test_a_waiver_lasts_days_at_most(earning: Earning, days: float) -> None:
    with pytest.raises(BadInput):
        earning.desk.waive(earning.manager, GROUND.key, 1, in_days(earning, days), "for long")


@pytest.mark.parametrize("level", [-1, 0, 2, 7])
def test_a_waiver_lends_only_what_could_be_earned(earning: Earning, level: int) -> None:
    with pytest.raises(BadInput):
        earning.desk.waive(earning.manager, GROUND.key, level, in_days(earning, 1), "more")


@pytest.mark.parametrize("band", [Band.WIDE])
def test_no_waiver_where_many_are_at_risk(earning: Earning, band: Band) -> None:
    wide = Ground(**(GROUND.model_dump() | {"band": band}))
    with pytest.raises(BadInput):
        earning.desk.waive(earning.manager, wide.key, 1, in_days(earning, 1), "more")


def test_no_waiver_for_the_agent_that_asks_for_levels(earning: Earning) -> None:
    own = Ground(
        agent="agent:oversight", action=ActionClass.SET_AUTONOMY, domain=NetworkDomain.AUTONOMY, band=Band.NONE
    )
    with pytest.raises(BadInput):
        earning.desk.waive(earning.manager, own.key, 1, in_days(earning, 1), "more")


def test_no_waiver_for_nobody(earning: Earning) -> None:
    stranger = GROUND.key.replace("agent:provisioning", "agent:stranger")
    with pytest.raises(NotFound):
        earning.desk.waive(earning.manager, stranger, 1, in_days(earning, 1), "more")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CHANGE_MANAGER])
def test_only_a_change_manager_signs_a_waiver(earning: Earning, role: Role) -> None:
    who = Principal(id="acc_x", name="x", person="x", roles=frozenset({role}))
    with pytest.raises(Refused):
        earning.desk.waive(who, GROUND.key, 1, in_days(earning, 1), "more")


def test_a_machine_signs_no_waiver(earning: Earning) -> None:
    machine = earning.manager.but(person="")
    with pytest.raises(Refused):
        earning.desk.waive(machine, GROUND.key, 1, in_days(earning, 1), "more")


def test_who_answers_for_an_agent_signs_no_waiver_for_it(earning: Earning) -> None:
    owned = Principal(id="acc_agent", name="agent:provisioning", person="Manager ", roles=frozenset({Role.AGENT}))

    def change(tables: Tables) -> Written[None]:
        tables.principals.add(owned)
        return Written(None, (Entry(kind="test.agent.owned", actor="test", event_time=earning.stage.clock.now()),))

    earning.ledger.do(change)
    with pytest.raises(Refused, match="another person"):
        earning.desk.waive(earning.manager, GROUND.key, 1, in_days(earning, 1), "mine")


# --- people ---


def test_people_take_a_level_back_at_once(earning: Earning) -> None:
    earning.promote()
    admin = Principal(id="acc_admin", name="admin", person="admin", roles=frozenset({Role.ADMIN}))
    earning.desk.lower(admin, GROUND.key, "a big event this week")

    assert earning.level() is Level.ADVISE
    assert earning.standing().outcomes == 88
    with pytest.raises(Conflict):
        earning.desk.lower(admin, GROUND.key, "again")


def test_what_agents_did_alone_is_drawn_for_review_and_a_wrong_one_costs_the_level(earning: Earning) -> None:
    earning.promote()
    while not earning.desk.reviews(earning.manager):
        earning.settle(Resolution.RESTORED, alone=True)
    owed = earning.desk.reviews(earning.manager)[0]

    earning.desk.review(earning.stage.one, owed.id, right=False, because="it cut a neighbour off for a minute")

    assert earning.level() is Level.ADVISE
    (row,) = earning.desk.disagreements(earning.manager).rows
    assert (row.choice, row.outcome) == ("disown", "the plan was restored")
    with pytest.raises(Conflict):
        earning.desk.review(earning.stage.one, owed.id, right=True, because="once more")


def test_only_who_sees_a_plan_and_does_not_answer_for_its_agent_looks_back_at_it(earning: Earning) -> None:
    earning.promote()
    while not earning.desk.reviews(earning.manager):
        earning.settle(Resolution.RESTORED, alone=True)
    owed = earning.desk.reviews(earning.manager)[0]
    person = earning.stage.one
    owned = Principal(id="acc_agent", name=GROUND.agent, person="Owner", roles=frozenset({Role.AGENT}))

    def change(tables: Tables) -> Written[None]:
        tables.principals.add(owned)
        return Written(None, (Entry(kind="test.agent.owned", actor="test", event_time=earning.stage.clock.now()),))

    earning.ledger.do(change)

    with pytest.raises(NotFound):
        earning.desk.review(person.but(scope=Scope(regions=frozenset({"far-away"}))), owed.id, right=False, because="x")
    with pytest.raises(Refused, match="another person"):
        earning.desk.review(person.but(person="owner "), owed.id, right=True, because="it was fine")
    assert earning.level() is Level.ACT_HARMLESS


def test_the_share_that_is_reviewed_is_the_one_of_the_level(earning: Earning) -> None:
    earning.promote()
    earning.settle(Resolution.RESTORED, 300, alone=True)

    drawn = [each for each in earning.ledger.records() if each.kind == "autonomy.review.drawn"]
    assert len(drawn) == 300
    assert {each.fields["share"].value for each in drawn} == {0.1}
    assert all(each.fields["reviewed"].value == (each.fields["draw"].value < 0.1) for each in drawn)
    assert 10 <= len(earning.desk.reviews(earning.manager)) <= 55
