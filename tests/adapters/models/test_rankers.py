import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from adapters.memory import MemoryLedger
from adapters.models import tensors
from adapters.models.keeping import ARTEFACT
from adapters.models.lessons import drawn, figures
from adapters.models.memory import MemoryModels
from adapters.models.opening import first_served, open_store
from adapters.models.ranker import NoRanker, ServingRanker, SlotRankers
from adapters.models.registry import install_first
from adapters.models.shipped import shipped
from control_plane.ports import Ledger
from domain.clock import ManualClock
from domain.errors import BadInput, NotFound, Refused
from domain.models import DIAGNOSIS_SLOT, ModelStatus, Sight
from twin.generator import operator_network
from twin.ranker import Ranker
from twin.snapshot import Snapshot

NETWORK = operator_network(7, 60)
SNAPSHOT = Snapshot.of(NETWORK)


@pytest.fixture(scope="module")
def sight() -> Sight:
    return next(drawn(NETWORK, 1, 3)).lesson.sight


@pytest.fixture
def store() -> MemoryModels:
    return MemoryModels()


@pytest.fixture
def rankers(store: MemoryModels) -> SlotRankers:
    return SlotRankers(store, lambda: SNAPSHOT)


@pytest.fixture
def ledger(clock: ManualClock) -> Ledger:
    return MemoryLedger(clock)


@pytest.fixture
def serving(ledger: Ledger, store: MemoryModels, clock: ManualClock, rankers: SlotRankers) -> ServingRanker:
    """A slot that serves the shipped version."""
    first_served(ledger, store, clock)
    return ServingRanker(ledger, rankers)


def test_a_registered_version_ranks_the_candidates(rankers: SlotRankers, store: MemoryModels, sight: Sight) -> None:
    store.put(*shipped())

    ranking = rankers.ask("mv_shipped", sight)

    assert ranking.version == "mv_shipped"
    assert set(ranking.scores) == set(sight.candidates)
    assert rankers.ask("mv_shipped", sight) == ranking


def test_the_shipped_version_beats_the_highest_anomaly_on_a_network_it_never_saw() -> None:
    cases = list(drawn(NETWORK, 60, 5))

    error = figures(Ranker(tensors.read(shipped()[1])), cases)["error"]

    assert error + 0.25 < sum(case.highest != case.lesson.truth for case in cases) / len(cases)


def test_a_version_of_another_shape_cannot_be_asked_and_its_cases_are_not_to_blame(
    rankers: SlotRankers, store: MemoryModels, sight: Sight
) -> None:
    card, artefact = shipped()
    fewer = tensors.written(dict(list(tensors.read(artefact).items())[1:]))
    about = {"artefact_sha256": hashlib.sha256(fewer).hexdigest(), "artefact_bytes": len(fewer)}
    store.put(card.but(version="mv_older", **about), fewer)

    with pytest.raises(Refused, match=r"`mv_older` cannot be asked: .* train a version with this release"):
        rankers.ask("mv_older", sight)


def test_a_case_of_another_network_is_bad_input(rankers: SlotRankers, store: MemoryModels, sight: Sight) -> None:
    store.put(*shipped())

    with pytest.raises(BadInput, match="another network"):
        rankers.ask("mv_shipped", sight.but(inventory_digest="0" * 64))


def test_an_unknown_version_is_not_found(rankers: SlotRankers, sight: Sight) -> None:
    with pytest.raises(NotFound):
        rankers.ask("mv_nobody", sight)


def test_a_damaged_version_is_refused_and_stays_unloaded(
    rankers: SlotRankers, store: MemoryModels, sight: Sight
) -> None:
    store.put(*shipped())
    store.kept["mv_shipped"][ARTEFACT] = b"\x80\x04" + store.kept["mv_shipped"][ARTEFACT]

    with pytest.raises(Refused, match="not what was registered"):
        rankers.ask("mv_shipped", sight)

    store.kept["mv_shipped"][ARTEFACT] = shipped()[1]
    assert rankers.ask("mv_shipped", sight).scores


def test_many_who_ask_at_once_get_the_same_answer(rankers: SlotRankers, store: MemoryModels, sight: Sight) -> None:
    store.put(*shipped())
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(rankers.ask("mv_shipped", sight))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 4
    assert all(answer == answers[0] for answer in answers)


def test_a_server_that_asks_a_ranker_never_imports_torch() -> None:
    look = (
        "import sys, numpy as np; from adapters.models import tensors; from adapters.models.shipped import shipped;"
        "import adapters.models.ranker, api.bootstrap; from twin.ranker import Ranker;"
        "Ranker(tensors.read(shipped()[1]));"
        "print([name for name in ('torch', 'torch_geometric') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_slot_that_serves_nothing_has_no_opinion(ledger: Ledger, rankers: SlotRankers, sight: Sight) -> None:
    assert ServingRanker(ledger, rankers).opine(sight) is None
    assert NoRanker().opine(sight) is None


def test_a_version_that_this_house_did_not_sign_is_not_heard(serving: ServingRanker, store, sight: Sight) -> None:
    store.kept["mv_shipped"]["signature"] = b"00"

    with pytest.raises(Refused, match="did not sign"):
        serving.opine(sight)


# --- the first day ---


def test_the_first_version_is_registered_and_served_in_one_recorded_change(
    ledger: Ledger, store: MemoryModels, clock: ManualClock
) -> None:
    first_served(ledger, store, clock)

    (version,) = ledger.read(lambda tables: tables.model_versions.find(slot=DIAGNOSIS_SLOT))
    assert (version.id, version.status) == ("mv_shipped", ModelStatus.PRODUCTION)
    assert version.signature == store.get("mv_shipped").signature
    assert [record.kind for record in ledger.records()] == ["model.version.registered", "model.slot.served"]
    assert all(record.refs == (DIAGNOSIS_SLOT, "mv_shipped") for record in ledger.records())


def test_a_second_start_changes_nothing(ledger: Ledger, store: MemoryModels, clock: ManualClock) -> None:
    first_served(ledger, store, clock)
    first_served(ledger, store, clock)

    assert len(ledger.records()) == 2


def test_a_slot_that_knows_another_version_keeps_it(ledger: Ledger, store: MemoryModels, clock: ManualClock) -> None:
    card, artefact = shipped()
    install_first(ledger, store, clock, card.but(version="mv_own"), artefact)

    first_served(ledger, store, clock)

    assert [v.id for v in ledger.read(lambda tables: tables.model_versions.find())] == ["mv_own"]
    assert store.versions() == ["mv_own"]


def test_what_is_not_what_its_card_says_is_not_registered(
    ledger: Ledger, store: MemoryModels, clock: ManualClock
) -> None:
    card, artefact = shipped()

    with pytest.raises(BadInput):
        install_first(ledger, store, clock, card, artefact[:-1])

    assert ledger.records() == []
    assert store.versions() == []


def test_a_house_goes_on_without_a_ranker_whose_file_was_damaged(
    ledger: Ledger, clock: ManualClock, tmp_path: Path, sight: Sight
) -> None:
    first_served(ledger, open_store(tmp_path), clock)
    (tmp_path / "models" / "mv_shipped" / ARTEFACT).write_bytes(b"\x80\x04K\x01.")

    store = open_store(tmp_path)
    first_served(ledger, store, clock)

    with pytest.raises(Refused, match="pickle"):
        ServingRanker(ledger, SlotRankers(store, lambda: SNAPSHOT)).opine(sight)
    assert len(ledger.records()) == 2


def test_a_house_goes_on_without_a_ranker_whose_key_others_can_read(
    ledger: Ledger, clock: ManualClock, tmp_path: Path, sight: Sight
) -> None:
    first_served(ledger, open_store(tmp_path), clock)
    (tmp_path / "keys" / "model-signing.key").chmod(0o644)

    store = open_store(tmp_path)
    first_served(ledger, store, clock)

    with pytest.raises(Refused, match="chmod 600"):
        ServingRanker(ledger, SlotRankers(store, lambda: SNAPSHOT)).opine(sight)
