"""Defect 12: after approval the policy gate was bypassed, and the world was not looked at again."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from control_plane import flow
from control_plane.ports import Written
from domain.proposals import ProposalState
from domain.records import Entry
from policies.chain_files import Chains
from tests.stage import CULPRIT, Stage


def freeze(stage: Stage) -> None:
    now = stage.clock.now()
    stage.commands.declare_freeze(stage.operator, "", now, now + timedelta(hours=1), "election night")


def other_chain(stage: Stage) -> None:
    stage.road.chains = Chains({"90.toml": stage.road.chains.texts["90_ordinary.toml"] + "\n# another version\n"})


def signature_gone(stage: Stage) -> None:
    """Somebody takes the signature out behind the gate's back: the book is asked with those that are there."""
    entry = Entry(kind="test.store.edited", actor="intruder", event_time=stage.clock.now())
    given = stage.ledger.read(lambda tables: tables.approvals.find())[0]
    gone = given.but(revoked_at=stage.clock.now())
    stage.ledger.do(lambda tables: Written(tables.approvals.swap(given, gone), (entry,)))


def mended_by_hand(stage: Stage) -> None:
    stage.clock.advance(0.5)
    stage.network.put(CULPRIT, administrative="unlocked")
    stage.road.live.twin.configured(CULPRIT, "administrative", "unlocked", stage.clock.now())


@pytest.mark.parametrize("meanwhile", [freeze, other_chain, signature_gone, mended_by_hand])
def test_what_changed_between_approval_and_act_is_seen(stage: Stage, meanwhile: Callable[[Stage], None]) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")

    meanwhile(stage)
    flow.act(stage.road, proposal.incident_id)

    assert stage.network.journal == []
    assert stage.proposal().state is ProposalState.WITHDRAWN
    assert [r for r in stage.ledger.records() if r.kind == "gate.grant.voided"]


def test_without_such_a_change_it_is_carried_out(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")

    flow.act(stage.road, proposal.incident_id)

    assert len(stage.network.journal) == 1
