import os
import time
from pathlib import Path

import pytest

from adapters.models.files import FileModels
from adapters.models.keeping import ARTEFACT, CARD, NoModels
from adapters.models.signing import HouseKey
from domain.errors import Refused, Unavailable
from tests.conformance.test_model_store_port import artefact_of, card_of


@pytest.fixture
def store(tmp_path: Path) -> FileModels:
    return FileModels(tmp_path / "models", HouseKey.at(tmp_path / "keys" / "key"))


@pytest.fixture
def home(store: FileModels, tmp_path: Path) -> Path:
    """The folder of one kept version."""
    artefact = artefact_of()
    store.put(card_of(artefact), artefact)
    return tmp_path / "models" / "mv_one"


def test_a_restart_with_the_same_key_finds_what_was_kept(home: Path, store: FileModels, tmp_path: Path) -> None:
    again = FileModels(tmp_path / "models", HouseKey.at(tmp_path / "keys" / "key"))

    assert again.get("mv_one") == store.get("mv_one")


def test_what_a_crash_left_half_written_is_never_seen(home: Path, store: FileModels, tmp_path: Path) -> None:
    draft = tmp_path / "models" / ".draft-0123"
    draft.mkdir()
    (draft / ARTEFACT).write_bytes(artefact_of()[:9])

    assert store.versions() == ["mv_one"]


def test_old_leftovers_are_swept_away_and_young_ones_are_not(store: FileModels, tmp_path: Path) -> None:
    old, young = tmp_path / "models" / ".draft-old", tmp_path / "models" / ".draft-young"
    for draft in (old, young):
        draft.mkdir()
        (draft / CARD).write_text("{")
    yesterday = time.time() - 86_400
    os.utime(old, (yesterday, yesterday))

    FileModels(tmp_path / "models", HouseKey.fresh())

    assert (old.exists(), young.exists()) == (False, True)


def test_a_link_in_a_version_is_not_followed(home: Path, store: FileModels, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    (home / ARTEFACT).rename(moved)
    (home / ARTEFACT).symlink_to(moved)

    with pytest.raises(Refused, match="no file"):
        store.get("mv_one")


def test_a_link_in_the_place_of_a_version_is_not_followed(home: Path, store: FileModels, tmp_path: Path) -> None:
    (tmp_path / "models" / "mv_two").symlink_to(home)

    with pytest.raises(Refused, match="no folder"):
        store.get("mv_two")


def test_a_folder_among_the_files_is_refused(home: Path, store: FileModels) -> None:
    (home / "more").mkdir()

    with pytest.raises(Refused, match="too many"):
        store.get("mv_one")


def test_a_file_that_is_far_too_large_is_not_read(home: Path, store: FileModels) -> None:
    with (home / ARTEFACT).open("r+b") as file:
        file.truncate(2**40)  # a hole; nothing is written

    with pytest.raises(Refused, match="no file of at most"):
        store.get("mv_one")


def test_a_put_that_fails_in_the_middle_leaves_nothing(store: FileModels, tmp_path: Path, monkeypatch) -> None:
    artefact = artefact_of()
    real, written = os.fsync, []

    def full(handle: int) -> None:
        written.append(handle)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(Unavailable, match="No space left"):
        store.put(card_of(artefact), artefact)

    assert list((tmp_path / "models").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="does not answer"):
        FileModels(tmp_path / "file" / "models", HouseKey.fresh())


def test_a_store_that_cannot_be_had_says_why_to_everybody() -> None:
    store = NoModels(Refused("the key is gone; put it back"))
    artefact = artefact_of()

    with pytest.raises(Refused, match="the key is gone"):
        store.get("mv_one")
    with pytest.raises(Unavailable, match="the key is gone"):
        store.put(card_of(artefact), artefact)
    assert store.versions() == []
