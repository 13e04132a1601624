"""The one format of artefacts: safetensors (8 bytes of length, a JSON header, raw numbers), float32 and nothing else.

The format cannot carry code. What is not exactly that format is refused before any library sees it.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from domain.errors import BadInput

Floats = NDArray[np.float32]

MOST_BYTES = 32 * 2**20
_MOST_HEADER = 2**20
_PREFIX = 8
_PARTS = {"dtype", "shape", "data_offsets"}
_STRANGERS = ((b"\x80", "a pickle"), (b"PK", "a zip archive"), (b"\x1f\x8b", "a gzip file"))


def written(tensors: Mapping[str, Floats]) -> bytes:
    """Return tensors as safetensors bytes; the same tensors give the same bytes."""
    return save({name: np.asarray(value, np.float32, order="C") for name, value in tensors.items()})


def read(artefact: bytes) -> dict[str, Floats]:
    """Return the tensors of an artefact.

    Raises:
        BadInput: it is too large, or not safetensors with finite float32 numbers only.
    """
    _check(artefact)
    try:
        tensors: dict[str, Floats] = load(artefact)
    except (SafetensorError, ValueError) as error:
        raise _not_tensors(str(error)) from error
    strange = sorted(name for name, value in tensors.items() if not np.isfinite(value).all())
    if strange:
        raise BadInput(f"tensor `{strange[0][:64]}` holds what is no number; train the version again")
    return tensors


def _check(artefact: bytes) -> None:
    """Refuse what is not, byte for byte, a header and the numbers that it names."""
    if len(artefact) > MOST_BYTES:
        raise BadInput(f"an artefact has at most {MOST_BYTES} bytes, not {len(artefact)}; train a smaller version")
    length = int.from_bytes(artefact[:_PREFIX], "little")
    room = len(artefact) - _PREFIX
    if not 0 < length <= min(room, _MOST_HEADER):
        raise _not_tensors(_looks_like(artefact))
    spans = _spans(artefact[_PREFIX : _PREFIX + length])
    if not spans:
        raise _not_tensors("the header names none")
    end = 0
    for name, (begin, stop, size) in sorted(spans.items(), key=_by_place):
        if begin != end or stop - begin != size:
            raise _not_tensors(f"tensor `{name[:64]}` lies where it should not")
        end = stop
    if end != room - length:
        raise _not_tensors(f"{room - length} bytes of numbers are there, and the header names {end}")


def _spans(header: bytes) -> dict[str, tuple[int, int, int]]:
    """Return name → (begin, end, bytes that the shape needs)."""
    try:
        parts = json.loads(header, object_pairs_hook=_without_repeats)
        return {name: _span(name, part) for name, part in parts.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _not_tensors(str(error)) from error


def _span(name: str, part: Any) -> tuple[int, int, int]:
    if not isinstance(part, dict) or set(part) != _PARTS:
        raise ValueError(f"`{name[:64]}` in the header is no tensor")
    if part["dtype"] != "F32":
        raise ValueError(f"tensor `{name[:64]}` is {str(part['dtype'])[:16]}, and only F32 is taken")
    shape, (begin, end) = part["shape"], part["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
        raise ValueError(f"tensor `{name[:64]}` has no sound shape and place")
    return begin, end, 4 * math.prod(shape)


def _by_place(item: tuple[str, tuple[int, int, int]]) -> tuple[int, int]:
    return item[1][:2]


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("the header names something twice")
    return dict(pairs)


def _looks_like(artefact: bytes) -> str:
    found = next((what for begin, what in _STRANGERS if artefact.startswith(begin)), "")
    return f"it begins like {found}" if found else "it is cut off, or no such file at all"


def _not_tensors(why: str) -> BadInput:
    return BadInput(f"not tensors: {why[:200]}; only safetensors files with float32 numbers are taken")
