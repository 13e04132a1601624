"""Reading the record by who, what, when and where: it is read through, and only what can fit is made into words.

Known times are those of the machine, which somebody may have set back: they need not grow along the chain, so a search
by time looks at each of them.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from control_plane.ports import Ledger
from domain.base import Word
from domain.records import Record

_PAGE = 500
#: A text inside the record has its quotes escaped, so this is found nowhere else.
_KNOWN = re.compile(rb'"known_time":"([0-9T:.Z+-]+)"')


class Wanted(Word):
    """What is asked for; empty: anything. `ref` and `element` are ids that a record names; `kind` may end in `*`."""

    ref: str | None = None
    actor: str | None = None
    kind: str | None = None
    element: str | None = None
    residency: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, record: Record) -> bool:
        """Say whether a record is what is asked for."""
        return (
            self.then(record.known_time)
            and self.actor in {None, record.actor}
            and self.residency in {None, record.residency}
            and (self.kind is None or _like(record.kind, self.kind))
            and (self.element is None or self.element in record.refs or _names(record, self.element))
        )

    def then(self, known: datetime) -> bool:
        """Say whether a moment lies in the time that is asked for."""
        return (self.since is None or known >= self.since) and (self.until is None or known <= self.until)


def search(ledger: Ledger, tenant: str, wanted: Wanted, *, after: int = 0) -> Iterator[Record]:
    """Yield the records that fit, in order of the chain, from behind sequence number `after`."""
    timed = wanted.since is not None or wanted.until is not None
    pages = _at_that_time if timed and wanted.ref is None else _pages
    for page in pages(ledger, tenant, wanted, after):
        yield from filter(wanted.fits, page)


def _pages(ledger: Ledger, tenant: str, wanted: Wanted, after: int) -> Iterator[list[Record]]:
    while page := ledger.records(tenant, after=after, ref=wanted.ref, limit=_PAGE):
        yield page
        after = page[-1].sequence


def _at_that_time(ledger: Ledger, tenant: str, wanted: Wanted, after: int) -> Iterator[list[Record]]:
    """Yield the pages in which a record was known in time; of the others only the bytes are looked at."""
    while rows := ledger.rows(tenant, after=after, limit=_PAGE):
        if any(_may_be_then(row.body, wanted) for row in rows):
            yield ledger.records(tenant, after=after, limit=len(rows))
        after = rows[-1].sequence


def _may_be_then(body: bytes, wanted: Wanted) -> bool:
    found = _KNOWN.search(body)
    try:
        return found is None or wanted.then(datetime.fromisoformat(found[1].decode()))
    except (ValueError, TypeError):  # bytes that somebody altered: reading them says so
        return True


def _like(kind: str, pattern: str) -> bool:
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern


def _names(record: Record, element: str) -> bool:
    return any(_holds(field.value, element) for field in record.fields.values())


def _holds(value: object, text: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(one, text) for one in value.values())
    if isinstance(value, list | tuple):
        return any(_holds(one, text) for one in value)
    return value == text
