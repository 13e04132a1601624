"""One server per data folder. The operating system drops the lock when the process ends, however it ends."""

import fcntl
import os
from pathlib import Path
from typing import Self

from domain.errors import Conflict, Unavailable

_NAME = "nocturne.lock"


class FolderLock:
    """Holds a data folder until `release`.

    Raises:
        Conflict: another process holds it; the sentence names its process id.
        Unavailable: the folder cannot be written.
    """

    def __init__(self, folder: str | Path) -> None:
        path = Path(folder) / _NAME
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise Unavailable(f"the folder `{folder}` cannot be written: {error.strerror}; choose another") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise Conflict(
                f"the data folder `{folder}` is in use by process {holder}; stop it, or choose another folder"
            ) from error
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())
        self._held = True

    def release(self) -> None:
        """Give the folder back; a second call does nothing."""
        if self._held:
            self._held = False
            os.ftruncate(self._file, 0)
            os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
