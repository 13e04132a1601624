"""People for the ring house, and what they need around a decision."""

from control_plane.approvals.desk import ApprovalsDesk
from control_plane.ports import Written
from domain.actions import Action, InterfaceUp, RestartProcess
from domain.approvals import ChangeRecord
from domain.identity import EVERYWHERE, Principal, Role, Scope
from domain.proposals import Plan, Proposal
from domain.records import Entry, Record
from policies.chain_files import Chains
from tests.stage import CULPRIT, Stage

#: Needs two signatures by the book: its second step cannot be undone.
TWO_STEPS: tuple[Action, ...] = (InterfaceUp(target=CULPRIT), RestartProcess(target="node:c"))

ENGINEER_THEN_MANAGER = """
id = "in-order"
because = "two kinds of people look at it, in order"
[[stage]]
id = "engineering"
roles = ["engineer"]
count = 1
[[stage]]
id = "management"
roles = ["change_manager"]
count = 1
"""

TWO_OF_THREE = """
id = "two-of-three"
because = "two of three named people"
[[stage]]
id = "board"
roles = ["approver"]
count = 2
of = ["ana", "ben", "cho"]
"""


def person(
    stage: Stage, name: str, *roles: Role, human: str = "", scope: Scope = EVERYWHERE, **more: object
) -> Principal:
    """Make an account that the house knows, by default of a person of the same name, who approves."""
    account = Principal(
        id=f"acc_{name}",
        name=name,
        person=human or name,
        roles=frozenset(roles or {Role.APPROVER}),
        scope=scope,
        **more,
    )
    entry = Entry(kind="identity.account.issued", actor="test", event_time=stage.clock.now())
    stage.ledger.do(lambda tables: Written(tables.principals.add(account), (entry,)))
    return account


def chained(stage: Stage, text: str) -> Stage:
    """Let one chain of approval be the only one in force."""
    stage.road.chains = Chains({"chain.toml": text})
    return stage


def desk(stage: Stage) -> ApprovalsDesk:
    return ApprovalsDesk(stage.road)


def stored(stage: Stage, proposal: Proposal) -> Proposal:
    found = stage.ledger.read(lambda tables: tables.proposals.get(proposal.id))
    assert found is not None
    return found


def change_of(stage: Stage, proposal: Proposal) -> ChangeRecord:
    found = stage.ledger.read(lambda tables: tables.change_records.get(proposal.change_id))
    assert found is not None
    return found


def records(stage: Stage, kind: str) -> list[Record]:
    return [record for record in stage.ledger.records() if record.kind == kind]


def changed(stage: Stage, old: Proposal, who: Principal, steps: tuple[Action, ...] = TWO_STEPS) -> Proposal:
    """Have somebody ask for another plan, and return the proposal that it became once it waits."""
    new = stage.commands.change(who, old.id, Plan(steps=steps), "more is needed")
    stage.walk_all()
    return stored(stage, new)
