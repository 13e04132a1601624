"""Defect 5: one person, who was also the requester, satisfied both approval stages; the requesting agent could, too."""

import pytest

from domain.actions import InterfaceUp
from domain.errors import NocturneError
from domain.identity import Principal, Role
from domain.proposals import Plan, ProposalState
from policies.chain_files import Chains
from tests.stage import CULPRIT, Stage

BOTH = frozenset({Role.ENGINEER, Role.CHANGE_MANAGER, Role.APPROVER})
STAGES = """
id = "two"
because = "two stages"
[[stage]]
id = "first"
roles = ["engineer", "change_manager"]
count = 1
[[stage]]
id = "second"
roles = ["change_manager", "engineer"]
count = 1
"""


@pytest.fixture
def two_stages(stage: Stage) -> Stage:
    stage.road.chains = Chains({"two.toml": STAGES})
    return stage


def test_one_person_fills_one_stage_by_whichever_account(two_stages: Stage) -> None:
    proposal = two_stages.begin()
    accounts = [
        Principal(id=f"acc_{n}", name=f"eve-{n}", person=spelled, roles=BOTH)
        for n, spelled in enumerate(("Eve", "eve", " EVE ", "Eve", "Ｅve"))
    ]
    outcomes = []
    for account in accounts:
        try:
            outcomes.append(two_stages.commands.approve(account, proposal.id, "yes").state)
        except NocturneError as error:
            outcomes.append(error.code)

    assert outcomes == [ProposalState.HELD, "conflict", "conflict", "conflict", "conflict"]
    two_stages.walk_all()
    assert two_stages.network.journal == []


def test_the_requester_fills_no_stage(two_stages: Stage) -> None:
    eve = Principal(id="acc_e", name="eve", person="Eve", roles=BOTH)
    old = two_stages.begin()
    steps = (InterfaceUp(target=CULPRIT), InterfaceUp(target="tp:c-d"))
    proposal = two_stages.commands.change(eve, old.id, Plan(steps=steps), "more")
    two_stages.walk_all()
    other = eve.but(id="acc_e2", name="eve-at-night", person="EVE")

    for account in (eve, other):
        with pytest.raises(NocturneError):
            two_stages.commands.approve(account, proposal.id, "mine")

    assert two_stages.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id)) == []


def test_the_requesting_agent_fills_no_stage(two_stages: Stage) -> None:
    proposal = two_stages.begin()
    agent = Principal(id="acc_a", name="agent:provisioning", person="", roles=BOTH)

    for account in (agent, agent.but(person="Eve"), agent.but(name="helper", roles=BOTH | {Role.AGENT}, person="Eve")):
        with pytest.raises(NocturneError, match="is an agent"):
            two_stages.commands.approve(account, proposal.id, "trust me")
