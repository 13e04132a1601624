"""One canonical form (RFC 8785 JSON) and one digest (SHA-256) for everything that is hashed or signed."""

import hashlib
from typing import Any

import orjson
import rfc8785
from pydantic import BaseModel

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER  # beyond 2**53 an integer has no exact double, and so no canonical form
    | orjson.OPT_PASSTHROUGH_DATACLASS  # only plain data has a canonical form
    | orjson.OPT_PASSTHROUGH_DATETIME
)
#: What orjson writes as RFC 8785 asks, in whatever it stands.
_SCALARS = frozenset({str, int, bool, type(None)})


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a word or of plain JSON data.

    Raises:
        rfc8785.CanonicalizationError: the value holds NaN, an infinity or an integer beyond 2**53.
    """
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    try:
        written = orjson.dumps(plain, option=_OPTIONS)
    except TypeError:  # it has no canonical form, which the library says in its own words, or is rarely met
        return rfc8785.dumps(plain)
    return written if _is_simple(plain) else rfc8785.dumps(plain)


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical form as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _is_simple(value: Any) -> bool:
    """Say whether orjson, which is many times as fast, writes `value` as RFC 8785 asks.

    It writes floats, and NaN, in its own way, and sorts names by code point instead of by UTF-16 unit: the same for
    ASCII.
    """
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is dict:
        parts = value.values()
        return all(map(str.isascii, value)) and (_SCALARS.issuperset(map(type, parts)) or all(map(_is_simple, parts)))
    if kind is list or kind is tuple:
        return _SCALARS.issuperset(map(type, value)) or all(map(_is_simple, value))
    return isinstance(value, str)  # a word of an enumeration is written as the text that it is
