"""One canonical form (RFC 8785 JSON) and one digest (SHA-256) for everything that is hashed or signed."""

import hashlib
from typing import Any

import rfc8785
from pydantic import BaseModel


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a word or of plain JSON data.

    Raises:
        rfc8785.CanonicalizationError: the value holds NaN, an infinity or an integer beyond 2**53.
    """
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return rfc8785.dumps(plain)


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical form as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
