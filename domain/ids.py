"""Identifiers: opaque, sortable by time of birth, and prefixed by what they name (`inc_01k…`).

The body is a ULID (48 bits of milliseconds, 80 random bits) in lower-case Crockford base 32.
"""

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str, at: datetime) -> str:
    """Return a new identifier, for example `prop_01k9…`; ids of later milliseconds sort after earlier ones."""
    number = (int(at.timestamp() * 1000) << 80) | secrets.randbits(80)
    body = "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
    return f"{prefix}_{body}"
