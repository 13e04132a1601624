"""Hands on model slots: train a candidate, retire one, let another version serve.

A slot serves one version at a time. What serves, what waits and what was before is rows of the ledger, moved in one
conditional change; the artefacts are in the model store, and nothing serves that the store cannot verify. Each thing
that is asked for is a `ModelMove` under the key of the action, so a second sending finds it there.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog
from filelock import FileLock, Timeout

from control_plane.model_record import slot_state
from control_plane.ports import KeptModel, Ledger, ModelStore, Seen, Written
from control_plane.tables import Tables
from domain.actions import Action, ActionClass, RetireModel, SwitchModel, TrainModel
from domain.canonical import digest
from domain.clock import Clock
from domain.errors import BadInput, Conflict, Gone, NocturneError, NotFound, Refused, Unavailable
from domain.models import ModelCard, ModelMove, ModelStatus, ModelVersion, MoveState
from domain.records import Entry

#: Trains what the action names, ends early when told so, and returns card and artefact (`ports.Trainer.train`).
Train = Callable[[TrainModel, Callable[[], bool]], tuple[ModelCard, bytes]]

log = structlog.get_logger("models")

_SEEN = {
    MoveState.DONE: Seen.DONE,
    MoveState.FAILED: Seen.FAILED,
    MoveState.CANCELLED: Seen.ABSENT,
    MoveState.PENDING: Seen.PENDING,
}


class ModelSlots:
    """The `Hands` port for model slots.

    A training runs beside the house, under a lock file that ends with the process that holds it: so whoever finds a
    training unfinished knows whether somebody is still at it.
    """

    keyed = True

    def __init__(self, ledger: Ledger, store: ModelStore, clock: Clock, train: Train, folder: Path) -> None:
        """Train with `train`; keep the lock files of running trainings in `folder`."""
        self._ledger, self._store, self._clock = ledger, store, clock
        self._train, self._folder = train, folder
        self._running: dict[str, tuple[threading.Thread, threading.Event]] = {}
        self._lock = threading.Lock()

    # --- Hands ---

    def takes(self, action: Action) -> bool:
        return isinstance(action, TrainModel | RetireModel | SwitchModel)

    def state(self, element: str) -> Mapping[str, str]:
        """Return `version`, `candidate` and `previous` of a slot, empty where there is none. Raises NotFound."""

        def read(tables: Tables) -> dict[str, str] | None:
            known = tables.model_versions.count(slot=element)
            return dict(slot_state(tables, element)._asdict()) if known else None

        found = self._ledger.read(read)
        if found is None:
            raise NotFound(f"there is no model slot `{element}`, for no version was ever registered in it")
        return found

    def send(self, key: str, action: Action) -> None:
        """Ask for it; switching and retiring are done when this returns, training is not.

        Raises:
            BadInput: the action is not about models.
            Refused: it does not fit the slot, or the store cannot verify the version; nothing has changed.
            Unavailable: ledger or store does not answer.
        """
        if self._move(key) is not None:
            return
        try:
            self._carry_out(key, action)
        except (Conflict, NotFound, Refused) as error:
            self._keep_refusal(key, action, error.reason)
            raise Refused(error.reason) from error

    def look(self, key: str) -> Seen:
        try:
            move = self._move(key)
            if move is not None and move.state is MoveState.PENDING and not self._somebody_trains(key):
                move = self._read_back(key)
        except Unavailable:
            return Seen.CANNOT_TELL
        return _SEEN[move.state] if move is not None else Seen.ABSENT

    def cancel(self, key: str) -> None:
        """Stop a training of this process; what was switched or retired stays as it is."""
        with self._lock:
            running = self._running.get(key)
        if running is not None:
            running[1].set()
            running[0].join()

    def close(self) -> None:
        """Stop what is being trained."""
        with self._lock:
            keys = list(self._running)
        for key in keys:
            self.cancel(key)

    # --- switching and retiring: one conditional change ---

    def _carry_out(self, key: str, action: Action) -> None:
        if isinstance(action, TrainModel):
            self._begin(key, action)
        elif isinstance(action, SwitchModel):
            kept = self._store.get(action.version)
            self._ledger.do(lambda tables: self._switched(tables, key, action, kept))
        elif isinstance(action, RetireModel):
            self._ledger.do(lambda tables: self._retired(tables, key, action))
        else:
            raise BadInput(f"model slots do not carry out `{action.kind}`; send it to the network")

    def _switched(self, tables: Tables, key: str, action: SwitchModel, kept: KeptModel) -> Written[None]:
        if tables.model_moves.get(key) is not None:
            return Written(None)  # another sender of this key was faster
        chosen, serving = tables.model_versions.get(action.version), tables.model_versions.get(action.previous)
        if chosen is None or chosen.slot != action.target:
            raise Refused(f"`{action.version}` is not registered for `{action.target}`; train or register it first")
        if chosen.card != kept.card:
            raise Refused(f"the store's `{action.version}` is not the one that was registered; register it anew")
        if chosen.status is not ModelStatus.STAGING:
            raise Refused(f"`{action.version}` is in {chosen.status}, and only what is in staging can be put to serve")
        if serving is None or slot_state(tables, action.target).version != serving.id:
            raise Refused(f"`{action.target}` does not serve `{action.previous}`; ask with what it serves")
        moved = self._moved(tables, serving, ModelStatus.STAGING) and self._moved(
            tables, chosen, ModelStatus.PRODUCTION
        )
        if not moved:
            raise Conflict(f"`{action.target}` was changed a moment ago; look at it again")
        return self._written(tables, self._new_move(key, action, MoveState.DONE), "model.slot.switched")

    def _retired(self, tables: Tables, key: str, action: RetireModel) -> Written[None]:
        if tables.model_moves.get(key) is not None:
            return Written(None)
        chosen = tables.model_versions.get(action.version)
        if chosen is None or chosen.slot != action.target or chosen.status is not ModelStatus.STAGING:
            raise Refused(
                f"`{action.version}` does not wait in staging of `{action.target}`; there is nothing to retire"
            )
        if not self._moved(tables, chosen, ModelStatus.ARCHIVED):
            raise Conflict(f"`{action.version}` was changed a moment ago; look at it again")
        return self._written(tables, self._new_move(key, action, MoveState.DONE), "model.version.retired")

    # --- training: begun, then registered, whatever happens in between ---

    def _begin(self, key: str, action: TrainModel) -> None:
        held = self._held(key)
        if held is None:
            return  # another process got this key a moment ago
        begun = False
        try:
            begun = self._ledger.do(lambda tables: self._begun(tables, key, action))
        finally:
            if not begun:
                held.release()
        if not begun:
            return  # another sender of this key was faster, and is done already
        stop = threading.Event()
        thread = threading.Thread(
            target=self._see_through, args=(key, action, stop, held), name=f"training {key}", daemon=True
        )
        with self._lock:
            self._running[key] = (thread, stop)
        thread.start()

    def _begun(self, tables: Tables, key: str, action: TrainModel) -> Written[bool]:
        if tables.model_moves.get(key) is not None:
            return Written(False)
        if tables.model_versions.get(action.version) is not None:
            raise Refused(f"there is a version `{action.version}` already; name another")
        busy = tables.model_moves.find(slot=action.target, state=MoveState.PENDING)
        if busy:
            raise Refused(f"`{busy[0].version}` is being trained for `{action.target}`; wait for it, or stop it")
        begun = self._written(tables, self._new_move(key, action, MoveState.PENDING), "model.training.begun")
        return Written(True, begun.entries)

    def _see_through(self, key: str, action: TrainModel, stop: threading.Event, held: FileLock) -> None:
        """Train and register; whatever goes wrong is what came of the move."""
        try:
            card, artefact = self._train(action, stop.is_set)
            self._register(key, self._store.put(_asked_for(action, card), artefact))
        except Gone as stopped:
            self._end(key, MoveState.CANCELLED, stopped.reason)
        except NocturneError as error:
            self._end(key, MoveState.FAILED, error.reason)
        except Exception as error:  # whatever a trainer raises, the move must not stay pending
            log.exception("training_broke", key=key)
            self._end(key, MoveState.FAILED, f"the training broke: {type(error).__name__}: {error}")
        finally:
            held.release()
            with self._lock:
                self._running.pop(key, None)

    def _register(self, key: str, kept: KeptModel) -> None:
        """Register a candidate and settle its move; candidates that never served make room for it."""

        def change(tables: Tables) -> Written[None]:
            move = tables.model_moves.get(key)
            if move is None or move.state is not MoveState.PENDING:
                return Written(None)
            now = self._clock.now()
            while waiting := slot_state(tables, move.slot).candidate:
                older = tables.model_versions.get(waiting)
                assert older is not None
                self._moved(tables, older, ModelStatus.ARCHIVED)
            version = ModelVersion(
                id=move.version,
                slot=move.slot,
                status=ModelStatus.STAGING,
                card=kept.card,
                signature=kept.signature,
                since=now,
            )
            tables.model_versions.add(version)
            return self._settled(tables, move, MoveState.DONE, "", card=kept.card.model_dump(mode="json"))

        self._ledger.do(change)

    def _end(self, key: str, state: MoveState, note: str) -> None:
        def change(tables: Tables) -> Written[None]:
            move = tables.model_moves.get(key)
            if move is None or move.state is not MoveState.PENDING:
                return Written(None)
            return self._settled(tables, move, state, note[:1000])

        self._ledger.do(change)

    def _read_back(self, key: str) -> ModelMove | None:
        """Settle a training that nobody sees through any more: its artefact is in the store, or it failed."""
        held = self._held(key)
        if held is None:
            return self._move(key)
        try:
            move = self._move(key)
            if move is None or move.state is not MoveState.PENDING:
                return move
            try:
                self._register(key, self._left_by(move))
            except (Conflict, NotFound, Refused) as error:
                self._end(key, MoveState.FAILED, f"the training was cut off, and left no version: {error.reason}")
            return self._move(key)
        finally:
            held.release()

    def _left_by(self, move: ModelMove) -> KeptModel:
        """Return what a training put into the store before it was cut off. Raises NotFound, Refused, Unavailable."""
        kept = self._store.get(move.version)
        if kept.card.slot != move.slot:
            raise Refused(f"the store's `{move.version}` is of `{kept.card.slot}`, not of `{move.slot}`")
        return kept

    def _somebody_trains(self, key: str) -> bool:
        with self._lock:
            if key in self._running:
                return True
        held = self._held(key)
        if held is None:
            return True
        held.release()
        return False

    def _held(self, key: str) -> FileLock | None:
        """Return the lock of a training, held now; None when somebody else holds it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f"{digest(key)[:32]}.lock", thread_local=False, is_singleton=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        return lock

    # --- rows and records ---

    def _move(self, key: str) -> ModelMove | None:
        return self._ledger.read(lambda tables: tables.model_moves.get(key))

    def _moved(self, tables: Tables, version: ModelVersion, to: ModelStatus) -> bool:
        return tables.model_versions.swap(version, version.moved(to, self._clock.now()))

    def _new_move(self, key: str, action: TrainModel | RetireModel | SwitchModel, state: MoveState) -> ModelMove:
        now = self._clock.now()
        return ModelMove(
            id=key,
            slot=action.target,
            kind=action.kind,
            version=action.version,
            previous=action.previous if action.kind is ActionClass.SWITCH_MODEL else "",
            state=state,
            asked_at=now,
            settled_at=None if state is MoveState.PENDING else now,
        )

    def _written(self, tables: Tables, move: ModelMove, kind: str) -> Written[None]:
        """Add a move and record it."""
        tables.model_moves.add(move)
        return Written(None, (self._entry(move, kind),))

    def _settled(self, tables: Tables, move: ModelMove, state: MoveState, note: str, **said: object) -> Written[None]:
        new = move.but(state=state, note=note, settled_at=self._clock.now())
        tables.model_moves.swap(move, new)
        return Written(None, (self._entry(new, f"model.training.{state}", **said),))

    def _keep_refusal(self, key: str, action: Action, reason: str) -> None:
        """Remember that a key was refused, so that reading it back says so."""
        assert isinstance(action, TrainModel | RetireModel | SwitchModel)
        move = self._new_move(key, action, MoveState.FAILED).but(note=reason[:1000])

        def change(tables: Tables) -> Written[None]:
            return (
                self._written(tables, move, "model.slot.refused")
                if tables.model_moves.get(key) is None
                else Written(None)
            )

        self._ledger.do(change)

    def _entry(self, move: ModelMove, kind: str, **said: object) -> Entry:
        fields = {"version": move.version, "previous": move.previous, "state": move.state, "note": move.note}
        return Entry(
            kind=kind,
            actor="plane",
            refs=(move.slot, move.version, move.id),
            fields=fields | said,
            event_time=self._clock.now(),
        )


def _asked_for(action: TrainModel, card: ModelCard) -> ModelCard:
    """Return the card. Raises BadInput when it is of another version or slot than was asked for."""
    if (card.version, card.slot) != (action.version, action.target):
        raise BadInput(f"the trainer made `{card.version}` of `{card.slot}`, which nobody asked for")
    return card
