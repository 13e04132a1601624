"""What every model store promises, on each that we ship: nothing unchecked goes in, nothing unchecked comes out."""

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Protocol

import numpy as np
import pytest

from adapters.models import tensors
from adapters.models.files import FileModels
from adapters.models.keeping import ARTEFACT, CARD, SIGNATURE
from adapters.models.memory import MemoryModels
from adapters.models.signing import HouseKey
from control_plane.ports import ModelStore
from domain.canonical import canonical
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.models import DIAGNOSIS_SLOT, ModelCard

#: What `pickle.dumps` writes for an object whose reading would run a command; written out, for nobody imports pickle.
PICKLE = b"\x80\x04\x95\x1e" + bytes(7) + b"\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94."


class Shelf(Protocol):
    """A store, and a hand that reaches behind it."""

    store: ModelStore

    def overwrite(self, version: str, name: str, content: bytes | None) -> None: ...

    def with_key(self, key: HouseKey) -> ModelStore: ...


class InMemory:
    def __init__(self, _folder: Path) -> None:
        self.store = MemoryModels()

    def overwrite(self, version: str, name: str, content: bytes | None) -> None:
        if content is None:
            del self.store.kept[version][name]
        else:
            self.store.kept.setdefault(version, {})[name] = content

    def with_key(self, key: HouseKey) -> ModelStore:
        other = MemoryModels(key)
        other.kept = self.store.kept
        return other


class InFiles:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "models"
        self.store = FileModels(self.folder, HouseKey.at(folder / "keys" / "key"))

    def overwrite(self, version: str, name: str, content: bytes | None) -> None:
        path = self.folder / version / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)

    def with_key(self, key: HouseKey) -> ModelStore:
        return FileModels(self.folder, key)


@pytest.fixture(params=[InMemory, InFiles])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return request.param(tmp_path)


def artefact_of(number: float = 1.0) -> bytes:
    return tensors.written({"a": np.full((2, 3), number, np.float32), "b": np.array([number], np.float32)})


def card_of(artefact: bytes, version: str = "mv_one", **other: object) -> ModelCard:
    card = ModelCard(
        version=version,
        slot=DIAGNOSIS_SLOT,
        recipe="quick",
        features=("trouble",),
        parameters={"rate": 0.5, "steps": 3, "of": "text"},
        seed=1,
        trained_on="two cases",
        training_data_hash="d" * 64,
        code="c" * 64,
        metrics={"error": 0.25},
        owner="network operations",
        made_at=datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC),
        artefact_sha256=hashlib.sha256(artefact).hexdigest(),
        artefact_bytes=len(artefact),
    )
    return card.but(**other)


def kept_one(shelf: Shelf) -> bytes:
    artefact = artefact_of()
    shelf.store.put(card_of(artefact), artefact)
    return artefact


def test_what_is_put_comes_out_again(shelf: Shelf) -> None:
    artefact = artefact_of()
    card = card_of(artefact)

    kept = shelf.store.put(card, artefact)

    assert shelf.store.get("mv_one") == kept
    assert (kept.card, kept.artefact) == (card, artefact)
    assert shelf.store.versions() == ["mv_one"]


def test_versions_are_listed_in_order(shelf: Shelf) -> None:
    artefact = artefact_of()
    for version in ("mv_c", "mv_a", "mv_b"):
        shelf.store.put(card_of(artefact, version), artefact)

    assert shelf.store.versions() == ["mv_a", "mv_b", "mv_c"]


def test_keeping_the_same_once_more_changes_nothing(shelf: Shelf) -> None:
    artefact = kept_one(shelf)

    again = shelf.store.put(card_of(artefact), artefact)

    assert shelf.store.get("mv_one") == again


@pytest.mark.parametrize("other", [{"seed": 2}, {"owner": "somebody else"}])
def test_a_taken_version_is_not_replaced_by_another_card(shelf: Shelf, other: dict[str, object]) -> None:
    artefact = kept_one(shelf)

    with pytest.raises(Conflict, match="name another version"):
        shelf.store.put(card_of(artefact, **other), artefact)

    assert shelf.store.get("mv_one").card == card_of(artefact)


def test_a_taken_version_is_not_replaced_by_another_artefact(shelf: Shelf) -> None:
    first, second = kept_one(shelf), artefact_of(2.0)

    with pytest.raises(Conflict):
        shelf.store.put(card_of(second), second)

    assert shelf.store.get("mv_one").artefact == first


def test_a_version_that_was_damaged_is_not_quietly_mended(shelf: Shelf) -> None:
    artefact = kept_one(shelf)
    shelf.overwrite("mv_one", ARTEFACT, artefact[:-1])

    with pytest.raises(Conflict, match="name another version"):
        shelf.store.put(card_of(artefact), artefact)


def test_of_many_who_put_one_version_at_once_one_wins(shelf: Shelf) -> None:
    lost: list[Conflict] = []

    def put(number: int) -> None:
        artefact = artefact_of(float(number))
        try:
            shelf.store.put(card_of(artefact), artefact)
        except Conflict as error:
            lost.append(error)

    threads = [Thread(target=put, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(lost) == 5
    assert shelf.store.get("mv_one").artefact in [artefact_of(float(number)) for number in range(6)]


def test_an_unknown_version_is_not_found(shelf: Shelf) -> None:
    with pytest.raises(NotFound):
        shelf.store.get("mv_nobody")


@pytest.mark.parametrize(
    "version", ["", "..", "mv_../../etc", "mv_one/../../x", "/etc/passwd", "mv_one\n", "mv_ONE", "mv_one\x00", "one"]
)
def test_what_is_no_version_never_gets_near_a_path(shelf: Shelf, version: str) -> None:
    kept_one(shelf)

    with pytest.raises(NotFound):
        shelf.store.get(version)


def cut(artefact: bytes) -> bytes:
    return artefact[:-3]


def longer(artefact: bytes) -> bytes:
    return artefact + b"\0\0\0\0"


def flipped(artefact: bytes) -> bytes:
    return artefact[:-1] + bytes([artefact[-1] ^ 1])


def pickled(_artefact: bytes) -> bytes:
    return PICKLE


def zipped(artefact: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("archive/data.pkl", PICKLE + artefact)
    return whole.getvalue()


def nothing(_artefact: bytes) -> bytes:
    return b""


def with_header(header: object, numbers: bytes = b"\0" * 4) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def part(dtype: str = "F32", shape: object = (1,), offsets: object = (0, 4)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


NO_TENSORS = {
    "a pickle": PICKLE,
    "nothing": b"",
    "a cut file": artefact_of()[:20],
    "a header alone": with_header({}, b""),
    "text": b"import os; os.system('id')",
    "half precision": with_header({"a": part("F16", (2,))}),
    "integers": with_header({"a": part("I32")}),
    "metadata": with_header({"__metadata__": {"code": "x"}, "a": part()}),
    "a second end": with_header({"a": part()}, b"\0" * 8),
    "an overlap": with_header({"a": part(), "b": part()}),
    "a hole": with_header({"a": part(), "b": part(offsets=(8, 12))}, b"\0" * 12),
    "a negative shape": with_header({"a": part(shape=(-1, -1))}),
    "a true shape": with_header({"a": part(shape=(True,))}),
    "a wrong shape": with_header({"a": part(shape=(2,))}),
    "offsets that are none": with_header({"a": part(offsets=(0,))}),
    "offsets that are text": with_header({"a": part(offsets="04")}),
    "a shape that is null": with_header({"a": part(shape=None)}),
    "a name twice": with_header(b'{"a":' + json.dumps(part()).encode() + b',"a":' + json.dumps(part()).encode() + b"}"),
    "a list": with_header([1, 2]),
    "nested without end": with_header(b"[" * 5000),
    "a length beyond the file": struct.pack("<Q", 2**63) + b"{}",
    "not a number": with_header({"a": part()}, struct.pack("<f", float("nan"))),
    "infinite": with_header({"a": part()}, struct.pack("<f", float("inf"))),
}


@pytest.mark.parametrize("what", NO_TENSORS)
def test_what_is_not_plain_tensors_is_not_kept(shelf: Shelf, what: str) -> None:
    artefact = NO_TENSORS[what]

    with pytest.raises(BadInput):
        shelf.store.put(card_of(artefact), artefact)

    assert shelf.store.versions() == []


def test_a_pickle_is_called_one(shelf: Shelf) -> None:
    with pytest.raises(BadInput, match="not tensors: it begins like a pickle"):
        shelf.store.put(card_of(PICKLE), PICKLE)


def test_an_artefact_that_is_not_the_cards_is_not_kept(shelf: Shelf) -> None:
    with pytest.raises(BadInput, match="hash"):
        shelf.store.put(card_of(artefact_of(1.0)), artefact_of(2.0))

    assert shelf.store.versions() == []


@pytest.mark.parametrize("damage", [cut, longer, flipped, pickled, zipped, nothing])
def test_a_damaged_artefact_does_not_come_out(shelf: Shelf, damage: Callable[[bytes], bytes]) -> None:
    artefact = kept_one(shelf)
    shelf.overwrite("mv_one", ARTEFACT, damage(artefact))

    with pytest.raises(Refused, match="not what was registered"):
        shelf.store.get("mv_one")


def test_a_pickle_in_the_place_of_an_artefact_is_named(shelf: Shelf) -> None:
    kept_one(shelf)
    shelf.overwrite("mv_one", ARTEFACT, PICKLE)

    with pytest.raises(Refused, match="pickle"):
        shelf.store.get("mv_one")


def test_a_changed_card_does_not_come_out_even_with_a_matching_artefact(shelf: Shelf) -> None:
    kept_one(shelf)
    other = artefact_of(2.0)
    shelf.overwrite("mv_one", ARTEFACT, other)
    shelf.overwrite("mv_one", CARD, canonical(card_of(other)))

    with pytest.raises(Refused, match="did not sign"):
        shelf.store.get("mv_one")


@pytest.mark.parametrize("card", [b"", b"{}", b"[" * 5000, b"\xff\xfe", b'{"version": "mv_one"}'])
def test_a_card_that_cannot_be_read_does_not_come_out(shelf: Shelf, card: bytes) -> None:
    kept_one(shelf)
    shelf.overwrite("mv_one", CARD, card)

    with pytest.raises(Refused):
        shelf.store.get("mv_one")


@pytest.mark.parametrize("signature", [b"", b"00", b"zz" * 64, b"\xff" * 64, b"0" * 128])
def test_a_wrong_signature_is_no_signature(shelf: Shelf, signature: bytes) -> None:
    kept_one(shelf)
    shelf.overwrite("mv_one", SIGNATURE, signature)

    with pytest.raises(Refused, match="did not sign"):
        shelf.store.get("mv_one")


def test_a_version_under_another_name_does_not_come_out(shelf: Shelf) -> None:
    artefact = kept_one(shelf)
    signature = shelf.store.get("mv_one").signature.encode()
    for name, content in {ARTEFACT: artefact, CARD: canonical(card_of(artefact)), SIGNATURE: signature}.items():
        shelf.overwrite("mv_two", name, content)

    with pytest.raises(Refused, match="card is that of `mv_one`"):
        shelf.store.get("mv_two")


def test_another_houses_key_opens_nothing(shelf: Shelf) -> None:
    kept_one(shelf)

    with pytest.raises(Refused, match="did not sign"):
        shelf.with_key(HouseKey.fresh()).get("mv_one")


@pytest.mark.parametrize("name", [ARTEFACT, CARD, SIGNATURE])
def test_a_missing_file_is_named(shelf: Shelf, name: str) -> None:
    kept_one(shelf)
    shelf.overwrite("mv_one", name, None)

    with pytest.raises(Refused, match=name):
        shelf.store.get("mv_one")


def test_a_file_too_many_is_refused(shelf: Shelf) -> None:
    kept_one(shelf)
    shelf.overwrite("mv_one", "setup.py", b"print('hello')")

    with pytest.raises(Refused, match="too many"):
        shelf.store.get("mv_one")
