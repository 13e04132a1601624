"""A proposal that nobody decides on: people are warned, then it ends, and that is nobody's no. Clocks stand or jump."""

from datetime import timedelta

import pytest

from control_plane import flow
from control_plane.approvals.expiring import warn
from domain.clock import ManualClock
from domain.errors import Conflict, Gone, NocturneError
from domain.identity import Role
from domain.proposals import Proposal, ProposalState
from tests.control_plane.approvals.people import ENGINEER_THEN_MANAGER, chained, desk, person, records, stored
from tests.stage import Stage


def to(stage: Stage, moment: object, seconds: float = 0.0) -> None:
    """Move the clock to a moment (and some seconds further, or back)."""
    stage.clock.advance((moment - stage.clock.now()).total_seconds() + seconds)  # type: ignore[operator]


def due(stage: Stage, topic: str, proposal: Proposal) -> list[float]:
    """Return in how many seconds the messages of a topic about a proposal are due; they stay in the outbox."""
    far = stage.clock.now() + timedelta(days=30)
    found = [m for m in stage.ledger.due(far, lease_s=0.0) if (m.topic, m.ref) == (topic, proposal.id)]
    return sorted((m.due_at - stage.clock.now()).total_seconds() for m in found)


def test_the_warning_is_due_when_a_fifth_of_the_time_is_left(stage: Stage) -> None:
    proposal = stage.begin()

    left = (proposal.expires_at - stage.clock.now()).total_seconds()

    assert due(stage, "expiring", proposal) == [pytest.approx(left - 0.2 * stage.road.settings.proposal_s)]


def test_people_are_warned_once(stage: Stage) -> None:
    proposal = stage.begin()
    warn(stage.road, proposal.id)
    assert records(stage, "gate.proposal.expiring") == []  # too early
    to(stage, proposal.expires_at, -300)

    warn(stage.road, proposal.id)
    warn(stage.road, proposal.id)

    warned = records(stage, "gate.proposal.expiring")
    assert [record.fields["next_role"].value for record in warned] == ["approver"]
    assert due(stage, "notify", proposal)


def test_a_proposal_that_was_put_off_is_warned_of_again(stage: Stage) -> None:
    proposal = stage.begin()
    to(stage, proposal.expires_at, -300)
    warn(stage.road, proposal.id)
    later = stage.commands.defer(stage.one, proposal.id, stage.clock.now() + timedelta(hours=1), "shift change")
    warn(stage.road, proposal.id)
    assert len(records(stage, "gate.proposal.expiring")) == 1

    to(stage, later.expires_at, -300)
    warn(stage.road, proposal.id)

    assert len(records(stage, "gate.proposal.expiring")) == 2


def test_nobody_is_warned_of_what_is_decided(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.reject(stage.one, proposal.id, "no")
    to(stage, proposal.expires_at, -1)

    warn(stage.road, proposal.id)

    assert records(stage, "gate.proposal.expiring") == []


@pytest.mark.parametrize(("seconds", "state"), [(-1, ProposalState.GRANTED), (0, None), (1, None)])
def test_a_second_before_the_end_counts_and_the_end_itself_does_not(
    stage: Stage, seconds: float, state: ProposalState | None
) -> None:
    proposal = stage.begin()
    to(stage, proposal.expires_at, seconds)

    if state is None:
        with pytest.raises(Gone):
            stage.commands.approve(stage.one, proposal.id, "late")
    else:
        stage.commands.approve(stage.one, proposal.id, "in time")

    assert (stored(stage, proposal).state is ProposalState.GRANTED) == (state is not None)


def test_a_timeout_is_nobodys_decision(stage: Stage) -> None:
    manager = person(stage, "max", Role.CHANGE_MANAGER)
    engineer = person(stage, "eve", Role.ENGINEER)
    proposal = chained(stage, ENGINEER_THEN_MANAGER).begin()
    stage.commands.approve(engineer, proposal.id, "I know the box")
    to(stage, proposal.expires_at)

    flow.gate(stage.road, proposal.incident_id)

    record = records(stage, "gate.proposal.expired")[-1]
    told = {name: record.fields[name].value for name in ("decided_by", "next_role")}
    assert (record.actor, told) == ("plane", {"decided_by": "nobody", "next_role": "change_manager"})
    assert records(stage, "gate.proposal.rejected") == []
    assert stage.ledger.read(lambda t: t.disagreements.find(proposal_id=proposal.id)) == []
    with pytest.raises(NocturneError):
        stage.commands.approve(manager, proposal.id, "late")


def test_over_a_weekend_nothing_is_done_and_nothing_waits_for_ever(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.defer(stage.one, proposal.id, stage.clock.now() + timedelta(hours=23), "monday")
    stage.clock.advance(timedelta(days=3).total_seconds())

    stage.walk_all()
    flow.gate(stage.road, proposal.incident_id)

    assert stored(stage, proposal).state in {ProposalState.EXPIRED, ProposalState.WITHDRAWN}
    assert stage.network.journal == []


@pytest.mark.parametrize("back_s", [1.0, 3600.0, 86_400.0])
def test_a_clock_that_is_set_back_revives_no_proposal_whose_end_was_seen(stage: Stage, back_s: float) -> None:
    proposal = stage.begin()
    to(stage, proposal.expires_at)
    with pytest.raises(Gone):  # asking is seeing
        stage.commands.approve(stage.one, proposal.id, "late")

    stage.clock.advance(-back_s)

    with pytest.raises(Conflict, match="expired"):
        stage.commands.approve(stage.one, proposal.id, "the clock says that it is early")
    assert stored(stage, proposal).state is ProposalState.EXPIRED


def test_a_clock_that_is_set_back_revives_no_grant_whose_end_was_seen(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    stage.clock.advance(stage.road.settings.grant_s)
    flow.act(stage.road, proposal.incident_id)

    stage.clock.advance(-stage.road.settings.grant_s)
    flow.act(stage.road, proposal.incident_id)

    assert stored(stage, proposal).state is ProposalState.WITHDRAWN
    assert stage.network.journal == []


def test_a_grant_has_itself_looked_at_when_it_ends(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    grant = stage.ledger.read(lambda tables: tables.grants.find(proposal_id=proposal.id))[0]

    far = stage.clock.now() + timedelta(days=30)
    wakes = [m.due_at for m in stage.ledger.due(far) if (m.topic, m.ref) == ("wake", proposal.incident_id)]

    assert grant.expires_at in wakes


def test_a_clock_that_jumps_ahead_decides_nothing(stage: Stage, clock: ManualClock) -> None:
    proposal = stage.begin()
    clock.advance(timedelta(days=400).total_seconds())

    flow.gate(stage.road, proposal.incident_id)

    assert stored(stage, proposal).state is ProposalState.EXPIRED
    assert stage.network.journal == []
    with pytest.raises(Gone):
        desk(stage).ask(stage.one, proposal.id, "what happened?")
