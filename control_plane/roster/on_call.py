"""Who is on call now: the shifts that stand, or, where nobody keeps a roster, everybody who has the role."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from control_plane.roster.holding import Watcher
from control_plane.tables import Tables
from domain.identity import ANY, Principal, Role, Scope
from domain.ids import lowest_id
from domain.roster import Shift
from policies.permissions import scope

#: A shift is not longer, so that nobody has to look further back for those that stand.
LONGEST_SHIFT = timedelta(days=31)
#: So many shifts are read at a time where mostly the first one tells.
_SOME = 20


def kept(tables: Tables, tenant: str) -> bool:
    """Say whether the tenant keeps a roster: then a time with nobody on call is a gap, and not just how it is."""
    last: str | None = None
    while some := tables.shifts.find(tenant=tenant, newest=True, limit=_SOME, after=last):
        if any(shift.withdrawn_at is None for shift in some):
            return True
        last = some[-1].id
    return False


def standing(tables: Tables, tenant: str, since: datetime) -> list[Shift]:
    """Return the shifts that are not withdrawn and end after `since`, in order of their start."""
    shifts = tables.shifts.find(tenant=tenant, after=lowest_id("shift", since - LONGEST_SHIFT))
    return [shift for shift in shifts if shift.withdrawn_at is None and shift.ends_at > since]


def watch(tables: Tables, tenant: str, at: datetime, roles: Iterable[Role] = tuple(Role)) -> tuple[Watcher, ...]:
    """Return everybody on call at a moment. A person is on call only in a role that the account has, in its scope."""
    wanted = frozenset(roles)
    if kept(tables, tenant):
        shifts = [shift for shift in standing(tables, tenant, at) if shift.role in wanted and shift.on(at)]
        found = (watcher_of(tables, shift) for shift in shifts)
        return tuple(_stand_ins(tables, tenant, at, (watcher for watcher in found if watcher)))
    people = [
        account for account in tables.principals.find(tenant=tenant) if account.person and _lives(tables, account)
    ]
    return tuple(
        Watcher(account.name, account.person, role, 1, scope(account))
        for account in people
        for role in sorted(account.roles & wanted)
    )


def holders(tables: Tables, tenant: str, roles: Iterable[Role]) -> tuple[Principal, ...]:
    """Return the people's accounts that have one of the roles, on call or not."""
    wanted = frozenset(roles)
    accounts = tables.principals.find(tenant=tenant)
    return tuple(a for a in accounts if a.person and a.roles & wanted and _lives(tables, a))


def account_of(tables: Tables, tenant: str, name: str) -> Principal | None:
    """Return the living account of this name in the tenant, or None."""
    found = tables.principals.find(name=name, tenant=tenant, limit=1)
    return found[0] if found and _lives(tables, found[0]) else None


def roster_health(tables: Tables) -> dict[str, int | bool]:
    """Return what a watchdog should know of the roster: whether one is kept, and how many gaps stand."""
    tenants = {account.tenant for account in tables.principals.find()}
    return {
        "roster_kept": any(kept(tables, tenant) for tenant in tenants),
        "roster_gaps": tables.roster_gaps.count(open=True),
    }


def watcher_of(tables: Tables, shift: Shift) -> Watcher | None:
    """Return who a shift puts on call; None when the account has ended, or has the role no more."""
    account = account_of(tables, shift.tenant, shift.account)
    if account is None or shift.role not in account.roles:
        return None
    here = Scope(regions=_named(shift.region), domains=_named(shift.domain))
    return Watcher(account.name, account.person, shift.role, shift.order, scope(account).lesser(here))


def _stand_ins(tables: Tables, tenant: str, at: datetime, watchers: Iterable[Watcher]) -> Iterator[Watcher]:
    """Yield the watchers, and whoever stands in for one of them: what comes to one goes to the other, too."""
    for watcher in watchers:
        yield watcher
        account = account_of(tables, tenant, watcher.account)
        names = {account.name, account.id} if account else set()
        for lent in tables.delegations.find(tenant=tenant, from_account=tuple(names)):
            other = tables.principals.get(lent.to_account) or account_of(tables, tenant, lent.to_account)
            if lent.kind == "stand_in" and lent.lends(at) and other is not None:
                lesser = watcher.scope.lesser(lent.scope)
                yield Watcher(other.name, other.person, watcher.role, watcher.order, lesser)


def _lives(tables: Tables, account: Principal) -> bool:
    secret = tables.secrets.get(account.id)
    return secret is None or secret.revoked_at is None


def _named(name: str) -> frozenset[str]:
    return frozenset({name or ANY})
