"""People sign, once each, for plans that somebody else asked for."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from domain.actions import InterfaceDown
from domain.errors import Conflict, NotFound, Refused
from domain.gate import Approval, Choice
from domain.identity import Principal, Role
from domain.proposals import Plan, Proposal
from policies.chain import may_sign, signature_count, signers, signing_roles

Account = Callable[..., Principal]
Propose = Callable[..., Proposal]


def said(proposal: Proposal, person: str, choice: Choice = Choice.APPROVE, account: str = "") -> Approval:
    return Approval(
        id=f"appr_{person}_{account}",
        proposal_id=proposal.id,
        plan_digest=proposal.plan_digest,
        choice=choice,
        account=account or person,
        person=person,
        because="seen",
        made_at=datetime(2026, 1, 12, 12, 0, tzinfo=UTC),
    )


def test_an_approver_may_sign_what_an_agent_asked_for(account: Account, propose: Propose) -> None:
    assert may_sign(account(), propose(), []) is None  # it would raise what it has against the signer


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"roles": frozenset({Role.OPERATOR})}, "lacks the approver role"),
        ({"roles": frozenset({Role.AGENT, Role.APPROVER})}, "is an agent"),
        ({"name": "agent:provisioning", "person": "First Approver"}, "is an agent"),
        ({"person": ""}, "no person stands behind"),
        ({"person": " \t "}, "no person stands behind"),
    ],
)
def test_some_accounts_sign_nothing(account: Account, propose: Propose, changes: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        may_sign(account(**changes), propose(), [])


def test_nobody_signs_what_they_asked_for_themselves(account: Account, propose: Propose) -> None:
    with pytest.raises(Refused, match="another person must sign"):
        may_sign(account(), propose(requester="approver-one"), [])


def test_a_second_account_of_the_requester_does_not_help(account: Account, propose: Propose) -> None:
    other = account(name="approver-nine", person="FIRST  APPROVER ")

    with pytest.raises(Refused, match="another person must sign"):
        may_sign(other, propose(requester="approver-one"), [], requesters=["First Approver"])


def test_one_person_is_one_signature_whatever_the_account(account: Account, propose: Propose) -> None:
    proposal = propose()
    approvals = [said(proposal, "First Approver"), said(proposal, "first  approver ", account="approver-two")]

    assert len(signers(proposal, approvals)) == 1
    with pytest.raises(Conflict, match="signed this plan already"):
        may_sign(account(name="approver-two"), proposal, approvals)
    may_sign(account(name="approver-two", person="Second Approver"), proposal, approvals)


def test_only_a_yes_to_exactly_this_plan_counts(propose: Propose) -> None:
    proposal = propose()
    other = propose(Plan(steps=(InterfaceDown(target="tp:1"),)))
    approvals = [
        said(proposal, "First Approver", Choice.REJECT),
        said(other, "Second Approver"),
        said(propose(id="prop_2"), "Third Approver"),
    ]

    assert signers(proposal, approvals) == frozenset()


def test_a_proposal_of_another_tenant_is_not_there(account: Account, propose: Propose) -> None:
    with pytest.raises(NotFound):
        may_sign(account(tenant="other"), propose(), [])


def test_nobody_signs_what_was_asked_for_on_their_behalf(account: Account, propose: Propose) -> None:
    with pytest.raises(Refused, match="another person must sign"):
        may_sign(account(), propose(on_behalf_of=("assistant", "FIRST approver")), [])


def test_an_account_that_acts_for_the_requester_does_not_sign(account: Account, propose: Propose) -> None:
    behind = account(id="acc_2", name="approver-two", person="Second Approver")
    acting = account(name="tool", person="Tool Owner", behind=behind)

    with pytest.raises(Refused, match="another person must sign"):
        may_sign(acting, propose(requester="approver-two"), [])


def test_an_agent_that_acts_for_an_approver_signs_nothing(account: Account, propose: Propose) -> None:
    acting = account(behind=account(id="acc_2", name="agent:helper", roles=frozenset({Role.AGENT})))

    with pytest.raises(Refused, match="agents sign nothing"):
        may_sign(acting, propose(), [])


def test_acting_for_somebody_gives_no_role_that_both_do_not_have(account: Account) -> None:
    viewer = account(id="acc_2", name="vic", roles=frozenset({Role.VIEWER}))

    assert signing_roles(account(behind=viewer)) == frozenset()
    assert signing_roles(account(behind=account(id="acc_2"))) == {Role.APPROVER}


def test_a_signature_that_was_taken_back_counts_no_more(account: Account, propose: Propose) -> None:
    proposal = propose()
    given = said(proposal, "First Approver")

    assert signers(proposal, [given.but(revoked_at=given.made_at)]) == frozenset()
    may_sign(account(), proposal, [given.but(revoked_at=given.made_at)])


def test_a_broken_glass_counts_as_everybody(propose: Propose) -> None:
    proposal = propose()
    glass = said(proposal, "First Approver").but(broken_glass_id="glass_1")

    assert signature_count(proposal, [glass]) > 1000
    assert signature_count(proposal, [glass.but(revoked_at=glass.made_at)]) == 0
    assert signature_count(proposal, [glass.but(rehearsal_id="another")]) == 0
