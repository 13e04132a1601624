"""What is lent: a part of one's own, for a time, to another person; never more, never on, and ended at once."""

from datetime import timedelta

import pytest

from control_plane.ports import Written
from domain.approvals import Delegation
from domain.errors import BadInput, Conflict, NocturneError, NotFound, Refused
from domain.identity import Permission, Principal, Role, Scope
from domain.proposals import ProposalState
from domain.records import Entry
from tests.control_plane.approvals.people import (
    ENGINEER_THEN_MANAGER,
    chained,
    changed,
    desk,
    person,
    records,
    stored,
)
from tests.stage import Stage

APPROVE = (Permission.APPROVE,)


def lend(stage: Stage, who: Principal, to: Principal, hours: float = 8, **more: object) -> Delegation:
    now = stage.clock.now()
    return desk(stage).delegate(who, to.name, APPROVE, now, now + timedelta(hours=hours), "dentist", **more)


def replaced(stage: Stage, old: Principal, **changes: object) -> None:
    """Let an account become another one, as when a role is taken away."""
    entry = Entry(kind="identity.account.changed", actor="test", event_time=stage.clock.now())
    stage.ledger.do(lambda tables: Written(tables.principals.swap(old, old.but(**changes)), (entry,)))


def test_a_stand_in_signs_in_the_lenders_role_as_themselves(stage: Stage) -> None:
    viewer = person(stage, "vic", Role.VIEWER)
    delegation = lend(stage, stage.one, viewer)
    proposal = stage.begin()

    granted = stage.commands.approve(viewer, proposal.id, "for one")

    approval = stage.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id))[0]
    assert granted.state is ProposalState.GRANTED
    assert (approval.person, approval.role, approval.delegation_id) == ("vic", "approver", delegation.id)
    assert records(stage, "gate.proposal.approved")[0].fields["delegation"].value == delegation.id


def test_a_stand_in_and_the_lender_are_two_people_and_a_stand_in_alone_is_one(stage: Stage) -> None:
    engineer, manager = person(stage, "eve", Role.ENGINEER), person(stage, "max", Role.CHANGE_MANAGER)
    lend(stage, manager, engineer)
    proposal = chained(stage, ENGINEER_THEN_MANAGER).begin()
    stage.commands.approve(engineer, proposal.id, "as engineer")

    with pytest.raises(Conflict, match="signed this plan already"):
        stage.commands.approve(engineer, proposal.id, "and for the manager")

    assert stored(stage, proposal).state is ProposalState.HELD


def test_an_account_that_has_become_an_agents_borrows_nothing_any_more(stage: Stage) -> None:
    viewer, now = person(stage, "vic", Role.VIEWER), stage.clock.now()
    desk(stage).delegate(stage.one, "vic", [Permission.STOP], now, now + timedelta(hours=8), "dentist")
    proposal = stage.begin()

    with pytest.raises(Refused):
        stage.commands.stop(viewer.but(roles=frozenset({Role.VIEWER, Role.AGENT})), proposal.id, "no")

    assert stored(stage, proposal).state is ProposalState.HELD
    assert stage.commands.stop(viewer, proposal.id, "no").state is ProposalState.WITHDRAWN


def test_what_is_lent_to_one_person_is_not_the_next_ones_who_has_the_account(stage: Stage) -> None:
    viewer = person(stage, "vic", Role.VIEWER)
    lend(stage, stage.one, viewer)
    proposal = stage.begin()

    with pytest.raises(Refused):
        stage.commands.approve(viewer.but(person="somebody else"), proposal.id, "for one")


def test_a_stand_in_signs_nothing_that_the_lender_asked_for(stage: Stage) -> None:
    viewer = person(stage, "vic", Role.VIEWER)
    lend(stage, stage.one, viewer)
    proposal = changed(stage, stage.begin(), stage.one)

    with pytest.raises(Refused, match="stands in for asked for"):
        stage.commands.approve(viewer, proposal.id, "for one")


def test_a_stand_in_signs_nothing_that_they_asked_for_themselves(stage: Stage) -> None:
    viewer = person(stage, "vic", Role.VIEWER)
    lend(stage, stage.one, viewer)
    proposal = changed(stage, stage.begin(), viewer)

    with pytest.raises(Refused, match="another person must sign"):
        stage.commands.approve(viewer, proposal.id, "mine")


@pytest.mark.parametrize("end", ["time", "revoked", "role lost", "lender gone", "not begun"])
def test_what_is_lent_ends_at_once(stage: Stage, end: str) -> None:
    viewer, lender = person(stage, "vic", Role.VIEWER), person(stage, "len")
    now = stage.clock.now()
    starts = now + timedelta(hours=9) if end == "not begun" else now
    made = desk(stage).delegate(lender, "vic", APPROVE, starts, now + timedelta(hours=10), "dentist")
    proposal = stage.begin()
    if end == "time":
        stage.clock.advance((made.ends_at - stage.clock.now()).total_seconds())
    elif end == "revoked":
        desk(stage).revoke_delegation(lender, made.id, "back")
    elif end == "role lost":
        replaced(stage, lender, roles=frozenset({Role.VIEWER}))
    elif end == "lender gone":
        replaced(stage, lender, person="somebody else")

    with pytest.raises(NocturneError) as refusal:
        stage.commands.approve(viewer, proposal.id, "for len")

    assert refusal.value.code == "refused"


def test_a_loan_counts_in_its_own_scope_only(stage: Stage) -> None:
    viewer = person(stage, "vic", Role.VIEWER)
    lend(stage, stage.one, viewer, where=Scope(domains=frozenset({"ran"})))
    proposal = stage.begin()  # about a link: transport

    with pytest.raises(Refused):
        stage.commands.approve(viewer, proposal.id, "for one")


def test_a_loan_of_one_right_does_not_widen_another(stage: Stage) -> None:
    narrow = person(stage, "nan", Role.APPROVER, scope=Scope(domains=frozenset({"ran"})))
    now = stage.clock.now()
    desk(stage).delegate(stage.operator, "nan", (Permission.STOP,), now, now + timedelta(hours=1), "lunch")
    proposal = stage.begin()

    for act in (stage.commands.approve, stage.commands.reject):
        with pytest.raises(Refused):
            act(narrow, proposal.id, "the loan is to stop, everywhere")

    assert stage.commands.stop(narrow, proposal.id, "so it is stopped").state is ProposalState.WITHDRAWN


@pytest.mark.parametrize(
    ("lender", "lent", "error"),
    [
        ("operator", (Permission.APPROVE,), Refused),  # not its own
        ("one", (Permission.SETTLE,), Refused),
        ("one", (Permission.BREAK_GLASS,), Refused),  # never lent
        ("one", (Permission.DELEGATE,), Refused),
        ("one", (), BadInput),
        ("feed", APPROVE, Refused),
    ],
)
def test_nobody_lends_what_they_do_not_have(
    stage: Stage, lender: str, lent: tuple[Permission, ...], error: type[Exception]
) -> None:
    now = stage.clock.now()

    with pytest.raises(error):
        desk(stage).delegate(getattr(stage, lender), "two", lent, now, now + timedelta(hours=1), "why not")

    assert stage.ledger.read(lambda tables: tables.delegations.find()) == []


def test_lent_rights_are_not_lent_on(stage: Stage) -> None:
    noc = person(stage, "nia", Role.OPERATOR)  # may lend, but has no `approve` of its own
    lend(stage, stage.one, noc)

    with pytest.raises(Refused, match="not its own"):
        lend(stage, noc, stage.two)


def test_rights_are_lent_to_other_people_that_there_are(stage: Stage) -> None:
    person(stage, "one-at-night", human="ONE ")
    person(stage, "bot", Role.AGENT, human="")
    person(stage, "sam", tenant="other")
    now = stage.clock.now()

    def to(name: str) -> None:
        desk(stage).delegate(stage.one, name, APPROVE, now, now + timedelta(hours=1), "x")

    for name, error in (("one-at-night", BadInput), ("feed", Refused), ("sam", NotFound), ("nobody", NotFound)):
        with pytest.raises(error):
            to(name)


@pytest.mark.parametrize(("starts", "ends"), [(0, 0), (2, 1), (-2, -1), (0, 24 * 32)])
def test_impossible_times_are_refused(stage: Stage, starts: float, ends: float) -> None:
    now = stage.clock.now()

    with pytest.raises(BadInput):
        desk(stage).delegate(stage.one, "two", APPROVE, now + timedelta(hours=starts), now + timedelta(hours=ends), "x")


def test_only_those_concerned_see_and_end_a_delegation(stage: Stage) -> None:
    made = lend(stage, stage.one, stage.two)
    keeper = person(stage, "own", Role.TENANT_OWNER)

    assert [desk(stage).delegations(who) for who in (stage.one, stage.two, keeper)] == [[made]] * 3
    assert desk(stage).delegations(stage.operator) == []
    with pytest.raises(NotFound):
        desk(stage).revoke_delegation(stage.operator, made.id, "no")
    desk(stage).revoke_delegation(stage.two, made.id, "thanks")
    with pytest.raises(Conflict):
        desk(stage).revoke_delegation(stage.one, made.id, "again")
