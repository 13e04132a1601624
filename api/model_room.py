"""Introduces what watches and mends models to the road: the slots' hands, the rankers, the two agents."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.models.apart import train_apart
from adapters.models.slots import ModelSlots
from agents.drift import DriftAgent
from agents.retraining import Retraining
from control_plane.model_record import RecordedModels, slot_state
from control_plane.ports import Ledger, Models, ModelStore, Rankers
from control_plane.trials import RecordedTrials
from domain.actions import TrainModel
from domain.clock import Clock
from domain.models import ModelCard
from domain.network import Inventory

#: Makes the tools of an agent by its name, from all that there are.
Toolboxes = Callable[[str, dict[str, Any]], Any]


@dataclass(frozen=True)
class ModelRoom:
    """What the house has of models: for the road hands, rankers and monitor; the agents; where artefacts are kept."""

    store: ModelStore
    models: Models
    drift: DriftAgent
    retraining: Retraining
    slots: ModelSlots


def model_room(
    ledger: Ledger,
    clock: Clock,
    store: ModelStore,
    rankers: Rankers,
    tools: Toolboxes,
    *,
    inventory: Inventory,
    folder: Path,
    run_length: float,
) -> ModelRoom:
    """Build the room.

    Args:
        ledger: keeps registry, moves and outcomes.
        clock: the one source of time.
        store: keeps the artefacts.
        rankers: asks them.
        tools: makes the tools of an agent.
        inventory: the network at hand, which is among what a candidate learns from.
        folder: where trainings work.
        run_length: outcomes between two false alarms about a model that is well.
    """

    def train(action: TrainModel, stop: Callable[[], bool]) -> tuple[ModelCard, bytes]:
        parent = ledger.read(lambda tables: slot_state(tables, action.target).version)
        return train_apart(action, inventory, folder, stop, parent=parent)

    slots = ModelSlots(ledger, store, clock, train, folder)
    known = {"models": RecordedModels(ledger), "trials": RecordedTrials(ledger, rankers)}
    drift = DriftAgent(tools("drift", known), run_length)
    retraining = Retraining(tools("retraining", known))
    return ModelRoom(store, Models(slots, rankers, drift), drift, retraining, slots)
