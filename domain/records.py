"""Records: the links of the audit chain.

A record's hash covers the previous hash, the envelope, and a *commitment* to each field (a salted
SHA-256). So a field can be taken out later without breaking the chain: its commitment stays. What follows a chain and
names its first bad link is `domain.chains`.
"""

import os
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from domain.base import Stored, Utc, Word, as_utc
from domain.canonical import canonical, digest

GENESIS = "0" * 64
_SALT_BYTES = 16

#: The record that says that a field of another record was emptied. Its own fields can never be.
REDACTED = "audit.field.redacted"


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


class Row(NamedTuple):
    """A record as bytes: the envelope, which nothing ever changes, and the fields, of which one can be emptied.

    Both are canonical JSON (RFC 8785); `fields` maps each name to `{"salt": …, "value": …}`.
    """

    sequence: int
    body: bytes
    fields: bytes


class Redaction(NamedTuple):
    """A field that is to be emptied: its value and salt go, its commitment stays."""

    tenant: str
    sequence: int
    name: str


def record_id(tenant: str, sequence: int) -> str:
    """Return the id of a record: it sorts like its place in the chain."""
    return f"{tenant}:{sequence:012d}"


def commitment(name: str, value: Any, salt: str) -> str:
    """Return the salted SHA-256 that binds a field's name and value."""
    return sha256(bytes.fromhex(salt) + canonical([name, value])).hexdigest()


def salts_for(entry: Entry) -> list[str]:
    """Return a fresh salt for each field of the entry, in hexadecimal digits."""
    drawn = os.urandom(_SALT_BYTES * len(entry.fields)).hex()
    return [drawn[at : at + 2 * _SALT_BYTES] for at in range(0, len(drawn), 2 * _SALT_BYTES)]


def link(entry: Entry, sequence: int, previous: str, known_time: Utc, salts: Sequence[str] | None = None) -> Record:
    """Return the record that follows `previous` in the chain of the entry's tenant; with these salts, or fresh ones."""
    salted = zip(entry.fields, salts_for(entry) if salts is None else salts, strict=True)
    fields = {name: Field(value=entry.fields[name], salt=salt) for name, salt in salted}
    commitments = {name: commitment(name, field.value, field.salt or "") for name, field in fields.items()}
    record = Record(
        id=record_id(entry.tenant, sequence),
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


def link_row(
    entry: Entry, sequence: int, previous: str, known_time: Utc, salts: Sequence[str] | None = None
) -> tuple[Row, str]:
    """Return `row_of(link(...))` and the record's hash: the same bytes, and each part of them is written only once."""
    drawn = salts_for(entry) if salts is None else salts
    commitments, written = {}, []
    for (name, value), salt in sorted(zip(entry.fields.items(), drawn, strict=True), key=_by_unit):
        named, plain = _named(name), canonical(value)
        commitments[name] = sha256(bytes.fromhex(salt) + b"[" + named + b"," + plain + b"]").hexdigest()
        written.append(named + b':{"salt":"' + salt.encode() + b'","value":' + plain + b"}")
    head = {"actor": entry.actor, "commitments": commitments, "event_time": _written(entry.event_time)}
    tail = {
        "id": record_id(entry.tenant, sequence),
        "kind": entry.kind,
        "known_time": _written(as_utc(known_time)),
        "previous": previous,
        "refs": entry.refs,
        "residency": entry.residency,
        "sensitivity": entry.sensitivity,
        "sequence": sequence,
        "tenant": entry.tenant,
    }
    before, behind = canonical(head)[:-1], canonical(tail)[1:]  # `hash` belongs between them
    own = sha256(before + b"," + behind).hexdigest()
    body = before + b',"hash":"' + own.encode() + b'",' + behind
    return Row(sequence, body, b"{" + b",".join(written) + b"}"), own


@lru_cache(1024)  # the same few names come again and again
def _named(name: str) -> bytes:
    return canonical(name)


def _by_unit(one: tuple[tuple[str, Any], str]) -> bytes:
    """Sort names as RFC 8785 does: by UTF-16 code unit."""
    return one[0][0].encode("utf-16-be")


def _written(at: Utc) -> str:
    """Return a time in UTC as pydantic writes it to JSON."""
    return at.isoformat().replace("+00:00", "Z")


def chain_hash(record: Record) -> str:
    """Return the hash that `record` must carry: over everything in it but the fields' values and the hash itself."""
    return digest(record.model_dump(mode="json", exclude={"fields", "hash"}))


def row_of(record: Record) -> Row:
    """Return what is stored of a record."""
    body = canonical(record.model_dump(mode="json", exclude={"fields"}))
    return Row(record.sequence, body, canonical(record.model_dump(mode="json", include={"fields"})["fields"]))


def redacted(record: Record, name: str) -> Record:
    """Return the record without the value of one field; it still verifies."""
    return record.model_copy(update={"fields": {**record.fields, name: Field()}})
