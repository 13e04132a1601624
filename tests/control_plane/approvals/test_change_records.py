"""The change record goes with its proposal, from the request to what came of it; nothing is done without one."""

import pytest

from control_plane import flow
from control_plane.ports import Written
from domain.approvals import ChangeKind, ChangeState
from domain.clock import ManualClock
from domain.errors import NotFound
from domain.identity import Role
from domain.proposals import ProposalState
from domain.records import Entry
from tests.control_plane.approvals.people import change_of, desk, person, records, stored
from tests.stage import Stage, make_stage


def test_the_life_of_a_change_that_helped(stage: Stage) -> None:
    proposal = stage.begin()
    lived = [change_of(stage, proposal).state]
    stage.commands.approve(stage.one, proposal.id, "yes")
    lived.append(change_of(stage, proposal).state)
    stage.walk_all()
    lived.append(change_of(stage, proposal).state)
    stage.recover()
    stage.settle()
    lived.append(change_of(stage, proposal).state)

    assert lived == [ChangeState.REQUESTED, ChangeState.APPROVED, ChangeState.IN_PROGRESS, ChangeState.COMPLETED]
    assert change_of(stage, proposal).approved_by == ("one",)


def test_a_change_that_was_undone_failed(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    stage.walk_all()
    stage.suffer(20)

    change = change_of(stage, proposal)
    assert change.state is ChangeState.FAILED
    assert change.changed_at > change.made_at


@pytest.mark.parametrize(
    ("end", "state"),
    [
        ("rejected", ChangeState.REFUSED),
        ("stopped", ChangeState.CANCELLED),
        ("expired", ChangeState.CANCELLED),
        ("put off", ChangeState.REQUESTED),
    ],
)
def test_a_change_that_was_not_made(stage: Stage, end: str, state: ChangeState) -> None:
    proposal = stage.begin()
    if end == "rejected":
        stage.commands.reject(stage.one, proposal.id, "no")
    elif end == "stopped":
        stage.commands.stop(stage.operator, proposal.id, "no")
    elif end == "expired":
        stage.clock.advance(stage.road.settings.proposal_s)
        flow.gate(stage.road, proposal.incident_id)
    else:
        stage.commands.defer(stage.one, proposal.id, proposal.expires_at, "later")

    assert change_of(stage, proposal).state is state


def test_a_ticket_is_a_standard_change_that_a_rule_approved(clock: ManualClock) -> None:
    stage = make_stage(clock, tickets=True)
    stage.begin()
    stage.walk_all()

    ticket = next(p for p in stage.proposals() if p.requester == "agent:ticketing")
    change = change_of(stage, ticket)
    assert (change.kind, change.state) == (ChangeKind.STANDARD, ChangeState.COMPLETED)
    assert all(name.startswith("rule:") for name in change.approved_by)
    assert change.approved_by


def test_the_change_and_the_record_name_the_tickets(clock: ManualClock) -> None:
    stage = make_stage(clock, tickets=True)
    proposal = stage.begin()
    stage.walk_all()
    tickets = tuple(ticket.id for ticket in stage.ledger.read(lambda tables: tables.tickets.find()))

    stage.commands.approve(stage.one, proposal.id, "yes")

    assert change_of(stage, proposal).ticket_ids == tickets != ()
    decided = records(stage, "gate.proposal.approved")[-1].fields
    assert decided["change_id"].value == proposal.change_id
    assert tuple(decided["tickets"].value) == tickets


@pytest.mark.parametrize("meddled", ["gone back", "another plan"])
def test_nothing_is_carried_out_without_an_approved_change(stage: Stage, meddled: str) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    old = change_of(stage, proposal)
    new = old.but(state=ChangeState.REQUESTED) if meddled == "gone back" else old.but(plan_digest="0" * 64)
    entry = Entry(kind="test.change.meddled", actor="test", event_time=stage.clock.now())
    stage.ledger.do(lambda tables: Written(tables.change_records.swap(old, new), (entry,)))

    flow.act(stage.road, proposal.incident_id)

    assert stage.network.journal == []
    assert stored(stage, proposal).state is ProposalState.WITHDRAWN
    assert proposal.change_id in records(stage, "gate.grant.voided")[0].fields["reasons"].value[0]


def test_changes_are_listed_and_shown_with_what_people_said(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    desk(stage).revoke(stage.one, proposal.id, "no")

    listed = desk(stage).changes(stage.two)
    shown = desk(stage).change(stage.two, proposal.change_id)

    assert [change.id for change in listed] == [proposal.change_id]
    assert desk(stage).changes(stage.two, state=ChangeState.COMPLETED) == []
    assert [approval.because for approval in shown.approvals] == ["yes"]
    assert shown.approvals[0].revoked_at is not None


def test_another_tenant_sees_no_change(stage: Stage) -> None:
    proposal = stage.begin()
    stranger = person(stage, "sam", Role.VIEWER, tenant="other")

    assert desk(stage).changes(stranger) == []
    with pytest.raises(NotFound):
        desk(stage).change(stranger, proposal.change_id)
