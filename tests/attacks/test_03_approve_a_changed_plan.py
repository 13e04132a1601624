"""Row 3: an approval is for the plan that was looked at, on what was known of it; of any other it is none."""

import pytest

from domain.proposals import Proposal, ProposalState
from policies.chain import counts
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


def test_a_plan_that_was_changed_can_no_longer_be_approved(ring: RingHouse) -> None:
    old = ring.held()
    changed(ring, old)

    assert ring.approve("approver_a", old, plan_digest=old.plan_digest).status_code == 409
    assert ring.approve("approver_a", old).status_code == 409
    assert stored(ring, old).state is ProposalState.CHANGED


@pytest.mark.parametrize("digest", ["", "0" * 63, "g" * 64, "0" * 65, "' OR 1=1 --", None, 7, ["0" * 64]])
def test_what_is_no_digest_is_no_approval(ring: RingHouse, digest: object) -> None:
    proposal = ring.held()

    answer = ring.approve("approver_a", proposal, plan_digest=digest)

    assert answer.status_code == (200 if digest is None else 400)


def test_a_digest_of_the_old_plan_approves_no_new_one(ring: RingHouse) -> None:
    old = ring.held()
    new = changed(ring, old)

    stale = ring.approve("approver_a", new, plan_digest=old.plan_digest)
    right = ring.approve("approver_a", new, plan_digest=new.plan_digest)

    assert (stale.status_code, right.status_code) == (409, 200)


def test_an_approval_of_an_older_rehearsal_does_not_count(ring: RingHouse) -> None:
    proposal = ring.held()
    road = ring.house.road
    ring.approve("approver_a", proposal)
    given = road.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id))[0]
    grant = road.ledger.read(lambda tables: tables.grants.find(proposal_id=proposal.id))[0]

    assert (given.rehearsal_id, grant.rehearsal_id) == (proposal.rehearsal_id, proposal.rehearsal_id)
    assert not counts(given, proposal.but(rehearsal_id="reh_another"))
    assert counts(given, proposal)
