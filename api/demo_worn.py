"""A ranker made worse on purpose, for demos and tests: a real artefact of the store, and honest on its card.

The last layer's sign is turned, so it names last what it would have named first: right in a world where the worst
symptom speaks against a cause, and wrong in this one. The card keeps the error of its parent, as a card does when the
world has changed under a model: only outcomes tell.
"""

import hashlib

from adapters.models import tensors
from control_plane.model_record import slot_state
from control_plane.ports import KeptModel, Ledger, ModelStore, Written
from control_plane.tables import Tables
from domain.clock import Clock
from domain.errors import NotFound
from domain.models import DIAGNOSIS_SLOT, ModelStatus, ModelVersion
from domain.records import Entry

WORN = "mv_worn"
#: The last layer of the network of `twin.ranker`.
_LAST = "leave.2."


def put_worn(ledger: Ledger, store: ModelStore, clock: Clock) -> str:
    """Let the slot serve a worn copy of what it serves, which is archived. Returns the worn version's id.

    Raises:
        NotFound: the slot serves nothing that could be worn.
    """
    serving = ledger.read(lambda tables: slot_state(tables, DIAGNOSIS_SLOT).version)
    if not serving:
        raise NotFound(f"`{DIAGNOSIS_SLOT}` serves nothing; train and register a version first")
    kept = worn(store.get(serving), store, clock)

    def change(tables: Tables) -> Written[None]:
        old = tables.model_versions.get(serving)
        assert old is not None
        now = clock.now()
        tables.model_versions.swap(old, old.moved(ModelStatus.ARCHIVED, now))
        version = ModelVersion(
            id=WORN,
            slot=DIAGNOSIS_SLOT,
            status=ModelStatus.PRODUCTION,
            card=kept.card,
            signature=kept.signature,
            since=now,
        )
        tables.model_versions.add(version)
        fields = {"slot": DIAGNOSIS_SLOT, "instead_of": serving, "because": kept.card.trained_on}
        entry = Entry(kind="model.slot.worn", actor="demo", refs=(WORN, serving), fields=fields, event_time=now)
        return Written(None, (entry,))

    ledger.do(change)
    return WORN


def worn(kept: KeptModel, store: ModelStore, clock: Clock) -> KeptModel:
    """Keep a copy of a version whose last layer has its sign turned."""
    weights = tensors.read(kept.artefact)
    artefact = tensors.written({name: -value if name.startswith(_LAST) else value for name, value in weights.items()})
    card = kept.card.but(
        version=WORN,
        recipe="worn",
        trained_on=f"not trained: `{kept.card.version}` with the sign of its last layer turned, to be wrong on purpose",
        parent=kept.card.version,
        made_at=clock.now(),
        artefact_sha256=hashlib.sha256(artefact).hexdigest(),
        artefact_bytes=len(artefact),
    )
    return store.put(card, artefact)
