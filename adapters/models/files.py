"""A model store in a folder: `<version>/model.safetensors`, `card.json` and `signature`, and nothing else.

A version appears as a whole: it is written beside, flushed to disk, and renamed. What a crash leaves behind bears a
name that is no version's, so nobody ever reads it, and it is swept away after a while.
"""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from adapters.models.keeping import LIMITS, ModelKeeping, is_version
from adapters.models.signing import HouseKey
from domain.clock import Clock, SystemClock
from domain.errors import BadInput, NotFound, Unavailable

_DRAFT = ".draft-"
_DRAFT_LIVES_S = 3600.0


class FileModels(ModelKeeping):
    """The `ModelStore` port in a folder of the file system."""

    def __init__(self, folder: Path, key: HouseKey, clock: Clock | None = None) -> None:
        """Keep versions in `folder`, which is made. Raises Unavailable when it cannot be."""
        super().__init__(key)
        self._folder, self._clock = folder, clock or SystemClock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
        except OSError as error:
            raise _unavailable(folder, error) from error

    def versions(self) -> list[str]:
        try:
            return sorted(entry.name for entry in self._folder.iterdir() if is_version(entry.name))
        except OSError as error:
            raise _unavailable(self._folder, error) from error

    def _add(self, version: str, files: Mapping[str, bytes]) -> bool:
        home = self._folder / version
        draft = self._folder / f"{_DRAFT}{secrets.token_hex(8)}"
        try:
            if os.path.lexists(home):
                return False
            draft.mkdir()
            for name, content in files.items():
                _write(draft / name, content)
            _flush(draft)
            draft.rename(home)  # fails when somebody was faster: a folder with something in it is never replaced
            _flush(self._folder)
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                return False
            raise _unavailable(home, error) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return True

    def _files(self, version: str) -> Mapping[str, bytes]:
        home = self._folder / version
        try:
            if not os.path.lexists(home):
                raise NotFound(f"no version `{version}` is kept; train or register it first")
            if not stat.S_ISDIR(home.lstat().st_mode):
                raise BadInput(f"`{version}` is no folder; restore it")
            return {entry.name: _read(entry) for entry in sorted(home.iterdir())}
        except OSError as error:
            raise _unavailable(home, error) from error

    def _sweep(self) -> None:
        """Drop what crashes left behind; a draft that somebody still writes is younger than that."""
        before = self._clock.now().timestamp() - _DRAFT_LIVES_S
        for entry in self._folder.glob(f"{_DRAFT}*"):
            if entry.lstat().st_mtime < before:
                shutil.rmtree(entry, ignore_errors=True)


def _read(path: Path) -> bytes:
    """Read a file of a version; a link, a device or too large a file is not even opened."""
    if path.name not in LIMITS:
        raise BadInput(f"`{path.name[:64]}` is one file too many; take it away")
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > LIMITS[path.name]:
        raise BadInput(f"`{path.name}` is no file of at most {LIMITS[path.name]} bytes; restore it")
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Have the names in a folder reach the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unavailable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"the model store `{path}` does not answer: {error.strerror}; repair it, then ask again")
