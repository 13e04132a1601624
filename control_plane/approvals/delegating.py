"""Lending a part of one's rights for a while, and taking it back."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from control_plane.approvals import lending
from control_plane.approvals.matters import done, guarded, readable
from control_plane.ports import Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.approvals import Delegation, DelegationKind
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.identity import EVERYWHERE, Permission, Principal, Scope
from domain.records import Entry
from policies.chain import is_agent, person_key
from policies.permissions import permissions, scope

LONGEST = timedelta(days=31)


def delegate(
    road: Road,
    who: Principal,
    to_account: str,
    lent: Iterable[Permission],
    starts_at: datetime,
    ends_at: datetime,
    because: str,
    *,
    where: Scope = EVERYWHERE,
    kind: DelegationKind = DelegationKind.DELEGATION,
) -> Delegation:
    """Lend a part of the caller's own rights to another person's account.

    Args:
        road: the present.
        who: who lends.
        to_account: the name of the account that borrows.
        lent: what is lent; the caller must have it by its own roles.
        starts_at: from when.
        ends_at: until before when; at most 31 days, and not in the past.
        because: why; it is recorded.
        where: the scope in which it is lent; it is cut to what the caller has itself.
        kind: a delegation, or a stand-in while the caller is away.

    Raises:
        BadInput: nothing is lent, the times are impossible, or caller and borrower are one person.
        NotFound: there is no such account in the caller's tenant.
        Refused: the caller may not lend, or not this, or the borrower is no person.
    """
    reason, asked = readable(because), frozenset(lent)
    _sensible(road, asked, starts_at, ends_at)

    def change(tables: Tables) -> Written[Delegation]:
        need(who, Permission.DELEGATE)
        if is_agent(who) or who.behind is not None or not person_key(who.person):
            raise Refused(f"`{who.name}` cannot lend: only a person who acts for nobody else lends their own rights")
        if missing := sorted(asked - lending.lendable(who)):
            raise Refused(f"`{who.name}` cannot lend `{missing[0]}`: it is not its own, or is never lent")
        borrower = _borrower(tables, who, to_account)
        made = Delegation(
            id=road.id("dlg"),
            kind=kind,
            tenant=who.tenant,
            from_account=who.name,
            from_person=who.person,
            to_account=borrower.name,
            to_person=borrower.person,
            permissions=asked,
            scope=where.lesser(scope(who)),
            starts_at=starts_at,
            ends_at=ends_at,
            because=reason,
            made_at=road.clock.now(),
        )
        tables.delegations.add(made)
        said = {
            "to": made.to_account,
            "permissions": sorted(made.permissions),
            "scope": made.scope.model_dump(mode="json"),
            "starts_at": made.starts_at.isoformat(),
            "ends_at": made.ends_at.isoformat(),
            "because": reason,
        }
        return Written(made, (_entry(road, "made", who, made, **said),))

    return guarded(road, who, f"delegate to {to_account}", lambda: done(road, change))


def take_back(road: Road, who: Principal, delegation_id: str, because: str) -> Delegation:
    """End a delegation: its lender, its borrower, or who keeps the accounts.

    Raises:
        NotFound: there is no such delegation for this caller.
        Conflict: it has ended already.
    """
    reason = readable(because)

    def change(tables: Tables) -> Written[Delegation]:
        old = tables.delegations.get(delegation_id)
        if old is None or not _concerns(who, old):
            raise NotFound(f"there is no delegation `{delegation_id}`; `nocturne delegations` lists them")
        now = road.clock.now()
        if old.revoked_at is not None or now >= old.ends_at:
            raise Conflict(f"delegation `{delegation_id}` has ended already")
        new = old.but(revoked_at=now, revoked_by=who.name)
        tables.delegations.swap(old, new)
        return Written(new, (_entry(road, "revoked", who, new, because=reason),))

    return guarded(road, who, delegation_id, lambda: done(road, change))


def listed(tables: Tables, who: Principal) -> list[Delegation]:
    """Return the delegations that a caller lent or borrows; who keeps the accounts sees all of the tenant."""
    return [each for each in tables.delegations.find(tenant=who.tenant, newest=True) if _concerns(who, each)]


def _concerns(who: Principal, delegation: Delegation) -> bool:
    if delegation.tenant != who.tenant:
        return False
    named = who.name in {delegation.from_account, delegation.to_account}
    return named or Permission.KEEP_ACCOUNTS in permissions(who)


def _sensible(road: Road, lent: frozenset[Permission], starts_at: datetime, ends_at: datetime) -> None:
    if not lent:
        raise BadInput("nothing is lent; name at least one permission, for example `approve`")
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise BadInput("times need a zone: write them with an offset, for example `2026-01-31T12:00:00Z`")
    if ends_at <= starts_at or ends_at <= road.clock.now():
        raise BadInput("it would end before it starts, or has ended already; give a later end")
    if ends_at - starts_at > LONGEST:
        raise BadInput(f"rights are lent for at most {LONGEST.days} days; give an earlier end")


def _borrower(tables: Tables, who: Principal, name: str) -> Principal:
    found = tables.principals.find(name=name, tenant=who.tenant, limit=1)
    if not found:
        raise NotFound(f"there is no account `{name}` here; name the account that borrows")
    borrower = found[0]
    if is_agent(borrower) or not person_key(borrower.person):
        raise Refused(f"no person stands behind the account `{name}`; rights are lent to people")
    if person_key(borrower.person) == person_key(who.person):
        raise BadInput(f"`{name}` is another account of the same person; name somebody else")
    return borrower


def _entry(road: Road, what: str, who: Principal, delegation: Delegation, **fields: object) -> Entry:
    return Entry(
        kind=f"rights.delegation.{what}",
        actor=who.name,
        refs=(delegation.id,),
        event_time=road.clock.now(),
        tenant=delegation.tenant,
        fields={"from": delegation.from_account, **fields},
    )
