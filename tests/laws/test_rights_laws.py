"""Laws of rights: acting for somebody never adds one, a narrower scope never covers more."""

from hypothesis import given
from hypothesis import strategies as st

from domain.actions import Action, DrainLink, InterfaceUp, SteerDemand
from domain.identity import ANY, Bound, NetworkDomain, Principal, Role, Scope
from policies.permissions import outside, permissions, scope, tenants

REGIONS, KINDS = ("north", "south", "east"), ("cell", "link", "core", "power")


def some(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.just(frozenset({ANY})) | st.frozensets(st.sampled_from(values), max_size=3)


numbers = st.none() | st.integers(0, 100)
bounds = st.builds(
    Bound,
    argument=st.sampled_from(["metric", "previous_metric", "via", "share", "kind"]),
    allowed=st.frozensets(st.sampled_from(["interface_up", "drain_link", "node:a", "50"]), max_size=2),
    low=numbers,
    high=numbers,
)
scopes = st.builds(
    Scope,
    regions=some(REGIONS),
    domains=some(tuple(NetworkDomain)),
    kinds=some(KINDS),
    bounds=st.lists(bounds, max_size=2).map(tuple),
)


def accounts(behind: st.SearchStrategy[Principal | None]) -> st.SearchStrategy[Principal]:
    return st.builds(
        Principal,
        id=st.just("acc_1"),
        name=st.sampled_from(["ada", "agent:x"]),
        roles=st.frozensets(st.sampled_from(Role), max_size=4),
        tenant=st.sampled_from(["default", "other"]),
        scope=scopes,
        behind=behind,
    )


principals = st.recursive(accounts(st.none()), accounts, max_leaves=4)
steps: st.SearchStrategy[Action] = st.one_of(
    st.just(InterfaceUp(target="tp:1")),
    st.builds(DrainLink, target=st.just("link:1"), previous_metric=st.integers(1, 100)),
    st.builds(SteerDemand, target=st.just("demand:1"), via=st.sampled_from(["node:a", "node:b", None])),
    st.builds(SteerDemand, target=st.just("demand:1"), via=st.just("node:a"), share=st.sampled_from([0.01, 0.4, 1.0])),
)
places = st.frozensets(st.sampled_from(REGIONS), min_size=1, max_size=2)


@given(who=principals, behind=principals, step=steps, where=places, kind=st.sampled_from(KINDS))
def test_acting_for_somebody_never_adds_a_right(
    who: Principal, behind: Principal, step: Action, where: frozenset[str], kind: str
) -> None:
    alone = who.but(behind=None)
    acting = who.but(behind=behind)

    assert permissions(acting) <= permissions(alone) & permissions(behind)
    for other in (alone, behind):
        if not outside(scope(acting), step, where, kind):
            assert not outside(scope(other), step, where, kind)
    assert tenants(acting) >= tenants(behind)


@given(one=scopes, other=scopes, step=steps, where=places, kind=st.sampled_from(KINDS))
def test_the_lesser_of_two_scopes_covers_exactly_what_both_cover(
    one: Scope, other: Scope, step: Action, where: frozenset[str], kind: str
) -> None:
    both = not outside(one, step, where, kind) and not outside(other, step, where, kind)

    assert (not outside(one.lesser(other), step, where, kind)) == both


@given(held=scopes, step=steps, where=places, more=st.sampled_from(REGIONS), kind=st.sampled_from(KINDS))
def test_what_touches_another_region_too_is_never_easier_to_do(
    held: Scope, step: Action, where: frozenset[str], more: str, kind: str
) -> None:
    if outside(held, step, where, kind):
        assert outside(held, step, where | {more}, kind)


@given(who=principals)
def test_the_chain_of_names_is_whole(who: Principal) -> None:
    names, at = [], who
    while at is not None:
        names.append(at.name)
        at = at.behind

    assert who.chain == tuple(names)
    assert who.on_behalf_of.get("on_behalf_of", ()) == tuple(names[1:])
