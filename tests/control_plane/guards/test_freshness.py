"""A plan that waits rests on facts: too old, and it is withdrawn; known to have changed, and it is made anew."""

from control_plane.guards import freshness
from control_plane.guards.rounds import Rounds
from control_plane.ports import Ledger
from control_plane.receiving import receive_feed
from control_plane.road import RoadSettings
from domain.actions import InterfaceUp, RestartProcess
from domain.clock import ManualClock
from domain.proposals import Proposal, ProposalState
from tests.control_plane.guards.people import granted
from tests.stage import CULPRIT, Stage, make_stage

QUICK = RoadSettings(measurement_age_s=30.0, proposal_s=7200.0)


def state(stage: Stage, proposal: Proposal) -> Proposal:
    found = stage.ledger.read(lambda tables: tables.proposals.get(proposal.id))
    assert found is not None
    return found


def held_ticket(stage: Stage) -> Proposal:
    """Return a plan that waits, too, and rests on no measurement."""
    return next(p for p in stage.proposals() if p.requester == "agent:ticketing")


def test_a_frozen_feed_withdraws_what_rests_on_it_and_nothing_else(clock: ManualClock, ledger: Ledger) -> None:
    settings = RoadSettings(measurement_age_s=30.0, proposal_s=7200.0, plans_most=0)
    stage = make_stage(clock, ledger=ledger, tickets=True, settings=settings)
    proposal, ticket = stage.begin(), held_ticket(stage)

    clock.advance(25)
    freshness.sweep(stage.road)
    fresh = state(stage, proposal).state
    clock.advance(10)
    freshness.sweep(stage.road)

    assert fresh is ProposalState.HELD
    assert state(stage, proposal).state is ProposalState.WITHDRAWN
    assert f"oper_up of `{CULPRIT}` was last heard of 35 s ago" in state(stage, proposal).state_reason
    assert state(stage, ticket).state is ProposalState.HELD


def test_a_feed_that_goes_on_keeps_what_rests_on_it(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, settings=QUICK)
    proposal = stage.begin()

    for _ in range(30):
        clock.advance(10)
        stage.say_readings(up=False)
        freshness.sweep(stage.road)

    assert state(stage, proposal).state is ProposalState.HELD


def test_a_walk_looks_too(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, settings=QUICK)
    proposal = stage.begin()

    clock.advance(31)
    stage.walk_all()

    assert state(stage, proposal).state is ProposalState.WITHDRAWN


def test_a_fact_that_is_known_to_have_changed_has_the_plan_rehearsed_and_judged_anew(
    clock: ManualClock, ledger: Ledger
) -> None:
    stage = make_stage(clock, ledger=ledger)
    proposal = stage.begin()
    before = state(stage, proposal).rehearsal_id

    stage.network.say(
        {
            "type": "state",
            "source": "emulated:config",
            "element": CULPRIT,
            "attribute": "administrative",
            "value": "unlocked",
            "time": clock.now().isoformat(),
        }
    )
    receive_feed(stage.road, "network", 0.0)
    freshness.sweep(stage.road)
    drafted = state(stage, proposal)
    stage.walk_all()

    assert drafted.state is ProposalState.DRAFTED
    assert f"administrative of `{CULPRIT}` was locked, is unlocked" in drafted.state_reason
    assert state(stage, proposal).rehearsal_id != before


def test_a_cause_that_nobody_announced_is_no_news_however_often_one_looks(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger)
    stage.network.put(CULPRIT, administrative="locked")
    stage.say_readings(up=False)
    stage.raise_alarms()
    stage.walk_all()
    proposal = stage.proposal()

    clock.advance(1)
    stage.say_readings(up=False)
    stage.walk_all()
    freshness.sweep(stage.road)

    assert stage.road.live.observed(CULPRIT, "administrative") == "unlocked"
    assert state(stage, proposal).state is ProposalState.HELD
    assert state(stage, proposal).rehearsal_id == proposal.rehearsal_id


def test_a_signature_on_what_was_known_before_counts_no_more(clock: ManualClock, ledger: Ledger) -> None:
    needs_two = (InterfaceUp(target=CULPRIT), RestartProcess(target="node:c"))
    stage = make_stage(clock, ledger=ledger, steps=needs_two)
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "on what I see")

    stage.road.live.twin.configured("node:c", "administrative", "locked", clock.now())
    freshness.sweep(stage.road)
    stage.road.live.twin.configured("node:c", "administrative", "unlocked", clock.now())
    stage.walk_all()
    stage.commands.approve(stage.two, proposal.id, "on what I see now")

    assert state(stage, proposal).state is ProposalState.HELD


def test_what_is_granted_is_for_the_executor_to_look_at(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, settings=QUICK)
    proposal = granted(stage)

    clock.advance(31)
    freshness.sweep(stage.road)

    assert state(stage, proposal).state is ProposalState.GRANTED


def test_rounds_look_only_when_they_are_due_whatever_the_time_of_day(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, settings=QUICK)
    proposal, rounds = stage.begin(), Rounds(stage.road)
    rounds.tick()

    clock.jump(31)
    rounds.tick()
    early = state(stage, proposal).state
    clock.advance(stage.road.settings.guard_round_s)
    rounds.tick()

    assert early is ProposalState.HELD
    assert state(stage, proposal).state is ProposalState.WITHDRAWN
