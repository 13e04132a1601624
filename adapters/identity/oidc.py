"""Accounts that an OpenID Connect provider vouches for. We keep what it said of each last, and never a password.

An account is set down when it is first seen, because the record speaks of it, and brought up to date when a later token
says otherwise. Its name, and the human behind it, stay what they were at first: who asked for a plan under one name
must not be able to sign it under another.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import structlog

from adapters.identity.claims import account_id, actors_of, roles_of, says_roles, subject_of
from adapters.identity.local import SIGNING, UNKNOWN, account_entry
from adapters.identity.provider import Denied, Provider, endpoint
from adapters.identity.published_keys import PublishedKeys
from adapters.identity.secrets import hashed, make
from adapters.identity.signed import Untrue
from adapters.identity.tokens import check
from adapters.identity.trust import Trust
from control_plane.ports import Ledger, Written
from control_plane.tables import Tables
from domain.bookkeeping import Secret
from domain.clock import Clock
from domain.errors import NotAuthenticated, Refused
from domain.identity import Principal

_MOST_TOKENS = 4096
log = structlog.get_logger("identity")


class OidcIssuer:
    """Recognises the access tokens of one provider, and asks it whether an account still holds."""

    def __init__(self, trust: Trust, ledger: Ledger, clock: Clock) -> None:
        self._trust = trust
        self._ledger = ledger
        self._clock = clock
        self._provider = Provider(trust.issuer)
        self._keys = PublishedKeys(
            self._provider.keys, clock, keys_s=trust.keys_s, refetch_s=trust.refetch_s, stale_s=trust.stale_s
        )
        self._shown = _Shown()

    def authenticate(self, token: str) -> Principal:
        """Return the account that a token is about, or the one that acts for it.

        Raises:
            NotAuthenticated: the token proves nothing; always in the same words.
            Unavailable: the provider's keys cannot be had.
        """
        try:
            claims = check(token, self._trust, self._keys.get, self._clock.now())
            who = self._known(subject_of(claims, self._trust))
            for actor in reversed(actors_of(claims, self._trust)):
                who = self._acting(actor, who)
        except Untrue as error:
            log.info("refused", because=str(error))
            raise NotAuthenticated(UNKNOWN) from None
        self._shown.keep(who.id, token)
        return who

    def still_holds(self, who: Principal) -> None:
        """Ask the provider, now, whether the account is active and may still sign. Returns when it says so.

        Raises:
            Refused: it says no, or does not say.
            Unavailable: it does not answer.
        """
        token, root = self._shown.of(who.id), who
        while root.behind is not None:
            root = root.behind
        if token is None:
            raise Refused(f"`{who.name}` must log in again before this signature: `nocturne login`")
        try:
            claims = self._asked(token)
        except Denied:
            raise _gone(who) from None
        if not isinstance(claims.get("sub"), str) or account_id(self._trust.issuer, claims["sub"]) != root.id:
            raise _gone(who)
        if not says_roles(claims, self._trust):
            raise Refused("the identity provider does not say which roles remain; have it put them where it is asked")
        if not root.roles & SIGNING <= roles_of(claims, self._trust):
            raise _gone(who)

    def _asked(self, token: str) -> Mapping[str, Any]:
        """Return what userinfo (OpenID Connect Core 5.3) or introspection (RFC 7662) says of a token."""
        found, trust = self._provider.discover(), self._trust
        if trust.asked == "userinfo":
            return self._provider.get(endpoint(found, "userinfo_endpoint"), token=token)
        auth = (trust.our_id, trust.our_secret.get_secret_value())
        form = {"token": token, "token_type_hint": "access_token"}
        claims = self._provider.post(endpoint(found, "introspection_endpoint"), form, auth=auth)
        return claims if claims.get("active") is True else {}

    def _acting(self, subject: str, behind: Principal) -> Principal:
        """Return the account that acts for another; one that nobody set down or saw has no rights of its own."""
        stored = self._ledger.read(lambda tables: tables.principals.get(account_id(self._trust.issuer, subject)))
        if subject in self._trust.actors or stored is None:
            # a name of its own in each tenant, and never that of an account which has this subject by chance
            described = Principal(
                id=account_id(self._trust.issuer, f"actor:{behind.tenant}:{subject}"),
                name=f"sso:{subject}"[:100],
                roles=self._trust.actors.get(subject, frozenset()) - SIGNING,
                tenant=behind.tenant,
            )
        else:
            described = stored
        if described.tenant != behind.tenant:
            raise Untrue("who acts is of another tenant than the one that is acted for")
        return self._known(described).but(behind=behind)

    def _known(self, described: Principal) -> Principal:
        """Return the account as described, under the name that it always had; set it down where that is news."""
        stored, secret = self._ledger.read(
            lambda tables: (tables.principals.get(described.id), tables.secrets.get(described.id))
        )
        if secret is not None and secret.revoked_at is not None:
            raise Untrue("its account was revoked here")
        if stored is None or stored != _settled(described, stored):
            stored = self._ledger.do(lambda tables: self._set_down(tables, described))
        return stored.but(authenticated_at=described.authenticated_at)

    def _set_down(self, tables: Tables, described: Principal) -> Written[Principal]:
        before = tables.principals.get(described.id)
        if before is not None:
            after = _settled(described, before)
            tables.principals.swap(before, after)
            kind = "identity.account.changed"
        else:
            taken = tables.principals.count(name=described.name) > 0
            name = f"{described.name}#{described.id[-8:]}" if taken else described.name
            after = described.but(name=name, authenticated_at=None)
            tables.principals.add(after)
            nobody_has_it = hashed(make("", described.id).text)
            tables.secrets.add(Secret(id=after.id, hash=nobody_has_it, made_at=self._clock.now()))
            kind = "identity.account.seen"
        return Written(after, (account_entry(kind, after.name, after, self._clock),))


class _Shown:
    """The token that each account showed last, in memory only, to ask the provider about it. Bounded."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, account: str, token: str) -> None:
        with self._lock:
            self._tokens[account] = token
            self._tokens.move_to_end(account)
            while len(self._tokens) > _MOST_TOKENS:
                self._tokens.popitem(last=False)

    def of(self, account: str) -> str | None:
        with self._lock:
            return self._tokens.get(account)


def _settled(described: Principal, before: Principal) -> Principal:
    return described.but(name=before.name, person=before.person or described.person, authenticated_at=None)


def _gone(who: Principal) -> Refused:
    return Refused(f"the identity provider no longer vouches for `{who.name}`'s right to sign; log in again")
