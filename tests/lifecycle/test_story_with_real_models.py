"""The whole story with real tensors: a ranker that is worn, a training in a process of its own, a trial, a switch."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from adapters.models import lessons
from adapters.models.apart import train_apart
from adapters.models.files import FileModels
from adapters.models.ranker import SlotRankers
from adapters.models.registry import install_first
from adapters.models.signing import HouseKey
from adapters.models.slots import ModelSlots
from adapters.models.training import RankerTrainer
from api.demo_worn import WORN, put_worn
from control_plane import flow, monitoring
from control_plane.correlating import refresh
from control_plane.ports import Ranking
from domain.actions import TrainModel
from domain.chains import first_break
from domain.clock import ManualClock
from domain.incidents import IncidentClass, Resolution
from domain.models import DIAGNOSIS_SLOT, ModelCard, ModelOutcome
from tests.lifecycle.model_stage import with_models
from tests.lifecycle.models import record
from tests.stage import Stage, make_stage
from twin.generator import operator_network
from twin.snapshot import Snapshot

NETWORK = operator_network(7, 60)


def likeliest(ranking: Ranking) -> str:
    return max(ranking.scores, key=lambda element: (ranking.scores[element], element))


def outcomes_of(rankers: SlotRankers, version: str, count: int, clock: ManualClock) -> list[ModelOutcome]:
    """Return how a version does on incidents of the network whose cause the ranker can see."""
    found = []
    seen = (each.lesson for each in lessons.drawn(NETWORK, 4 * count, seed=77))
    for number, case in enumerate(islice((each for each in seen if each.truth in each.sight.candidates), count)):
        clock.advance(60)
        predicted = likeliest(rankers.ask(version, case.sight))
        found.append(
            ModelOutcome(
                id=f"exec_{number:04d}",
                slot=DIAGNOSIS_SLOT,
                version=version,
                incident_id=f"inc_{number:04d}",
                diagnosis_id=f"diag_{number:04d}",
                predicted=predicted,
                confirmed=case.truth,
                right=predicted == case.truth,
                sight=case.sight,
                known_time=clock.now(),
            )
        )
    return found


def walk(stage: Stage) -> None:
    monitoring.watch(stage.road, DIAGNOSIS_SLOT)
    flow.correlate(stage.road)
    stage.clock.advance(0.1)
    for incident in stage.ledger.read(lambda tables: tables.incidents.find()):
        refresh(stage.road, incident.id)
    stage.walk_all()


@pytest.mark.slow
def test_a_worn_ranker_is_found_retrained_tried_and_replaced(clock: ManualClock, tmp_path: Path) -> None:
    stage = make_stage(clock)
    store = FileModels(tmp_path / "models", HouseKey.fresh())
    rankers = SlotRankers(store, lambda: Snapshot.of(NETWORK))

    def train(action: TrainModel, stop: Callable[[], bool]) -> tuple[ModelCard, bytes]:
        return train_apart(action, NETWORK, tmp_path / "training", stop, parent=WORN)

    slots = ModelSlots(stage.ledger, store, clock, train, tmp_path / "training")
    stage = with_models(stage, slots, rankers, "sketch")
    first = TrainModel(target=DIAGNOSIS_SLOT, version="mv_first", recipe="sketch", seed=5)
    install_first(stage.ledger, store, clock, *RankerTrainer(NETWORK, clock=clock).train(first))
    put_worn(stage.ledger, store, clock)
    record(stage.ledger, *outcomes_of(rankers, WORN, 24, clock))
    for people in ((stage.one, stage.two), (stage.one, stage.two)):
        walk(stage)
        proposal = stage.proposal()
        for who in people[: stage.queries.card(stage.one, proposal.id).signatures_needed]:
            stage.commands.approve(who, proposal.id, "the figures say so")
        walk(stage)
    walk(stage)

    (incident,) = stage.ledger.read(lambda tables: tables.incidents.find(about=IncidentClass.AI_MODEL))
    trial = stage.queries.card(stage.one, stage.proposal().id).rehearsal.trial  # type: ignore[union-attr]
    assert trial is not None
    assert trial.candidate_errors < trial.serving_errors
    assert slots.state(DIAGNOSIS_SLOT)["version"] == trial.candidate != WORN
    assert incident.resolution is Resolution.RESTORED
    assert first_break(stage.ledger.records()) is None
