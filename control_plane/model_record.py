"""What is recorded of a model slot: what serves, what waits, what was before, and how its opinions turned out."""

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

from control_plane.ports import Ledger
from control_plane.tables import Tables
from domain.actions import ActionClass
from domain.base import Utc, Word
from domain.models import ModelMove, ModelOutcome, ModelStatus, ModelVersion, MoveState

#: The newest outcomes are looked at; older ones are of another time.
MOST_OUTCOMES = 200


class SlotState(NamedTuple):
    """Version ids; empty where there is none. A candidate is in staging and has never served."""

    version: str
    candidate: str
    previous: str


def slot_state(tables: Tables, slot: str) -> SlotState:
    """Return what serves in a slot, which candidate waits, and what served before."""
    serving = tables.model_versions.find(slot=slot, status=ModelStatus.PRODUCTION)
    version = serving[0].id if serving else ""
    served = {version} | {name for move in _switches(tables, slot) for name in (move.version, move.previous)}
    staged = tables.model_versions.find(slot=slot, status=ModelStatus.STAGING)
    waiting = [found for found in staged if found.id not in served]
    candidate = max(waiting, key=lambda found: (found.since, found.id)).id if waiting else ""
    return SlotState(version, candidate, _previous(tables, slot, version))


def _switches(tables: Tables, slot: str) -> list[ModelMove]:
    moves = tables.model_moves.find(slot=slot, state=MoveState.DONE)
    return [move for move in moves if move.kind == ActionClass.SWITCH_MODEL]


def _previous(tables: Tables, slot: str, version: str) -> str:
    """Return what the newest switch took out of service."""
    newest = max(_switches(tables, slot), key=lambda move: (move.settled_at or move.asked_at, move.id), default=None)
    return newest.previous if newest is not None and newest.version == version else ""


def outcomes_of(tables: Tables, slot: str) -> list[ModelOutcome]:
    """Return the newest outcomes of a slot, whatever served, in the order in which they became known."""
    newest = tables.model_outcomes.find(newest=True, limit=MOST_OUTCOMES, slot=slot)
    return sorted(newest, key=lambda outcome: (outcome.known_time, outcome.id))


def outcomes_while_serving(tables: Tables, slot: str, version: str) -> list[ModelOutcome]:
    """Return the outcomes of a version since another one was last counted: how it did before is of another time."""
    newest_first = reversed(outcomes_of(tables, slot))
    return list(takewhile(lambda outcome: outcome.version == version, newest_first))[::-1]


class VersionView(Word):
    """One version of a slot, and how it did when the truth came out."""

    slot: str
    version: str
    status: ModelStatus
    since: Utc
    recipe: str
    held_out_error: float | None
    outcomes: int
    errors: int


def version_views(tables: Tables) -> list[VersionView]:
    """Return every registered version, by slot, the newest in its status first."""
    views = [_view(tables, version) for version in tables.model_versions.find()]
    return sorted(views, key=lambda view: (view.slot, -view.since.timestamp(), view.version))


def _view(tables: Tables, found: ModelVersion) -> VersionView:
    known = tables.model_outcomes.find(slot=found.slot, version=found.id)
    return VersionView(
        slot=found.slot,
        version=found.id,
        status=found.status,
        since=found.since,
        recipe=found.card.recipe,
        held_out_error=found.card.metrics.get("error"),
        outcomes=len(known),
        errors=sum(not outcome.right for outcome in known),
    )


class RecordedModels:
    """The `models` tool of agents: reads the registry and the outcomes, changes nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def version(self, id: str) -> ModelVersion | None:
        """Return a registered version, or None."""
        return self._ledger.read(lambda tables: tables.model_versions.get(id))

    def serving(self, slot: str) -> ModelVersion | None:
        """Return what the slot serves, or None."""
        return self._ledger.read(lambda tables: tables.model_versions.get(slot_state(tables, slot).version))

    def candidate(self, slot: str) -> ModelVersion | None:
        """Return the candidate that waits, or None."""
        return self._ledger.read(lambda tables: tables.model_versions.get(slot_state(tables, slot).candidate))

    def previous(self, slot: str) -> ModelVersion | None:
        """Return what served before the present version, or None."""
        return self._ledger.read(lambda tables: tables.model_versions.get(slot_state(tables, slot).previous))

    def outcomes(self, slot: str, version: str) -> Sequence[ModelOutcome]:
        """Return how a version did since it was last put to serve, in the order in which it became known."""
        return self._ledger.read(lambda tables: outcomes_while_serving(tables, slot, version))

    def trainings(self, slot: str, since: datetime | None = None) -> int:
        """Return how many trainings were asked for, ever or since a moment, whatever came of them."""
        moves = self._ledger.read(lambda tables: tables.model_moves.find(slot=slot))
        trained = [move for move in moves if move.kind == ActionClass.TRAIN_MODEL]
        return sum(since is None or move.asked_at >= since for move in trained)
