"""A signer takes the signature back: before the plan began it waits again, afterwards it is stopped."""

import pytest

from control_plane import flow
from domain.approvals import ChangeState
from domain.errors import Conflict, NotFound, Refused
from domain.execution import ExecutionState
from domain.identity import Role
from domain.proposals import ProposalState
from tests.control_plane.approvals.people import change_of, changed, desk, person, records, stored
from tests.stage import Stage


def test_taken_back_before_it_began_the_grant_is_dead_and_the_plan_waits(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")

    held = desk(stage).revoke(stage.one, proposal.id, "I misread the card")
    flow.act(stage.road, proposal.incident_id)

    assert held.state is ProposalState.HELD
    assert stage.network.journal == []
    assert change_of(stage, proposal).state is ChangeState.REQUESTED
    assert records(stage, "gate.approval.revoked")[0].fields["because"].value == "I misread the card"


def test_the_same_or_another_person_can_sign_again_and_it_is_done_once(stage: Stage) -> None:
    proposal = stage.begin()
    for who in (stage.one, stage.one, stage.two):
        stage.commands.approve(who, proposal.id, "yes")
        desk(stage).revoke(who, proposal.id, "no, wait")

    stage.commands.approve(stage.two, proposal.id, "now")
    stage.walk_all()

    grants = stage.ledger.read(lambda tables: tables.grants.find(proposal_id=proposal.id))
    assert [grant.revoked_at for grant in grants] == [None]
    assert len(stage.network.journal) == 1


def test_a_first_of_two_signatures_can_be_taken_back(stage: Stage) -> None:
    proposal = changed(stage, stage.begin(), person(stage, "eve", Role.ENGINEER))
    stage.commands.approve(stage.one, proposal.id, "yes")

    desk(stage).revoke(stage.one, proposal.id, "no")

    assert stage.commands.approve(stage.two, proposal.id, "yes").state is ProposalState.HELD
    assert stage.commands.approve(stage.one, proposal.id, "yes after all").state is ProposalState.GRANTED


def test_taken_back_while_it_runs_it_is_stopped_and_undone(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    stage.walk_all()

    desk(stage).revoke(stage.one, proposal.id, "stop it")
    stage.walk_all()

    execution = stage.ledger.read(lambda tables: tables.executions.find(proposal_id=proposal.id))[0]
    assert (execution.state, execution.stopped_by) == (ExecutionState.SETTLED, "one")
    assert [key.split(":", 1)[1] for key in stage.network.journal] == ["step:0", "inverse:0"]


def test_only_the_signer_takes_a_signature_back(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")

    with pytest.raises(Refused, match="only its signer"):
        desk(stage).revoke(stage.two, proposal.id, "I disagree")
    with pytest.raises(NotFound):
        desk(stage).revoke(person(stage, "sam", tenant="other"), proposal.id, "I disagree")

    assert stored(stage, proposal).state is ProposalState.GRANTED


def test_the_signers_other_account_takes_it_back_too(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")

    held = desk(stage).revoke(person(stage, "one-at-night", human=" ONE"), proposal.id, "no")

    assert held.state is ProposalState.HELD


def test_what_is_over_has_no_signature_to_take_back(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    stage.walk_all()
    stage.recover()
    stage.settle()

    with pytest.raises(Conflict, match="no signature to take back"):
        desk(stage).revoke(stage.one, proposal.id, "too late")
