"""Defect 6: with a quorum of two of three, the store said "allow" after one vote."""

from contextlib import suppress

import pytest

from control_plane import flow
from domain.errors import NocturneError
from domain.gate import Choice
from domain.identity import Principal, Role
from domain.proposals import ProposalState
from policies.chain_files import Chains
from tests.stage import Stage

TWO_OF_THREE = """
id = "board"
because = "two of three"
[[stage]]
id = "board"
roles = ["approver"]
count = 2
of = ["ana", "ben", "cho"]
"""


@pytest.fixture
def board(stage: Stage) -> Stage:
    stage.road.chains = Chains({"board.toml": TWO_OF_THREE})
    return stage


def member(name: str) -> Principal:
    return Principal(id=f"acc_{name}", name=name, person=name, roles=frozenset({Role.APPROVER}))


@pytest.mark.parametrize(
    ("votes", "state"),
    [
        ([], ProposalState.HELD),
        (["ana"], ProposalState.HELD),
        (["cho"], ProposalState.HELD),
        (["ana", "ana"], ProposalState.HELD),
        (["ana", "dan"], ProposalState.HELD),  # not on the board
        (["ana", "ben"], ProposalState.GRANTED),
        (["cho", "ana"], ProposalState.GRANTED),
    ],
)
def test_nothing_is_granted_before_the_quorum(board: Stage, votes: list[str], state: ProposalState) -> None:
    proposal = board.begin()
    for name in votes:
        with suppress(NocturneError):
            board.commands.approve(member(name), proposal.id, "yes")

    grants = board.ledger.read(lambda tables: tables.grants.find(proposal_id=proposal.id))
    assert board.proposal().state is state
    assert len(grants) == (state is ProposalState.GRANTED)
    flow.act(board.road, proposal.incident_id)
    assert len(board.network.journal) == (state is ProposalState.GRANTED)


def test_a_no_counts_as_no_vote_for_it(board: Stage) -> None:
    proposal = board.begin()
    board.commands.approve(member("ana"), proposal.id, "yes")

    board.commands.reject(member("ben"), proposal.id, "no")

    said = board.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id))
    assert {each.choice for each in said} == {Choice.APPROVE, Choice.REJECT}
    assert board.proposal().state is ProposalState.REJECTED
