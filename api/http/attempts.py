"""Counts tries with wrong tokens, so that guessing is slow and flooding is cheap to refuse, and nobody is locked out.

Each source address has so many failures a minute. Beyond them it is refused before its tokens are looked at, except
for a token that was found right from there a short while ago: who shares an address with an attacker works on. An
account that many addresses try is guarded in the same way, but only from addresses that have failed lately: its holder,
at an address of good standing, always gets in. A right token wipes its address clean.

Nothing here decides who somebody is. It is kept in memory, bounded: the least recent is forgotten first. Times are of
the clock that nobody sets.
"""

import hashlib
import math
import threading
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from domain.clock import Clock
from domain.errors import TooManyTries

_WINDOW_S = 60.0
_REMEMBERED_S = 900.0
_MOST = 10_000
_PER_ACCOUNT = 5  # times as many failures as one address has
_SECRET_LENGTH = 43


class Attempts:
    """Thread-safe. `most`: failures of one address within a minute."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._failures: OrderedDict[str, list[float]] = OrderedDict()
        self._right: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def may_try(self, address: str, token: str) -> None:
        """Return when a token from an address is to be looked at. Raises TooManyTries."""
        source, account = _source(address), _claimed(token)
        with self._lock:
            now = self._clock.monotonic()
            mine = self._recent(source, now)
            theirs = self._recent(account, now) if account else []
            over = mine if len(mine) >= self._most else []
            if mine and len(theirs) >= self._most * _PER_ACCOUNT:
                over = over or theirs
            right_at = self._right.get(_mark(source, token))
            if not over or (right_at is not None and now - right_at < _REMEMBERED_S):
                return
            wait_s = max(1, math.ceil(over[0] + _WINDOW_S - now))
        raise TooManyTries(f"too many wrong tokens came from here; try again in {wait_s} s", wait_s=wait_s)

    def failed(self, address: str, token: str) -> None:
        """Count a wrong token."""
        with self._lock:
            now = self._clock.monotonic()
            for key, kept in ((_source(address), self._most), (_claimed(token), self._most * _PER_ACCOUNT)):
                if key:
                    self._failures[key] = [*self._recent(key, now), now][-kept:]
                    _bound(self._failures, key)
            self._right.pop(_mark(_source(address), token), None)

    def succeeded(self, address: str, token: str) -> None:
        """Wipe the address clean, and remember the token's mark (not the token)."""
        source = _source(address)
        with self._lock:
            self._failures.pop(source, None)
            mark = _mark(source, token)
            self._right[mark] = self._clock.monotonic()
            _bound(self._right, mark)

    def _recent(self, key: str, now: float) -> list[float]:
        return [at for at in self._failures.get(key, ()) if now - at < _WINDOW_S]


def _bound(held: "OrderedDict[str, list[float]] | OrderedDict[str, float]", key: str) -> None:
    held.move_to_end(key)
    while len(held) > _MOST:
        held.popitem(last=False)


def _source(address: str) -> str:
    """Return what one caller can be expected to have: an IPv4 address, or a whole /64 of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return f"at:{address[:64]}"
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return f"at:{int(found) >> 64:x}"
    return f"at:{found}"


def _claimed(token: str) -> str:
    """Return the id that a token of our own making claims, or nothing."""
    prefix, id = token[:4], token[4 : -_SECRET_LENGTH - 1]
    return f"id:{id}" if prefix in {"nct_", "nck_", "ncf_"} and 0 < len(id) <= 80 else ""


def _mark(source: str, token: str) -> str:
    return hashlib.sha256(f"{source}\0{token}".encode("utf-8", "surrogatepass")).hexdigest()
