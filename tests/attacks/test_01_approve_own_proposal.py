"""Row 1: nobody approves their own proposal, by any account, and no agent approves anything; it is recorded."""

from datetime import timedelta

import pytest

from control_plane.ports import Written
from domain.actions import DrainLink, InterfaceUp
from domain.errors import Refused
from domain.identity import Principal, Role
from domain.proposals import Plan, Proposal, ProposalState
from domain.records import Entry
from tests.attacks.ring_house import RingHouse
from tests.stage import CULPRIT

PLAN = Plan(steps=(InterfaceUp(target=CULPRIT), DrainLink(target="link:b-c", previous_metric=10)))


def changed_by(ring: RingHouse, who: str) -> Proposal:
    """Have somebody ask for another plan, and return the proposal that is theirs now."""
    old = ring.held()
    body = {"because": "drain first", "plan": PLAN.model_dump(mode="json")}
    assert ring.post(who, f"/proposals/{old.id}/change", body).status_code == 200
    ring.walk()
    return ring.repairs()[-1]


@pytest.mark.parametrize("account", ["approver_a", "approver_a-at-night"])
def test_a_person_approves_no_plan_of_their_own_by_any_account(ring: RingHouse, account: str) -> None:
    proposal = changed_by(ring, "approver_a")

    answer = ring.approve(account, proposal)
    ring.walk()

    assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert ring.network.journal == []
    refusal = ring.records("gate.proposal.refused")[-1]
    assert (refusal.actor, proposal.id in refusal.refs) == (account, True)


def test_two_accounts_of_one_person_are_one_signature(ring: RingHouse) -> None:
    proposal = ring.held()

    first = ring.approve("approver_a", proposal)
    second = ring.approve("approver_a-at-night", proposal)

    assert first.status_code == 200
    assert second.status_code == 409
    assert len(ring.house.road.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id))) == 1


def test_where_two_must_sign_one_person_with_two_accounts_is_not_enough(ring: RingHouse) -> None:
    old = ring.held()
    steps = [{"kind": "interface_up", "target": CULPRIT}, {"kind": "restart_process", "target": "node:c"}]
    ring.post("approver_b", f"/proposals/{old.id}/change", {"because": "restart it, too", "plan": {"steps": steps}})
    ring.walk()
    proposal = ring.repairs()[-1]

    answers = [
        ring.approve(account, proposal).status_code for account in ("approver_a", "approver_a-at-night", "approver_b")
    ]
    ring.walk()

    assert answers == [200, 409, 403]
    assert ring.repairs()[-1].state is ProposalState.HELD
    assert ring.network.journal == []


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_an_agent_decides_nothing(ring: RingHouse, verb: str) -> None:
    proposal = ring.held()

    answer = ring.post("robot", f"/proposals/{proposal.id}/{verb}", {"because": "trust me"})

    assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert ring.repairs()[-1].state is ProposalState.HELD
    assert ring.records("gate.proposal.refused")[-1].actor == "robot"


@pytest.mark.parametrize(
    "disguise",
    [
        {"name": "agent:provisioning"},
        {"roles": frozenset({Role.AGENT, Role.APPROVER})},
        {"person": ""},
        {"person": "  "},
        {"person": "agent:provisioning"},
    ],
)
def test_an_agent_in_disguise_approves_nothing(ring: RingHouse, disguise: dict[str, object]) -> None:
    proposal = ring.held()
    person = Principal(id="acc_x", name="approver_a", person="the first approver", roles=frozenset({Role.APPROVER}))

    with pytest.raises(Refused):
        ring.house.commands.approve(person.but(**disguise), proposal.id, "trust me")

    assert ring.repairs()[-1].state is ProposalState.HELD


@pytest.mark.parametrize("who", ["feed", "viewer", "operator", "auditor"])
def test_who_is_no_approver_approves_nothing(ring: RingHouse, who: str) -> None:
    proposal = ring.held()

    assert ring.approve(who, proposal).status_code == 403
    assert ring.repairs()[-1].state is ProposalState.HELD


def test_who_acts_for_the_requester_approves_nothing_of_theirs(ring: RingHouse) -> None:
    proposal = changed_by(ring, "approver_a")
    behind = Principal(id="acc_a", name="approver_a", person="the first approver", roles=frozenset({Role.APPROVER}))
    tool = Principal(id="acc_t", name="tool", person="the tool's owner", roles=behind.roles, behind=behind)

    with pytest.raises(Refused):
        ring.house.commands.approve(tool, proposal.id, "on behalf of the requester")

    assert ring.repairs()[-1].state is ProposalState.HELD
    refusal = ring.records("gate.proposal.refused")[-1]
    assert refusal.fields["on_behalf_of"].value == ["approver_a"]


def test_for_whom_an_agent_asked_may_not_approve_it(ring: RingHouse) -> None:
    proposal = ring.held()
    for_a = proposal.but(on_behalf_of=("approver_a", "the first approver"))
    entry = Entry(kind="propose.proposal.renewed", actor="test", event_time=ring.clock.now(), refs=(proposal.id,))
    ring.house.road.ledger.do(lambda tables: Written(tables.proposals.swap(proposal, for_a), (entry,)))

    answers = [ring.approve(who, proposal).status_code for who in ("approver_a", "approver_a-at-night", "approver_b")]

    assert answers == [403, 403, 200]


def test_lending_does_not_carry_a_persons_own_proposal_through(ring: RingHouse) -> None:
    proposal = changed_by(ring, "approver_a")
    now = ring.clock.now()
    body = {
        "to_account": "viewer",
        "permissions": ["approve"],
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=1)).isoformat(),
        "because": "sign this for me",
    }
    assert ring.post("approver_a", "/delegations", body).status_code == 201

    answer = ring.approve("viewer", proposal)

    assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert ring.repairs()[-1].state is ProposalState.HELD


def test_nobody_breaks_the_glass_for_a_plan_of_their_own(ring: RingHouse) -> None:
    proposal = changed_by(ring, "approver_a")
    body = {"because": "now", "plan_digest": proposal.plan_digest}

    for who in ("approver_a", "approver_a-at-night", "robot"):
        assert ring.post(who, f"/proposals/{proposal.id}/break-glass", body).status_code == 403

    assert ring.network.journal == []
