"""Opening the model store when a house starts, and what the diagnosis slot serves on the first day. No torch yet."""

from pathlib import Path

import structlog

from adapters.models.files import FileModels
from adapters.models.keeping import NoModels
from adapters.models.memory import MemoryModels
from adapters.models.registry import install_first
from adapters.models.shipped import shipped
from adapters.models.signing import HouseKey
from control_plane.ports import Ledger, ModelStore
from domain.clock import Clock
from domain.errors import NocturneError
from domain.models import DIAGNOSIS_SLOT, ModelStatus

log = structlog.get_logger("models")


def open_store(data: Path | None) -> ModelStore:
    """Return the store in the folders `models` and `keys` of a data folder, or one in memory where there is none.

    A store that cannot be had is logged; what is returned then says why to whoever asks it.
    """
    if data is None:
        return MemoryModels()
    try:
        return FileModels(data / "models", HouseKey.at(data / "keys" / "model-signing.key"))
    except NocturneError as error:
        log.warning("the model store cannot be had", reason=error.reason)
        return NoModels(error)


def first_served(ledger: Ledger, store: ModelStore, clock: Clock) -> None:
    """Have the diagnosis slot serve the shipped version where it knows none; look whether what it serves is sound.

    A version that is not is logged, and each diagnosis says so; the house goes on without it.
    """
    try:
        install_first(ledger, store, clock, *shipped())
        for version in ledger.read(
            lambda tables: tables.model_versions.find(slot=DIAGNOSIS_SLOT, status=ModelStatus.PRODUCTION)
        ):
            store.get(version.id)
    except NocturneError as error:
        log.warning("the learned ranker cannot be had", reason=error.reason)
