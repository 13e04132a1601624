"""Row 19: archives, bombs and links as model artefacts are refused before anything is unpacked or followed."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.models.files import FileModels
from adapters.models.keeping import ARTEFACT
from adapters.models.signing import HouseKey
from domain.errors import BadInput, Refused
from tests.conformance.test_model_store_port import artefact_of, card_of

MIB = 2**20


@pytest.fixture
def store(tmp_path: Path) -> FileModels:
    return FileModels(tmp_path / "models", HouseKey.at(tmp_path / "keys" / "key"))


def zipped(name: str, content: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return whole.getvalue()


def tarred(name: str, *, link: str = "", mode: str = "w") -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode=mode) as archive:  # type: ignore[call-overload]  # the mode is one of tar's
        member = tarfile.TarInfo(name)
        member.type, member.linkname = (tarfile.SYMTYPE, link) if link else (tarfile.REGTYPE, "")
        member.size = 0 if link else 4
        archive.addfile(member, io.BytesIO(b"evil"))
    return whole.getvalue()


def nested(levels: int) -> bytes:
    inside = zipped("zeros", bytes(MIB))
    for _ in range(levels):
        inside = zipped("inside.zip", inside)
    return inside


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "a zip of a thousand times its size": lambda: zipped("weights", bytes(64 * MIB)),
    "a gzip of a thousand times its size": lambda: gzip.compress(bytes(64 * MIB)),
    "a zip of zips of zips": lambda: nested(5),
    "a zip that climbs": lambda: zipped("../../climbed", b"evil"),
    "a zip from the root": lambda: zipped("/tmp/climbed", b"evil"),  # a name in an archive, never a path of ours
    "a tar that climbs": lambda: tarred("../../climbed"),
    "a tar with a link": lambda: tarred("weights", link="/etc/passwd"),
    "a packed tar with a link": lambda: tarred("weights", link="../../keys/key", mode="w:gz"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_refused_and_nothing_of_it_is_unpacked(store: FileModels, tmp_path: Path, name: str) -> None:
    artefact = ARCHIVES[name]()
    before = {*tmp_path.rglob("*")}

    with pytest.raises(BadInput, match="not tensors"):
        store.put(card_of(artefact), artefact)

    assert {*tmp_path.rglob("*")} == before
    assert store.versions() == []


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_in_the_place_of_an_artefact_is_refused(store: FileModels, tmp_path: Path, name: str) -> None:
    honest = artefact_of()
    store.put(card_of(honest), honest)
    (tmp_path / "models" / "mv_one" / ARTEFACT).write_bytes(ARCHIVES[name]())
    before = {*tmp_path.rglob("*")}

    with pytest.raises(Refused, match="not what was registered"):
        store.get("mv_one")

    assert {*tmp_path.rglob("*")} == before


def test_a_link_to_a_secret_is_not_read_as_an_artefact(store: FileModels, tmp_path: Path) -> None:
    honest = artefact_of()
    store.put(card_of(honest), honest)
    place = tmp_path / "models" / "mv_one" / ARTEFACT
    place.unlink()
    place.symlink_to(tmp_path / "keys" / "key")

    with pytest.raises(Refused, match="no file") as refused:
        store.get("mv_one")

    assert "PRIVATE" not in refused.value.reason


def test_an_honest_artefact_is_kept(store: FileModels) -> None:
    honest = artefact_of()

    assert store.put(card_of(honest), honest).artefact == honest
