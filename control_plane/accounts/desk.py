"""Who has an account, and who may give what to whom.

Nobody gives roles or a scope that they lack themselves, but for the house's administrators; and these give nothing to
themselves. A tenant's owner sees and keeps the accounts of that tenant alone: others' are not there.
"""

import unicodedata
from datetime import timedelta
from typing import Any, NamedTuple

from control_plane import refusals
from control_plane.accounts.ports import Doorkeeper
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.base import Utc
from domain.credentials import Credential, CredentialKind
from domain.errors import BadInput, NotFound, Refused
from domain.identity import EVERYWHERE, HOUSE, Permission, Principal, Role, Scope
from policies.permissions import scope as scope_of

#: Names in the record that are not accounts, and beginnings of names that others give.
_RESERVED = frozenset({"plane", "operator", "worker", "house"})
_RESERVED_BEGINNINGS = ("agent:", "sso:", "plane:")


class AccountView(NamedTuple):
    """An account as its keeper sees it; `ended_at` says since when nothing of it is accepted."""

    id: str
    name: str
    person: str
    roles: tuple[str, ...]
    tenant: str
    scope: Scope
    acts_for: tuple[str, ...]
    vouched_by: str
    ended_at: Utc | None


class KeyView(NamedTuple):
    """A key as its keeper sees it: everything but the secret."""

    id: str
    account: str
    label: str
    tenant: str
    made_by: str
    made_at: Utc
    expires_at: Utc
    revoked_at: Utc | None
    last_used_at: Utc | None


@refusals.recorded
class AccountsDesk:
    """Commands and queries about accounts, keys and proofs."""

    def __init__(self, road: Road) -> None:
        self._road = road

    # --- accounts ---

    def accounts(self, who: Principal) -> list[AccountView]:
        """Return the accounts that the caller keeps, by name."""
        need(who, Permission.KEEP_ACCOUNTS)
        where: dict[str, Any] = {} if _is_admin(who) else {"tenant": who.tenant}
        rows = self._road.ledger.read(
            lambda tables: [_view(tables, account) for account in tables.principals.find(**where)]
        )
        return sorted(rows, key=lambda row: row.name)

    def add(
        self,
        who: Principal,
        name: str,
        roles: frozenset[Role],
        person: str = "",
        *,
        tenant: str = "",
        scope: Scope = EVERYWHERE,
        behind: str = "",
    ) -> tuple[AccountView, str]:
        """Make an account; return it with its token, which cannot be had a second time.

        Raises:
            Refused: the caller may not give this.
            BadInput, Conflict, NotFound: see `Doorkeeper.issue`.
        """
        doorkeeper = self._keeper(who)
        with _Recorded(self._road, who, f"add the account `{name[:100]}`"):
            self._may_keep(who, tenant or who.tenant)
            _may_give(who, name, roles, person, scope)
        if name in _RESERVED or name.startswith(_RESERVED_BEGINNINGS):
            raise BadInput(f"the name `{name[:100]}` is kept for parts of the house; choose another")
        person = " ".join(person.split())
        account, token = doorkeeper.issue(
            name, roles, person, tenant=tenant or who.tenant, scope=scope, behind=behind, by=who.name
        )
        return self._seen(account.id), token

    def renew(self, who: Principal, account: str) -> tuple[AccountView, str]:
        """End an account's token and return the next one. Who has it can do what the account can, so it is as giving.

        Raises:
            NotFound: the caller keeps no such account.
            Refused: the caller could not have made it.
        """
        doorkeeper, kept = self._keeper(who), self._kept(who, account)
        with _Recorded(self._road, who, f"renew the account `{account}`"):
            _may_give(who, kept.name, kept.roles, kept.person, kept.scope)
        token = doorkeeper.renew(kept.id, by=who.name)
        return self._seen(kept.id), token

    def revoke(self, who: Principal, account: str) -> AccountView:
        """End an account: its token, keys and proofs are refused from the next request on.

        Raises:
            NotFound: the caller keeps no such account.
            Refused: it is an administrator's of the house, and the caller is none.
        """
        doorkeeper, kept = self._keeper(who), self._kept(who, account)
        if _is_admin(kept) and not _is_admin(who):
            raise Refused(f"`{who.name}` cannot end an administrator of the house; ask another administrator")
        doorkeeper.revoke(kept.id, by=who.name)
        return self._seen(kept.id)

    # --- keys of feeds ---

    def keys(self, who: Principal) -> list[KeyView]:
        """Return the keys that the caller keeps, oldest first; never a secret."""
        need(who, Permission.KEEP_ACCOUNTS)
        where: dict[str, Any] = {} if _is_admin(who) else {"tenant": who.tenant}
        rows = self._road.ledger.read(lambda tables: tables.credentials.find(kind=CredentialKind.KEY, **where))
        return [_key_view(key) for key in rows]

    def add_key(self, who: Principal, account: str, label: str, holds: timedelta) -> tuple[KeyView, str]:
        """Make a key for a feed's account; return it with its secret. Raises NotFound, Conflict, BadInput."""
        doorkeeper, kept = self._keeper(who), self._kept(who, account)
        with _Recorded(self._road, who, f"add a key for the account `{account}`"):
            _may_give(who, kept.name, kept.roles, kept.person, kept.scope)
        key, secret = doorkeeper.issue_key(kept.id, label, holds, by=who.name)
        return _key_view(key), secret

    def rotate_key(self, who: Principal, key: str, overlap: timedelta, holds: timedelta) -> tuple[KeyView, str]:
        """Make the key that follows one; both hold for `overlap`. Raises NotFound, Conflict, BadInput."""
        doorkeeper, kept = self._keeper(who), self._kept(who, self._key(who, key).account)
        with _Recorded(self._road, who, f"rotate the key `{key}`"):
            _may_give(who, kept.name, kept.roles, kept.person, kept.scope)
        made, secret = doorkeeper.rotate_key(key, overlap, holds, by=who.name)
        return _key_view(made), secret

    def revoke_key(self, who: Principal, key: str) -> KeyView:
        """End a key at once. Raises NotFound."""
        doorkeeper = self._keeper(who)
        return _key_view(doorkeeper.revoke_key(self._key(who, key).id, by=who.name))

    # --- oneself ---

    def prove(self, who: Principal, token: str) -> tuple[Utc, str]:
        """Exchange one's own token for a proof of a few minutes; return until when it holds, and the proof.

        Raises:
            NotAuthenticated: the token is not the caller's.
        """
        proof, secret = self._doorkeeper().prove(who, token)
        return proof.expires_at, secret

    # --- how it is done ---

    def _doorkeeper(self) -> Doorkeeper:
        if self._road.doorkeeper is None:
            raise BadInput("nobody keeps accounts here; start a server that does")
        return self._road.doorkeeper

    def _keeper(self, who: Principal) -> Doorkeeper:
        need(who, Permission.KEEP_ACCOUNTS)
        return self._doorkeeper()

    @staticmethod
    def _may_keep(who: Principal, tenant: str) -> None:
        if tenant != who.tenant and not _is_admin(who):
            raise Refused(f"`{who.name}` keeps the accounts of its own tenant only; ask an administrator")

    def _kept(self, who: Principal, account: str) -> Principal:
        """Return an account by id or name, if the caller keeps it. Raises NotFound."""

        def find(tables: Tables) -> Principal | None:
            return tables.principals.get(account) or next(iter(tables.principals.find(name=account, limit=1)), None)

        found = self._road.ledger.read(find)
        if found is None or (found.tenant != who.tenant and not _is_admin(who)):
            raise NotFound(
                f"there is no account `{account[:100]}`; `nocturne accounts list` shows those that there are"
            )
        return found

    def _key(self, who: Principal, key: str) -> Credential:
        found = self._road.ledger.read(lambda tables: tables.credentials.get(key))
        known = found is not None and found.kind is CredentialKind.KEY
        if found is None or not known or (found.tenant != who.tenant and not _is_admin(who)):
            raise NotFound(f"there is no key `{key[:100]}`; `nocturne keys list` shows those that there are")
        return found

    def _seen(self, account: str) -> AccountView:
        def find(tables: Tables) -> AccountView:
            found = tables.principals.get(account)
            assert found is not None  # it was there a moment ago, and nothing leaves this shelf
            return _view(tables, found)

        return self._road.ledger.read(find)


class _Recorded:
    """A refusal inside is recorded before it goes on to the caller."""

    def __init__(self, road: Road, who: Principal, command: str) -> None:
        self._road, self._who, self._command = road, who, command

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if isinstance(error, Refused) and not error.recorded:
            error.recorded = True
            refusals.note(self._road, self._who, self._command, error.reason)


def _is_admin(who: Principal) -> bool:
    """Say whether a caller keeps the accounts of every tenant: an admin of the tenant that runs the house."""
    here = Role.ADMIN in who.roles and who.tenant == HOUSE
    return here and (who.behind is None or _is_admin(who.behind))


def _given(who: Principal) -> frozenset[Role]:
    return who.roles & _given(who.behind) if who.behind else who.roles


def _may_give(who: Principal, name: str, roles: frozenset[Role], person: str, scope: Scope) -> None:
    """Check that the caller may have an account of this kind come to life. Raises Refused."""
    lacking = roles - _given(who)
    own = _folded(person) and _folded(person) in {_folded(each) for each in _people(who)}
    if lacking and own:
        raise Refused(f"`{who.name}` gives no role to itself; another must make `{name[:100]}` {min(lacking)}")
    if _is_admin(who):
        return
    if lacking:
        raise Refused(f"`{who.name}` lacks the role {min(lacking)}, and nobody gives what they lack; ask who has it")
    if not scope.within(scope_of(who)):
        raise Refused(f"`{who.name}` cannot give a scope that is wider than its own; narrow it")


def _people(who: Principal) -> frozenset[str]:
    return frozenset({who.person}) | (_people(who.behind) if who.behind else frozenset())


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _view(tables: Tables, account: Principal) -> AccountView:
    secret = tables.secrets.get(account.id)
    return AccountView(
        id=account.id,
        name=account.name,
        person=account.person,
        roles=tuple(sorted(account.roles)),
        tenant=account.tenant,
        scope=account.scope,
        acts_for=account.chain[1:],
        vouched_by="provider" if account.id.startswith("sso_") else "house",
        ended_at=secret.revoked_at if secret else None,
    )


def _key_view(key: Credential) -> KeyView:
    return KeyView(**{name: getattr(key, name) for name in KeyView._fields})
