"""Where checkpoints are kept a second time, so that whoever alters the store cannot alter them along with it.

A file does that as far as its disk is another one, and its owner another person: put it on a host of its own, mounted
append-only if it can be.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from domain.canonical import canonical
from domain.errors import Conflict, Unavailable
from domain.keeping import Checkpoint

_FILE = "checkpoints.jsonl"
#: So many bytes at the end of the file hold the newest checkpoint of every chain that is busy.
_END = 64 * 1024


class MemoryAnchor:
    """The `Anchor` port in memory."""

    name = "memory"

    def __init__(self) -> None:
        self._kept: dict[str, Checkpoint] = {}

    def append(self, checkpoint: Checkpoint) -> None:
        require_same(self._kept.setdefault(checkpoint.id, checkpoint), checkpoint)

    def read(self, tenant: str) -> list[Checkpoint]:
        return sorted((each for each in self._kept.values() if each.tenant == tenant), key=lambda each: each.sequence)

    def last(self, tenant: str) -> Checkpoint | None:
        return next(reversed(self.read(tenant)), None)

    def damage(self) -> list[str]:
        return []

    def close(self) -> None:
        """Nothing to let go of."""


class FileAnchor:
    """The `Anchor` port on a file of JSON lines that is only ever appended to, and flushed to the disk each time."""

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder) / _FILE
        self.name = str(folder)
        self._lock = threading.Lock()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise self._unavailable("made", error) from error

    def append(self, checkpoint: Checkpoint) -> None:
        try:
            with self._lock:
                self._append(checkpoint)
        except OSError as error:
            raise self._unavailable("written", error) from error

    def read(self, tenant: str) -> list[Checkpoint]:
        found = {each.id: each for _, each in reversed(list(self._lines())) if each and each.tenant == tenant}
        return sorted(found.values(), key=lambda each: each.sequence)  # of two for one place, the first written counts

    def last(self, tenant: str) -> Checkpoint | None:
        return self._at_the_end(tenant) or next(reversed(self.read(tenant)), None)

    def damage(self) -> list[str]:
        told, seen = [], dict[str, Checkpoint]()
        for number, checkpoint in self._lines():
            if checkpoint is None:
                told.append(f"line {number} of `{self._path}` is no checkpoint")
            elif seen.setdefault(checkpoint.id, checkpoint) != checkpoint:
                told.append(f"line {number} of `{self._path}` is another checkpoint of `{checkpoint.id}`")
        return told

    def close(self) -> None:
        """Nothing to let go of: the file is open only while it is written."""

    def _append(self, checkpoint: Checkpoint) -> None:
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            newest = self._at_the_end(checkpoint.tenant)
            if newest is None or newest.sequence >= checkpoint.sequence:
                for each in self.read(checkpoint.tenant):
                    if each.id == checkpoint.id:
                        require_same(each, checkpoint)
                        return
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"  # a crash, or a full disk, cut the last line
            line = (b"\n" if torn else b"") + canonical(checkpoint) + b"\n"
            if os.write(file, line) != len(line):
                with suppress(OSError):  # what was never acknowledged would look like something that was altered
                    os.ftruncate(file, size)
                raise Unavailable(f"the checkpoints in `{self.name}` could not be written whole; make room there")
            os.fsync(file)
        finally:
            os.close(file)

    def _at_the_end(self, tenant: str) -> Checkpoint | None:
        """Return the tenant's last checkpoint if the end of the file holds it, however long the file is."""
        try:
            with self._path.open("rb") as file:
                start = max(0, file.seek(0, os.SEEK_END) - _END)
                file.seek(start)
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unavailable("read", error) from error
        found = [each for line in lines[1 if start else 0 :] if (each := parsed(line)) and each.tenant == tenant]
        return max(found, key=lambda each: each.sequence, default=None)

    def _lines(self) -> Iterator[tuple[int, Checkpoint | None]]:
        try:
            content = self._path.read_bytes() if self._path.exists() else b""
        except OSError as error:
            raise self._unavailable("read", error) from error
        for number, line in enumerate(content.split(b"\n"), 1):
            if line:
                yield number, parsed(line)

    def _unavailable(self, verb: str, error: OSError) -> Unavailable:
        return Unavailable(
            f"the checkpoints in `{self.name}` cannot be {verb}: {error.strerror}; repair that place, or name another"
        )


def parsed(line: bytes | str) -> Checkpoint | None:
    """Return the checkpoint of a line, or None when it is not the canonical form of one."""
    try:
        checkpoint = Checkpoint.model_validate_json(line)
        written = line if isinstance(line, bytes) else line.encode()
        return checkpoint if canonical(checkpoint) == written else None
    except (ValidationError, ValueError):
        return None


def require_same(kept: Checkpoint, new: Checkpoint) -> None:
    """Raise Conflict when two checkpoints of one place in a chain say different things."""
    if (kept.head, kept.root) != (new.head, new.root):
        raise Conflict(f"another head of the chain is signed for `{new.id}` already; verify the audit chain")
