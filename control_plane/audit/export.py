"""The record in other people's formats: CSV, JSON lines, and OpenTelemetry logs (OTLP as JSON, one request a line).

Text from outside stays text there: in a spreadsheet no cell becomes a formula, and no character obeys a terminal.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from domain.records import Record

_COLUMNS = (
    *("id", "sequence", "event_time", "known_time", "kind", "actor", "refs"),
    *("residency", "sensitivity", "redacted", "fields", "previous", "hash"),
)
#: A cell that begins so is run by spreadsheets (CSV injection); an apostrophe before it makes them show it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_PAGE = 500
_INFO = 9  # OpenTelemetry's severity number of INFO


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    OTLP = "otlp"


def written(records: Iterable[Record], as_: Format) -> Iterator[str]:
    """Yield the records as text of a format, in parts of bounded size."""
    return _WRITERS[as_](iter(records))


def _csv(records: Iterator[Record]) -> Iterator[str]:
    yield ",".join(_COLUMNS) + "\r\n"
    while page := list(islice(records, _PAGE)):
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerows([_cell(value) for value in _row(record)] for record in page)
        yield buffer.getvalue()


def _row(record: Record) -> list[Any]:
    emptied = sorted(name for name, field in record.fields.items() if field.salt is None)
    fields = {name: field.value for name, field in record.fields.items() if field.salt is not None}
    return [
        record.id,
        record.sequence,
        record.event_time.isoformat(),
        record.known_time.isoformat(),
        record.kind,
        record.actor,
        " ".join(record.refs),
        record.residency,
        record.sensitivity,
        " ".join(emptied),
        json.dumps(fields, sort_keys=True),
        record.previous,
        record.hash,
    ]


def _cell(value: Any) -> Any:
    """Return a cell without control, format or direction characters, and one that no spreadsheet runs."""
    if not isinstance(value, str):
        return value
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in value)
    return f"'{shown}" if value.lstrip(" \u00a0").startswith(_FORMULA) else shown


def _json(records: Iterator[Record]) -> Iterator[str]:
    while page := list(islice(records, _PAGE)):
        # ASCII only: a bidi control or an escape sequence is written out
        yield "".join(json.dumps(record.model_dump(mode="json"), sort_keys=True) + "\n" for record in page)


def _otlp(records: Iterator[Record]) -> Iterator[str]:
    while page := list(islice(records, _PAGE)):
        scope = {"scope": {"name": "nocturne.audit"}, "logRecords": [_log_record(record) for record in page]}
        resource = {"attributes": _attributes({"service.name": "nocturne", "nocturne.tenant": page[0].tenant})}
        yield json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}) + "\n"


def _log_record(record: Record) -> dict[str, Any]:
    """Return a record as an OTLP LogRecord (opentelemetry-proto, logs/v1): an event named by its kind."""
    about = {
        "record.id": record.id,
        "record.hash": record.hash,
        "record.previous": record.previous,
        "enduser.id": record.actor,
        "refs": list(record.refs),
        "residency": record.residency,
        "sensitivity": record.sensitivity,
    }
    fields = {f"field.{name}": field.value for name, field in record.fields.items() if field.salt is not None}
    return {
        "timeUnixNano": _nanoseconds(record.event_time),
        "observedTimeUnixNano": _nanoseconds(record.known_time),
        "severityNumber": _INFO,
        "severityText": "INFO",
        "eventName": record.kind,
        "body": {"stringValue": record.kind},
        "attributes": _attributes({**about, **fields}),
    }


def _nanoseconds(at: datetime) -> str:
    """Return Unix time in nanoseconds, as text: JSON of protobuf writes 64-bit integers so."""
    whole = int(at.replace(microsecond=0).timestamp())
    return str(whole * 10**9 + at.microsecond * 1000)


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _any_value(value)} for name, value in values.items()]


def _any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": _attributes(value)}}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [_any_value(one) for one in value]}}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"intValue": str(value)}
    return {} if value is None else {_SCALARS[type(value)]: value}


_SCALARS = {bool: "boolValue", float: "doubleValue", str: "stringValue"}


_WRITERS: Mapping[Format, Callable[[Iterator[Record]], Iterator[str]]] = {
    Format.CSV: _csv,
    Format.JSON: _json,
    Format.OTLP: _otlp,
}
