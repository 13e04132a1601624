"""Hands on model slots: one version serves, a key works once, and a training that was cut off is settled."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.models.slots import ModelSlots
from control_plane.ports import Ledger, Seen
from domain.actions import RetireModel, SwitchModel, TrainModel
from domain.clock import ManualClock
from domain.errors import NotFound, Refused
from domain.models import DIAGNOSIS_SLOT, ModelMove, ModelStatus, MoveState
from tests.lifecycle.models import BAD, FRESH, WORN, ScriptedStore, ScriptedTrainer, card_of, register, version_of
from tests.stores import STORES, opened

TRAIN = TrainModel(target=DIAGNOSIS_SLOT, version="mv_new", recipe="quick", seed=1)


def switch(to: str, previous: str = WORN) -> SwitchModel:
    return SwitchModel(target=DIAGNOSIS_SLOT, version=to, previous=previous)


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Ledger]:
    with opened(request.param, tmp_path, clock) as ledger:
        yield ledger


class Bench:
    """Slots over a ledger with a worn version in production and two candidates of before."""

    def __init__(self, ledger: Ledger, clock: ManualClock, folder: Path) -> None:
        self.ledger, self.clock, self.folder = ledger, clock, folder
        self.store, self.trainer = ScriptedStore(), ScriptedTrainer()
        self.slots = self.after_a_restart()
        versions = [version_of(name, ModelStatus.STAGING) for name in (FRESH, BAD)]
        register(ledger, self.store, version_of(WORN, ModelStatus.PRODUCTION), *versions)

    def after_a_restart(self) -> ModelSlots:
        """Return slots of another process, which runs nothing yet."""
        return ModelSlots(self.ledger, self.store, self.clock, self.trainer.train, self.folder)

    def statuses(self) -> dict[str, ModelStatus]:
        return {found.id: found.status for found in self.ledger.read(lambda tables: tables.model_versions.find())}

    def moves(self) -> list[ModelMove]:
        return self.ledger.read(lambda tables: tables.model_moves.find())


@pytest.fixture
def bench(ledger: Ledger, clock: ManualClock, tmp_path: Path) -> Bench:
    return Bench(ledger, clock, tmp_path / "training")


def test_a_switch_lets_another_version_serve_and_keeps_the_old_one_at_hand(bench: Bench) -> None:
    bench.slots.send("key", switch(FRESH))

    assert bench.slots.look("key") is Seen.DONE
    assert bench.slots.state(DIAGNOSIS_SLOT) == {"version": FRESH, "candidate": BAD, "previous": WORN}
    assert bench.statuses()[WORN] is ModelStatus.STAGING


def test_a_switch_and_its_inverse_leave_the_slot_as_it_was(bench: Bench) -> None:
    there = switch(FRESH)
    back = there.inverse()
    bench.slots.send("there", there)
    bench.clock.advance(1)
    bench.slots.send("back", back)

    assert bench.slots.state(DIAGNOSIS_SLOT)["version"] == WORN
    assert [move.state for move in bench.moves()] == [MoveState.DONE] * 2


def test_a_key_works_once(bench: Bench) -> None:
    bench.slots.send("key", switch(FRESH))
    bench.slots.send("back", switch(WORN, FRESH))
    bench.slots.send("key", switch(FRESH))

    assert bench.slots.state(DIAGNOSIS_SLOT)["version"] == WORN


def test_of_two_switches_at_once_one_wins_and_one_version_serves(bench: Bench) -> None:
    def send(to: str) -> bool:
        try:
            bench.after_a_restart().send(f"to {to}", switch(to))
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(send, (FRESH, BAD)))

    assert sorted(won) == [False, True]
    assert list(bench.statuses().values()).count(ModelStatus.PRODUCTION) == 1


def test_a_damaged_version_is_refused_and_the_slot_is_untouched(bench: Bench) -> None:
    bench.store.damaged.add(FRESH)

    with pytest.raises(Refused, match="its hash differs"):
        bench.slots.send("key", switch(FRESH))
    assert bench.slots.state(DIAGNOSIS_SLOT)["version"] == WORN
    assert bench.slots.look("key") is Seen.FAILED


def test_a_version_that_is_not_the_registered_one_is_refused(bench: Bench) -> None:
    bench.store.kept[FRESH] = bench.store.kept[FRESH]._replace(card=card_of(FRESH, error=0.0))

    with pytest.raises(Refused, match="not the one that was registered"):
        bench.slots.send("key", switch(FRESH))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (switch("mv_unknown"), "there is no version"),
        (switch(FRESH, BAD), "does not serve"),
        (switch(WORN), "only what is in staging"),
        (RetireModel(target=DIAGNOSIS_SLOT, version=WORN, recipe="quick", seed=1), "does not wait in staging"),
        (TrainModel(target=DIAGNOSIS_SLOT, version=FRESH, recipe="quick", seed=1), "already"),
    ],
)
def test_what_does_not_fit_the_slot_is_refused_with_the_reason(
    bench: Bench, asked: SwitchModel | RetireModel | TrainModel, reason: str
) -> None:
    before = bench.statuses()

    with pytest.raises(Refused, match=reason):
        bench.slots.send("key", asked)
    assert (bench.slots.look("key"), bench.statuses()) == (Seen.FAILED, before)


def test_an_archived_version_never_serves_again(bench: Bench) -> None:
    bench.slots.send("retire", RetireModel(target=DIAGNOSIS_SLOT, version=FRESH, recipe="quick", seed=1))

    with pytest.raises(Refused, match="only what is in staging"):
        bench.slots.send("key", switch(FRESH))


def test_a_slot_without_versions_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.slots.state("model:unknown")


def trained(bench: Bench) -> Seen:
    """Wait for the training of this process, and look."""
    for thread in threading.enumerate():
        if thread.name.startswith("training "):
            thread.join(10)
    return bench.slots.look("key")


def test_a_trained_version_waits_as_the_one_candidate(bench: Bench) -> None:
    bench.slots.send("key", TRAIN)

    assert trained(bench) is Seen.DONE
    assert bench.slots.state(DIAGNOSIS_SLOT) == {"version": WORN, "candidate": "mv_new", "previous": ""}
    assert bench.statuses()[FRESH] is ModelStatus.ARCHIVED


def test_while_one_trains_a_second_training_of_the_slot_is_refused(bench: Bench) -> None:
    done = threading.Event()
    bench.trainer.wait = lambda: done.wait(10) and None
    bench.slots.send("key", TRAIN)

    with pytest.raises(Refused, match="being trained"):
        bench.slots.send("other", TrainModel(target=DIAGNOSIS_SLOT, version="mv_other", recipe="quick", seed=1))
    assert bench.after_a_restart().look("key") is Seen.PENDING  # another process sees that somebody is at it
    done.set()
    assert trained(bench) is Seen.DONE


def test_a_training_that_is_stopped_leaves_nothing(bench: Bench) -> None:
    bench.slots.send("key", TRAIN)
    bench.slots.cancel("key")

    assert bench.slots.look("key") in {Seen.ABSENT, Seen.DONE}  # it may have been over already


def cut_off(bench: Bench) -> None:
    """Leave a training as a kill of its process would: pending, with nobody at it."""
    move = ModelMove(
        id="key",
        slot=DIAGNOSIS_SLOT,
        kind="train_model",
        version="mv_new",
        state=MoveState.PENDING,
        asked_at=bench.clock.now(),
    )
    bench.slots._ledger.do(lambda tables: bench.slots._written(tables, move, "model.training.begun"))


def test_a_training_that_was_cut_off_is_read_back_as_failed(bench: Bench) -> None:
    cut_off(bench)

    assert bench.after_a_restart().look("key") is Seen.FAILED
    assert "cut off" in bench.moves()[0].note


def test_a_training_that_was_cut_off_after_its_artefact_was_kept_is_done(bench: Bench) -> None:
    cut_off(bench)
    bench.store.put(card_of("mv_new"), b"mv_new")

    assert bench.after_a_restart().look("key") is Seen.DONE
    assert bench.slots.state(DIAGNOSIS_SLOT)["candidate"] == "mv_new"


def test_what_was_kept_for_another_slot_is_no_candidate_of_this_one(bench: Bench) -> None:
    cut_off(bench)
    bench.store.put(card_of("mv_new").but(slot="model:forecast"), b"mv_new")

    assert bench.after_a_restart().look("key") is Seen.FAILED
    assert "mv_new" not in bench.statuses()
    assert "not of `model:diagnosis`" in bench.moves()[0].note


def test_a_cut_off_training_whose_version_was_registered_meanwhile_is_settled(bench: Bench) -> None:
    cut_off(bench)
    register(bench.ledger, bench.store, version_of("mv_new", ModelStatus.ARCHIVED))

    assert bench.after_a_restart().look("key") is Seen.FAILED
    assert bench.statuses()["mv_new"] is ModelStatus.ARCHIVED


def test_a_slower_sender_of_a_training_that_is_over_finds_it_done(bench: Bench) -> None:
    bench.slots.send("key", TRAIN)
    assert trained(bench) is Seen.DONE
    bench.after_a_restart()._carry_out("key", TRAIN)  # it had looked before the first one began

    assert bench.trainer.trained == ["mv_new"]
    assert [move.state for move in bench.moves()] == [MoveState.DONE]


def test_many_who_switch_and_train_at_once_leave_one_version_that_serves(bench: Bench) -> None:
    def send(number: int) -> None:
        action = TRAIN if number % 3 == 0 else switch((FRESH, BAD)[number % 2])
        with contextlib.suppress(Refused):
            bench.after_a_restart().send(f"{action.version} {number // 6}", action)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(send, range(18)))
    trained(bench)

    assert list(bench.statuses().values()).count(ModelStatus.PRODUCTION) == 1
    assert bench.trainer.trained == ["mv_new"]
    assert MoveState.PENDING not in {move.state for move in bench.moves()}
