"""The audit chain on SQL: appended in the transaction of the change, read back byte for byte.

A record is stored as canonical JSON (RFC 8785). On reading, bytes that are not the canonical form of a record, or not
of the record that belongs in this row, were altered; such a row comes back as a record that fits no chain, so that
verifying names it.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from pydantic import ValidationError

from adapters.store.rules import START, Tip, storable
from adapters.store.schema import RECORDS, REFS
from domain.canonical import canonical
from domain.errors import Unavailable
from domain.records import Record

_INSERT_RECORD = RECORDS.insert()
_INSERT_REF = REFS.insert()
_TIP = (
    sa.select(RECORDS.c.sequence, RECORDS.c.body)
    .where(RECORDS.c.tenant == sa.bindparam("tenant"))
    .order_by(RECORDS.c.sequence.desc())
    .limit(1)
)


def tip(connection: sa.Connection, tenant: str) -> Tip:
    """Return sequence and hash of the tenant's last record. Raises Unavailable when it cannot be read."""
    row = connection.execute(_TIP, {"tenant": tenant}).first()
    if row is None:
        return START
    try:
        return int(row.sequence), str(json.loads(row.body)["hash"])
    except (ValueError, LookupError, TypeError) as error:
        raise Unavailable(
            f"the last record of the chain `{tenant}` is damaged, nothing can follow it; verify the audit chain"
        ) from error


class Row(NamedTuple):
    """A record as it is stored, and one row for everything that it mentions."""

    record: dict[str, Any]
    refs: list[dict[str, Any]]


def row(record: Record) -> Row:
    """Return what will be stored of a record. Raises what a record is refused for that no store could keep."""
    at = {"tenant": record.tenant, "sequence": record.sequence}
    refs = [{**at, "ref": storable(ref)} for ref in dict.fromkeys(record.refs)]
    return Row({**at, "body": canonical(record)}, refs)


def append(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Insert records that continue their chains, and note what they mention."""
    if not rows:
        return
    refs = [ref for one in rows for ref in one.refs]
    connection.execute(_INSERT_RECORD, [one.record for one in rows])
    if refs:
        connection.execute(_INSERT_REF, refs)


def read(connection: sa.Connection, tenant: str, after: int, ref: str | None, limit: int | None) -> list[Record]:
    """Return the tenant's records behind `after` in stored order; with `ref`, those that mention it."""
    query = (
        sa.select(RECORDS.c.sequence, RECORDS.c.body)
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
    return [_record(tenant, row.sequence, row.body) for row in connection.execute(query)]


def _record(tenant: str, sequence: int, body: bytes) -> Record:
    try:
        record = Record.model_validate_json(body)
        in_place = (record.id, record.tenant, record.sequence) == (_id(tenant, sequence), tenant, sequence)
        genuine = in_place and canonical(record) == body
    except (ValidationError, ValueError, TypeError):
        genuine = False
    return record if genuine else _unreadable(tenant, sequence)


def _unreadable(tenant: str, sequence: int) -> Record:
    """Stand in for a row whose bytes are not those of a record; no chain verifies with it."""
    never = datetime.min.replace(tzinfo=UTC)
    return Record(
        id=_id(tenant, sequence),
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


def _id(tenant: str, sequence: int) -> str:
    return f"{tenant}:{sequence:012d}"
