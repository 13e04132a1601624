"""A grant takes both: the number of people that the book asks for, and every stage of the chain, in its order."""

import pytest

from domain.errors import Conflict, Refused
from domain.identity import Role
from domain.proposals import ProposalState
from policies.chain_files import Chains
from tests.control_plane.approvals.people import (
    ENGINEER_THEN_MANAGER,
    TWO_OF_THREE,
    chained,
    changed,
    desk,
    person,
    records,
    stored,
)
from tests.stage import Stage


def test_stages_are_signed_in_their_order(stage: Stage) -> None:
    engineer, manager = person(stage, "eve", Role.ENGINEER), person(stage, "max", Role.CHANGE_MANAGER)
    proposal = chained(stage, ENGINEER_THEN_MANAGER).begin()

    with pytest.raises(Refused, match="stage `engineering`, which is open now"):
        stage.commands.approve(manager, proposal.id, "I answer for it")
    first = stage.commands.approve(engineer, proposal.id, "I know the box")
    second = stage.commands.approve(manager, proposal.id, "I answer for it")

    assert (first.state, first.next_role) == (ProposalState.HELD, "change_manager")
    assert second.state is ProposalState.GRANTED


def test_the_books_number_alone_is_not_enough(stage: Stage) -> None:
    engineer = person(stage, "eve", Role.ENGINEER)
    proposal = chained(stage, ENGINEER_THEN_MANAGER).begin()  # the book asks for one signature

    stage.commands.approve(engineer, proposal.id, "I know the box")
    stage.walk_all()

    assert stored(stage, proposal).state is ProposalState.HELD
    assert stage.network.journal == []


def test_full_stages_alone_are_not_enough(stage: Stage) -> None:
    proposal = changed(stage, stage.begin(), person(stage, "eve", Role.ENGINEER))  # one stage of one; two by the book

    first = stage.commands.approve(stage.one, proposal.id, "yes")
    second = stage.commands.approve(stage.two, proposal.id, "yes")

    assert (first.state, second.state) == (ProposalState.HELD, ProposalState.GRANTED)


def test_one_human_with_both_roles_signs_one_stage(stage: Stage) -> None:
    both = person(stage, "eve", Role.ENGINEER, Role.CHANGE_MANAGER)
    night = person(stage, "eve-at-night", Role.CHANGE_MANAGER, human=" EVE ")
    proposal = chained(stage, ENGINEER_THEN_MANAGER).begin()
    stage.commands.approve(both, proposal.id, "as engineer")

    for account in (both, night):
        with pytest.raises(Conflict, match="signed this plan already"):
            stage.commands.approve(account, proposal.id, "as manager")

    assert stored(stage, proposal).state is ProposalState.HELD


def test_two_of_three_named_people(stage: Stage) -> None:
    ana, ben = person(stage, "ana"), person(stage, "ben-night", human="Ben")
    proposal = chained(stage, TWO_OF_THREE).begin()

    with pytest.raises(Refused, match="named in the stage"):
        stage.commands.approve(stage.one, proposal.id, "not on the board")
    states = [stage.commands.approve(who, proposal.id, "yes").state for who in (ana, ben)]

    assert states == [ProposalState.HELD, ProposalState.GRANTED]


def test_the_record_says_in_which_role_and_stage_somebody_signed(stage: Stage) -> None:
    engineer = person(stage, "eve", Role.ENGINEER)
    proposal = chained(stage, ENGINEER_THEN_MANAGER).begin()

    stage.commands.approve(engineer, proposal.id, "I know the box")

    fields = records(stage, "gate.proposal.approved")[-1].fields
    told = {name: fields[name].value for name in ("chain", "role", "waits_for", "person")}
    assert told == {"chain": "in-order", "role": "engineer", "waits_for": ["change_manager"], "person": "eve"}


def test_progress_shows_who_signed_and_who_is_missing(stage: Stage) -> None:
    engineer = person(stage, "eve", Role.ENGINEER)
    proposal = chained(stage, ENGINEER_THEN_MANAGER).begin()
    stage.commands.approve(engineer, proposal.id, "I know the box")

    progress = desk(stage).progress(engineer, proposal.id)

    assert [(each.stage.id, each.signed_by, each.missing) for each in progress.stages] == [
        ("engineering", ("eve",), 0),
        ("management", (), 1),
    ]


def test_a_grant_dies_with_the_chain_it_was_made_under(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    stage.road.chains = Chains(
        stage.road.chains.texts | {"05_new.toml": ENGINEER_THEN_MANAGER + "\n[[when]]\nharm=['outage']\n"}
    )

    stage.walk_all()

    assert stage.network.journal == []
    assert "the approval chain changed" in records(stage, "gate.grant.voided")[0].fields["reasons"].value[0]


def test_tickets_have_no_chain_because_nobody_is_asked(clock, ledger) -> None:
    from tests.stage import make_stage

    stage = chained(make_stage(clock, ledger=ledger, tickets=True), ENGINEER_THEN_MANAGER)
    stage.begin()
    stage.walk_all()

    ticket = next(p for p in stage.proposals() if p.requester == "agent:ticketing")
    assert ticket.state is ProposalState.SETTLED
