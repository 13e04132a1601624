"""What a stranger tries: every id of somebody else's, at every route that takes one, with a body that would do."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from api.http.access import ACCESS
from control_plane.tables import SHELVES
from tests.attacks.ring_house import RingHouse

_TAKES_ID = re.compile(r"\{(\w+)\}")
_NAMED = tuple(name for name in SHELVES if name != "secrets")  # a secret has the id of its account


class Knock(NamedTuple):
    """One request: where, and the body that its schema asks for."""

    method: str
    path: str
    body: Any
    names: frozenset[str] = frozenset()


def knocks(ring: RingHouse, *, with_body: bool | None = None) -> Iterator[Knock]:
    """Yield one request for every route that takes an id, its placeholder still in it; or all with a body, or without.

    `names` are the fields that the body may have.
    """
    app: Any = ring.door.app
    schema = app.openapi()
    for (method, path), _permission in sorted(ACCESS.items(), key=lambda row: row[0]):
        described = schema["paths"].get(path, {}).get(method.lower())
        if described is None or (with_body is None and not _TAKES_ID.search(path)):
            continue
        shape = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if with_body is None or with_body == (shape is not None):
            body = None if shape is None else sample(shape, schema)
            yield Knock(method, path, body, frozenset(_known(shape or {}, schema)))


def _known(shape: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the fields that a body may have."""
    name = shape.get("$ref", "").rpartition("/")[2]
    yield from schema["components"]["schemas"].get(name, shape).get("properties", {})


def sample(shape: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Return the simplest value that a JSON schema takes."""
    if "$ref" in shape:
        found: Any = schema
        for part in shape["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return sample(found, schema)
    chosen = next((shape[choice][0] for choice in ("anyOf", "oneOf", "allOf") if choice in shape), None)
    if chosen is not None:
        return sample(chosen, schema)
    fixed = next((shape[name] for name in ("default", "const") if name in shape), None)
    return fixed if fixed is not None else _plain(shape, schema)


def _plain(shape: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    if "enum" in shape:
        return shape["enum"][0]
    known, fewest = shape.get("properties", {}), shape.get("minItems", 0)
    match shape.get("type"):
        case "object":
            fixed = {name: each["const"] for name, each in known.items() if "const" in each}
            return fixed | {name: sample(known[name], schema) for name in shape.get("required", ())}
        case "array":
            return [sample(shape["items"], schema) for _ in range(fewest)]
        case "integer" | "number":
            return int(shape.get("minimum", 1))
        case kind:
            return True if kind == "boolean" else _text(shape)


def _text(shape: Mapping[str, Any]) -> str:
    if shape.get("format") == "date-time":
        return "2026-01-12T13:00:00Z"
    if "64" in shape.get("pattern", ""):
        return "0" * 64
    return "said for a reason that can be read"[: shape.get("maxLength", 100)]


def ask(ring: RingHouse, who: str, knock: Knock, id: str) -> Any:
    """Send a request about an id, as somebody."""
    path = _TAKES_ID.sub(id, knock.path)
    return ring.door.request(knock.method, path, headers=ring.bearer(who), json=knock.body)


def ids(ring: RingHouse, *shelves: str, tenant: str = "default") -> dict[str, list[str]]:
    """Return the ids of a tenant on some shelves (on all of them, when none is named), the newest two of each."""

    def own(record: Any) -> bool:
        return getattr(record, "tenant", tenant) == tenant and not set(record.id) & set("/|@ ")

    def read(tables: Any) -> dict[str, list[str]]:
        found = {name: getattr(tables, name).find(newest=True, limit=50) for name in shelves or _NAMED}
        kept = {name: [record.id for record in records if own(record)][:2] for name, records in found.items()}
        return {name: names for name, names in kept.items() if names}

    return ring.house.road.ledger.read(read)


def everything(ring: RingHouse) -> dict[str, list[Any]]:
    """Return all that is stored."""
    return ring.house.road.ledger.read(lambda tables: {name: getattr(tables, name).find() for name in SHELVES})


def like(id: str) -> str:
    """Return an id of the same form that belongs to nothing."""
    return id[:-6] + "zzzzzz" if len(id) > 6 else "zzzzzzzz"
