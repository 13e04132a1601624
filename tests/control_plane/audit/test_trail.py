"""Who, what, when and why: the whole chain from an alarm to an action, and back, with no link that leads nowhere."""

import pytest

from control_plane.audit.searching import Wanted
from control_plane.ports import Written
from domain.errors import NotFound, Refused
from domain.records import Entry
from tests.control_plane.audit.conftest import Room
from tests.stage import CULPRIT


def test_an_action_leads_back_to_the_raw_events(repaired: Room) -> None:
    stage = repaired.stage
    (step,) = stage.ledger.read(lambda tables: tables.steps.find())

    found = repaired.desk.trail(repaired.auditor, step.id)

    assert found.orphans == ()
    assert any(raw.startswith("alarm_") for raw in found.raw)
    assert found.steps == (step.id,)
    assert all((found.evidence, found.incidents, found.diagnoses, found.decisions, found.approvals, found.grants))
    kinds = {r.kind for r in stage.ledger.records() if r.id in found.records}
    assert {"gate.proposal.approved", "act.step.intended"} <= kinds


def test_everything_of_an_actions_life_leads_to_the_same_trail(repaired: Room) -> None:
    stage = repaired.stage
    (step,) = stage.ledger.read(lambda tables: tables.steps.find())
    found = repaired.desk.trail(repaired.auditor, step.id)
    rights = stage.ledger.read(lambda tables: tables.rights.find(grant_id=found.grants[0]))

    names = (found.executions, found.grants, found.approvals, found.decisions, found.proposals, (rights[0].id,))
    for (id,) in names:
        assert repaired.desk.trail(repaired.auditor, id).but(start=step.id) == found
    assert step.id in repaired.desk.trail(repaired.auditor, found.incidents[0]).steps
    assert step.id in repaired.desk.trail(repaired.auditor, found.diagnoses[0]).steps


def test_an_alarm_leads_on_to_every_decision_and_action_that_rested_on_it(repaired: Room) -> None:
    stage = repaired.stage
    alarms = stage.ledger.read(lambda tables: tables.alarms.find(resource=CULPRIT))
    (step,) = stage.ledger.read(lambda tables: tables.steps.find())

    for id in (alarms[0].id, alarms[0].external_id):
        found = repaired.desk.trail(repaired.auditor, str(id), forward=True)
        assert step.id in found.steps
        assert found.decisions
        assert found.orphans == ()


def test_back_and_forth_lead_to_each_other(repaired: Room) -> None:
    (step,) = repaired.stage.ledger.read(lambda tables: tables.steps.find())
    back = repaired.desk.trail(repaired.auditor, step.id)

    events = [raw for raw in back.raw if raw.startswith(("alarm_", "batch_")) or "@" in raw.removeprefix("look@")]

    assert events
    for raw in events:
        assert step.id in repaired.desk.trail(repaired.auditor, raw, forward=True).steps


@pytest.mark.parametrize("forward", [False, True])
def test_what_nobody_knows_leads_nowhere(room: Room, forward: bool) -> None:
    with pytest.raises(NotFound):
        room.desk.trail(room.auditor, "step_nothing", forward=forward)


@pytest.mark.parametrize("forward", [False, True])
def test_what_belongs_to_another_tenant_is_not_there(repaired: Room, forward: bool) -> None:
    stage = repaired.stage
    (step,) = stage.ledger.read(lambda tables: tables.steps.find())
    alarm = stage.ledger.read(lambda tables: tables.alarms.find())[0]

    with pytest.raises(NotFound):
        repaired.desk.trail(repaired.auditor.but(tenant="other"), alarm.id if forward else step.id, forward=forward)


def test_who_may_not_read_the_record_follows_nothing(repaired: Room) -> None:
    with pytest.raises(Refused):
        repaired.desk.trail(repaired.viewer, "step_1")


def test_the_record_is_searched_by_who_what_where_and_when(repaired: Room) -> None:
    every = repaired.stage.ledger.records()
    middle = every[len(every) // 2].known_time

    def ids(**wanted: object) -> list[str]:
        return [r.id for r in repaired.desk.search(repaired.auditor, Wanted(**wanted), limit=10_000)]

    assert ids(actor="one") == [r.id for r in every if r.actor == "one"] != []
    assert ids(kind="gate.*") == [r.id for r in every if r.kind.startswith("gate.")] != []
    assert ids(kind="gate.proposal.approved") == [r.id for r in every if r.kind == "gate.proposal.approved"] != []
    assert ids(since=middle) == [r.id for r in every if r.known_time >= middle]
    assert ids(until=middle) == [r.id for r in every if r.known_time <= middle]
    assert ids(element=CULPRIT)
    assert set(ids(element=CULPRIT)) < set(ids())
    assert ids(actor="nobody") == []


def test_a_search_by_time_misses_nothing_where_the_clock_was_set_back(repaired: Room) -> None:
    clock, ledger = repaired.stage.clock, repaired.stage.ledger
    for jump in (0, -7200, 3600):
        clock.jump(jump)
        entry = Entry(kind="test.it.happened", actor="tester", event_time=clock.now())
        for _ in range(3):
            ledger.do(lambda _, entry=entry: Written(None, (entry,)))
    every = ledger.records()

    for moment in {record.known_time for record in every}:
        since = repaired.desk.search(repaired.auditor, Wanted(since=moment), limit=10_000)
        until = repaired.desk.search(repaired.auditor, Wanted(until=moment), limit=10_000)
        assert [r.id for r in since] == [r.id for r in every if r.known_time >= moment]
        assert [r.id for r in until] == [r.id for r in every if r.known_time <= moment]
