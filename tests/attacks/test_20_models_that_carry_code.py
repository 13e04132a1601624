"""Row 20: no model runs code by being read; what is unsigned or was swapped after approval does not serve."""

import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.models import tensors
from adapters.models.files import FileModels
from adapters.models.keeping import ARTEFACT, CARD, SIGNATURE
from adapters.models.registry import install_first
from adapters.models.signing import HouseKey
from adapters.models.slots import ModelSlots
from domain.actions import SwitchModel
from domain.canonical import canonical
from domain.clock import ManualClock
from domain.errors import BadInput, NocturneError, Refused
from domain.execution import Step
from domain.models import DIAGNOSIS_SLOT, ModelStatus, ModelVersion
from tests.conformance.test_model_store_port import artefact_of, card_of, with_header, zipped
from tests.lifecycle.models import NOON, register
from tests.stage import Stage, make_stage


def with_canary(canary: Path) -> bytes:
    """Return what `pickle` writes for an object whose reading would make a file; by hand, for nobody imports pickle."""
    path = str(canary).encode()
    return b"\x80\x02cposix\nmkdir\nU" + bytes([len(path)]) + path + b"\x85R."


def numpy_objects(canary: Path) -> bytes:
    """Return a `.npy` of objects, which numpy would read as a pickle if it were let."""
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + with_canary(canary)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def store(tmp_path: Path) -> FileModels:
    return FileModels(tmp_path / "models", HouseKey.at(tmp_path / "keys" / "key"))


@pytest.fixture
def artefacts(canary: Path) -> dict[str, bytes]:
    pickled = with_canary(canary)
    return {
        "a pickle": pickled,
        "a torch file": zipped(pickled),
        "a joblib file": b"\x80\x04" + pickled[2:],
        "a numpy array of objects": numpy_objects(canary),
        "a pickle behind a header": with_header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, pickled),
        "a pickle as metadata": with_header({"__metadata__": {"code": pickled.decode("latin-1")}}, b""),
        "python": b"__import__('os').mkdir('x')",
    }


WHAT = ("a pickle", "a torch file", "a joblib file", "a numpy array of objects", "a pickle behind a header",
        "a pickle as metadata", "python")  # fmt: skip


def test_the_canary_would_sing(canary: Path) -> None:
    """The control: what is sent is code that a reader of pickles would run."""
    names = [str(argument) for _, argument, _ in pickletools.genops(with_canary(canary)) if argument is not None]
    assert "posix mkdir" in names
    assert str(canary) in names


@pytest.mark.parametrize("what", WHAT)
def test_no_artefact_runs_anything_when_it_is_kept(store, artefacts, canary: Path, what: str) -> None:
    with pytest.raises(BadInput, match="not tensors"):
        store.put(card_of(artefacts[what]), artefacts[what])

    assert not canary.exists()
    assert store.versions() == []


@pytest.mark.parametrize("what", WHAT)
def test_no_artefact_runs_anything_when_it_is_read_back(store, artefacts, canary: Path, tmp_path, what: str) -> None:
    honest = artefact_of()
    store.put(card_of(honest), honest)
    (tmp_path / "models" / "mv_one" / ARTEFACT).write_bytes(artefacts[what])

    with pytest.raises(Refused, match="not what was registered"):
        store.get("mv_one")

    assert not canary.exists()


@pytest.mark.parametrize("signature", [b"", b"00" * 64, b"signed by me"])
def test_what_this_house_did_not_sign_is_not_served(store, tmp_path: Path, signature: bytes) -> None:
    honest = artefact_of()
    store.put(card_of(honest), honest)
    (tmp_path / "models" / "mv_one" / SIGNATURE).write_bytes(signature)

    with pytest.raises(Refused, match="did not sign"):
        store.get("mv_one")


def test_what_another_house_signed_is_not_served(store: FileModels, tmp_path: Path) -> None:
    honest = artefact_of()
    FileModels(tmp_path / "models", HouseKey.fresh()).put(card_of(honest), honest)

    with pytest.raises(Refused, match="did not sign"):
        store.get("mv_one")


def switching(stage: Stage, store: FileModels, tmp_path: Path) -> tuple[ModelSlots, SwitchModel]:
    """Let one version serve and another wait, approved; return the hands and what they are to do."""

    def never(*_: Any) -> Any:
        raise AssertionError("nothing is trained here")

    first, second = artefact_of(1.0), artefact_of(2.0)
    install_first(stage.ledger, store, stage.clock, card_of(first), first)
    card = card_of(second, "mv_two")
    kept = store.put(card, second)
    waits = ModelVersion(
        id="mv_two", slot=DIAGNOSIS_SLOT, status=ModelStatus.STAGING, card=card, signature=kept.signature, since=NOON
    )
    register(stage.ledger, _Kept(), waits)
    action = SwitchModel(target=DIAGNOSIS_SLOT, version="mv_two", previous="mv_one")
    return ModelSlots(stage.ledger, store, stage.clock, never, tmp_path / "training"), action


class _Kept:
    """The version is in the real store already; `register` has nothing to put."""

    def put(self, *_: object) -> None: ...


def serving(slots: ModelSlots) -> str:
    return str(slots.state(DIAGNOSIS_SLOT)["version"])


def test_an_approved_version_is_put_to_serve(clock: ManualClock, store: FileModels, tmp_path: Path) -> None:
    slots, action = switching(make_stage(clock), store, tmp_path)

    slots.send("key-1", action)

    assert serving(slots) == "mv_two"


@pytest.mark.parametrize("swap", ["the artefact", "artefact and card", "all three, signed by another key"])
def test_what_was_swapped_after_the_approval_does_not_serve(
    clock: ManualClock, store: FileModels, tmp_path: Path, swap: str
) -> None:
    slots, action = switching(make_stage(clock), store, tmp_path)
    other = tensors.written({"a": np.full((2, 3), 9.0, np.float32), "b": np.array([9.0], np.float32)})
    card = card_of(other, "mv_two")
    home = tmp_path / "models" / "mv_two"
    (home / ARTEFACT).write_bytes(other)
    if swap != "the artefact":
        (home / CARD).write_bytes(canonical(card))
    if swap.startswith("all"):
        (home / SIGNATURE).write_text(HouseKey.fresh().sign(card))

    with pytest.raises(Refused):
        slots.send("key-1", action)

    assert serving(slots) == "mv_one"


def test_another_version_under_the_name_of_the_approved_one_does_not_serve(
    clock: ManualClock, store: FileModels, tmp_path: Path
) -> None:
    """Even signed by this house: the card in the registry is the one that people saw."""
    slots, action = switching(make_stage(clock), store, tmp_path)
    other = artefact_of(9.0)
    card = card_of(other, "mv_two", seed=2)
    home = tmp_path / "models" / "mv_two"
    key = HouseKey.at(tmp_path / "keys" / "key")
    for name, content in {ARTEFACT: other, CARD: canonical(card), SIGNATURE: key.sign(card).encode()}.items():
        (home / name).write_bytes(content)

    with pytest.raises(NocturneError, match="not the one that was registered"):
        slots.send("key-1", action)

    assert serving(slots) == "mv_one"
    assert slots.state(DIAGNOSIS_SLOT)["candidate"] == "mv_two"


def test_no_step_was_carried_out_by_any_of_this(clock: ManualClock, store: FileModels, tmp_path: Path) -> None:
    stage = make_stage(clock)
    switching(stage, store, tmp_path)
    steps: list[Step] = stage.ledger.read(lambda tables: tables.steps.find())
    assert steps == []
