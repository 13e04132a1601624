"""Records: the links of the audit chain.

A record's hash covers the previous hash, the envelope, and a *commitment* to each field (a salted
SHA-256). So a field can be taken out later without breaking the chain: its commitment stays.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from domain.base import Stored, Utc, Word
from domain.canonical import canonical, digest

GENESIS = "0" * 64


class Entry(Word):
    """What a change wants recorded. `kind` is `source.subject.action`, for example `gate.proposal.approved`."""

    kind: str
    actor: str
    refs: tuple[str, ...] = ()
    fields: dict[str, Any] = {}
    event_time: Utc
    tenant: str = "default"
    residency: str = "default"
    sensitivity: str = "internal"


class Field(Word):
    """A recorded value and the salt of its commitment; both are None once the field is redacted."""

    value: Any = None
    salt: str | None = None


class Record(Stored):
    """One link. `id` is `tenant:sequence`."""

    tenant: str
    sequence: int
    kind: str
    actor: str
    refs: tuple[str, ...]
    residency: str
    sensitivity: str
    event_time: Utc
    known_time: Utc
    commitments: dict[str, str]
    fields: dict[str, Field]
    previous: str
    hash: str


def commitment(name: str, value: Any, salt: str) -> str:
    """Return the salted SHA-256 that binds a field's name and value."""
    return hashlib.sha256(bytes.fromhex(salt) + canonical([name, value])).hexdigest()


def link(entry: Entry, sequence: int, previous: str, known_time: Utc) -> Record:
    """Return the record that follows `previous` in the chain of the entry's tenant."""
    fields = {name: Field(value=value, salt=secrets.token_hex(16)) for name, value in entry.fields.items()}
    commitments = {name: commitment(name, field.value, field.salt or "") for name, field in fields.items()}
    record = Record(
        id=f"{entry.tenant}:{sequence:012d}",
        tenant=entry.tenant,
        sequence=sequence,
        kind=entry.kind,
        actor=entry.actor,
        refs=entry.refs,
        residency=entry.residency,
        sensitivity=entry.sensitivity,
        event_time=entry.event_time,
        known_time=known_time,
        commitments=commitments,
        fields=fields,
        previous=previous,
        hash="",
    )
    return record.model_copy(update={"hash": chain_hash(record)})


def chain_hash(record: Record) -> str:
    """Return the hash that `record` must carry: over everything in it but the fields' values and the hash itself."""
    return digest(record.model_dump(mode="json", exclude={"fields", "hash"}))


def redacted(record: Record, name: str) -> Record:
    """Return the record without the value of one field; it still verifies."""
    return record.model_copy(update={"fields": {**record.fields, name: Field()}})


class Break(Word):
    """The first place where a chain is broken: the record, and what is wrong with it."""

    record_id: str
    reason: str


def first_break(records: Iterable[Record], heads: Mapping[str, str] | None = None) -> Break | None:
    """Return the first broken link of a chain that is given in stored order, or None when it verifies.

    Args:
        records: the whole chain of one tenant, as stored.
        heads: tenant to hash of the last record, where it is known from elsewhere; finds a lost tail.
    """
    previous, expected, tenant = GENESIS, 1, ""
    for record in records:
        tenant = record.tenant
        reason = _broken_link(record, expected, previous) or _altered_field(record)
        if reason:
            return Break(record_id=record.id, reason=reason)
        previous, expected = record.hash, expected + 1
    if heads and tenant in heads and heads[tenant] != previous:
        return Break(record_id=f"{tenant}:{expected:012d}", reason="the tail of the chain is lost")
    return None


def _broken_link(record: Record, expected: int, previous: str) -> str:
    if record.sequence != expected or record.id != f"{record.tenant}:{expected:012d}":
        return f"record {expected} is missing or out of order"
    if record.previous != previous:
        return "it does not follow the record before it"
    if chain_hash(record) != record.hash:
        return "its envelope was altered"
    return ""


def _altered_field(record: Record) -> str:
    if set(record.fields) != set(record.commitments):
        return "a field was added or taken away"
    for name, field in record.fields.items():
        was_redacted = field.salt is None and field.value is None
        if not was_redacted and not _fits(name, field, record.commitments[name]):
            return f"its field `{name}` was altered"
    return ""


def _fits(name: str, field: Field, committed: str) -> bool:
    try:
        salt = bytes.fromhex(field.salt or "").hex()
        return salt == field.salt and commitment(name, field.value, salt) == committed
    except ValueError:  # a salt that is not hexadecimal, a value that has no canonical form
        return False
