"""A ledger that lives in memory: a real one, for tests and for the smallest demo.

It keeps every promise of the port but one: what it holds ends with the process. A transaction works on copies of the
shelves that it touches, so a reader goes on seeing the shelves as they were, and a change that raises leaves nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

from adapters.store.rules import (
    READ_ONLY,
    START,
    OneWriter,
    Tip,
    comparable,
    linked,
    require_entry,
    require_limit,
    require_same_id,
    require_word,
    storable,
    wanted,
)
from control_plane.ports import Change
from control_plane.tables import SHELVES, Message, Shelved, Tables
from domain.base import Stored
from domain.clock import Clock
from domain.errors import Conflict, NotFound, Unavailable
from domain.ids import lowest_id
from domain.records import Record, Redaction, Row, record_id, redacted, row_of

T = TypeVar("T")
S = TypeVar("S", bound=Stored)

_Shelves = dict[str, dict[str, Any]]


class MemoryLedger:
    """The `Ledger` port in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._writer = OneWriter()
        self._shelves: _Shelves = {name: {} for name in SHELVES}
        self._chains: dict[str, list[Record]] = defaultdict(list)
        self._messages: dict[str, Message] = {}
        self._hidden_until: dict[str, datetime] = {}
        self._open = True

    def do(self, change: Change[T]) -> T:
        self._require_open()
        with self._writer:
            draft = _Draft(self._shelves)
            written = change(draft.tables())
            require_entry(written, wrote=draft.wrote)
            records = [_own_copy(record) for record in linked(written.entries, self._tip, self._clock.now())]
            self._require_new(written.messages)
            emptied = [self._emptied(redaction) for redaction in written.redactions]
            # nothing below can fail: the change happens as a whole
            self._shelves = draft.shelves
            for record in emptied:
                self._chains[record.tenant][record.sequence - 1] = record
            for record in records:
                self._chains[record.tenant].append(record)
            for message in written.messages:
                self._messages[message.id] = message
                self._hidden_until[message.id] = message.due_at
        return written.result

    def read(self, query: Callable[[Tables], T]) -> T:
        self._require_open()
        return query(_Draft(self._shelves, writable=False).tables())

    def records(
        self, tenant: str = "default", *, after: int = 0, ref: str | None = None, limit: int | None = None
    ) -> list[Record]:
        self._require_open()
        require_limit(limit)
        wanted_ref = None if ref is None else storable(ref)
        behind = self._chains.get(storable(tenant), [])[max(after, 0) :]
        return [record for record in behind if wanted_ref is None or wanted_ref in record.refs][:limit]

    def rows(self, tenant: str = "default", *, after: int = 0, limit: int | None = None) -> list[Row]:
        return [row_of(record) for record in self.records(tenant, after=after, limit=limit)]

    def tip(self, tenant: str = "default") -> Tip:
        self._require_open()
        return self._tip(storable(tenant))

    def tenants(self) -> list[str]:
        self._require_open()
        return sorted(tenant for tenant, chain in self._chains.items() if chain)

    def due(self, now: datetime, *, lease_s: float = 30.0, limit: int = 256) -> list[Message]:
        self._require_open()
        require_limit(limit)
        with self._writer:
            ripe = [message for message in self._messages.values() if self._hidden_until[message.id] <= now]
            taken = sorted(ripe, key=lambda message: (message.due_at, message.id))[:limit]
            self._hidden_until |= {message.id: now + timedelta(seconds=lease_s) for message in taken}
        return taken

    def done(self, messages: Iterable[Message]) -> None:
        self._require_open()
        with self._writer:
            for message in messages:
                self._messages.pop(message.id, None)
                self._hidden_until.pop(message.id, None)

    def next_due(self) -> datetime | None:
        self._require_open()
        with self._writer:
            return min(self._hidden_until.values(), default=None)

    def forget_readings(self, before: datetime) -> int:
        self._require_open()
        with self._writer:
            batches, bound = self._shelves["batches"], lowest_id("batch", before)
            kept = {id: batch for id, batch in batches.items() if id >= bound}
            self._shelves = {**self._shelves, "batches": kept}
        return len(batches) - len(kept)

    def close(self) -> None:
        self._open = False

    def _tip(self, tenant: str) -> Tip:
        chain = self._chains.get(tenant)
        return (chain[-1].sequence, chain[-1].hash) if chain else START

    def _emptied(self, redaction: Redaction) -> Record:
        tenant, sequence, name = redaction
        chain = self._chains.get(tenant, [])
        if not 1 <= sequence <= len(chain):
            raise NotFound(f"there is no record `{record_id(tenant, sequence)}`")
        record = chain[sequence - 1]
        if name not in record.fields:
            known = ", ".join(f"`{field}`" for field in record.fields) or "none"
            raise NotFound(f"the record `{record.id}` has no field `{name}`; it has {known}")
        if record.fields[name].salt is None:
            raise Conflict(f"the field `{name}` of `{record.id}` is empty already")
        return redacted(record, name)

    def _require_open(self) -> None:
        if not self._open:
            raise Unavailable("the store is closed; open it again")

    def _require_new(self, messages: Iterable[Message]) -> None:
        seen = set(self._messages)
        for message in messages:
            if message.id in seen:
                raise Conflict(f"a message with the id `{message.id}` waits already; give each its own id")
            seen.add(message.id)


class _Draft:
    """The shelves as one transaction sees them; a shelf is copied when it is first written to."""

    def __init__(self, shelves: _Shelves, *, writable: bool = True) -> None:
        self.shelves = dict(shelves)
        self.wrote = False
        self._writable = writable
        self._copied: set[str] = set()

    def tables(self) -> Tables:
        # one attribute per entry of SHELVES; the conformance suite checks that they are those of `Tables`
        return cast("Tables", SimpleNamespace(**{name: _MemoryShelf(name, self) for name in SHELVES}))

    def mine(self, name: str) -> dict[str, Any]:
        """Return the transaction's own copy of a shelf, for writing."""
        if name not in self._copied:
            self.shelves[name] = dict(self.shelves[name])
            self._copied.add(name)
        self.wrote = True
        return self.shelves[name]

    def require_writable(self) -> None:
        if not self._writable:
            raise TypeError(READ_ONLY)


class _MemoryShelf(Generic[S]):
    def __init__(self, name: str, draft: _Draft) -> None:
        self._name = name
        self._draft = draft
        self._shelved: Shelved = SHELVES[name]

    def add(self, *records: S) -> None:
        self._draft.require_writable()
        require_word(self._shelved, records)
        fresh: dict[str, S] = {}
        for record in records:
            if record.id in fresh or record.id in self._rows:
                raise Conflict(f"`{record.id}` is on the shelf `{self._name}` already; read it and swap it")
            fresh[record.id] = record
        if fresh:
            self._draft.mine(self._name).update(fresh)

    def get(self, id: str) -> S | None:
        return self._rows.get(storable(id))

    def find(
        self, *, limit: int | None = None, newest: bool = False, after: str | None = None, **where: object
    ) -> list[S]:
        require_limit(limit)
        found = sorted(self._matching(where), key=lambda record: record.id, reverse=newest)
        if after is not None:
            storable(after)
            found = [record for record in found if (record.id < after if newest else record.id > after)]
        return found[:limit]

    def count(self, **where: object) -> int:
        return len(self._matching(where))

    def swap(self, old: S, new: S) -> bool:
        self._draft.require_writable()
        require_word(self._shelved, (old, new))
        require_same_id(old, new)
        if self._rows.get(old.id) != old:
            return False
        self._draft.mine(self._name)[new.id] = new
        return True

    @property
    def _rows(self) -> dict[str, S]:
        return self._draft.shelves[self._name]

    def _matching(self, where: dict[str, object]) -> list[S]:
        conditions = wanted(self._shelved, where).items()
        return [
            record
            for record in self._rows.values()
            if all(comparable(getattr(record, name)) in texts for name, texts in conditions)
        ]


def _own_copy(record: Record) -> Record:
    """Return the record as it would come back from a file: nobody else holds a part of it that can be changed."""
    return Record.model_validate_json(record.model_dump_json())
