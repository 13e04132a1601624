"""What every ledger keeps to, whatever stores it: one writer at a time, nothing unrecorded, one way to compare.

The in-memory ledger and the SQL ledger both stand on this module, so they cannot drift apart in meaning.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from control_plane.ports import Written
from control_plane.tables import Shelved
from domain.base import Stored
from domain.errors import BadInput
from domain.records import GENESIS, REDACTED, Entry, Record, link, record_id

#: The last record of a chain: its sequence number and its hash.
Tip = tuple[int, str]
START: Tip = (0, GENESIS)

#: How long an id and a searched text may be together, in bytes of UTF-8: more fits into no index of PostgreSQL.
MOST_BYTES = 2400

READ_ONLY = "this is a read-only view; write through `ledger.do`"


class OneWriter:
    """Lets one thread write at a time; refuses a change that tries to write around its own transaction."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    def __enter__(self) -> None:
        if self._owner == threading.get_ident():
            raise RuntimeError("a change may not start another one; return what it needs and call `do` again")
        self._lock.acquire()
        self._owner = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._owner = None
        self._lock.release()


def require_entry(written: Written[Any], *, wrote: bool) -> None:
    """Raise ValueError when a change wrote to a shelf and gave no entry for the record."""
    if wrote and not written.entries:
        raise ValueError("the change wrote to a shelf and gave no record entry; nothing is written unrecorded")
    for tenant, sequence, name in written.redactions:
        told = {"record": record_id(tenant, sequence), "field": name}
        if not any(
            entry.kind == REDACTED and entry.tenant == tenant and told.items() <= entry.fields.items()
            for entry in written.entries
        ):
            raise ValueError(f"the change empties a field and gave no entry `{REDACTED}` that says which")


def linked(entries: Iterable[Entry], tip: Callable[[str], Tip], known_time: datetime) -> list[Record]:
    """Return the records that continue the chains of the entries' tenants; `tip` is asked once per tenant.

    Raises:
        BadInput: an entry mentions something by a name that is too long to search by.
    """
    tips: dict[str, Tip] = {}
    records = []
    for entry in entries:
        require_searchable(entry)
        sequence, previous = tips.get(entry.tenant) or tip(entry.tenant)
        record = link(entry, sequence + 1, previous, known_time)
        tips[entry.tenant] = (record.sequence, record.hash)
        records.append(record)
    return records


def require_searchable(entry: Entry) -> None:
    """Raise BadInput when an entry mentions something by a name that is too long to search by."""
    for ref in entry.refs:
        require_short(entry.tenant, ref)


def require_word(shelved: Shelved, records: Iterable[Stored]) -> None:
    """Raise TypeError when a record does not belong on this shelf, BadInput when a searched text of it is too long."""
    for record in records:
        if type(record) is not shelved.word:
            raise TypeError(f"a `{type(record).__name__}` does not belong on the shelf of `{shelved.word.__name__}`")
        require_short(record.id)
        for name in shelved.searchable:
            value = getattr(record, name)
            if type(value) is str:
                require_short(record.id, value)


def require_short(*texts: str) -> None:
    """Raise BadInput when texts that share an index are longer than one can be."""
    if 4 * sum(map(len, texts)) > MOST_BYTES:  # else they are short in any script
        length = sum(len(text.encode(errors="surrogatepass")) for text in texts)
        if length > MOST_BYTES:
            raise BadInput(f"a text to search by has {length} bytes with its id; send at most {MOST_BYTES}")


def require_same_id(old: Stored, new: Stored) -> None:
    """Raise ValueError when a swap would change the identity of a record."""
    if old.id != new.id:
        raise ValueError(f"`{old.id}` cannot be swapped for `{new.id}`: a swap keeps the id")


def require_limit(limit: int | None) -> None:
    """Raise ValueError for a limit below zero."""
    if limit is not None and limit < 0:
        raise ValueError(f"a limit is at least 0, not {limit}")


def wanted(shelved: Shelved, where: Mapping[str, object]) -> dict[str, frozenset[str | None]]:
    """Return the texts that each searched field may have. Raises KeyError for a field that is not searchable."""
    for name in where:
        if name not in shelved.searchable:
            known = ", ".join(f"`{field}`" for field in shelved.searchable) or "nothing"
            raise KeyError(f"`{shelved.word.__name__}` cannot be searched by `{name}`; it can by {known}")
    return {name: _any_of(value) for name, value in where.items()}


def _any_of(value: object) -> frozenset[str | None]:
    many = value if isinstance(value, tuple | list | set | frozenset) else (value,)
    return frozenset(comparable(one) for one in many)


def comparable(value: object) -> str | None:
    """Return the text by which a searchable value is stored and compared; None stays None."""
    if value is None:
        return None
    if type(value) is str:
        return storable(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def storable(text: str) -> str:
    """Return the text as it is. Raises BadInput when it holds half of a surrogate pair: no store could keep it."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadInput("a text holds half of a surrogate pair; send whole Unicode characters") from error
    return text


def moment(at: datetime) -> str:
    """Return a text of fixed width that sorts like the time it stands for, for example `2026-01-12T12:00:00.000000`."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def from_moment(text: str) -> datetime:
    """Return the time that `moment` wrote."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
