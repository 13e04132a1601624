"""The first version of a slot. What comes after it comes by the road: trained, tried, approved and switched."""

from control_plane.ports import Ledger, ModelStore, Written
from control_plane.tables import Tables
from domain.clock import Clock
from domain.models import ModelCard, ModelStatus, ModelVersion
from domain.records import Entry


def install_first(
    ledger: Ledger, store: ModelStore, clock: Clock, card: ModelCard, artefact: bytes
) -> ModelVersion | None:
    """Keep a version, register it and let its slot serve it, unless the slot knows a version already.

    Returns the new row, or None when the slot knew one: then nothing was done.

    Raises:
        BadInput, Conflict, Unavailable: as `ModelStore.put`; nothing was registered.
    """
    if ledger.read(lambda tables: tables.model_versions.count(slot=card.slot)):
        return None
    kept = store.put(card, artefact)
    version = ModelVersion(
        id=card.version,
        slot=card.slot,
        status=ModelStatus.PRODUCTION,
        card=card,
        signature=kept.signature,
        since=clock.now(),
    )

    def change(tables: Tables) -> Written[ModelVersion | None]:
        if tables.model_versions.count(slot=card.slot):
            return Written(None)
        tables.model_versions.add(version)
        refs = (version.slot, version.id)
        known = Entry(
            kind="model.version.registered",
            actor="plane",
            refs=refs,
            fields={"card": card.model_dump(mode="json"), "signature": kept.signature},
            event_time=version.since,
            residency=card.residency,
        )
        served = Entry(
            kind="model.slot.served",
            actor="plane",
            refs=refs,
            fields={"version": version.id, "previous": ""},
            event_time=version.since,
            residency=card.residency,
        )
        return Written(version, (known, served))

    return ledger.do(change)
