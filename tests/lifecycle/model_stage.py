"""The road of a model: the ring of `tests/stage.py`, real slots, agents and rules, and models without tensors."""

from dataclasses import dataclass, replace
from pathlib import Path

from adapters.models.slots import ModelSlots
from adapters.store.checkpoints import MemoryWakes
from agents.cards import CARDS
from agents.drift import DriftAgent
from agents.retraining import Retraining
from control_plane import flow, monitoring
from control_plane.commands import Commands
from control_plane.model_record import RecordedModels
from control_plane.ports import Ledger, Models, Rankers
from control_plane.queries import Queries
from control_plane.toolbox import Toolbox
from control_plane.trials import RecordedTrials
from domain.answers import Answer
from domain.clock import ManualClock
from domain.incidents import Incident, IncidentClass
from domain.models import DIAGNOSIS_SLOT, ModelStatus
from domain.proposals import Proposal
from tests.lifecycle.models import (
    FRESH,
    WORN,
    ScriptedRankers,
    ScriptedStore,
    ScriptedTrainer,
    outcome_of,
    record,
    register,
    version_of,
)
from tests.stage import Stage, make_stage

RUN_LENGTH = 200.0


@dataclass
class ModelStage:
    """A stage on which the worn version serves, and what is trained is right."""

    stage: Stage
    store: ScriptedStore
    rankers: ScriptedRankers
    trainer: ScriptedTrainer
    slots: ModelSlots
    known: int = 0

    @property
    def ledger(self) -> Ledger:
        return self.stage.ledger

    def err(self, times: int, version: str = WORN, *, right: bool = False) -> None:
        """Let outcomes become known, ten seconds apart, and have the slot looked at after each."""
        for _ in range(times):
            self.stage.clock.advance(10)
            record(self.ledger, outcome_of(self.known, version, self.stage.clock.now(), right=right))
            self.known += 1
            self.walk()

    def walk(self) -> None:
        """Do what the worker does until nothing is due; training included."""
        monitoring.watch(self.stage.road, DIAGNOSIS_SLOT)
        flow.correlate(self.stage.road)
        self.stage.clock.advance(0.1)
        for incident in self.incidents():
            from control_plane.correlating import refresh

            refresh(self.stage.road, incident.id)
        self.stage.walk_all()

    def approve(self, *, people: int = 1) -> Proposal:
        """Have people say yes to the newest plan, and walk until it is settled."""
        proposal = self.stage.proposal()
        for who in (self.stage.one, self.stage.two)[:people]:
            self.stage.commands.approve(who, proposal.id, "the figures say so", proposal.plan_digest)
        self.walk()
        self.walk()
        return self.proposal(proposal.id)

    def proposal(self, id: str) -> Proposal:
        found = self.ledger.read(lambda tables: tables.proposals.get(id))
        assert found is not None
        return found

    def incidents(self) -> list[Incident]:
        found = self.ledger.read(lambda tables: tables.incidents.find())
        return [incident for incident in found if incident.about is IncidentClass.AI_MODEL]

    def status(self, version: str) -> ModelStatus:
        found = self.ledger.read(lambda tables: tables.model_versions.get(version))
        assert found is not None
        return found.status

    def serving(self) -> str:
        return self.slots.state(DIAGNOSIS_SLOT)["version"]


def make_model_stage(clock: ManualClock, folder: Path, *, ledger: Ledger | None = None, new: bool = True) -> ModelStage:
    """Build the stage; what is trained is right, and the version before is not. `new`: nothing is registered yet."""
    stage = make_stage(clock, ledger=ledger if new else None)  # people have their accounts once
    stage.ledger = stage.road.ledger = ledger or stage.ledger
    store = ScriptedStore()
    rankers = ScriptedRankers(store, right={FRESH})
    trainer = ScriptedTrainer(made=rankers.right.add)
    slots = ModelSlots(stage.ledger, store, clock, trainer.train, folder / "training")
    if new:
        register(stage.ledger, store, version_of(WORN, ModelStatus.PRODUCTION))
    return ModelStage(with_models(stage, slots, rankers), store, rankers, trainer, slots)


def with_models(stage: Stage, slots: ModelSlots, rankers: Rankers, recipe: str = "quick") -> Stage:
    """Return the stage with these slots and rankers, and the agents that watch and mend models."""
    ledger, clock = stage.ledger, stage.clock
    tools = {"models": RecordedModels(ledger), "trials": RecordedTrials(ledger, rankers)}
    drift = DriftAgent(Toolbox(CARDS["drift"], tools, ledger, clock), RUN_LENGTH)
    retraining = Retraining(Toolbox(CARDS["retraining"], tools, ledger, clock), recipe)
    road = replace(
        stage.road,
        hands=(slots, *stage.road.hands),
        diagnosticians={**stage.road.diagnosticians, IncidentClass.AI_MODEL: drift},
        planners=(*stage.road.planners, retraining),
        models=Models(slots, rankers, drift),
        settings=replace(stage.road.settings, train_s=1e8),  # a hand-moved clock runs faster than a training
    )
    return replace(
        stage,
        road=road,
        graph=flow.build(road, MemoryWakes().saver()),
        commands=Commands(road),
        queries=Queries(road, lambda _question, _horizon: Answer(sentences=(), refused=True)),
    )
