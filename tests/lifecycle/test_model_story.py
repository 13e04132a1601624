"""A model that drifts, on the one road: from outcomes to a version that errs less, and back."""

from pathlib import Path

import pytest

from domain.actions import InterfaceUp, SwitchModel
from domain.alarms import Severity
from domain.chains import first_break
from domain.clock import ManualClock
from domain.diagnosis import Diagnosis, Verdict
from domain.errors import BadInput, Conflict
from domain.execution import Outcome
from domain.incidents import IncidentState, Resolution
from domain.models import DIAGNOSIS_SLOT, ModelStatus
from domain.proposals import Plan, ProposalState
from tests.lifecycle.model_stage import ModelStage, make_model_stage
from tests.lifecycle.models import BAD, FRESH, WORN, register, version_of


@pytest.fixture
def models(clock: ManualClock, tmp_path: Path) -> ModelStage:
    return make_model_stage(clock, tmp_path)


def diagnosis_of(models: ModelStage) -> Diagnosis:
    (incident,) = models.incidents()
    found = models.ledger.read(lambda tables: tables.diagnoses.get(incident.diagnosis_id or ""))
    assert found is not None
    return found


def outcomes(models: ModelStage) -> list[Outcome]:
    found = models.ledger.read(lambda tables: tables.executions.find())
    return [execution.outcome for execution in found if execution.outcome]


def test_a_drifted_model_is_replaced_by_one_that_errs_less(models: ModelStage) -> None:
    models.err(8)
    trained = models.approve()
    switched = models.approve(people=2)

    (incident,) = models.incidents()
    assert (trained.plan.classes, switched.plan.classes) == (("train_model",), ("switch_model",))
    assert models.serving() == trained.plan.steps[0].version != WORN
    assert (incident.state, incident.resolution) == (IncidentState.CLOSED, Resolution.RESTORED)
    assert first_break(models.ledger.records()) is None


def test_a_model_that_errs_as_its_card_says_is_left_alone(models: ModelStage) -> None:
    for _ in range(10):
        models.err(3, right=True)
        models.err(1)

    assert models.incidents() == []


def test_few_outcomes_tell_nothing(models: ModelStage) -> None:
    models.err(3)

    assert models.incidents() == []
    assert models.stage.proposals() == []


def test_a_weak_finding_is_a_warning_and_no_plan(models: ModelStage) -> None:
    models.err(5)

    (incident,) = models.incidents()
    assert incident.severity is Severity.WARNING
    assert diagnosis_of(models).verdict is Verdict.CANNOT_TELL
    assert "too early to tell" in diagnosis_of(models).not_checked[0]
    assert models.stage.proposals() == []


def test_a_weak_finding_that_passes_is_cleared_and_its_incident_closed(models: ModelStage) -> None:
    models.err(5)
    models.err(12, right=True)

    (incident,) = models.incidents()
    assert (incident.state, incident.resolution) == (IncidentState.CLOSED, Resolution.NOT_OURS)


def test_more_of_the_same_drift_is_one_alarm_one_incident_and_one_plan(models: ModelStage) -> None:
    models.err(20)

    alarms = models.ledger.read(lambda tables: tables.alarms.find())
    assert (len(alarms), len(models.incidents()), len(models.stage.proposals())) == (1, 1, 1)
    assert models.stage.kinds().count("receive.alarms.kept") == 2  # watched, then drifted


def test_the_drift_rests_on_outcomes_that_are_cited(models: ModelStage) -> None:
    models.err(8)

    proposal = models.stage.proposal()
    cited = models.ledger.read(lambda tables: [tables.evidence.get(id) for id in proposal.evidence_ids])
    lineage = models.stage.queries.lineage(models.stage.one, proposal.id)
    assert [item.ref for item in cited if item and item.metric == "model_error"] == [f"exec_{n:04d}" for n in range(6)]
    assert lineage.orphans == ()


def test_trouble_of_a_model_and_of_the_network_are_two_incidents(models: ModelStage) -> None:
    models.stage.begin()
    models.err(8)

    incidents = models.ledger.read(lambda tables: tables.incidents.find())
    assert sorted(len(incident.alarm_ids) for incident in incidents) == [1, 2]
    assert len(models.incidents()) == 1


def test_a_candidate_that_the_trial_cannot_tell_yet_is_not_asked_for(models: ModelStage) -> None:
    models.trainer.made = lambda version: None  # what is trained errs like the one before
    models.err(8)
    models.approve()

    assert [p.plan.classes for p in models.stage.proposals()] == [("train_model",)]
    assert models.serving() == WORN


def test_a_person_cannot_promote_what_the_trial_does_not_show_to_be_better(models: ModelStage) -> None:
    models.err(8)
    waits = models.stage.proposal()
    register(models.ledger, models.store, version_of(BAD, ModelStatus.STAGING))
    switch = Plan(steps=(SwitchModel(target=DIAGNOSIS_SLOT, version=BAD, previous=WORN),))
    models.stage.commands.change(models.stage.one, waits.id, switch, "I like this one")
    models.walk()

    denied = models.stage.proposal()
    assert (denied.state, denied.plan) == (ProposalState.DENIED, switch)
    assert "does not show" in denied.state_reason


def test_a_candidate_whose_card_errs_more_than_the_limit_is_not_sound(models: ModelStage) -> None:
    models.err(8)
    waits = models.stage.proposal()
    register(models.ledger, models.store, version_of(FRESH, ModelStatus.STAGING, error=0.5))
    switch = Plan(steps=(SwitchModel(target=DIAGNOSIS_SLOT, version=FRESH, previous=WORN),))
    models.stage.commands.change(models.stage.one, waits.id, switch, "it does well here")
    models.walk()

    denied = models.stage.proposal()
    assert denied.state is ProposalState.DENIED
    rehearsal = models.ledger.read(lambda tables: tables.rehearsals.get(denied.rehearsal_id or ""))
    assert rehearsal is not None
    assert "more than the limit of 30%" in rehearsal.reasons[0]


def test_a_candidate_that_may_never_serve_is_not_asked_for_but_another_training(models: ModelStage) -> None:
    models.trainer.error = 0.5
    models.err(8)
    first = models.approve()
    models.err(4)

    asked = models.stage.proposals()
    assert [proposal.plan.classes for proposal in asked] == [("train_model",)] * 2
    assert asked[-1].state is ProposalState.HELD
    assert asked[-1].plan_digest != first.plan_digest


def test_a_plan_about_a_model_may_not_touch_the_network(models: ModelStage) -> None:
    models.err(8)
    mixed = Plan(steps=(InterfaceUp(target="tp:a-b"),))

    with pytest.raises(BadInput, match="about a model"):
        models.stage.commands.change(models.stage.one, models.stage.proposal().id, mixed, "while you are at it")


def test_a_plan_about_the_network_may_not_touch_a_model(models: ModelStage) -> None:
    waits = models.stage.begin()
    switch = Plan(steps=(SwitchModel(target=DIAGNOSIS_SLOT, version=FRESH, previous=WORN),))

    with pytest.raises(BadInput, match="about the network"):
        models.stage.commands.change(models.stage.one, waits.id, switch, "while you are at it")


def test_a_version_that_does_no_better_once_it_serves_goes_back(models: ModelStage) -> None:
    models.err(8)
    models.approve()
    switch = models.stage.proposal()
    candidate = switch.plan.steps[0].version
    models.stage.road.watchers.append(
        lambda point, _ref: models.rankers.right.discard(candidate) if point == "verifying" else None
    )
    models.approve(people=2)

    assert models.serving() == WORN
    assert outcomes(models)[-1].resolution is Resolution.ROLLED_BACK
    assert models.incidents()[0].state is IncidentState.OPEN
    assert models.proposal(switch.id).state is ProposalState.SETTLED


def test_what_served_before_comes_back_when_the_new_one_drifts_and_it_errs_less(models: ModelStage) -> None:
    models.err(8)
    models.approve()
    models.approve(people=2)
    candidate = models.serving()
    models.rankers.right = {WORN}  # the world has turned back
    models.err(30, version=candidate)

    back = models.stage.proposal()
    assert back.title == f"Go back to `{WORN}`"
    models.approve(people=2)
    assert models.serving() == WORN
    assert [incident.resolution for incident in models.incidents()] == [Resolution.RESTORED] * 2


def test_a_grant_dies_when_the_slot_changes_under_it(models: ModelStage) -> None:
    models.err(8)
    models.approve()
    switch = models.stage.proposal()
    for who in (models.stage.one, models.stage.two):
        models.stage.commands.approve(who, switch.id, "the figures say so", switch.plan_digest)
    register(models.ledger, models.store, version_of(FRESH, ModelStatus.STAGING))
    models.slots.send("by hand", SwitchModel(target=DIAGNOSIS_SLOT, version=FRESH, previous=WORN))
    models.stage.walk_all()

    assert models.serving() == FRESH
    assert models.proposal(switch.id).state is ProposalState.WITHDRAWN
    assert "`model:diagnosis`" in models.proposal(switch.id).state_reason


def test_a_candidate_whose_file_is_damaged_never_serves(models: ModelStage) -> None:
    models.err(8)
    models.approve()
    switch = models.stage.proposal()
    models.store.damaged.add(switch.plan.steps[0].version)
    models.approve(people=2)

    assert models.serving() == WORN
    assert models.proposal(switch.id).state is ProposalState.WITHDRAWN
    assert "hash differs" in models.proposal(switch.id).state_reason


def test_a_broken_training_is_settled_and_asked_for_again(models: ModelStage) -> None:
    models.trainer.broken = True
    models.err(8)
    first = models.approve()
    again = models.stage.proposal()

    assert outcomes(models)[-1].resolution is Resolution.UNRESOLVED
    assert "not a number" in models.ledger.read(lambda tables: tables.model_moves.find())[0].note
    assert (again.state, again.plan_digest != first.plan_digest) == (ProposalState.HELD, True)


def test_after_three_trainings_a_person_has_to_think(models: ModelStage) -> None:
    models.trainer.broken = True
    models.err(8)
    for _ in range(3):
        models.approve()

    assert len(models.stage.proposals()) == 3
    assert models.stage.kinds()[-1] == "propose.incident.nothing_new"


def test_a_rejected_training_is_not_asked_for_again(models: ModelStage) -> None:
    models.err(8)
    models.stage.commands.reject(models.stage.one, models.stage.proposal().id, "the plant was being rebuilt")
    models.err(5)

    assert [p.state for p in models.stage.proposals()] == [ProposalState.REJECTED]


def test_nobody_switches_twice_by_one_grant(models: ModelStage) -> None:
    models.err(8)
    models.approve()
    models.approve(people=2)
    done = models.stage.proposal()

    with pytest.raises(Conflict):
        models.stage.commands.approve(models.stage.one, done.id, "once more")
