"""The embedded default for accounts: our own, for a server that only this machine can reach."""

from collections.abc import Iterable

from adapters.identity import secrets
from control_plane.ports import Ledger, Written
from control_plane.tables import Tables
from domain.bookkeeping import Secret
from domain.clock import Clock
from domain.errors import BadInput, Conflict, NotAuthenticated, NotFound
from domain.identity import EVERYWHERE, Permission, Principal, Role, Scope
from domain.ids import new_id
from domain.records import Entry
from policies.permissions import PERMISSIONS

#: Roles that can say yes to something. No agent has one.
SIGNING = frozenset(
    role
    for role, held in PERMISSIONS.items()
    if held & {Permission.APPROVE, Permission.BREAK_GLASS, Permission.REVIEW, Permission.WAIVE}
)

_LONGEST_NAME = 128
UNKNOWN = "this token is not known here; ask for a new one, and send it as `Authorization: Bearer TOKEN`"


class LocalIssuer:
    """Makes accounts and recognises their tokens (`nct_…`). Accounts are recorded; secrets never are."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

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
        """Make an account and return it with its token, which cannot be had a second time.

        `behind` is the id of the account for which this one acts.

        Raises:
            BadInput: the name is empty, too long or unprintable, or the roles do not go together.
            Conflict: the name is taken.
            NotFound: there is nobody to act for.
        """
        held = frozenset(roles)
        require_sense(name, held, person)
        id = new_id("acc", self._clock.now())
        fresh = secrets.make(secrets.TOKEN, id)

        def change(tables: Tables) -> Written[Principal]:
            if tables.principals.count(name=name):
                raise Conflict(f"an account named `{name}` exists already; renew its token, or choose another name")
            principal = Principal(
                id=id,
                name=name,
                person=person,
                roles=held,
                tenant=tenant,
                scope=scope,
                behind=_acted_for(tables, behind, tenant),
            )
            tables.principals.add(principal)
            tables.secrets.add(Secret(id=id, hash=fresh.hash, made_at=self._clock.now()))
            return Written(principal, (self._entry("identity.account.issued", by, principal),))

        return self._ledger.do(change), fresh.text

    def authenticate(self, token: str) -> Principal:
        """Return the account whose token this is. Raises NotAuthenticated, always in the same words."""
        account, presented = secrets.parts(secrets.TOKEN, token)
        secret, principal = self._ledger.read(
            lambda tables: (tables.secrets.get(account), secrets.living(tables, account))
        )
        right = secrets.matches(presented, secret.hash if secret else None)
        if not right or principal is None:
            raise NotAuthenticated(UNKNOWN)
        return principal

    def renew(self, principal_id: str, *, by: str = "operator") -> str:
        """Return a new token for an account; the old one ends, and a revoked account lives again."""
        fresh = secrets.make(secrets.TOKEN, principal_id)
        secret = Secret(id=principal_id, hash=fresh.hash, made_at=self._clock.now())
        self._replace(principal_id, secret, "identity.account.renewed", by)
        return fresh.text

    def revoke(self, principal_id: str, *, by: str = "operator") -> None:
        """End an account's token, keys and proofs. The account stays, because the record speaks of it."""
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
            if secret is None:
                self._end_credentials(tables, principal_id)
            return Written(None, (self._entry(kind, by, principal),))

        self._ledger.do(change)

    def _end_credentials(self, tables: Tables, account: str) -> None:
        """End keys and proofs for good: an account that lives again later gets new ones."""
        for each in tables.credentials.find(account=account):
            if each.revoked_at is None:
                tables.credentials.swap(each, each.but(revoked_at=self._clock.now()))

    def _entry(self, kind: str, by: str, principal: Principal) -> Entry:
        return account_entry(kind, by, principal, self._clock)


def account_entry(kind: str, by: str, principal: Principal, clock: Clock) -> Entry:
    """Return what the record keeps when an account comes, changes or goes: all that it may, and no secret."""
    fields = {
        "name": principal.name,
        "person": principal.person,
        "roles": sorted(str(role) for role in principal.roles),
        "scope": principal.scope.model_dump(mode="json"),
        **principal.on_behalf_of,
    }
    return Entry(
        kind=kind, actor=by, refs=(principal.id,), fields=fields, event_time=clock.now(), tenant=principal.tenant
    )


def require_sense(name: str, roles: frozenset[Role], person: str) -> None:
    """Check that name, roles and person of an account go together. Raises BadInput."""
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadInput(f"an account's name has 1 to {_LONGEST_NAME} printable characters; choose another")
    if not roles:
        raise BadInput(f"the account `{name}` has no role and could do nothing; give it one")
    signs = roles & SIGNING
    if Role.AGENT in roles and signs:
        raise BadInput(f"the account `{name}` cannot be both agent and {min(signs)}: no agent approves anything")
    if Role.APPROVER in roles and not person:
        raise BadInput(f"the approver `{name}` needs a person: two approvals are two people, not two accounts")


def _acted_for(tables: Tables, account: str, tenant: str) -> Principal | None:
    if not account:
        return None
    found = secrets.living(tables, account)
    if found is None or found.tenant != tenant:
        raise NotFound(f"there is no account `{account}` to act for; look at the list of accounts")
    return found
