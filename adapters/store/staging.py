"""Writes that wait: what a round writes to the shelves goes to the database together, one statement for many rows.

Only a write whose outcome is known waits: whoever read a record in this transaction, under the write lock, knows what
is stored, so a swap of it succeeds or fails at once, without asking the database. Waiting writes are seen by whoever
reads that record; before a shelf is searched, and before the commit, they are written. A change that raises takes its
waiting writes back, and leaves nothing in the transaction.
"""

from typing import NamedTuple, TypeAlias

import sqlalchemy as sa

from adapters.store.questions import statements_of

#: A shelf and an id.
Key: TypeAlias = tuple[str, str]
Cells: TypeAlias = dict[str, str | None]


class NeedsCare(Exception):
    """Something raised after it had written: only a round with savepoints can lose it alone."""


class Waiting(NamedTuple):
    """The row that is to be stored, and the text of the record that it replaces; None for a new record."""

    row: Cells
    replaces: str | None


class Staged:
    """The waiting writes of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._waiting: dict[Key, Waiting] = {}
        self._shelves: set[str] = set()
        self._undo: list[tuple[Key, Waiting | None]] = []
        self._broken = False
        #: Whether something that the present change wrote has reached the database.
        self.reached = False

    def begin(self) -> None:
        """Begin a change: `take_back` goes back to here."""
        self._undo.clear()
        self.reached = False

    def take_back(self) -> None:
        """Forget the writes of the present change that still wait."""
        for key, before in reversed(self._undo):
            if before is None:
                del self._waiting[key]
            else:
                self._waiting[key] = before
        self._undo.clear()

    def body(self, key: Key) -> str | None:
        """Return the text of a record that waits to be written, or None."""
        found = self._waiting.get(key)
        return None if found is None else found.row["body"]

    def holds(self, shelf: str) -> bool:
        """Say whether something may wait for this shelf."""
        return shelf in self._shelves

    def put(self, key: Key, row: Cells, replaces: str | None) -> None:
        """Let a record wait in the place of the stored text `replaces`, or as a new one."""
        before = self._waiting.get(key)
        self._undo.append((key, before))
        self._waiting[key] = Waiting(row, replaces if before is None else before.replaces)
        self._shelves.add(key[0])

    def flush(self) -> None:
        """Write what waits. Raises NeedsCare when the database did not hold what was read in it, DBAPIError."""
        if self._broken:
            raise NeedsCare
        if not self._waiting:
            return
        self.reached |= bool(self._undo)
        waiting, self._waiting = self._waiting, {}
        self._undo.clear()
        self._shelves.clear()
        self._broken = True  # until all of it is written
        for shelf in dict.fromkeys(shelf for shelf, _ in waiting):
            self._write(shelf, [one for (place, _), one in waiting.items() if place == shelf])
        self._broken = False

    def _write(self, shelf: str, waiting: list[Waiting]) -> None:
        statements = statements_of(shelf)
        new = [one.row for one in waiting if one.replaces is None]
        swaps = [
            {**one.row, "an_id": one.row["id"], "old_body": one.replaces} for one in waiting if one.replaces is not None
        ]
        written = statements.insert.change_all(self._connection, new)
        written += statements.swap.change_all(self._connection, swaps)
        if written != len(waiting):
            raise NeedsCare
