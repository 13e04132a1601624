"""Row 2: an approval is for one proposal, once. Sent again it changes nothing; sent elsewhere it is refused."""

import pytest

from control_plane.ports import Written
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from tests.attacks.ring_house import RingHouse
from tests.stage import CULPRIT

DRAIN = {"kind": "drain_link", "target": "link:b-c", "previous_metric": 10}
UP = {"kind": "interface_up", "target": CULPRIT}


def stored(ring: RingHouse, proposal: Proposal) -> Proposal:
    found = ring.house.road.ledger.read(lambda tables: tables.proposals.get(proposal.id))
    assert found is not None
    return found


def changed(ring: RingHouse, old: Proposal) -> Proposal:
    """Have the second approver ask for another plan, and return the proposal that it became."""
    body = {"because": "drain, too", "plan": {"steps": [UP, DRAIN]}}
    assert ring.post("approver_b", f"/proposals/{old.id}/change", body).status_code == 200
    ring.walk()
    return ring.repairs()[-1]


@pytest.mark.parametrize("who", ["approver_a", "approver_a-at-night", "approver_b"])
def test_an_approval_sent_again_is_refused_and_done_once(ring: RingHouse, who: str) -> None:
    proposal = ring.held()

    first = ring.approve("approver_a", proposal, plan_digest=proposal.plan_digest)
    again = ring.approve(who, proposal, plan_digest=proposal.plan_digest)
    ring.walk(1)
    later = ring.approve(who, proposal, plan_digest=proposal.plan_digest)
    ring.walk(1)

    assert [first.status_code, again.status_code, later.status_code] == [200, 409, 409]
    assert len(ring.network.journal) == 1
    assert len(ring.records("act.execution.begun", proposal.id)) == 1


def test_an_approval_is_no_approval_of_another_proposal(ring: RingHouse) -> None:
    old = ring.held()
    new = changed(ring, old)

    answer = ring.approve("approver_a", new, plan_digest=old.plan_digest)
    ring.walk()

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert stored(ring, new).state is ProposalState.HELD
    assert ring.network.journal == []


def keyed(ring: RingHouse, who: str, proposal: Proposal, key: str, **body: object) -> tuple[int, dict[str, object]]:
    path = f"/proposals/{proposal.id}/approve"
    answer = ring.post(who, path, {"because": "it fits"} | body, headers={"Idempotency-Key": key})
    return answer.status_code, answer.json()


def test_the_same_request_under_its_key_is_answered_again_and_done_once(ring: RingHouse) -> None:
    proposal = ring.held()

    answers = [keyed(ring, "approver_a", proposal, "k-1", plan_digest=proposal.plan_digest) for _ in range(5)]
    ring.walk(1)
    later, body = keyed(ring, "approver_a", proposal, "k-1", plan_digest=proposal.plan_digest)

    assert [status for status, _ in answers] == [200] * 5
    assert (later, body["id"]) == (200, proposal.id)
    assert len(ring.house.road.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id))) == 1
    assert len(ring.network.journal) == 1
    assert len(ring.records("gate.proposal.approved", proposal.id)) == 1


def test_a_key_is_good_for_no_other_decision(ring: RingHouse) -> None:
    old = ring.held()
    keyed(ring, "approver_a", old, "k-1")
    ring.post("operator", f"/proposals/{old.id}/stop", {"because": "wait"})
    other = old.but(id="prop_01kes17jg0aaaaaaaaaaaaaaaa", change_id="chg_other", state=ProposalState.HELD)
    road = ring.house.road
    entry = Entry(kind="propose.proposal.drafted", actor="test", event_time=road.clock.now(), refs=(other.id,))
    road.ledger.do(lambda tables: Written(tables.proposals.add(other), (entry,)))

    elsewhere = keyed(ring, "approver_a", other, "k-1")
    reworded = keyed(ring, "approver_a", old, "k-1", because="another reason")
    other_plan = keyed(ring, "approver_a", old, "k-1", plan_digest="0" * 64)

    assert [status for status, _ in (elsewhere, reworded, other_plan)] == [409, 409, 409]
    assert stored(ring, other).state is ProposalState.HELD
    assert ring.network.journal == []


def test_a_key_of_one_account_is_not_that_of_another(ring: RingHouse) -> None:
    proposal = ring.held()

    first, _ = keyed(ring, "approver_a", proposal, "k-1")
    second, _ = keyed(ring, "approver_b", proposal, "k-1")

    assert (first, second) == (200, 409)  # the second finds it decided, not its own request


@pytest.mark.parametrize("key", ["with space", "x" * 256, "\x7f"])
def test_what_is_no_key_is_refused(ring: RingHouse, key: str) -> None:
    status, body = keyed(ring, "approver_a", ring.held(), key)

    assert (status, body["code"]) == (400, "bad_input")
