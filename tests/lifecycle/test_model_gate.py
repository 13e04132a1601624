"""The gate is the same for models as for the network: freeze, expiry, stop, and no storm of what was refused."""

import contextlib
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from domain.actions import TrainModel
from domain.alarms import Severity
from domain.clock import ManualClock
from domain.errors import Conflict, Gone
from domain.execution import Outcome
from domain.incidents import Resolution
from domain.models import DIAGNOSIS_SLOT, ModelStatus, MoveState
from domain.proposals import ProposalState
from tests.lifecycle.model_stage import ModelStage, make_model_stage
from tests.lifecycle.models import WORN


@pytest.fixture
def models(clock: ManualClock, tmp_path: Path) -> ModelStage:
    return make_model_stage(clock, tmp_path)


def freeze(models: ModelStage, region: str = "", seconds: float = 3600.0) -> None:
    stage, now = models.stage, models.stage.clock.now()
    stage.commands.declare_freeze(stage.operator, region, now, now + timedelta(seconds=seconds), "a holiday")


def came_of(models: ModelStage) -> Outcome:
    (execution,) = models.ledger.read(lambda tables: tables.executions.find())
    assert execution.outcome is not None
    return execution.outcome


@pytest.mark.parametrize("region", ["", "default"])
def test_in_a_freeze_nothing_is_trained_and_after_it_it_is_asked_for_again(models: ModelStage, region: str) -> None:
    freeze(models, region)
    models.err(8)

    frozen = models.stage.proposal()
    assert (frozen.state, models.trainer.trained) == (ProposalState.DENIED, [])
    assert "a freeze is in force" in frozen.state_reason
    models.stage.clock.advance(3600)
    models.err(1)
    assert models.stage.proposal().state is ProposalState.HELD


def test_a_freeze_of_another_region_is_not_about_the_model(models: ModelStage) -> None:
    models.stage.road.live.regions["node:c"] = "north"
    freeze(models, "north")
    models.err(8)

    assert models.stage.proposal().state is ProposalState.HELD


def test_a_freeze_that_comes_after_the_proposal_lets_nobody_sign_it(models: ModelStage) -> None:
    models.err(8)
    freeze(models)

    with pytest.raises(Conflict, match="a freeze is in force"):
        models.stage.commands.approve(models.stage.one, models.stage.proposal().id, "the figures say so")
    assert models.trainer.trained == []


def test_a_freeze_that_comes_after_the_grant_holds_the_training_back(models: ModelStage) -> None:
    models.err(8)
    waits = models.stage.proposal()
    models.stage.commands.approve(models.stage.one, waits.id, "the figures say so")
    freeze(models)
    models.walk()

    assert (models.proposal(waits.id).state, models.trainer.trained) == (ProposalState.WITHDRAWN, [])


def test_a_plan_about_a_model_expires_and_can_be_signed_no_more(models: ModelStage) -> None:
    models.err(8)
    waits = models.stage.proposal()
    models.stage.clock.advance(models.stage.road.settings.proposal_s + 1)
    models.stage.walk_all()

    assert models.proposal(waits.id).state is ProposalState.EXPIRED
    with pytest.raises(Gone):
        models.stage.commands.approve(models.stage.one, waits.id, "too late")
    models.err(1)
    assert models.stage.proposal().state is ProposalState.HELD  # what nobody decided is asked for again


def test_an_operator_stops_a_training_and_no_candidate_is_left(models: ModelStage) -> None:
    models.err(8)
    waits = models.stage.proposal()

    def endless(_action: TrainModel, stop: Callable[[], bool]) -> NoReturn:
        models.stage.commands.stop(models.stage.operator, waits.id, "not now")
        while not stop():
            time.sleep(0.01)
        raise Gone("the training was stopped")

    models.slots._train = endless
    models.approve()

    (move,) = models.ledger.read(lambda tables: tables.model_moves.find())
    assert (move.state, move.note) == (MoveState.CANCELLED, "the training was stopped")
    assert came_of(models).resolution is Resolution.UNRESOLVED
    assert models.slots.state(DIAGNOSIS_SLOT) == {"version": WORN, "candidate": "", "previous": ""}


def test_a_stop_that_comes_after_the_training_retires_the_candidate(models: ModelStage) -> None:
    models.err(8)
    waits = models.stage.proposal()

    def stop(point: str, _ref: str) -> None:
        if point == "acted":
            with contextlib.suppress(Conflict):
                models.stage.commands.stop(models.stage.operator, waits.id, "not now")

    models.stage.road.watchers.append(stop)
    models.approve()

    assert came_of(models).resolution is Resolution.ROLLED_BACK
    assert models.status(waits.plan.steps[0].version) is ModelStatus.ARCHIVED
    assert models.slots.state(DIAGNOSIS_SLOT) == {"version": WORN, "candidate": "", "previous": ""}


def test_the_incident_is_as_bad_as_its_alarm_has_become(models: ModelStage) -> None:
    models.err(5)
    assert models.incidents()[0].severity is Severity.WARNING
    models.err(3)
    models.walk()

    assert models.incidents()[0].severity is Severity.MAJOR


def test_the_figures_of_a_trial_are_inside_the_hash_of_the_record(models: ModelStage) -> None:
    models.err(8)
    models.approve()
    switch = models.stage.proposal()

    told = [record for record in models.ledger.records() if record.kind == "rehearse.proposal.rehearsed"]
    trial = next(record for record in told if switch.id in record.refs).fields["trial"].value
    assert (trial["serving"], trial["candidate"]) == (WORN, switch.plan.steps[0].version)
    assert (trial["cases"], trial["serving_errors"], trial["candidate_errors"]) == (8, 8, 0)
