"""Identifiers: opaque, sortable by time of birth, and prefixed by what they name (`inc_01k…`).

The body is a ULID (48 bits of milliseconds, 80 random bits) in lower-case Crockford base 32.
"""

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def new_id(prefix: str, at: datetime) -> str:
    """Return a new identifier, for example `prop_01k9…`; ids of later milliseconds sort after earlier ones."""
    return _written(prefix, at, secrets.randbits(80))


def lowest_id(prefix: str, at: datetime) -> str:
    """Return the id that no id made at `at` or later sorts before: a bound for "older than"."""
    return _written(prefix, at, 0)


def _written(prefix: str, at: datetime, rest: int) -> str:
    number = (int(at.timestamp() * 1000) << 80) | rest
    body = "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
    return f"{prefix}_{body}"
