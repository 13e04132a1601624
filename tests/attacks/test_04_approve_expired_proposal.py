"""Row 4: an approval counts until the proposal expires, to the second; the executor looks at the clock again."""

from datetime import timedelta

import pytest

from domain.execution import ExecutionState
from domain.proposals import Proposal, ProposalState
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


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 410), (1, 410)])
def test_an_approval_counts_until_the_proposal_expires(ring: RingHouse, seconds: float, status: int) -> None:
    proposal = ring.held()
    ring.clock.advance((proposal.expires_at - ring.clock.now()).total_seconds() + seconds)

    answer = ring.approve("approver_a", proposal)

    assert answer.status_code == status
    assert (stored(ring, proposal).state is ProposalState.GRANTED) == (status == 200)


def test_an_expired_proposal_does_nothing_and_says_so(ring: RingHouse) -> None:
    proposal = ring.held()
    ring.clock.advance((proposal.expires_at - ring.clock.now()).total_seconds() - 0.5)
    ring.report()
    ring.walk(1)

    assert stored(ring, proposal).state is ProposalState.EXPIRED
    assert ring.approve("approver_a", proposal).status_code in {409, 410}
    assert ring.network.journal == []
    assert ring.records("gate.proposal.expired")


@pytest.mark.parametrize(("seconds", "effects"), [(-1, 1), (0, 0), (1, 0)])
def test_the_executor_looks_at_the_clock_again(ring: RingHouse, seconds: float, effects: int) -> None:
    proposal = ring.held()
    ring.approve("approver_a", proposal)
    grant = ring.house.road.ledger.read(lambda tables: tables.grants.find(proposal_id=proposal.id))[0]
    ring.clock.advance((grant.expires_at - ring.clock.now()).total_seconds() + seconds)
    ring.report()

    ring.walk(0.5)

    assert len(ring.network.journal) == effects
    voided = ring.records("gate.grant.voided")
    assert (not voided) if effects else ("the grant expired" in voided[0].fields["reasons"].value[0])


def test_a_grant_that_expires_between_two_steps_carries_no_further(ring: RingHouse) -> None:
    proposal = changed(ring, ring.held())
    ring.approve("approver_a", proposal)
    expires = ring.clock.now() + timedelta(seconds=ring.house.road.settings.grant_s)

    def too_long(point: str, ref: str) -> None:
        if point == "sent" and ref.endswith(":step:0"):
            ring.clock.advance((expires - ring.clock.now()).total_seconds())

    ring.house.road.watchers.append(too_long)
    ring.walk(0.5)

    execution = ring.house.road.ledger.read(lambda tables: tables.executions.find(proposal_id=proposal.id))[-1]
    assert [key.split(":", 1)[1] for key in ring.network.journal] == ["step:0", "inverse:0"]
    assert execution.state is ExecutionState.SETTLED
    assert "the grant expired" in execution.note


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "2026-01-12T12:00:00Z", "soon", 0])
def test_a_decision_is_not_put_off_for_ever_or_into_the_past(ring: RingHouse, moment: object) -> None:
    proposal = ring.held()

    answer = ring.post("approver_a", f"/proposals/{proposal.id}/defer", {"because": "lunch", "until": moment})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert stored(ring, proposal).state is ProposalState.HELD


@pytest.mark.parametrize("back_s", [1, 3600, 86_400])
def test_a_clock_that_is_set_back_makes_no_late_approval_good(ring: RingHouse, back_s: float) -> None:
    proposal = ring.held()
    ring.clock.advance((proposal.expires_at - ring.clock.now()).total_seconds())
    late = ring.approve("approver_a", proposal)

    ring.clock.advance(-back_s)
    again = ring.approve("approver_a", proposal)

    assert (late.status_code, again.status_code) == (410, 409)
    assert stored(ring, proposal).state is ProposalState.EXPIRED
    assert ring.network.journal == []
