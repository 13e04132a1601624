"""Where a sleeping road stood, kept by LangGraph. Never the authority: all of it may be deleted at any time.

Checkpoints have a file of their own, so that deleting or losing it touches nothing else.
"""

import sqlite3
from pathlib import Path

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver


class MemoryWakes:
    """The `Wakes` port in memory."""

    def __init__(self) -> None:
        self._saver = InMemorySaver()

    def saver(self) -> BaseCheckpointSaver[str]:
        return self._saver


class SqliteWakes:
    """The `Wakes` port on a SQLite file, which is made when missing and made anew when it is damaged."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        try:
            self._saver = _open(self._path)
        except sqlite3.OperationalError:
            raise  # the folder is missing or the disk is full: a new file would not help
        except sqlite3.DatabaseError:
            for name in (self._path, *(self._path.with_name(self._path.name + end) for end in ("-wal", "-shm"))):
                name.unlink(missing_ok=True)
            self._saver = _open(self._path)

    def saver(self) -> BaseCheckpointSaver[str]:
        return self._saver

    def close(self) -> None:
        """Let go of the file."""
        self._saver.conn.close()


def _open(path: Path) -> SqliteSaver:
    connection = sqlite3.connect(path, check_same_thread=False)  # the saver has a lock of its own
    try:
        connection.execute("PRAGMA synchronous=NORMAL")  # the last checkpoints may be lost, and cost no disk flush each
        saver = SqliteSaver(connection)
        saver.setup()
    except BaseException:
        connection.close()
        raise
    return saver
