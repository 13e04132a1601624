"""What the plane needs from whoever keeps accounts and their secrets."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from domain.credentials import Credential
from domain.identity import EVERYWHERE, Principal, Role, Scope


class Doorkeeper(Protocol):
    """Keeps accounts, keys and proofs, and knows whether an account holds. A secret is returned once, and kept nowhere.

    Everything that it changes is recorded. Whether the caller may ask for it is the desk's business.
    """

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
        """Make an account; return it with its token. Raises BadInput, Conflict, NotFound."""

    def renew(self, principal_id: str, *, by: str = "operator") -> str:
        """End an account's token and return the next; empty, where a provider gives the tokens. Raises NotFound."""

    def revoke(self, principal_id: str, *, by: str = "operator") -> None:
        """End everything that an account can show. Raises NotFound."""

    def issue_key(self, account: str, label: str, holds: timedelta, *, by: str) -> tuple[Credential, str]:
        """Make a key for a feed. Raises NotFound, Conflict, BadInput."""

    def rotate_key(self, key_id: str, overlap: timedelta, holds: timedelta, *, by: str) -> tuple[Credential, str]:
        """Make the key that follows one; both hold for `overlap`. Raises NotFound, Conflict, BadInput."""

    def revoke_key(self, key_id: str, *, by: str) -> Credential:
        """End a key. Raises NotFound."""

    def prove(self, who: Principal, token: str) -> tuple[Credential, str]:
        """Exchange an account's token for a proof of a few minutes. Raises NotAuthenticated."""

    def still_holds(self, who: Principal) -> None:
        """Return when whoever vouches for the account says, now, that it is active and may sign what it could.

        Raises:
            Refused: it says no.
            Unavailable: it does not answer.
        """
