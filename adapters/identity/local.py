"""The embedded default for accounts: our own, for a server that only this machine can reach.

A token is `nct_<account id>_<43 characters>`: 256 random bits, shown once, kept only as SHA-256. Such a secret cannot
be guessed, so a slow password hash would add nothing but time to every request.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from control_plane.ports import Ledger, Written
from control_plane.tables import Tables
from domain.bookkeeping import Secret
from domain.clock import Clock
from domain.errors import BadInput, Conflict, NotAuthenticated, NotFound
from domain.identity import Principal, Role
from domain.ids import new_id
from domain.records import Entry

_PREFIX = "nct_"
_SECRET_BYTES = 32
_SECRET_LENGTH = 43  # of 32 bytes in URL-safe base64 without padding
_LONGEST_TOKEN = 128
_LONGEST_NAME = 128
_NO_HASH = "0" * 64  # compared with when there is no such account, so that both cases take the same time
_UNKNOWN = "this token is not known here; ask for a new one, and send it as `Authorization: Bearer nct_…`"


class LocalIssuer:
    """Makes accounts and recognises their tokens. Accounts are recorded; secrets never are."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def issue(
        self, name: str, roles: Iterable[Role], person: str = "", *, tenant: str = "default", by: str = "operator"
    ) -> tuple[Principal, str]:
        """Make an account and return it with its token, which cannot be had a second time.

        Raises:
            BadInput: the name is empty, too long or unprintable, or the roles do not go together.
            Conflict: the name is taken.
        """
        held = frozenset(roles)
        _require_sense(name, held, person)
        principal = Principal(id=new_id("acc", self._clock.now()), name=name, person=person, roles=held, tenant=tenant)
        token, secret = self._fresh(principal.id)

        def change(tables: Tables) -> Written[None]:
            if tables.principals.count(name=name):
                raise Conflict(f"an account named `{name}` exists already; renew its token, or choose another name")
            tables.principals.add(principal)
            tables.secrets.add(secret)
            return Written(None, (self._entry("identity.account.issued", by, principal),))

        self._ledger.do(change)
        return principal, token

    def authenticate(self, token: str) -> Principal:
        """Return the account whose token this is. Raises NotAuthenticated, always in the same words."""
        account_id, presented = _parts(token)
        principal, secret = self._ledger.read(
            lambda tables: (tables.principals.get(account_id), tables.secrets.get(account_id))
        )
        right = hmac.compare_digest(_hash(presented), secret.hash if secret else _NO_HASH)
        if not right or principal is None or secret is None or secret.revoked_at is not None:
            raise NotAuthenticated(_UNKNOWN)
        return principal

    def renew(self, principal_id: str, *, by: str = "operator") -> str:
        """Return a new token for an account; the old one ends, and a revoked account lives again."""
        token, secret = self._fresh(principal_id)
        self._replace(principal_id, secret, "identity.account.renewed", by)
        return token

    def revoke(self, principal_id: str, *, by: str = "operator") -> None:
        """End an account's token. The account stays, because the record speaks of it."""
        self._replace(principal_id, None, "identity.account.revoked", by)

    def named(self, name: str) -> Principal | None:
        """Return the account of this name, or None."""
        found = self._ledger.read(lambda tables: tables.principals.find(name=name, limit=1))
        return found[0] if found else None

    def _replace(self, principal_id: str, secret: Secret | None, kind: str, by: str) -> None:
        """Put another secret in the place of an account's, or revoke the one it has."""

        def change(tables: Tables) -> Written[None]:
            principal, old = tables.principals.get(principal_id), tables.secrets.get(principal_id)
            if principal is None or old is None:
                raise NotFound(f"there is no account `{principal_id}`; look at the list of accounts")
            tables.secrets.swap(old, secret or old.but(revoked_at=old.revoked_at or self._clock.now()))
            return Written(None, (self._entry(kind, by, principal),))

        self._ledger.do(change)

    def _fresh(self, principal_id: str) -> tuple[str, Secret]:
        text = secrets.token_urlsafe(_SECRET_BYTES)
        return f"{_PREFIX}{principal_id}_{text}", Secret(id=principal_id, hash=_hash(text), made_at=self._clock.now())

    def _entry(self, kind: str, by: str, principal: Principal) -> Entry:
        fields = {
            "name": principal.name,
            "person": principal.person,
            "roles": sorted(str(role) for role in principal.roles),
        }
        return Entry(
            kind=kind,
            actor=by,
            refs=(principal.id,),
            fields=fields,
            event_time=self._clock.now(),
            tenant=principal.tenant,
        )


def _require_sense(name: str, roles: frozenset[Role], person: str) -> None:
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadInput(f"an account's name has 1 to {_LONGEST_NAME} printable characters; choose another")
    if not roles:
        raise BadInput(f"the account `{name}` has no role and could do nothing; give it one")
    if {Role.APPROVER, Role.AGENT} <= roles:
        raise BadInput(f"the account `{name}` cannot be both agent and approver: no agent approves anything")
    if Role.APPROVER in roles and not person:
        raise BadInput(f"the approver `{name}` needs a person: two approvals are two people, not two accounts")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _parts(token: str) -> tuple[str, str]:
    """Return account id and secret of a token; two empty texts when it has not the form of one."""
    in_form = token.startswith(_PREFIX) and token.isascii() and token.isprintable() and len(token) <= _LONGEST_TOKEN
    body, presented = token[len(_PREFIX) : -_SECRET_LENGTH], token[-_SECRET_LENGTH:]
    return (body.removesuffix("_"), presented) if in_form and body.endswith("_") else ("", "")
