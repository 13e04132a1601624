"""Identifiers: opaque, sortable by time of birth, and prefixed by what they name (`inc_01k…`).

The body is a monotonic ULID (48 bits of milliseconds, 80 random bits; https://github.com/ulid/spec) in lower-case
Crockford base 32: those that one process makes in the same millisecond sort in the order of their making.
"""

import secrets
import threading
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


_RANDOM_BITS, _STEP_BITS = 80, 48


class _Numbers:
    """The numbers behind the ids of this process."""

    def __init__(self) -> None:
        self._taking = threading.Lock()
        self._last = 0

    def next(self, begins: int) -> int:
        """Return a number of the millisecond that begins there, above the last one if that is of the same."""
        with self._taking:
            if self._last >> _RANDOM_BITS == begins >> _RANDOM_BITS:
                self._last += 1 + secrets.randbits(_STEP_BITS)
            else:
                self._last = begins | secrets.randbits(_RANDOM_BITS - 1)
            return self._last


_numbers = _Numbers()


def new_id(prefix: str, at: datetime) -> str:
    """Return a new identifier, for example `prop_01k9…`; it sorts behind those made before of the same millisecond."""
    return _written(prefix, _numbers.next(_number(at)))


def lowest_id(prefix: str, at: datetime) -> str:
    """Return the id that no id made at `at` or later sorts before: a bound for "older than"."""
    return _written(prefix, _number(at))


def _number(at: datetime) -> int:
    return int(at.timestamp() * 1000) << _RANDOM_BITS


def _written(prefix: str, number: int) -> str:
    body = "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
    return f"{prefix}_{body}"
