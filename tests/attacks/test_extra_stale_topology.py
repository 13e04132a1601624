"""An old picture of the network justifies nothing: what changed since the rehearsal is looked at again."""

import pytest

from control_plane import flow
from control_plane.guards import freshness
from domain.proposals import ProposalState
from tests.attacks.ring_house import RingHouse
from tests.stage import CULPRIT


def test_a_plan_on_the_present_picture_is_carried_out(ring: RingHouse) -> None:
    """The control."""
    proposal = ring.held()
    ring.approve("approver_a", proposal)
    flow.act(ring.house.road, proposal.incident_id)

    assert len(ring.network.journal) == 1


@pytest.mark.parametrize("when", ["before the signature", "after it"])
def test_a_change_of_the_network_since_the_rehearsal_stops_the_plan_and_is_named(ring: RingHouse, when: str) -> None:
    proposal = ring.held()
    if when == "after it":
        assert ring.approve("approver_a", proposal).status_code == 200
    ring.network.put(CULPRIT, administrative="unlocked")  # somebody mended it by hand
    if when == "before the signature":
        ring.approve("approver_a", proposal)
    flow.act(ring.house.road, proposal.incident_id)

    (after,) = [each for each in ring.repairs() if each.id == proposal.id]
    assert ring.network.journal == []
    assert after.state is ProposalState.WITHDRAWN
    assert CULPRIT in after.state_reason


def test_measurements_that_nobody_renewed_carry_no_signature(ring: RingHouse) -> None:
    proposal = ring.held()
    ring.clock.advance(ring.house.road.settings.measurement_age_s + 60)
    freshness.sweep(ring.house.road)

    answer = ring.approve("approver_a", proposal)

    assert answer.status_code in {409, 410}, answer.text
    flow.act(ring.house.road, proposal.incident_id)
    assert ring.network.journal == []


def test_nobody_sends_a_picture_of_their_own_along(ring: RingHouse) -> None:
    proposal = ring.held()
    for name in ("facts", "rehearsal", "rehearsal_id", "state_digest", "twin", "topology"):
        answer = ring.approve("approver_a", proposal, **{name: "as it was yesterday"})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert ring.repairs()[0].state is ProposalState.HELD
