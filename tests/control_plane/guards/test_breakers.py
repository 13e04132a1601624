"""A kind of action that goes wrong again and again is taken out of its requester's hands, and given back with care."""

from collections.abc import Sequence

import pytest

from control_plane.guards import breakers
from control_plane.guards.desk import GuardsDesk
from control_plane.ports import Ledger, Written
from domain.actions import ActionClass
from domain.clock import ManualClock
from domain.errors import Conflict, NotFound, Refused
from domain.execution import Execution, ExecutionState, Outcome
from domain.guards import Breaker, BreakerState
from domain.incidents import Resolution
from domain.proposals import Proposal, ProposalState
from tests.control_plane.guards.people import ADMIN, execution, granted
from tests.stage import Stage, make_stage

GOOD, BAD, NEITHER = Resolution.RESTORED, Resolution.ROLLED_BACK, Resolution.NOT_OURS
ID = "default:agent:provisioning:interface_up"


def happened(stage: Stage, proposal: Proposal, *resolutions: Resolution, stopped_by: str = "") -> list[str]:
    """Let plans like this one come to these ends; return the kinds of what was recorded."""
    kinds: list[str] = []
    for resolution in resolutions:
        now = stage.clock.now()
        run = Execution(
            id=stage.road.id("exec"),
            proposal_id=proposal.id,
            incident_id=proposal.incident_id,
            grant_id="grant_x",
            state=ExecutionState.SETTLED,
            started_at=now,
            stopped_by=stopped_by,
            outcome=Outcome(resolution=resolution, measured_at=now),
        )

        def change(tables: object, run: Execution = run) -> Written[Sequence[str]]:
            entries = breakers.count(stage.road, tables, proposal, run)
            return Written([entry.kind for entry in entries], (*entries, _said(stage)))

        kinds += stage.ledger.do(change)
    return kinds


def _said(stage: Stage) -> object:
    from domain.records import Entry

    return Entry(kind="test.outcome.counted", actor="test", event_time=stage.clock.now())


def breaker(stage: Stage) -> Breaker | None:
    return stage.ledger.read(lambda tables: tables.breakers.get(ID))


def against(stage: Stage, proposal: Proposal) -> list[str]:
    return stage.ledger.read(lambda tables: breakers.open_for(stage.road, tables, proposal))


def pass_by_itself(stage: Stage, proposal: Proposal) -> None:
    from domain.records import Entry

    made = Entry(kind="test.trial.begun", actor="test", event_time=stage.clock.now())
    stage.ledger.do(lambda tables: Written(breakers.try_once(tables, proposal), (made,)))


def test_three_of_the_last_five_open_it(stage: Stage) -> None:
    proposal = stage.begin()

    before = happened(stage, proposal, BAD, GOOD, BAD, GOOD)
    now = happened(stage, proposal, BAD)

    assert (before, now) == ([], ["plane.breaker.open"])
    assert "3 of its last 5 went wrong" in against(stage, proposal)[0]


def test_what_lies_further_back_is_forgotten(stage: Stage) -> None:
    proposal = stage.begin()

    happened(stage, proposal, BAD, BAD, GOOD, GOOD, GOOD, BAD, BAD)

    assert against(stage, proposal) == []


def test_what_people_stopped_and_what_was_not_ours_counts_for_nothing(stage: Stage) -> None:
    proposal = stage.begin()

    happened(stage, proposal, BAD, BAD, BAD, stopped_by="operator")
    happened(stage, proposal, NEITHER, NEITHER, NEITHER)

    assert breaker(stage) is None


def test_after_a_rest_one_may_try_and_the_others_wait(stage: Stage) -> None:
    first = stage.begin()
    second = first.but(id="prop_second")
    happened(stage, first, BAD, BAD, BAD)

    stage.clock.advance(stage.road.settings.breaker_rest_s)
    rested = (against(stage, first), against(stage, second))
    pass_by_itself(stage, first)
    stage.ledger.do(
        lambda tables: Written(
            tables.proposals.swap(tables.proposals.get(first.id), first.but(state=ProposalState.EXECUTING)),
            (_said(stage),),
        )
    )

    assert rested == ([], [])
    assert against(stage, first) == []
    assert "half_open" in against(stage, second)[0]


@pytest.mark.parametrize(("end", "state"), [(GOOD, BreakerState.CLOSED), (BAD, BreakerState.OPEN)])
def test_the_trial_decides(stage: Stage, end: Resolution, state: BreakerState) -> None:
    proposal = stage.begin()
    happened(stage, proposal, BAD, BAD, BAD)
    stage.clock.advance(stage.road.settings.breaker_rest_s)
    pass_by_itself(stage, proposal)

    kinds = happened(stage, proposal, end)

    assert breaker(stage).state is state
    assert kinds == [f"plane.breaker.{state}"]


def test_a_trial_that_never_began_blocks_nobody(stage: Stage) -> None:
    proposal = stage.begin()
    happened(stage, proposal, BAD, BAD, BAD)
    stage.clock.advance(stage.road.settings.breaker_rest_s)
    pass_by_itself(stage, proposal.but(id="prop_withdrawn"))

    assert against(stage, proposal) == []


def test_an_open_breaker_holds_what_the_rules_allow_and_a_person_may_sign_it(
    clock: ManualClock, ledger: Ledger
) -> None:
    stage = make_stage(clock, ledger=ledger, tickets=True)
    stage.begin()
    ticket = next(p for p in stage.proposals() if p.requester == "agent:ticketing")
    happened(stage, ticket, BAD, BAD, BAD)
    stage.commands.close_incident(stage.operator, ticket.incident_id, "again, please")
    stage.network.put("tp:a-b", administrative="locked")
    stage.raise_alarms(resources=("tp:c-d",))
    stage.walk_all()

    held = next(p for p in stage.proposals() if p.requester == "agent:ticketing" and p.id != ticket.id)
    stage.commands.approve(stage.one, held.id, "yes")
    stage.walk_all()

    assert (held.state, "the breaker of `agent:ticketing` for open_ticket is open" in held.state_reason) == (
        ProposalState.HELD,
        True,
    )
    assert stage.ledger.read(lambda tables: tables.proposals.get(held.id)).state is ProposalState.SETTLED
    assert breaker_of(stage, ActionClass.OPEN_TICKET).state is BreakerState.HALF_OPEN


def breaker_of(stage: Stage, action: ActionClass) -> Breaker:
    found = stage.ledger.read(lambda tables: tables.breakers.get(f"default:agent:ticketing:{action}"))
    assert found is not None
    return found


def test_a_repair_that_is_rolled_back_is_counted_by_the_executor(stage: Stage) -> None:
    granted(stage)
    stage.walk_all()
    stage.suffer(20)

    assert execution(stage).outcome.resolution is Resolution.ROLLED_BACK
    assert breaker(stage).recent == (False,)


def test_only_who_may_switch_on_closes_one_by_hand(stage: Stage) -> None:
    proposal, desk = stage.begin(), GuardsDesk(stage.road)
    happened(stage, proposal, BAD, BAD, BAD)

    with pytest.raises(Refused):
        desk.close_breaker(stage.operator, ID, "it is mended")
    closed = desk.close_breaker(ADMIN, ID, "it is mended")

    assert closed.state is BreakerState.CLOSED
    assert against(stage, proposal) == []
    with pytest.raises(Conflict):
        desk.close_breaker(ADMIN, ID, "again")
    with pytest.raises(NotFound):
        desk.close_breaker(ADMIN, "default:agent:nobody:interface_up", "what is it")
