"""Rights that somebody lends: a strict part of the lender's own, for a time, that cannot be lent on.

What is lent is worked out anew whenever it is used: never more than the lender has at that moment, so it ends at once
when the lender loses the right. Whoever borrows stays who they are: their signature is their own.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from control_plane import reach
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.approvals import Delegation
from domain.identity import Permission, Principal, Role, Scope
from domain.proposals import Proposal
from policies.chain import is_agent, person_key, signing_roles
from policies.permissions import permissions, scope

#: What concerns one plan, and so can be judged with the scope it is lent for. All else is trusted to a person alone:
#: lending itself, breaking the glass, reviewing, and whatever changes rights or rules.
LENDABLE = frozenset({Permission.APPROVE, Permission.STOP, Permission.SETTLE})


class Loan(NamedTuple):
    """What one delegation gives at this moment."""

    delegation: Delegation
    permissions: frozenset[Permission]
    roles: frozenset[Role]
    scope: Scope

    @property
    def lenders(self) -> tuple[str, str]:
        """The lender's account and person: the borrower signs nothing that they asked for."""
        return (self.delegation.from_account, self.delegation.from_person)


class Capacity(NamedTuple):
    """A role in which a caller may sign, by its own right or (`loan`) by a lent one."""

    role: Role
    loan: Loan | None = None


def loans(tables: Tables, who: Principal, at: datetime) -> tuple[Loan, ...]:
    """Return what is lent to an account at a moment.

    An account that acts for another, or is an agent's by now, borrows nothing; nor does another person by its name.
    """
    if is_agent(who) or who.behind is not None or not person_key(who.person):
        return ()
    held = tables.delegations.find(to_account=who.name, tenant=who.tenant)
    mine = (each for each in held if person_key(each.to_person) == person_key(who.person))
    found = (_loan(tables, delegation) for delegation in mine if delegation.lends(at))
    return tuple(loan for loan in found if loan is not None and loan.permissions)


def capacities(road: Road, proposal: Proposal, who: Principal, loaned: Iterable[Loan]) -> tuple[Capacity, ...]:
    """Return the roles in which an account may sign a plan that its scope, or a lent one, covers: its own first."""
    own = signing_roles(who) if reach.covers(road, scope(who), proposal) else frozenset[Role]()
    lent = [
        Capacity(role, loan)
        for loan in loaned
        if Permission.APPROVE in loan.permissions and reach.covers(road, loan.scope, proposal)
        for role in sorted(loan.roles)
    ]
    return (*(Capacity(role) for role in sorted(own)), *lent)


def need_for(road: Road, tables: Tables, who: Principal, permission: Permission, proposal: Proposal) -> None:
    """Return when a caller may do something to a plan: by its own right and scope, or by one loan that has both.

    Raises Refused. A loan of one right widens no other: right and scope are always of the same loan.
    """
    for loan in loans(tables, who, road.clock.now()):
        if permission in loan.permissions and reach.covers(road, loan.scope, proposal):
            return
    need(who, permission)
    reach.plan(road, who, proposal.region, proposal.plan)


def lendable(lender: Principal) -> frozenset[Permission]:
    """Return what an account could lend: a part of its own rights, never one that it was lent itself."""
    return permissions(lender) & LENDABLE


def _loan(tables: Tables, delegation: Delegation) -> Loan | None:
    """Return what a delegation gives now, or None when its lender is not there any more."""
    found = tables.principals.find(name=delegation.from_account, tenant=delegation.tenant, limit=1)
    if not found or person_key(found[0].person) != person_key(delegation.from_person):
        return None
    lender, secret = found[0], tables.secrets.get(found[0].id)
    if secret is not None and secret.revoked_at is not None:
        return None
    return Loan(
        delegation=delegation,
        permissions=delegation.permissions & lendable(lender),
        roles=signing_roles(lender),
        scope=delegation.scope.lesser(scope(lender)),
    )
