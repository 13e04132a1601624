"""A repair that restores the network proves a cause, and the opinion of that day is held against it, once."""

from dataclasses import dataclass, replace

import pytest

from control_plane import outcomes
from control_plane.ports import Ranking
from control_plane.road import Road
from control_plane.trials import RecordedTrials
from control_plane.worker import Worker
from domain.actions import Action, DispatchCrew, InterfaceUp, SteerDemand
from domain.agents import Case
from domain.clock import ManualClock
from domain.diagnosis import Diagnosis
from domain.incidents import IncidentClass
from domain.models import DIAGNOSIS_SLOT, ModelOutcome, Opinion, Sight
from domain.proposals import Draft
from tests.lifecycle.models import FALSE, FRESH, TRUE, WORN, outcome_of, record, sight
from tests.stage import CULPRIT, ScriptedDiagnostician, ScriptedPlanner, Stage, make_stage


@dataclass
class Opinionated(ScriptedDiagnostician):
    """The scripted diagnosis, with an opinion of a ranker beside it."""

    ranked: tuple[str, ...]
    calls: int = 0

    def diagnose(self, case: Case) -> Diagnosis:
        opinion = Opinion(slot=DIAGNOSIS_SLOT, version=WORN, ranked=self.ranked, sight=sight())
        return super().diagnose(case).but(opinion=opinion if self.ranked else None)


class Naming(ScriptedPlanner):
    """The scripted plan, which says what cause it is to mend."""

    def plan(self, case: Case) -> Draft | None:
        draft = super().plan(case)
        return None if draft is None else draft.but(cause_element=CULPRIT)


def stage_with(clock: ManualClock, *ranked: str, steps: tuple[Action, ...] = (InterfaceUp(target=CULPRIT),)) -> Stage:
    stage = make_stage(clock)
    stage.road.diagnosticians[IncidentClass.NETWORK] = Opinionated(ranked)
    stage.road.planners = (Naming(steps),)
    return stage


def repair(stage: Stage) -> Stage:
    """Have the interface brought up; the network recovers by it."""
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.recover()
    stage.settle()
    return stage


def scored(stage: Stage) -> list[ModelOutcome]:
    """Do what the outbox asks for, twice, as it may."""
    for message in stage.ledger.due(stage.clock.now()):
        if message.topic == "score":
            outcomes.score(stage.road, message.ref)
            outcomes.score(stage.road, message.ref)
    return stage.ledger.read(lambda tables: tables.model_outcomes.find())


@pytest.mark.parametrize(("ranked", "right"), [((CULPRIT, FALSE), True), ((FALSE, CULPRIT), False)])
def test_an_opinion_is_held_against_the_cause_that_was_repaired(
    clock: ManualClock, ranked: tuple[str, ...], right: bool
) -> None:
    stage = repair(stage_with(clock, *ranked))

    (outcome,) = scored(stage)
    assert (outcome.predicted, outcome.confirmed, outcome.right) == (ranked[0], CULPRIT, right)
    assert outcome.sight == sight()
    assert stage.kinds().count("verify.model.scored") == 1


def test_the_record_of_an_outcome_stays_in_the_region_of_its_incident(clock: ManualClock) -> None:
    stage = stage_with(clock, CULPRIT)
    stage.road.live.regions.update({CULPRIT: "north", "tp:b-a": "north"})
    scored(repair(stage))

    (incident,) = stage.ledger.read(lambda tables: tables.incidents.find())
    (record,) = [record for record in stage.ledger.records() if record.kind == "verify.model.scored"]
    assert (record.residency, record.tenant) == (incident.region, incident.tenant) == ("north", "default")


def test_a_diagnosis_without_an_opinion_scores_nobody(clock: ManualClock) -> None:
    assert scored(repair(stage_with(clock))) == []


def test_what_was_not_restored_proves_nothing(clock: ManualClock) -> None:
    stage = stage_with(clock, CULPRIT)
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.suffer(15)

    assert scored(stage) == []


@pytest.mark.parametrize(
    "step",
    [SteerDemand(target=CULPRIT, via=None), InterfaceUp(target="tp:c-d"), DispatchCrew(target="link:a-b")],
)
def test_a_plan_that_did_not_act_on_the_cause_proves_nothing(clock: ManualClock, step: Action) -> None:
    stage = repair(stage_with(clock, CULPRIT))
    (proposal,) = stage.proposals()
    led_around = proposal.but(plan=proposal.plan.but(steps=(step,)))

    assert outcomes.proven(proposal) == CULPRIT
    assert outcomes.proven(led_around) == ""


def test_the_worker_scores_what_the_outbox_asks_for(clock: ManualClock) -> None:
    stage = repair(stage_with(clock, CULPRIT))
    worker = Worker(stage.road, stage.graph, feed="network")
    worker._handle(stage.ledger.due(clock.now()))
    worker.close()

    assert len(stage.ledger.read(lambda tables: tables.model_outcomes.find())) == 1


def test_a_crash_before_the_scoring_loses_no_outcome(clock: ManualClock) -> None:
    stage = repair(stage_with(clock, CULPRIT))
    taken = stage.ledger.due(clock.now(), lease_s=30.0)  # and nobody deals with them
    clock.advance(31)
    road: Road = replace(stage.road, worker="after the restart")

    assert any(message.topic == "score" for message in taken)
    assert len(scored(replace(stage, road=road))) == 1


class Undecided:
    """A ranker that finds every candidate equally likely."""

    def ask(self, version: str, sight: Sight) -> Ranking:
        return Ranking(version, dict.fromkeys(sorted(sight.candidates, reverse=True), 0.5))


def test_of_two_that_are_equally_likely_a_trial_names_the_one_that_the_opinion_named(clock: ManualClock) -> None:
    ledger = make_stage(clock).ledger
    record(ledger, *(outcome_of(number, WORN, clock.now(), right=True) for number in range(4)))

    found = RecordedTrials(ledger, Undecided()).trial(DIAGNOSIS_SLOT, WORN, FRESH)
    assert min(sight().candidates) == TRUE
    assert (found.serving_errors, found.candidate_errors) == (0, 0)
