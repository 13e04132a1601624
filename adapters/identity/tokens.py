"""Checks the tokens of a provider: access tokens (RFC 9068, `typ: at+jwt`) and, for our own login, id tokens.

The two are never taken for each other: one says what somebody may do here, the other only who just logged in there.
"""

import hmac
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.identity.published_keys import PublicKey
from adapters.identity.signed import Untrue, is_text, signed_claims
from adapters.identity.trust import Trust

_ACCESS = frozenset({"at+jwt", "application/at+jwt"})
_IDENTITY = frozenset({"jwt", None})
_ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
_LEEWAY_S = 10.0


def check(token: str, trust: Trust, key_of: Callable[[str], PublicKey | None], now: datetime) -> dict[str, Any]:
    """Return the claims of an access token that holds at `now`.

    Raises:
        Untrue: it does not hold.
        Unavailable: the keys that could tell cannot be had.
    """
    claims = signed_claims(token, trust.algorithms, _ACCESS, key_of)
    _check_claims(claims, trust, now.timestamp())
    return claims


def check_login(
    token: str, issuer: str, client: str, nonce: str, key_of: Callable[[str], PublicKey | None], now: datetime
) -> dict[str, Any]:
    """Return the claims of the id token that answers our own login (OpenID Connect Core, section 3.1.3.7).

    Raises:
        Untrue: it answers another login, or none.
        Unavailable: the keys that could tell cannot be had.
    """
    claims = signed_claims(token, _ALGORITHMS, _IDENTITY, key_of)
    audience = claims.get("aud")
    ours = audience in (client, [client])
    if claims.get("iss") != issuer or not ours or claims.get("azp", client) != client or not is_text(claims.get("sub")):
        raise Untrue("the id token is of another login")
    if not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
        raise Untrue("the id token answers another login")
    _check_times(claims, math.inf, _LEEWAY_S, now.timestamp())
    return claims


def _check_claims(claims: Mapping[str, Any], trust: Trust, now: float) -> None:
    if claims.get("iss") != trust.issuer:
        raise Untrue("it is of another issuer")
    audience = claims.get("aud")
    if trust.audience not in (audience if isinstance(audience, list) else [audience]):
        raise Untrue("it is for somebody else")
    if not is_text(claims.get("sub")):
        raise Untrue("it is about nobody")
    _check_times(claims, trust.longest_token_s, trust.leeway_s, now)
    _check_client(claims, trust)


def _check_times(claims: Mapping[str, Any], longest_s: float, leeway_s: float, now: float) -> None:
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    if expires is None or issued is None:
        raise Untrue("it does not say from when to when it holds")
    if now >= expires + leeway_s:
        raise Untrue("it expired")
    if max(issued, _moment(claims, "nbf") or issued) > now + leeway_s:
        raise Untrue("it does not hold yet")
    if expires - issued > longest_s:
        raise Untrue("it holds for too long")


def _check_client(claims: Mapping[str, Any], trust: Trust) -> None:
    named = {claims[name] for name in ("azp", "client_id") if is_text(claims.get(name))}
    given = [name for name in ("azp", "client_id") if name in claims]
    known = trust.clients | trust.machines | trust.actors.keys()
    if len(named) != 1 or not all(is_text(claims[name]) for name in given) or not named <= known:
        raise Untrue("it was made for a client that has no business here")


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a NumericDate (seconds since 1970); None where there is none. Raises Untrue for anything else."""
    value = claims.get(name)
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value < 1e12
        or not math.isfinite(value)
    ):
        raise Untrue(f"its `{name}` is no time")
    return float(value)
