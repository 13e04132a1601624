"""The keys that a provider publishes (JWKS, RFC 7517), kept for a while and read again seldom, whatever comes in.

Anybody can send tokens that name keys which nobody has. If each made us ask the provider, a stranger could have us
flood it; so it is asked at most once per `refetch_s`, by one thread, while the others go on with what is there. Ages
are of the clock that nobody sets: under a time of day that was set back, a withdrawn key would be believed for as long.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from adapters.identity.strict import Unreadable, decoded
from domain.clock import Clock
from domain.errors import Unavailable

PublicKey = RSAKey | ECKey | OKPKey

_MOST_KEYS = 64
_SMALLEST_RSA = 2048
_CURVES = ("P-256", "Ed25519")
_KINDS = ("RSA", "EC", "OKP")
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LONG_AGO_S = 1e9


class PublishedKeys:
    """Looks keys up by `kid`, in memory only. `fetch` returns a JWKS document or raises Unavailable."""

    def __init__(
        self, fetch: Callable[[], Mapping[str, Any]], clock: Clock, *, keys_s: float, refetch_s: float, stale_s: float
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys_s = keys_s
        self._refetch_s = refetch_s
        self._stale_s = stale_s
        self._keys: dict[str, PublicKey] = {}
        self._read_at: float | None = None
        self._asked_at = clock.monotonic() - _LONG_AGO_S
        self._asking = threading.Lock()

    def get(self, kid: str) -> PublicKey | None:
        """Return the key of this name, or None.

        Raises:
            Unavailable: there are no keys, or they are older than they may become.
        """
        if self._age() > self._keys_s or kid not in self._keys:
            self._refresh()
        if self._age() > self._keys_s + self._stale_s:
            raise Unavailable("the identity provider's keys cannot be had; try again in a moment")
        return self._keys.get(kid)

    def _age(self) -> float:
        return _LONG_AGO_S if self._read_at is None else self._clock.monotonic() - self._read_at

    def _refresh(self) -> None:
        """Read the keys again if it is time; wait for who is at it only while there is nothing to go on with."""
        if not self._asking.acquire(blocking=self._read_at is None):
            return
        try:
            now = self._clock.monotonic()
            if now - self._asked_at < self._refetch_s:
                return
            self._asked_at = now
            self._keys, self._read_at = usable(self._fetch()), now
        except Unavailable:
            return  # what is there serves on, for a while
        finally:
            self._asking.release()


def usable(document: Mapping[str, Any]) -> dict[str, PublicKey]:
    """Return the public signing keys of a JWKS document by name; what is weak, private, secret or nameless is left out.

    A name that stands twice is ambiguous, so neither is used.
    """
    listed = document.get("keys")
    rows = [row for row in listed[:_MOST_KEYS] if isinstance(row, dict)] if isinstance(listed, list) else []
    names = [row.get("kid") for row in rows]
    found: dict[str, PublicKey] = {}
    for row in rows:
        kid = row.get("kid")
        if isinstance(kid, str) and names.count(kid) == 1 and (key := _usable(row)) is not None:
            found[kid] = key
    return found


def _usable(row: dict[str, Any]) -> PublicKey | None:
    if row.get("kty") not in _KINDS or row.get("use", "sig") != "sig" or _PRIVATE & row.keys():
        return None
    try:
        weak = row["kty"] == "RSA" and int.from_bytes(decoded(row["n"].encode())).bit_length() < _SMALLEST_RSA
        key = None if weak else import_key(row)
    except (JoseError, Unreadable, ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(key, RSAKey):
        return key
    if isinstance(key, ECKey | OKPKey) and key.curve_name in _CURVES:
        return key
    return None
