"""Which role may do what, written out a second time by hand, and what no role ever has."""

import pytest

from domain.actions import DispatchCrew, DrainLink, InterfaceUp, SteerDemand
from domain.identity import Bound, NetworkDomain, Permission, Principal, Role, Scope
from policies.permissions import AGENTS_MOST, PERMISSIONS, outside, permissions, scope, tenants

P, R = Permission, Role

#: Permission → the roles that have it, so that a change of the table is a change of two files.
EXPECTED: dict[Permission, set[Role]] = {
    P.READ: set(Role) - {R.FEED, R.AGENT},
    P.READ_ALARMS: set(Role) - {R.AGENT},
    P.READ_RECORD: set(Role) - {R.VIEWER, R.NOC, R.FEED, R.AGENT},
    P.SEND: {R.FEED, R.OPERATOR},
    P.PROPOSE: {R.ENGINEER, R.ML_ENGINEER, R.AGENT},
    P.APPROVE: {R.APPROVER, R.ENGINEER, R.CHANGE_MANAGER, R.ML_ENGINEER},
    P.STOP: {R.OPERATOR, R.ENGINEER, R.APPROVER, R.CHANGE_MANAGER},
    P.SETTLE: {R.OPERATOR, R.ENGINEER},
    P.CLOSE: {R.OPERATOR},
    P.DECLARE: {R.NOC, R.OPERATOR, R.CHANGE_MANAGER},
    P.FREEZE: {R.OPERATOR, R.CHANGE_MANAGER},
    P.SWITCH_OFF: {R.OPERATOR, R.ENGINEER, R.APPROVER, R.ADMIN},
    P.SWITCH_ON: {R.ADMIN},
    P.DELEGATE: {R.OPERATOR, R.ENGINEER, R.APPROVER, R.CHANGE_MANAGER, R.ML_ENGINEER},
    P.KEEP_ROSTER: {R.CHANGE_MANAGER, R.TENANT_OWNER, R.ADMIN},
    P.ORDER: {R.ENGINEER, R.TENANT_OWNER},
    P.BREAK_GLASS: {R.APPROVER},
    P.REVIEW: {R.CHANGE_MANAGER, R.AUDITOR},
    P.KEEP_POLICY: {R.ADMIN},
    P.WAIVE: {R.CHANGE_MANAGER},
    P.REDACT: {R.TENANT_OWNER, R.AUDITOR},
    P.EXPORT: {R.TENANT_OWNER, R.AUDITOR},
    P.KEEP_KEYS: {R.ADMIN},
    P.KEEP_ACCOUNTS: {R.TENANT_OWNER, R.ADMIN},
    P.SEED: {R.ADMIN},
}


def account(*roles: Role, behind: Principal | None = None, held: Scope | None = None, tenant: str = "default"):
    return Principal(
        id="acc_1", name="somebody", roles=frozenset(roles), behind=behind, scope=held or Scope(), tenant=tenant
    )


@pytest.mark.parametrize("permission", Permission)
def test_exactly_these_roles_have_a_permission(permission: Permission) -> None:
    assert {role for role, held in PERMISSIONS.items() if permission in held} == EXPECTED[permission]


def test_every_role_is_in_the_table_and_an_account_without_one_may_nothing() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert permissions(account()) == frozenset()


def test_nobody_who_keeps_books_or_accounts_signs_by_that_role() -> None:
    for permission in (P.KEEP_POLICY, P.KEEP_ACCOUNTS, P.SEED, P.SWITCH_ON):
        assert not EXPECTED[permission] & EXPECTED[P.APPROVE]


@pytest.mark.parametrize("role", Role)
def test_an_agent_stays_an_agent_whatever_role_it_is_given(role: Role) -> None:
    assert permissions(account(R.AGENT, role)) <= AGENTS_MOST
    assert permissions(account(role, behind=account(R.AGENT, *Role))) <= AGENTS_MOST
    assert not AGENTS_MOST & {P.APPROVE, P.KEEP_POLICY, P.KEEP_ACCOUNTS, P.WAIVE, P.SWITCH_ON, P.BREAK_GLASS}


def test_books_and_keys_are_kept_by_the_tenant_that_runs_the_house() -> None:
    assert {P.KEEP_POLICY, P.KEEP_KEYS} <= permissions(account(R.ADMIN))
    assert not {P.KEEP_POLICY, P.KEEP_KEYS} & permissions(account(*Role, tenant="other"))


def test_who_acts_for_another_has_what_both_have() -> None:
    both = account(R.AGENT, behind=account(R.ENGINEER))
    assert permissions(both) == {P.PROPOSE}
    assert permissions(account(R.AGENT, behind=account(R.VIEWER))) == frozenset()
    north, south = Scope(regions=frozenset({"north"})), Scope(regions=frozenset({"south"}))
    assert scope(account(R.ENGINEER, held=north, behind=account(R.ENGINEER, held=south))).regions == frozenset()
    assert tenants(account(R.AGENT, behind=account(R.ENGINEER, tenant="other"))) == {"default", "other"}


def test_a_step_lies_outside_by_region_domain_class_or_argument() -> None:
    up, drain = InterfaceUp(target="tp:1"), DrainLink(target="link:1", previous_metric=70)
    north = Scope(regions=frozenset({"north"}))
    assert outside(north, up, {"north"}, "termination_point") == ""
    assert outside(north, up, {"north", "south"}, "termination_point") == "region `south`"
    radio = Scope(domains=frozenset({NetworkDomain.RAN}))
    assert outside(radio, up, {"north"}, "termination_point") == "domain `transport`"
    cells = Scope(kinds=frozenset({"cell"}))
    assert outside(cells, up, {"north"}, "termination_point") == "device class `termination_point`"
    low = Scope(bounds=(Bound(argument="metric", low=1, high=50),))
    assert outside(low, up, (), "termination_point") == ""
    assert outside(low, drain, (), "link") == "`metric` = `70`", "the inverse that is granted with it sets the metric"
    assert outside(low, drain.but(previous_metric=50), (), "link") == ""


def test_a_list_of_actions_is_a_bound_on_their_class() -> None:
    listed = Scope(bounds=(Bound(argument="kind", allowed=frozenset({"interface_up"})),))
    assert outside(listed, InterfaceUp(target="tp:1"), (), "termination_point") == ""
    assert outside(listed, DispatchCrew(target="tp:1"), (), "site") == "`kind` = `dispatch_crew`"


def test_a_bound_that_names_no_value_permits_none() -> None:
    nothing = Scope(bounds=(Bound(argument="via"),))
    assert outside(nothing, SteerDemand(target="demand:1", via="node:b"), (), "demand") == "`via` = `node:b`"


def test_a_bound_on_a_share_holds_for_whole_demands_and_not_for_what_ends_a_policy() -> None:
    half = Scope(bounds=(Bound(argument="share", high=0.5),))
    some, whole = (SteerDemand(target="demand:1", via="node:b", share=share) for share in (0.4, 1.0))
    ended = SteerDemand(target="demand:1", via=None, previous_via="node:b", previous_share=0.4)

    assert outside(half, some, (), "demand") == outside(half, ended, (), "demand") == ""
    assert outside(half, whole, (), "demand") == "`share` = `1.0`"
