"""Secrets of our own making, and what is kept of them.

A secret is `<prefix><id>_<43 characters>`: the prefix says to people and to scanners of leaked secrets what it is, the
id says whose, and 256 random bits follow. It is shown once and kept only as SHA-256: what cannot be guessed needs no
slow password hash, which would add nothing but time to every request.
"""

import hashlib
import hmac
import secrets
from typing import NamedTuple

from control_plane.tables import Tables
from domain.identity import Principal

TOKEN, KEY, PROOF = "nct_", "nck_", "ncf_"
PREFIXES = (TOKEN, KEY, PROOF)

_SECRET_BYTES = 32
_SECRET_LENGTH = 43  # of 32 bytes in URL-safe base64 without padding
_LONGEST = 128
_NO_HASH = "0" * 64  # compared with when there is no such id, so that both cases take the same time
_DEEPEST = 4  # an account that acts for one that acts for one …


class Fresh(NamedTuple):
    """A secret in the only moment in which it is known whole, and its hash."""

    text: str
    hash: str


def make(prefix: str, id: str) -> Fresh:
    """Return a new secret of something."""
    text = secrets.token_urlsafe(_SECRET_BYTES)
    return Fresh(f"{prefix}{id}_{text}", hashed(text))


def hashed(text: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(text.encode()).hexdigest()


def parts(prefix: str, text: str) -> tuple[str, str]:
    """Return id and secret of a text; two empty texts when it has not the form of one."""
    in_form = text.startswith(prefix) and text.isascii() and text.isprintable() and len(text) <= _LONGEST
    body, presented = text[len(prefix) : -_SECRET_LENGTH], text[-_SECRET_LENGTH:]
    return (body.removesuffix("_"), presented) if in_form and body.endswith("_") else ("", "")


def matches(presented: str, kept: str | None) -> bool:
    """Say whether a presented secret is the one whose hash is kept, in the same time whatever the answer."""
    return hmac.compare_digest(hashed(presented), kept or _NO_HASH)


def living(tables: Tables, account: str, deepest: int = _DEEPEST) -> Principal | None:
    """Return an account as it stands now, with those it acts for; None where one of them has been revoked."""
    principal, secret = tables.principals.get(account), tables.secrets.get(account)
    if principal is None or secret is None or secret.revoked_at is not None or deepest == 0:
        return None
    if principal.behind is None:
        return principal
    behind = living(tables, principal.behind.id, deepest - 1)
    return principal.but(behind=behind) if behind else None
