"""JSON and base64 of tokens, read in one way only: what two readers could read differently is refused."""

import base64
import json
import re
from typing import Any, NoReturn

_SEGMENT = re.compile(rb"[A-Za-z0-9_-]*")


class Unreadable(Exception):
    """It cannot be read, or in more than one way."""


def read_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object that `text` is.

    Raises:
        Unreadable: it is not UTF-8, no JSON, no object, says a key twice, holds NaN, or is nested too deep.
    """
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON that can be read in one way") from None
    if not isinstance(value, dict):
        raise Unreadable("it is no JSON object")
    return value


def decoded(segment: bytes) -> bytes:
    """Return what a base64url segment without padding holds. Raises Unreadable."""
    if not _SEGMENT.fullmatch(segment) or len(segment) % 4 == 1:
        raise Unreadable("it is not base64url")
    content = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    if base64.urlsafe_b64encode(content).rstrip(b"=") != segment:
        raise Unreadable("its last bits can be written in more than one way")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise Unreadable("it says a key twice")
    return held


def _refuse(constant: str) -> NoReturn:
    raise Unreadable(f"it holds {constant}")
