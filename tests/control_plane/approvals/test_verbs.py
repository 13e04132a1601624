"""Approve, change, reject, ask, defer: what becomes of the plan, and what stays in the record."""

from datetime import timedelta

import pytest

from control_plane import flow
from control_plane.approvals.desk import ApprovalsDesk
from domain.actions import InterfaceUp
from domain.answers import Answer, Sentence
from domain.approvals import ChangeState
from domain.errors import Conflict, NotFound, Refused
from domain.identity import Role
from domain.proposals import ProposalState
from tests.control_plane.approvals.people import TWO_STEPS, change_of, changed, desk, person, records, stored
from tests.stage import CULPRIT, Stage


def test_approved_it_is_carried_out(stage: Stage) -> None:
    proposal = stage.begin()

    stage.commands.approve(stage.one, proposal.id, "yes")
    stage.walk_all()

    assert stored(stage, proposal).state is ProposalState.EXECUTING
    assert len(stage.network.journal) == 1


def test_changed_the_old_plan_is_out_of_reach_and_stays_in_the_record(stage: Stage) -> None:
    old = stage.begin()

    new = changed(stage, old, stage.one)

    with pytest.raises(Conflict, match="waits for nobody"):
        stage.commands.approve(stage.two, old.id, "the old one, please")
    flow.act(stage.road, old.incident_id)
    assert stage.network.journal == []
    assert (stored(stage, old).state, new.state, new.replaces) == (ProposalState.CHANGED, ProposalState.HELD, old.id)
    assert (new.plan_digest, new.rehearsal_id) != (old.plan_digest, old.rehearsal_id)
    plans = [r.fields["plan_digest"].value for r in records(stage, "gate.proposal.changed")]
    assert plans == [old.plan_digest]


def test_rejected_nothing_happens_and_the_same_plan_is_not_asked_for_again(stage: Stage) -> None:
    proposal = stage.begin()

    stage.commands.reject(stage.one, proposal.id, "not now")
    stage.suffer(10)

    assert [p.state for p in stage.proposals()] == [ProposalState.REJECTED]
    assert stage.network.journal == []
    assert records(stage, "gate.proposal.rejected")[0].fields["because"].value == "not now"


def test_deferred_it_comes_back_and_can_still_be_decided(stage: Stage) -> None:
    proposal = stage.begin()
    until = stage.clock.now() + timedelta(seconds=20)

    stage.commands.defer(stage.one, proposal.id, until, "after the call")
    stage.suffer(10)
    assert stored(stage, proposal).state is ProposalState.DEFERRED
    stage.suffer(12)

    assert stored(stage, proposal).state is ProposalState.HELD
    assert stage.commands.approve(stage.one, proposal.id, "now").state is ProposalState.GRANTED


def test_asked_it_waits_on(stage: Stage) -> None:
    proposal = stage.begin()

    enquiry = desk(stage).ask(stage.one, proposal.id, "is the site on battery?")

    assert stored(stage, proposal) == proposal  # its time does not stop
    assert enquiry.open
    assert stage.commands.approve(stage.one, proposal.id, "yes").state is ProposalState.GRANTED


def test_the_record_answers_with_the_facts_it_rests_on(stage: Stage) -> None:
    proposal = stage.begin()
    heard: list[str] = []

    def narrator(question: str, _horizon: object) -> Answer:
        heard.append(question)
        return Answer(sentences=(Sentence(text="It was locked.", cites=("ev_1",)),))

    enquiry = ApprovalsDesk(stage.road, narrator).ask(stage.one, proposal.id, "why?")

    assert heard == [f"{proposal.id}: why?"]
    assert (enquiry.advice, enquiry.cites, enquiry.answered_by) == ("It was locked.", ("ev_1",), "agent:narrator")
    assert stored(stage, proposal).state is ProposalState.HELD


def test_a_person_answers_what_the_record_does_not_say_once(stage: Stage) -> None:
    proposal = stage.begin()
    enquiry = desk(stage).ask(stage.one, proposal.id, "is the site on battery?")

    answered = desk(stage).answer(stage.operator, enquiry.id, "no, mains")

    assert (answered.answer, answered.open) == ("no, mains", False)
    assert desk(stage).enquiries(stage.two, proposal.id) == [answered]
    with pytest.raises(Conflict, match="was answered by operator"):
        desk(stage).answer(stage.two, enquiry.id, "yes")


def test_a_feed_answers_nothing_and_another_tenant_finds_nothing(stage: Stage) -> None:
    enquiry = desk(stage).ask(stage.one, stage.begin().id, "is the site on battery?")
    stranger = person(stage, "sam", Role.APPROVER, tenant="other")

    with pytest.raises(Refused):
        desk(stage).answer(stage.feed, enquiry.id, "yes")
    with pytest.raises(NotFound):
        desk(stage).answer(stranger, enquiry.id, "yes")


@pytest.mark.parametrize("verb", ["approve", "reject", "ask", "defer", "change"])
def test_who_asked_for_a_plan_decides_nothing_about_it(stage: Stage, verb: str) -> None:
    proposal = changed(stage, stage.begin(), stage.one)
    later = stage.clock.now() + timedelta(minutes=5)
    acts = {
        "approve": lambda: stage.commands.approve(stage.one, proposal.id, "mine"),
        "reject": lambda: stage.commands.reject(stage.one, proposal.id, "mine"),
        "ask": lambda: desk(stage).ask(stage.one, proposal.id, "mine?"),
        "defer": lambda: stage.commands.defer(stage.one, proposal.id, later, "mine"),
        "change": lambda: changed(stage, proposal, stage.one, (InterfaceUp(target="tp:c-d"),)),
    }

    with pytest.raises(Refused, match="another person"):
        acts[verb]()

    assert stored(stage, proposal).state is ProposalState.HELD
    assert records(stage, "gate.proposal.refused")


def test_a_changed_plan_has_a_change_record_of_its_own(stage: Stage) -> None:
    old = stage.begin()

    new = changed(stage, old, stage.one, TWO_STEPS)

    assert new.change_id != old.change_id
    assert change_of(stage, old).state is ChangeState.CANCELLED
    assert (change_of(stage, new).state, change_of(stage, new).requested_by) == (ChangeState.REQUESTED, "one")
    assert CULPRIT in {step.target for step in new.plan.steps}
