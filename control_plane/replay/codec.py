"""How answers of the world are written on a tape: plain JSON, each value with its kind where JSON cannot tell."""

import base64
import importlib
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import numpy as np

from domain import errors
from domain.base import Word
from domain.errors import BadInput, NocturneError
from twin.snapshot import Snapshot

_PLAIN = (str, int, float, bool, type(None))


def encode(value: Any) -> Any:
    """Return plain JSON data for a value.

    Raises:
        BadInput: a value of this kind cannot be kept.
    """
    if type(value) in _PLAIN:
        return value
    for kind, write in _ENCODERS:
        if isinstance(value, kind):
            return write(value)
    raise BadInput(f"a `{type(value).__name__}` cannot be pinned; ask the world for words and numbers")


def _packed(array: Any) -> dict[str, Any]:
    raw = zlib.compress(np.ascontiguousarray(array, np.float64).tobytes())
    return {"array": list(array.shape), "is": base64.b64encode(raw).decode()}


_ENCODERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Word, lambda word: {"word": _name(type(word)), "is": word.model_dump(mode="json")}),
    (Enum, lambda member: {"enum": _name(type(member)), "is": member.value}),
    (datetime, lambda moment: {"time": moment.isoformat()}),
    (Snapshot, lambda snapshot: {"snapshot": snapshot.digest}),
    (NocturneError, lambda e: {"error": type(e).__name__, "is": e.reason, "code": e.error_code}),
    (np.ndarray, _packed),
    (np.floating | np.integer, lambda number: number.item()),
    (Mapping, lambda pairs: {"map": [[encode(key), encode(item)] for key, item in pairs.items()]}),
    (set | frozenset, lambda items: {"set": sorted((encode(item) for item in items), key=repr)}),
    (tuple, lambda items: {"tuple": [encode(item) for item in items]}),
    (list, lambda items: {"list": [encode(item) for item in items]}),
)


def decode(plain: Any, snapshots: Mapping[str, Snapshot]) -> Any:
    """Return the value that `encode` wrote; a snapshot comes from `snapshots` by its digest.

    Raises:
        BadInput: it is not what `encode` writes, or the snapshot is not there.
    """
    if type(plain) in _PLAIN:
        return plain
    try:
        kind = next(iter(plain))
        return _DECODERS[kind](plain, snapshots)
    except (KeyError, TypeError, ValueError, StopIteration, AttributeError, zlib.error) as error:
        raise BadInput(f"what is pinned cannot be read: {type(error).__name__} {str(error)[:200]}") from error


def _word(plain: Any, _snapshots: Mapping[str, Snapshot]) -> Any:
    return _named(plain["word"], Word).model_validate(plain["is"])


def _enum(plain: Any, _snapshots: Mapping[str, Snapshot]) -> Any:
    return _named(plain["enum"], Enum)(plain["is"])


def _error(plain: Any, _snapshots: Mapping[str, Snapshot]) -> NocturneError:
    found = getattr(errors, plain["error"])
    if not (isinstance(found, type) and issubclass(found, NocturneError)):
        raise TypeError(plain["error"])
    return found(plain["is"], code=plain["code"])


def _array(plain: Any, _snapshots: Mapping[str, Snapshot]) -> Any:
    packed = zlib.decompress(base64.b64decode(plain["is"], validate=True))
    return np.frombuffer(packed, np.float64).reshape(plain["array"]).copy()


_DECODERS: dict[str, Any] = {
    "word": _word,
    "enum": _enum,
    "time": lambda plain, _: datetime.fromisoformat(plain["time"]),
    "snapshot": lambda plain, snapshots: snapshots[plain["snapshot"]],
    "error": _error,
    "array": _array,
    "map": lambda plain, at: {decode(key, at): decode(item, at) for key, item in plain["map"]},
    "set": lambda plain, at: frozenset(decode(item, at) for item in plain["set"]),
    "tuple": lambda plain, at: tuple(decode(item, at) for item in plain["tuple"]),
    "list": lambda plain, at: [decode(item, at) for item in plain["list"]],
}


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _named(name: str, base: type) -> Any:
    """Return a class of our words by its name; nothing else is ever looked up."""
    module, _, attribute = name.partition(":")
    if module.split(".")[0] not in {"domain", "control_plane"}:
        raise ValueError(name)
    found = getattr(importlib.import_module(module), attribute)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise TypeError(name)
    return found
