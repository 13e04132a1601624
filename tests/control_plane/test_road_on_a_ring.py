"""The road from an alarm to a verified repair, step by step, on the ring of `tests/stage.py`."""

import pytest

from control_plane.ports import Ledger
from domain.actions import DrainLink, InterfaceUp, RestartProcess
from domain.chains import first_break
from domain.clock import ManualClock
from domain.errors import Conflict, Refused
from domain.execution import Resolution
from domain.incidents import IncidentState
from domain.proposals import Plan, ProposalState
from tests.stage import CULPRIT, Stage, make_stage


def outcome(stage: Stage) -> Resolution | None:
    executions = stage.ledger.read(lambda tables: tables.executions.find())
    return executions[-1].outcome.resolution if executions and executions[-1].outcome else None


def test_a_repair_waits_for_a_person(stage: Stage) -> None:
    proposal = stage.begin()

    assert proposal.state is ProposalState.HELD
    assert stage.network.journal == []


def test_an_approved_repair_that_works_is_restored(stage: Stage) -> None:
    proposal = stage.begin()

    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.recover()
    stage.settle()

    assert len(stage.network.journal) == 1
    assert outcome(stage) is Resolution.RESTORED
    assert stage.ledger.read(lambda t: t.incidents.find())[0].state is IncidentState.CLOSED
    assert first_break(stage.ledger.records()) is None


def test_a_lying_executor_never_ends_as_restored(stage: Stage) -> None:
    proposal = stage.begin()
    stage.network.lies = True

    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.suffer(20)

    assert outcome(stage) is Resolution.UNRESOLVED


def test_a_lying_executor_and_a_fault_that_heals_is_not_ours(stage: Stage) -> None:
    proposal = stage.begin()
    stage.network.lies = True

    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.recover()
    stage.settle()

    assert outcome(stage) is Resolution.NOT_OURS


def test_a_fault_that_heals_before_anyone_decides_is_not_ours(stage: Stage) -> None:
    proposal = stage.begin()

    stage.network.put(CULPRIT, administrative="unlocked")
    stage.recover()
    stage.settle()

    incident = stage.ledger.read(lambda t: t.incidents.find())[0]
    assert incident.resolution is Resolution.NOT_OURS
    assert stage.ledger.read(lambda t: t.proposals.get(proposal.id)).state is ProposalState.WITHDRAWN
    with pytest.raises(Conflict):
        stage.commands.approve(stage.one, proposal.id, "too late")


def test_a_repair_that_does_not_help_is_rolled_back(stage: Stage) -> None:
    proposal = stage.begin()

    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.suffer(20)

    assert outcome(stage) is Resolution.ROLLED_BACK
    assert len(stage.network.journal) == 2
    assert stage.network.state(CULPRIT)["administrative"] == "locked"


def test_a_fact_that_changed_voids_the_grant_and_is_named(stage: Stage) -> None:
    proposal = stage.begin()

    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.network.put(CULPRIT, administrative="unlocked")
    stage.walk_all()

    voided = [record for record in stage.ledger.records() if record.kind == "gate.grant.voided"]
    assert stage.network.journal == []
    assert f"administrative of `{CULPRIT}` was locked, is unlocked" in voided[0].fields["reasons"].value[0]


def test_the_requester_and_agents_cannot_approve(stage: Stage) -> None:
    proposal = stage.begin()
    agent = stage.one.but(name="agent:provisioning")

    with pytest.raises(Refused):
        stage.commands.approve(agent, proposal.id, "trust me")

    assert stage.kinds()[-1] == "gate.proposal.refused"


def test_a_changed_plan_is_a_new_proposal_that_its_author_cannot_sign(stage: Stage) -> None:

    old = stage.begin()
    plan = Plan(steps=(DrainLink(target="link:b-c", previous_metric=10),))

    new = stage.commands.change(stage.one, old.id, plan, "drain first")
    stage.walk_all()

    assert stage.ledger.read(lambda t: t.proposals.get(old.id)).state is ProposalState.CHANGED
    assert new.plan_digest != old.plan_digest
    with pytest.raises(Refused):
        stage.commands.approve(stage.one, new.id, "my own plan")


def test_walking_twice_does_nothing_twice(stage: Stage) -> None:
    stage.begin()
    before = len(stage.ledger.records())

    for _ in range(5):
        stage.walk_all()

    assert len(stage.ledger.records()) == before
    assert len(stage.proposals()) == 1


def test_a_newer_diagnosis_of_the_same_plan_renews_the_proposal_and_has_it_signed_anew(
    clock: ManualClock, ledger: Ledger
) -> None:
    stage = make_stage(clock, ledger=ledger, steps=(InterfaceUp(target=CULPRIT), RestartProcess(target="node:a")))
    old = stage.begin()
    stage.commands.approve(stage.one, old.id, "plausible")

    stage.raise_alarms(resources=("tp:a-d",))
    stage.walk_all()
    renewed = stage.proposal()

    assert renewed.id == old.id
    assert renewed.diagnosis_id != old.diagnosis_id
    assert renewed.rehearsal_id != old.rehearsal_id
    assert renewed.state is ProposalState.HELD
    assert stage.commands.approve(stage.two, old.id, "agreed").state is ProposalState.HELD
    assert stage.commands.approve(stage.one, old.id, "still plausible").state is ProposalState.GRANTED
