"""JSON from outside, read strictly: UTF-8, bounded nesting, and what I-JSON (RFC 7493) says is read in one way only.

Python's own reader takes NaN, keeps the last of two equal keys, rounds large integers somewhere later and
falls over at great depth. Here each of these is a `BadInput` with a code of its own.
"""

import json
import re
from functools import partial
from typing import Any, NoReturn

from domain.errors import BadInput, TooLarge

#: Beyond this, a JSON number means different things to different readers (RFC 7493, section 2.2).
LARGEST_INTEGER = 2**53

_PARTS_PER_ITEM = 20

# strings without escapes, of which nothing but quotes and brackets is left; an unterminated one is taken whole
_STRING = re.compile(rb'"[^"]*+(?:"|\Z)')
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))
_PIECE = 64 * 1024
_SURROGATE = re.compile(r"\\u[dD][89abAB]")


def read(body: bytes, max_depth: int = 64, max_items: int | None = None) -> Any:
    """Return what `body` says.

    Raises:
        TooLarge: a list that is the whole, or a member of an object, holds more than `max_items`,
            or there are more than 20 times as many lists and objects in all.
        BadInput: it is not UTF-8 (`not_utf8`), too deep (`too_deep`), not JSON (`not_json`), says a key twice
            (`duplicate_key`), or holds a number (`bad_number`) or a string (`bad_text`) that cannot be kept exactly.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"the body is not UTF-8 at byte {error.start}; send UTF-8", code="not_utf8") from None
    brackets = _brackets(body)
    if max_items is not None and brackets.count(b"[") > _PARTS_PER_ITEM * max_items:
        raise TooLarge("the body holds too many lists and objects; send it in parts")
    if _deeper_than(brackets, max_depth):
        raise BadInput(f"the body is nested deeper than {max_depth} levels; send it flatter", code="too_deep")
    try:
        value = json.loads(
            text,
            object_pairs_hook=partial(_object, max_items),
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadInput(f"the body is not JSON at {where}; send JSON", code="not_json") from None
    _check_length(value, max_items)
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


def _brackets(body: bytes) -> bytes:
    """Return the brackets that stand outside of strings, all as `[` and `]`.

    Piece by piece, because the regular expression holds all that is between two strings at once: on a body of nothing
    but quotes that was forty times the body.
    """
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_BRACKETS, _NOT_BRACKETS)
    found, inside = bytearray(), b""
    for start in range(0, len(bare), _PIECE):
        piece = inside + bare[start : start + _PIECE]
        found += _STRING.sub(b"", piece)
        inside = b'"' if piece.count(b'"') % 2 else b""
    return bytes(found)


def _deeper_than(brackets: bytes, limit: int) -> bool:
    """Say whether brackets are nested deeper than `limit`: each round takes the innermost level away."""
    for _level in range(limit):
        if not brackets:
            return False
        shorter = brackets.replace(b"[]", b"")
        if len(shorter) == len(brackets):  # unbalanced: the reader will say so, unless it is too deep as well
            return len(brackets) > limit
        brackets = shorter
    return bool(brackets)


def _check_length(value: Any, most: int | None) -> None:
    if most is not None and type(value) is list and len(value) > most:
        raise TooLarge(f"a list holds more than {most} items; send them in parts")


def _object(max_items: int | None, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    for value in found.values():
        _check_length(value, max_items)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadInput(f"key `{twice[:80]}` stands twice in one object; send it once", code="duplicate_key")
    return found


def _constant(name: str) -> NoReturn:
    raise BadInput(f"`{name}` is no JSON number; leave out or send null for what is unknown", code="bad_number")


def _float(digits: str) -> float:
    value = float(digits)
    if value in {float("inf"), float("-inf")}:
        raise BadInput(f"number `{digits[:40]}` is too large to be kept", code="bad_number")
    return value


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(value := int(digits)) > LARGEST_INTEGER:
        raise BadInput(
            f"integer `{digits[:40]}` is beyond 2**53 and cannot be kept exactly; send it as a string",
            code="bad_number",
        )
    return value


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadInput("a string holds half a surrogate pair; send whole characters", code="bad_text") from None
