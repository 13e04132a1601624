"""A freeze is stronger than an approval that came before it, and refuses one that comes after."""

from datetime import timedelta

import pytest

from control_plane import flow
from domain.errors import Conflict
from domain.proposals import Proposal, ProposalState
from tests.scenarios.scene import Scene

SENTENCE = "a freeze is in force"


def at_rest(scene: Scene) -> Proposal:
    """Return a repair that waits, in a house whose worker rests: nothing moves but by the test."""
    proposal = scene.break_culprit()
    scene.house.worker.close()
    flow.walk(scene.house.road, scene.house.graph, proposal.incident_id)
    return proposal


def freeze(scene: Scene) -> None:
    """Declare that nothing may be changed anywhere for an hour."""
    now = scene.house.clock.now()
    scene.house.commands.declare_freeze(scene.one, "", now - timedelta(seconds=1), now + timedelta(hours=1), "audit")


def test_a_freeze_after_the_approval_voids_the_grant_before_anything_is_sent(scene: Scene) -> None:
    proposal = at_rest(scene)
    granted = scene.approve(proposal)
    freeze(scene)

    flow.walk(scene.house.road, scene.house.graph, proposal.incident_id)

    withdrawn = scene.proposal(proposal.id)
    assert granted.state is ProposalState.GRANTED
    assert withdrawn.state is ProposalState.WITHDRAWN
    assert SENTENCE in withdrawn.state_reason
    assert scene.effects() == []
    assert "gate.grant.voided" in [record.kind for record in scene.house.road.ledger.records()]


def test_an_approval_during_a_freeze_is_refused_with_the_sentence_of_the_rule(scene: Scene) -> None:
    proposal = at_rest(scene)
    freeze(scene)

    with pytest.raises(Conflict, match=SENTENCE):
        scene.house.commands.approve(scene.one, proposal.id, "it cannot wait")

    assert scene.proposal(proposal.id).state is ProposalState.HELD
    assert scene.read(lambda tables: tables.grants.count(proposal_id=proposal.id)) == 0
