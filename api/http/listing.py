"""TMF630 collections: paging, projection (`fields=`) and filters by equality, the same for every TM Forum door.

A filter that a query can answer goes there. Any other is answered here, by looking at each row as it
would be shown: so every row returned matches, and every matching row is returned.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from starlette.datastructures import QueryParams
from starlette.responses import Response

from api.http.reply import reply
from domain.base import Stored
from domain.errors import BadInput

S = TypeVar("S", bound=Stored)
S_co = TypeVar("S_co", bound=Stored, covariant=True)

#: The most rows of one page; a larger `limit` gives this many.
LARGEST_PAGE = 1000
_DEFAULT_PAGE = 100
_EVERYTHING = 10**9
_LARGEST_OFFSET = 10**9
_ALWAYS = ("id", "href")


class Fetch(Protocol[S_co]):
    """A query for one page, in order of id; returns the rows and how many there are in all."""

    def __call__(self, *, limit: int, offset: int, **equal: Any) -> tuple[Sequence[S_co], int]: ...


@dataclass(frozen=True)
class Collection(Generic[S]):
    """One TM Forum resource: its attributes, how a word is shown as it, and which filters a query answers.

    An attribute within another is written with a dot: `alarmedObject.id`.
    """

    attributes: frozenset[str]
    show: Callable[[S], dict[str, Any]]
    answered: Mapping[str, str] = field(default_factory=dict)  # TMF attribute → field of the word


@dataclass(frozen=True)
class Asked:
    """What a caller asked of a collection. `filters` maps an attribute's path to the values it may have."""

    limit: int
    offset: int
    fields: tuple[str, ...]
    filters: Mapping[str, frozenset[str]]


def page(params: QueryParams, collection: Collection[S], fetch: Fetch[S]) -> Response:
    """Answer a GET on a collection. Raises BadInput for a question that the collection does not understand."""
    asked = _read(params, collection.attributes)
    equal = {
        collection.answered[name]: tuple(asked.filters[name]) for name in asked.filters if name in collection.answered
    }
    if equal.keys() == {collection.answered.get(name) for name in asked.filters}:
        words, total = fetch(limit=asked.limit, offset=asked.offset, **equal)
        rows = [collection.show(word) for word in words]
    else:
        everything, _total = fetch(limit=_EVERYTHING, offset=0, **equal)
        matching = [row for word in everything if _matches(row := collection.show(word), asked.filters)]
        rows, total = matching[asked.offset : asked.offset + asked.limit], len(matching)
    counts = {"X-Total-Count": str(total), "X-Result-Count": str(len(rows))}
    return reply([project(row, asked.fields) for row in rows], headers=counts)


def chosen_fields(params: QueryParams, attributes: frozenset[str]) -> tuple[str, ...]:
    """Return the attributes that `fields=` names, or none when everything is wanted. Raises BadInput."""
    names = [name.strip() for value in params.getlist("fields") for name in value.split(",")]
    for name in names:
        _known(name, attributes)
    return tuple(names)


def project(row: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return the chosen attributes of a row, always with its id and href; `a.b` chooses within `a`."""
    if not fields:
        return row
    whole = {name for name in fields if "." not in name} | set(_ALWAYS)
    shown = {name: value for name, value in row.items() if name in whole}
    for name in fields:
        top, _, rest = name.partition(".")
        if rest and top in row and top not in whole:
            shown[top] = _merged(shown.get(top), _within(row[top], rest))
    return shown


def _read(params: QueryParams, attributes: frozenset[str]) -> Asked:
    filters: dict[str, set[str]] = {}
    for name, value in params.multi_items():
        if name in {"limit", "offset", "fields"}:
            continue
        _known(name, attributes)
        filters.setdefault(name, set()).update(part.strip() for part in value.split(","))
    return Asked(
        limit=min(_number(params, "limit", _DEFAULT_PAGE), LARGEST_PAGE),
        offset=_number(params, "offset", 0),
        fields=chosen_fields(params, attributes),
        filters={name: frozenset(values) for name, values in filters.items()},
    )


def _number(params: QueryParams, name: str, default: int) -> int:
    text = params.get(name, str(default))
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or int(text) > _LARGEST_OFFSET:
        raise BadInput(f"`{name}={text[:40]}` is no whole number from 0 to {_LARGEST_OFFSET}; send one")
    return int(text)


def _known(name: str, attributes: frozenset[str]) -> None:
    if name not in attributes:
        raise BadInput(f"there is no attribute `{name[:80]}` here; the attributes are {', '.join(sorted(attributes))}")


def _matches(row: Mapping[str, Any], filters: Mapping[str, frozenset[str]]) -> bool:
    return all(wanted & set(_values(row, path.split("."))) for path, wanted in filters.items())


def _values(value: Any, path: Sequence[str]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif path:
        if isinstance(value, Mapping) and path[0] in value:
            yield from _values(value[path[0]], path[1:])
    else:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def _within(value: Any, path: str) -> Any:
    top, _, rest = path.partition(".")
    if isinstance(value, list):
        return [_within(item, path) for item in value]
    if not isinstance(value, Mapping) or top not in value:
        return {}
    return {top: _within(value[top], rest) if rest else value[top]}


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, list) and isinstance(new, list):
        return [_merged(one, other) for one, other in zip(old, new, strict=True)]
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
    return new
