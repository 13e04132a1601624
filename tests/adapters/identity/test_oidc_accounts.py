"""What the claims of a provider are here: a role of ours, a place, a person; and never more than the settings say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.identity.claims import roles_of
from adapters.identity.oidc import OidcIssuer
from adapters.identity.trust import Trust
from adapters.memory import MemoryLedger
from domain.clock import ManualClock
from domain.errors import NotAuthenticated
from domain.identity import ANYTHING, Permission, Principal, Role
from policies.permissions import permissions
from tests.identity_provider import AGENT, CLIENT, MACHINE, ROLES, SmallProvider


@pytest.fixture
def known(ledger: MemoryLedger, clock: ManualClock, provider: SmallProvider):
    """Return `known(token, **trust)`: the account behind a token; all are of one house."""

    def authenticate(token: str, **trust: object) -> Principal:
        return OidcIssuer(provider.trust(**trust), ledger, clock).authenticate(token)

    return authenticate


def test_roles_come_from_realm_roles_and_groups_and_unknown_ones_give_nothing(known, provider: SmallProvider) -> None:
    token = provider.token("u-ana", "noc-approver", "offline_access", groups=["noc-operator", "staff", "admin"])
    assert known(token).roles == {Role.APPROVER, Role.OPERATOR}
    assert known(provider.token("u-bea", "admin")).roles == frozenset()


def test_a_person_is_the_subject_and_a_name_never_passes_for_another(known, provider: SmallProvider) -> None:
    ana = known(provider.token("u-ana", preferred_username="agent:provisioning"))
    assert (ana.person, ana.name) == ("u-ana", "sso:agent:provisioning")
    again = known(provider.token("u-bea", preferred_username="agent:provisioning"))
    assert again.name.startswith("sso:agent:provisioning#")
    assert again.id != ana.id


def test_a_name_and_the_person_behind_it_stay_what_they_were(known, provider: SmallProvider) -> None:
    claim = {"person_claim": "employee"}
    before = known(provider.token("u-ana", employee="E-17"), **claim)
    after = known(provider.token("u-ana", preferred_username="somebody-else", employee="E-99"), **claim)
    assert (after.name, after.person) == (before.name, before.person) == ("sso:ana", "E-17")


def test_two_accounts_of_one_human_are_one_person_where_a_claim_says_so(known, provider: SmallProvider) -> None:
    day, night = (known(provider.token(sub, employee="E-17"), person_claim="employee") for sub in ("u-1", "u-2"))
    assert day.id != night.id
    assert day.person == night.person == "E-17"


def test_a_machine_is_nobody_and_signs_nothing(known, provider: SmallProvider) -> None:
    machines = [
        provider.token(MACHINE, "noc-feed", "noc-approver", azp=MACHINE),
        provider.token("9d1c-service", "noc-feed", "noc-approver", azp=MACHINE, auth_time=1),
        provider.token(CLIENT, "noc-feed", "noc-approver"),
        provider.token("9d1d-service", "noc-feed", "noc-approver", preferred_username=f"service-account-{CLIENT}"),
    ]
    for token in machines:
        who = known(token)
        assert (who.person, who.roles, who.authenticated_at) == ("", {Role.FEED}, None)


def test_an_agent_is_an_agent_only(known, provider: SmallProvider) -> None:
    assert known(provider.token("u-ana", "noc-agent", "noc-approver", "noc-admin")).roles == {Role.AGENT}


def test_places_and_tenant_come_from_claims_and_what_is_missing_gives_nothing(known, provider: SmallProvider) -> None:
    trust = {"tenant_claim": "org.tenant", "region_claim": "regions", "domain_claim": "domains", "kind_claim": "kinds"}
    token = provider.token("u-ana", org={"tenant": "north"}, regions=["r1", "r2"], domains="ran")
    ana = known(token, **trust)
    assert (ana.tenant, ana.scope.regions, ana.scope.domains) == ("north", {"r1", "r2"}, {"ran"})
    assert ana.scope.kinds == frozenset()
    assert known(provider.token("u-bea")).scope.kinds == ANYTHING
    for tenant in (None, "", 7, ["north"], {"x": 1}):
        with pytest.raises(NotAuthenticated):
            known(provider.token("u-cyd", org={"tenant": tenant}), **trust)


def test_who_acts_for_a_user_has_the_lesser_of_both_and_the_whole_chain_is_told(known, provider: SmallProvider) -> None:
    actors = {AGENT: {Role.AGENT, Role.VIEWER, Role.OPERATOR, Role.APPROVER}}
    token = provider.token(
        "u-ana", "noc-viewer", "noc-approver", azp=AGENT, act={"sub": AGENT, "act": {"sub": "bot-2"}}
    )
    who = known(token, actors=actors)

    assert who.chain == (f"sso:{AGENT}", "sso:bot-2", "sso:ana")
    assert who.person == ""
    assert permissions(who) == frozenset()  # `bot-2` was never set down
    direct = known(provider.token("u-ana", "noc-viewer", "noc-approver", azp=AGENT), actors=actors)
    assert direct.chain == (f"sso:{AGENT}", "sso:ana")
    assert Permission.READ in permissions(direct)
    assert not permissions(direct) & {Permission.APPROVE, Permission.STOP, Permission.SEND}


def test_an_actor_is_never_taken_for_an_account_that_has_its_name(known, provider, ledger) -> None:
    actors = {AGENT: {Role.AGENT}}
    person = known(provider.token(AGENT, "noc-approver"), actors=actors)
    actor = known(provider.token("u-ana", azp=AGENT), actors=actors)
    assert person.id != actor.id
    assert person.name != actor.name
    assert known(provider.token(AGENT, "noc-approver"), actors=actors) == person


def test_a_person_acts_for_another_of_the_same_tenant_only_and_with_the_lesser_of_both(known, provider) -> None:
    trust = {"tenant_claim": "tenant"}
    known(provider.token("u-ana", "noc-operator", tenant="north"), **trust)
    act = {"sub": "u-ana"}

    who = known(provider.token("u-bea", "noc-approver", "noc-viewer", tenant="north", act=act), **trust)
    assert (who.name, who.person, who.chain) == ("sso:ana", "u-ana", ("sso:ana", "sso:bea"))
    assert Permission.READ in permissions(who)
    assert Permission.APPROVE not in permissions(who)
    with pytest.raises(NotAuthenticated):
        known(provider.token("u-cyd", "noc-viewer", tenant="south", act=act), **trust)


@pytest.mark.parametrize("act", ["copilot", {}, {"sub": 7}, {"sub": ""}, {"sub": "a", "act": "b"}, []])
def test_a_chain_of_actors_that_cannot_be_read_is_refused(known, provider: SmallProvider, act: object) -> None:
    with pytest.raises(NotAuthenticated):
        known(provider.token("u-ana", act=act))


def test_a_chain_of_actors_has_an_end(known, provider: SmallProvider) -> None:
    act: dict[str, object] = {"sub": "a"}
    for _ in range(5):
        act = {"sub": "a", "act": act}
    with pytest.raises(NotAuthenticated):
        known(provider.token("u-ana", act=act))


def test_an_account_is_set_down_once_and_each_change_of_its_rights_is_recorded(known, provider, ledger) -> None:
    for roles in (("noc-viewer",), ("noc-viewer",), ("noc-approver",), ("noc-approver",), ()):
        known(provider.token("u-ana", *roles, realm_access={"roles": list(roles)}))
    kinds = [record.kind for record in ledger.records() if record.kind.startswith("identity.account")]
    assert kinds == ["identity.account.seen", "identity.account.changed", "identity.account.changed"]


names = st.sampled_from([*ROLES, "admin", "approver", "*", "", "noc-admin "]) | st.text(max_size=8)
odd = st.recursive(st.none() | st.booleans() | st.integers() | names, lambda inner: st.lists(inner, max_size=4)
                   | st.dictionaries(names, inner, max_size=3), max_leaves=8)  # fmt: skip


@given(roles=odd, groups=odd)
def test_claims_of_any_shape_give_mapped_roles_only(roles: object, groups: object) -> None:
    trust = Trust(issuer="https://id.example.org", audience="a", clients=frozenset({"c"}), roles=ROLES)
    held = roles_of({"realm_access": {"roles": roles}, "groups": groups}, trust)

    def flat(value: object) -> set[object]:
        return {each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)}

    mapped = {ROLES[name] for name in flat(roles) | flat(groups) if name in ROLES}
    assert held == ({Role.AGENT} if Role.AGENT in mapped else mapped)
