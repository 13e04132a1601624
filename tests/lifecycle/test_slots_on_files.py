"""Model slots over the real store: what its files do not prove does not serve."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from adapters.memory import MemoryLedger
from adapters.models.files import FileModels
from adapters.models.signing import HouseKey
from adapters.models.slots import ModelSlots
from control_plane.ports import Seen, Written
from domain.actions import SwitchModel
from domain.clock import ManualClock
from domain.errors import Refused
from domain.models import DIAGNOSIS_SLOT, ModelStatus, ModelVersion
from domain.records import Entry
from tests.lifecycle.models import FRESH, NOON, WORN, ScriptedTrainer, card_of

SWITCH = SwitchModel(target=DIAGNOSIS_SLOT, version=FRESH, previous=WORN)


@pytest.fixture
def slots(clock: ManualClock, tmp_path: Path) -> ModelSlots:
    """Slots in which WORN serves and FRESH waits, both of them files."""
    ledger, store = MemoryLedger(clock), FileModels(tmp_path / "models", HouseKey.fresh())
    versions = [
        registered(store, name, status)
        for name, status in ((WORN, ModelStatus.PRODUCTION), (FRESH, ModelStatus.STAGING))
    ]

    def change(tables: object) -> Written[None]:
        tables.model_versions.add(*versions)  # type: ignore[attr-defined]
        return Written(None, (Entry(kind="model.version.registered", actor="test", event_time=NOON),))

    ledger.do(change)
    return ModelSlots(ledger, store, clock, ScriptedTrainer().train, tmp_path / "training")


def registered(store: FileModels, name: str, status: ModelStatus) -> ModelVersion:
    artefact = save({"weight": np.full(3, len(name), np.float32)})
    about = {"artefact_sha256": hashlib.sha256(artefact).hexdigest(), "artefact_bytes": len(artefact)}
    kept = store.put(card_of(name).but(**about), artefact)
    return ModelVersion(
        id=name, slot=DIAGNOSIS_SLOT, status=status, card=kept.card, signature=kept.signature, since=NOON
    )


def test_a_version_that_its_files_prove_serves(slots: ModelSlots) -> None:
    slots.send("key", SWITCH)

    assert slots.look("key") is Seen.DONE
    assert slots.state(DIAGNOSIS_SLOT)["version"] == FRESH


@pytest.mark.parametrize("damage", ["flipped", "pickle", "gone"])
def test_a_version_whose_file_is_damaged_is_refused_and_the_slot_is_untouched(
    slots: ModelSlots, tmp_path: Path, damage: str
) -> None:
    file = next((tmp_path / "models" / FRESH).glob("*.safetensors"))
    match damage:
        case "flipped":
            file.write_bytes(file.read_bytes()[:-1] + b"\x7f")
        case "pickle":
            file.write_bytes(b"\x80\x04K\x01.")
        case _:
            file.unlink()

    with pytest.raises(Refused):
        slots.send("key", SWITCH)
    assert slots.state(DIAGNOSIS_SLOT)["version"] == WORN
    assert slots.look("key") is Seen.FAILED
