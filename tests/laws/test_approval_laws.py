"""Laws of approval, over anything that could be signed, lent or asked for."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.memory import MemoryLedger
from control_plane.approvals import delegating, lending
from control_plane.approvals.changes import follow
from control_plane.ports import Written
from domain.actions import InterfaceUp
from domain.approvals import ChangeState, Delegation
from domain.clock import ManualClock
from domain.errors import NocturneError
from domain.gate import Approval, Choice
from domain.identity import ANYTHING, Bound, Permission, Principal, Role, Scope
from domain.proposals import TRANSITIONS, Plan, Proposal, ProposalState
from domain.records import Entry
from policies.chain import person_key, signature_count
from policies.permissions import permissions, scope
from policies.stages import Chain, progress
from tests.stage import make_stage

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
PLAN = Plan(steps=(InterfaceUp(target="tp:1"),))
PROPOSAL = Proposal(
    id="prop_1", incident_id="inc_1", diagnosis_id="diag_1", change_id="chg_1", requester="agent:provisioning",
    title="up", why="down", plan=PLAN, plan_digest=PLAN.digest, confidence=0.9, rehearsal_id="reh_1",
    state=ProposalState.HELD, expires_at=NOON + timedelta(hours=1), made_at=NOON,
)  # fmt: skip
SIGNING = (Role.APPROVER, Role.ENGINEER, Role.CHANGE_MANAGER)
PEOPLE = ("ana", "Ben", " ana ", "cho", "dan", "")

stages = st.builds(
    lambda roles, count: {"roles": roles, "count": count},
    st.lists(st.sampled_from(SIGNING), min_size=1, max_size=2, unique=True),
    st.integers(1, 3),
)
chains = st.lists(stages, min_size=1, max_size=3).map(
    lambda found: Chain.model_validate(
        {"id": "drawn", "because": "drawn", "stage": [{"id": f"s{i}", **each} for i, each in enumerate(found)]}
    )
)


@st.composite
def signatures(draw: st.DrawFn) -> list[Approval]:
    said = draw(
        st.lists(
            st.tuples(
                st.sampled_from(PEOPLE),
                st.sampled_from(SIGNING),
                st.sampled_from([Choice.APPROVE] * 4 + [Choice.REJECT, Choice.ASK]),
                st.sampled_from([PLAN.digest] * 5 + ["0" * 64]),
                st.booleans(),
            ),
            max_size=10,
        )
    )
    return [
        Approval(
            id=f"appr_{n:02d}", proposal_id="prop_1", plan_digest=digest, rehearsal_id="reh_1", choice=choice,
            account=f"acc {person}", person=person, because="drawn", role=role, made_at=NOON + timedelta(seconds=n),
            revoked_at=NOON if taken_back and n % 3 == 0 else None,
        )
        for n, (person, role, choice, digest, taken_back) in enumerate(said)
    ]  # fmt: skip


@given(chains, signatures(), st.integers(0, 6))
def test_one_more_signature_never_empties_a_stage(chain: Chain, given: list[Approval], needed: int) -> None:
    steps = [progress(chain, PROPOSAL, given[:n], needed) for n in range(len(given) + 1)]

    counts = [[len(stage.signed_by) for stage in each.stages] for each in steps]
    assert all(x <= y for before, after in pairwise(counts) for x, y in zip(before, after, strict=True))
    assert [each.full for each in steps] == sorted(each.full for each in steps)


@given(chains, signatures(), st.integers(0, 6))
def test_a_full_chain_has_as_many_people_as_book_and_stages_ask_for(
    chain: Chain, given: list[Approval], needed: int
) -> None:
    made = progress(chain, PROPOSAL, given, needed)

    signed = [person_key(name) for stage in made.stages for name in stage.signed_by]
    assert len(set(signed)) == len(signed) <= signature_count(PROPOSAL, given)
    if made.full:
        assert len(signed) >= max(needed, sum(stage.count for stage in chain.stages))


@given(chains, signatures(), st.integers(0, 6))
def test_a_later_stage_is_signed_only_when_those_before_it_are_full(
    chain: Chain, given: list[Approval], needed: int
) -> None:
    made = progress(chain, PROPOSAL, given, needed)

    for before, after in pairwise(made.stages):
        assert not after.signed_by or before.missing == 0


@given(chains, signatures(), st.randoms(use_true_random=False))
def test_the_order_in_which_signatures_are_read_does_not_matter(
    chain: Chain, given: list[Approval], dice: object
) -> None:
    shuffled = list(given)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]

    assert progress(chain, PROPOSAL, shuffled, 2) == progress(chain, PROPOSAL, given, 2)


names = st.sampled_from(["north", "south", "east"])
held = st.one_of(st.just(ANYTHING), st.frozensets(names, max_size=3))
bounds = st.lists(
    st.builds(Bound, argument=st.just("metric"), low=st.integers(0, 9), high=st.integers(5, 20)), max_size=1
).map(tuple)
scopes = st.builds(Scope, regions=held, domains=held, kinds=held, bounds=bounds)
roles = st.frozensets(st.sampled_from(list(Role)), min_size=1, max_size=3)


@settings(max_examples=50)
@given(roles, roles, scopes, scopes, scopes, st.frozensets(st.sampled_from(list(Permission)), min_size=1, max_size=4))
def test_lending_widens_nothing(
    before: frozenset[Role],
    after: frozenset[Role],
    held_before: Scope,
    held_after: Scope,
    where: Scope,
    asked: frozenset[Permission],
) -> None:
    clock = ManualClock(NOON)
    stage = make_stage(clock, ledger=MemoryLedger(clock))
    lender = Principal(id="acc_l", name="len", person="Len", roles=before, scope=held_before)
    borrower = Principal(id="acc_b", name="bo", person="Bo", roles=frozenset({Role.VIEWER}))
    entry = Entry(kind="identity.account.issued", actor="test", event_time=NOON)
    stage.ledger.do(lambda tables: Written(tables.principals.add(lender, borrower), (entry,)))
    try:
        delegating.delegate(stage.road, lender, "bo", asked, NOON, NOON + timedelta(hours=1), "drawn", where=where)
    except NocturneError:
        assert (
            not asked <= permissions(lender) & lending.LENDABLE
            or Permission.DELEGATE not in permissions(lender)
            or Role.AGENT in before
        )
        return
    now = lender.but(roles=after, scope=held_after)
    stage.ledger.do(lambda tables: Written(tables.principals.swap(lender, now), (entry,)))

    for loan in stage.ledger.read(lambda tables: lending.loans(tables, borrower, NOON)):
        assert loan.permissions < permissions(lender)  # strictly: lending itself is never lent
        assert loan.permissions <= permissions(now)
        assert Permission.DELEGATE not in loan.permissions
        for own in (scope(lender), scope(now), where):
            for place in ("north", "south", "east"):
                assert own.covers(region=place) or not loan.scope.covers(region=place)
            assert set(own.bounds) <= set(loan.scope.bounds)
    ends = NOON + timedelta(hours=1)
    assert stage.ledger.read(lambda tables: lending.loans(tables, borrower, ends)) == ()
    assert stage.ledger.read(lambda tables: lending.loans(tables, borrower, NOON - timedelta(seconds=1))) == ()


@given(st.integers(-10, 10), st.integers(1, 10), st.one_of(st.none(), st.integers(-10, 20)), st.integers(-20, 30))
def test_a_delegation_lends_between_its_ends_and_not_after_it_was_revoked(
    starts: int, lasts: int, revoked: int | None, at: int
) -> None:
    def hour(n: int) -> datetime:
        return NOON + timedelta(hours=n)

    delegation = Delegation(
        id="dlg_1", from_account="len", from_person="Len", to_account="bo", to_person="Bo",
        permissions=frozenset({Permission.APPROVE}), starts_at=hour(starts), ends_at=hour(starts + lasts),
        because="drawn", made_at=NOON, revoked_at=None if revoked is None else hour(revoked),
    )  # fmt: skip

    assert delegation.lends(hour(at)) == (starts <= at < starts + lasts and (revoked is None or at < revoked))


@given(st.lists(st.integers(0, 20), max_size=12))
def test_the_change_record_is_always_where_its_proposal_is(turns: list[int]) -> None:
    clock = ManualClock(NOON)
    ledger = MemoryLedger(clock)
    entry = Entry(kind="test.proposal.moved", actor="test", event_time=NOON)
    approved = {ProposalState.GRANTED, ProposalState.EXECUTING}
    proposal = PROPOSAL.but(state=ProposalState.DRAFTED)
    for turn in turns:
        ways = sorted(TRANSITIONS[proposal.state])
        if not ways:
            break
        proposal = proposal.moved(ways[turn % len(ways)], "drawn")
        made = ledger.do(lambda tables, new=proposal: Written(follow(tables, new, NOON), (entry,)))

        assert (made.state in {ChangeState.APPROVED, ChangeState.IN_PROGRESS}) == (proposal.state in approved)
        assert len(ledger.read(lambda tables: tables.change_records.find())) == 1
