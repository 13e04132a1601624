"""Everybody who vouches for an account here, side by side: told apart by the form of what is shown."""

from collections.abc import Iterable
from datetime import timedelta

from adapters.identity import secrets
from adapters.identity.claims import OURS_OF_PROVIDER
from adapters.identity.keys import FeedKeys
from adapters.identity.local import UNKNOWN, LocalIssuer
from adapters.identity.oidc import OidcIssuer
from adapters.identity.proofs import FreshProofs
from adapters.identity.trust import Trust
from control_plane.ports import Ledger
from domain.clock import Clock
from domain.credentials import Credential
from domain.errors import BadInput, NotAuthenticated, Refused
from domain.identity import EVERYWHERE, Principal, Role, Scope


class Issuers:
    """Local tokens and proofs (only where nobody beyond this machine can knock), feeds' keys, and one provider."""

    def __init__(self, ledger: Ledger, clock: Clock, *, trust: Trust | None = None, at_home: bool = True) -> None:
        self.local = LocalIssuer(ledger, clock)
        self.keys = FeedKeys(ledger, clock)
        self.proofs = FreshProofs(self.local, ledger, clock)
        self._provider = OidcIssuer(trust, ledger, clock) if trust else None
        self._at_home = at_home
        self._ledger = ledger

    def authenticate(self, token: str) -> Principal:
        """Return the account behind what is shown.

        Raises:
            NotAuthenticated: there is none; always in the same words.
            Unavailable: who could tell does not answer.
        """
        if token.startswith(secrets.KEY):
            return self.keys.authenticate(token)
        if self._at_home and token.startswith(secrets.TOKEN):
            return self.local.authenticate(token)
        if self._at_home and token.startswith(secrets.PROOF):
            return self.proofs.authenticate(token)
        if self._provider is not None and not token.startswith(secrets.PREFIXES):
            return self._provider.authenticate(token)
        raise NotAuthenticated(UNKNOWN)

    def still_holds(self, who: Principal) -> None:
        """Return when whoever vouches for the account says that it may still sign, now. Raises Refused, Unavailable."""
        if who.id.startswith(OURS_OF_PROVIDER) and self._provider is not None:
            self._provider.still_holds(who)
            return
        now = self._ledger.read(lambda tables: secrets.living(tables, who.id))
        if now is None or not who.roles <= now.roles:
            raise Refused(f"the account `{who.name}` has lost the right to sign; ask whoever keeps the accounts")

    def issue(
        self,
        name: str,
        roles: Iterable[Role],
        person: str = "",
        *,
        tenant: str = "default",
        scope: Scope = EVERYWHERE,
        behind: str = "",
        by: str = "operator",
    ) -> tuple[Principal, str]:
        """Make a local account; see `LocalIssuer.issue`."""
        return self.local.issue(name, roles, person, tenant=tenant, scope=scope, behind=behind, by=by)

    def renew(self, principal_id: str, *, by: str = "operator") -> str:
        """Return an account's next token; empty for one of the provider, which is only let in again."""
        token = self.local.renew(principal_id, by=by)
        return "" if principal_id.startswith(OURS_OF_PROVIDER) else token

    def revoke(self, principal_id: str, *, by: str = "operator") -> None:
        """End everything that an account can show, whoever vouches for it."""
        self.local.revoke(principal_id, by=by)

    def issue_key(self, account: str, label: str, holds: timedelta, *, by: str) -> tuple[Credential, str]:
        """Make a key for a feed; see `FeedKeys.issue`."""
        return self.keys.issue(account, label, holds, by=by)

    def rotate_key(self, key_id: str, overlap: timedelta, holds: timedelta, *, by: str) -> tuple[Credential, str]:
        """Make the key that follows one; see `FeedKeys.rotate`."""
        return self.keys.rotate(key_id, overlap, holds, by=by)

    def revoke_key(self, key_id: str, *, by: str) -> Credential:
        """End a key; see `FeedKeys.revoke`."""
        return self.keys.revoke(key_id, by=by)

    def prove(self, who: Principal, token: str) -> tuple[Credential, str]:
        """Exchange an account's token for a fresh proof; see `FreshProofs.prove`."""
        if not self._at_home:
            raise BadInput("the identity provider proves who you are here: `nocturne login --fresh`")
        return self.proofs.prove(who, token)

    def named(self, name: str) -> Principal | None:
        """Return the account of this name, or None."""
        return self.local.named(name)
