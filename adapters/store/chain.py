"""The audit chain on SQL: appended in the transaction of the change, read back byte for byte.

A record is stored as canonical JSON (RFC 8785), its envelope apart from its fields. On reading, bytes that are not the
canonical form of a record, or not of the record that belongs in this row, were altered; such a row comes back as a
record that fits no chain, so that verifying names it.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from pydantic import ValidationError

from adapters.store.prepared import Prepared
from adapters.store.rules import START, Tip, require_searchable, storable
from adapters.store.schema import RECORDS, REDACTIONS, REFS
from domain.canonical import canonical
from domain.errors import Conflict, NotFound, Unavailable
from domain.records import Entry, Field, Record, Redaction, Row, link_row, record_id, row_of

_INSERT_RECORD = Prepared(RECORDS.insert())
_INSERT_REF = Prepared(REFS.insert())
_EMPTY = canonical(Field())
_HERE = (RECORDS.c.tenant == sa.bindparam("of"), RECORDS.c.sequence == sa.bindparam("at"))
_TIP = Prepared(
    sa.select(RECORDS.c.sequence, RECORDS.c.body)
    .where(RECORDS.c.tenant == sa.bindparam("tenant"))
    .order_by(RECORDS.c.sequence.desc())
    .limit(1)
)


def tip(connection: sa.Connection, tenant: str) -> Tip:
    """Return sequence and hash of the tenant's last record. Raises Unavailable when it cannot be read."""
    row = _TIP.first(connection, {"tenant": storable(tenant)})
    if row is None:
        return START
    try:
        sequence, body = row
        return int(sequence), str(json.loads(body)["hash"])
    except (ValueError, LookupError, TypeError) as error:
        raise Unavailable(
            f"the last record of the chain `{tenant}` is damaged, nothing can follow it; verify the audit chain"
        ) from error


def tenants(connection: sa.Connection) -> list[str]:
    """Return the tenants that have a chain. Each is looked up in the index: the record is not read through."""
    found: list[str] = []
    query = sa.select(sa.func.min(RECORDS.c.tenant))
    last: str | None = connection.execute(query).scalar()
    while last is not None:
        found.append(last)
        last = connection.execute(query.where(RECORDS.c.tenant > last)).scalar()
    return found


class Rows(NamedTuple):
    """A record as it is stored, and one row for everything that it mentions."""

    record: dict[str, Any]
    refs: list[dict[str, Any]]


def linked(entries: Sequence[Entry], tips: dict[str, Tip], known_time: datetime) -> list[Rows]:
    """Return what will be stored of entries that continue the chains of their tenants, and move the tips on.

    Raises:
        BadInput: an entry mentions something by a name that is too long to search by, or that no store could keep.
    """
    made = []
    for entry in entries:
        require_searchable(entry)
        sequence, previous = tips[entry.tenant]
        (at, body, fields), own = link_row(entry, sequence + 1, previous, known_time)
        place = {"tenant": storable(entry.tenant), "sequence": at}
        refs = [{**place, "ref": storable(ref)} for ref in dict.fromkeys(entry.refs)]
        tips[entry.tenant] = (at, own)
        made.append(Rows({**place, "body": body, "fields": fields}, refs))
    return made


def append(connection: sa.Connection, rows: Sequence[Rows]) -> None:
    """Insert records that continue their chains, and note what they mention."""
    _INSERT_RECORD.change_all(connection, [one.record for one in rows])
    _INSERT_REF.change_all(connection, [ref for one in rows for ref in one.refs])


def redact(connection: sa.Connection, redaction: Redaction) -> None:
    """Empty one field of a record: its value and its salt go, its commitment stays, so the chain still verifies.

    Raises:
        NotFound: there is no such record, or it has no such field.
        Conflict: the field is empty already, or the record was altered.
    """
    tenant, sequence, name = redaction
    here = {"of": storable(tenant), "at": sequence}
    found = connection.execute(sa.select(RECORDS.c.body, RECORDS.c.fields).where(*_HERE), here).first()
    if found is None:
        raise NotFound(f"there is no record `{record_id(tenant, sequence)}`")
    record = _record(tenant, Row(sequence, found.body, found.fields or b""))
    if record.hash == "":
        raise Conflict(f"the record `{record.id}` was altered; verify the audit chain before anything is taken out")
    if name not in record.fields:
        known = ", ".join(f"`{field}`" for field in record.fields) or "none"
        raise NotFound(f"the record `{record.id}` has no field `{name}`; it has {known}")
    if record.fields[name].salt is None:
        raise Conflict(f"the field `{name}` of `{record.id}` is empty already")
    before, full = canonical(name) + b":", canonical(record.model_dump(mode="json")["fields"][name])
    starts = found.fields.index(before + full) + len(before)
    stops = starts + len(full)
    allowed = {"tenant": tenant, "sequence": sequence, "name": name, "starts": starts, "stops": stops}
    connection.execute(REDACTIONS.insert(), allowed)
    emptied = found.fields[:starts] + _EMPTY + found.fields[stops:]
    connection.execute(
        RECORDS.update().where(*_HERE).values(fields=sa.bindparam("emptied")), here | {"emptied": emptied}
    )
    _forget_mention(connection, here, record.fields[name].value)


def _forget_mention(connection: sa.Connection, here: dict[str, Any], value: Any) -> None:
    """Take the redacted text out of the index of what is mentioned where."""
    if isinstance(value, str):
        mention = (REFS.c.tenant == here["of"], REFS.c.sequence == here["at"], REFS.c.ref == value)
        connection.execute(REFS.delete().where(*mention))


def read(connection: sa.Connection, tenant: str, after: int, ref: str | None, limit: int | None) -> list[Record]:
    """Return the tenant's records behind `after` in stored order; with `ref`, those that mention it."""
    return [_record(tenant, row) for row in rows(connection, tenant, after, ref, limit)]


def rows(connection: sa.Connection, tenant: str, after: int, ref: str | None, limit: int | None) -> list[Row]:
    """Return what `read` does, byte for byte as it is stored."""
    query = (
        sa.select(RECORDS.c.sequence, RECORDS.c.body, RECORDS.c.fields)
        .where(RECORDS.c.tenant == storable(tenant), RECORDS.c.sequence > after)
        .order_by(RECORDS.c.sequence)
        .limit(limit)
    )
    if ref is not None:
        mentions = (
            (REFS.c.tenant == RECORDS.c.tenant)
            & (REFS.c.sequence == RECORDS.c.sequence)
            & (REFS.c.ref == storable(ref))
        )
        query = query.join(REFS, mentions)
    return [Row(int(row.sequence), _bytes(row.body), _bytes(row.fields)) for row in connection.execute(query)]


def _bytes(stored: Any) -> bytes:
    """Return what is in a column of bytes; a database that was altered may hold a text there, or nothing."""
    return stored if isinstance(stored, bytes) else str(stored or "").encode(errors="replace")


def _record(tenant: str, row: Row) -> Record:
    sequence, body, fields = row
    try:
        record = Record.model_validate_json(body[:-1] + b',"fields":' + fields + b"}")
        in_place = (record.id, record.tenant, record.sequence) == (record_id(tenant, sequence), tenant, sequence)
        genuine = in_place and row_of(record) == row
    except (ValidationError, ValueError, TypeError):
        genuine = False
    return record if genuine else _unreadable(tenant, sequence)


def _unreadable(tenant: str, sequence: int) -> Record:
    """Stand in for a row whose bytes are not those of a record; no chain verifies with it."""
    never = datetime.min.replace(tzinfo=UTC)
    return Record(
        id=record_id(tenant, sequence),
        tenant=tenant,
        sequence=sequence,
        kind="store.record.unreadable",
        actor="",
        refs=(),
        residency="",
        sensitivity="",
        event_time=never,
        known_time=never,
        commitments={},
        fields={},
        previous="",
        hash="",
    )
