"""Reads a signed token (JWS compact form, RFC 7515) and checks who signed it; what it claims is for others to judge.

Until the signature holds, nothing of what the token says is used but the name of its key, and that only to look into a
table in memory. A header that would have us fetch or believe a key from elsewhere (`jku`, `x5u`, `jwk`, `x5c`) or that
changes what is signed (`crit`, `b64`) is refused, as is any that we do not know.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from adapters.identity.published_keys import PublicKey
from adapters.identity.strict import Unreadable, decoded, read_object

LONGEST = 8192
_HEADERS = frozenset({"alg", "typ", "kid", "x5t", "x5t#S256"})
_KEY_TYPES = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
_LONGEST_ID = 256


class Untrue(Exception):
    """The token proves nothing. The reason is for our log; callers hear the same sentence for each."""


class _Algorithms(JWSRegistry):
    """RFC 9864 renames EdDSA, and providers still say it; the library's warning about that is no news to callers."""

    def get_alg(self, name: str) -> Any:
        if not self.allowed or name not in self.allowed:
            raise Untrue("its algorithm is not allowed")
        return self.algorithms[name]


def signed_claims(
    token: str, algorithms: Collection[str], types: Collection[str | None], key_of: Callable[[str], PublicKey | None]
) -> dict[str, Any]:
    """Return the claims of a token that a published key signed.

    Args:
        token: in compact form.
        algorithms: those of RS256, ES256 and EdDSA that are allowed.
        types: what its header may say that it is, in lower case; None: it may say nothing.
        key_of: finds a published key by its name.

    Raises:
        Untrue: it is not of this form, or nobody known signed it.
        Unavailable: the keys that could tell cannot be had.
    """
    header, claims = _opened(token)
    algorithm = _check_header(header, algorithms, types)
    key = key_of(header["kid"])
    if key is None:
        raise Untrue("nobody publishes its key")
    if key.key_type != _KEY_TYPES[algorithm] or (key.alg is not None and key.alg != algorithm):
        raise Untrue("its algorithm is not that of its key")
    try:
        jws.deserialize_compact(token, key, registry=_Algorithms(algorithms=[algorithm], strict_check_header=False))
    except (JoseError, ValueError, TypeError):
        raise Untrue("its signature does not hold") from None
    return claims


def _opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    segments = token.encode("ascii", errors="replace").split(b".")
    if len(token) > LONGEST or len(segments) != 3:
        raise Untrue("it is no signed token")
    try:
        header, claims, _signature = (decoded(segment) for segment in segments)
        return read_object(header), read_object(claims)
    except Unreadable as error:
        raise Untrue(str(error)) from None


def _check_header(header: Mapping[str, Any], algorithms: Collection[str], types: Collection[str | None]) -> str:
    algorithm, type_, kid = header.get("alg"), header.get("typ"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Untrue("its algorithm is not allowed")
    if header.keys() - _HEADERS:
        raise Untrue("its header says more than it should")
    if (type_.lower() if isinstance(type_, str) else type_) not in types:
        raise Untrue("it is a token of another kind")
    if not is_text(kid):
        raise Untrue("it names no key")
    return algorithm


def is_text(value: object) -> bool:
    """Say whether a claim is a text that can stand in a name."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable()
