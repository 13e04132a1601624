"""A plan becomes one question per step, with what its rehearsal and diagnosis say."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.actions import DispatchCrew, DrainLink, RestartProcess
from domain.diagnosis import Diagnosis, Verdict
from domain.errors import Conflict
from domain.incidents import Incident
from domain.proposals import Plan, Proposal
from domain.rehearsal import Forecast, Impact, Rehearsal
from policies.question import questions

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
Propose = Callable[..., Proposal]
Rehearsed = Callable[..., Rehearsal]


def forecast(**impact: tuple[str, ...]) -> Forecast:
    return Forecast(expected=Impact(**impact), lost_low=0, lost_high=0)


def test_there_is_one_question_per_step_in_order(
    propose: Propose, rehearsed: Rehearsed, diagnosis: Diagnosis, incident: Incident
) -> None:
    plan = Plan(steps=(DrainLink(target="link:1", previous_metric=10), RestartProcess(target="node:1")))

    first, second = questions(propose(plan), rehearsed(plan), diagnosis, incident, False, NOON, kinds={"node:1": "gnb"})

    assert (first.target, first.kind, first.reversible, first.harm) == ("link:1", "link", True, "service")
    assert (second.target, second.kind, second.reversible, second.steps) == ("node:1", "gnb", False, 2)


def test_a_step_is_asked_about_with_the_diagnosis_it_rests_on(
    propose: Propose, rehearsed: Rehearsed, diagnosis: Diagnosis, incident: Incident
) -> None:
    silent = diagnosis.but(degraded_by=("pm-1",))

    (question,) = questions(propose(confidence=0.7), rehearsed(), silent, incident, True, NOON + timedelta(minutes=1))

    assert (question.confidence, question.candidates, question.degraded) == (70, 2, True)
    assert (question.evidence_age, question.freeze, question.region) == (150, True, "north")


def test_an_agent_cannot_be_surer_than_the_diagnosis(
    propose: Propose, rehearsed: Rehearsed, diagnosis: Diagnosis, incident: Incident
) -> None:
    no_cause = diagnosis.but(verdict=Verdict.CANNOT_TELL)

    (sure,) = questions(propose(confidence=1.0), rehearsed(), diagnosis, incident, False, NOON)
    (lost,) = questions(propose(confidence=1.0), rehearsed(), no_cause, incident, False, NOON)

    assert (sure.confidence, lost.confidence) == (93, 0)


def test_at_risk_is_whoever_is_worse_off_than_by_doing_nothing_at_any_point(
    propose: Propose, rehearsed: Rehearsed, diagnosis: Diagnosis, incident: Incident
) -> None:
    plan = Plan(steps=(DrainLink(target="link:1", previous_metric=10), DispatchCrew(target="link:1")))
    rehearsal = rehearsed(
        plan,
        nothing=forecast(customers_hit=("c:1",), cells_down=("cell:1",)),
        steps=(Impact(customers_hit=("c:1", "c:2", "c:3")), Impact(cells_down=("cell:1", "cell:2"))),
        plan=forecast(customers_hit=("c:3",)),
    )

    asked = questions(propose(plan), rehearsal, diagnosis, incident, False, NOON)

    assert [(question.blast, question.cells) for question in asked] == [(2, 0), (1, 1)]


def test_a_clock_behind_the_evidence_makes_it_fresh_not_negative(
    propose: Propose, rehearsed: Rehearsed, diagnosis: Diagnosis, incident: Incident
) -> None:
    (question,) = questions(propose(), rehearsed(), diagnosis, incident, False, NOON - timedelta(days=1))

    assert question.evidence_age == 0


def test_a_rehearsal_of_another_plan_is_no_rehearsal(
    propose: Propose, rehearsed: Rehearsed, diagnosis: Diagnosis, incident: Incident
) -> None:
    other = Plan(steps=(RestartProcess(target="node:1"),))

    with pytest.raises(Conflict, match="of another plan"):
        questions(propose(), rehearsed(other), diagnosis, incident, False, NOON)
    with pytest.raises(Conflict, match="another diagnosis or incident"):
        questions(propose(), rehearsed(), diagnosis.but(id="diag_2"), incident, False, NOON)


def test_signing_a_plan_approves_its_change(
    propose: Propose, rehearsed: Rehearsed, diagnosis: Diagnosis, incident: Incident
) -> None:
    (question,) = questions(propose(), rehearsed(), diagnosis, incident, False, NOON)

    assert [question.context(n)["change"] for n in (0, 1)] == [False, True]
    assert question.but(standard=True).context()["change"] is True
