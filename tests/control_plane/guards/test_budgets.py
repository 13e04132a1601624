"""What one requester may use in a window is limited; over it, its plans wait for a person, and it is told once."""

import pytest

from control_plane.guards import budgets
from control_plane.ports import Ledger
from control_plane.road import RoadSettings
from domain.actions import ActionClass, DispatchCrew, DrainLink, InterfaceUp
from domain.clock import ManualClock
from domain.errors import BadInput
from domain.proposals import Plan, Proposal, ProposalState
from domain.roster import NoticeKind
from policies.prices import PRICES_EUR
from tests.control_plane.guards.people import execution, granted, sent
from tests.stage import CULPRIT, Stage, make_stage


def ticket(stage: Stage) -> Proposal:
    return next(p for p in stage.proposals() if p.requester == "agent:ticketing")


def used(stage: Stage, requester: str) -> tuple[int, int, float]:
    found = stage.ledger.read(lambda tables: budgets.usage(stage.road, tables, "default", requester))
    return found.plans, found.steps, found.spend


@pytest.mark.parametrize(
    ("limit", "named"), [({"plans_most": 0}, "1 plans of the 0"), ({"steps_most": 0}, "1 steps of the 0")]
)
def test_over_its_budget_an_agents_plan_waits_for_a_person(
    clock: ManualClock, ledger: Ledger, limit: dict[str, int], named: str
) -> None:
    stage = make_stage(clock, ledger=ledger, tickets=True, settings=RoadSettings(**limit))

    stage.begin()

    assert ticket(stage).state is ProposalState.HELD
    assert named in ticket(stage).state_reason


def test_a_person_may_sign_what_is_over_budget(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, tickets=True, settings=RoadSettings(plans_most=0))
    stage.begin()

    stage.commands.approve(stage.one, ticket(stage).id, "people should know")
    stage.walk_all()

    assert ticket(stage).state is ProposalState.SETTLED


def test_the_operators_are_told_of_a_used_up_budget_once(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, tickets=True, settings=RoadSettings(plans_most=0))

    stage.begin()
    stage.suffer(10)

    told = stage.ledger.read(lambda tables: tables.notices.find(kind=NoticeKind.ALARM))
    assert [(notice.to_account, "plans of the 0" in notice.text) for notice in told] == [("operator", True)]
    assert stage.kinds().count("plane.guard.held") == 1


def test_steps_and_plans_are_counted_when_they_are_intended_and_undoing_is_free(stage: Stage) -> None:
    granted(stage)
    before = used(stage, "agent:provisioning")
    stage.walk_all()
    begun = used(stage, "agent:provisioning")
    stage.suffer(20)

    assert sent(stage) == ["step:0", "inverse:0"]
    assert (before, begun) == ((0, 0, 0.0), (1, 1, 0.0))
    assert used(stage, "agent:provisioning") == begun


def test_a_rollback_runs_whatever_the_budget(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, settings=RoadSettings(steps_most=0, plans_most=0, spend_most_eur=0.0))
    granted(stage)
    stage.walk_all()

    stage.suffer(20)

    assert sent(stage) == ["step:0", "inverse:0"]
    assert execution(stage).outcome.resolution == "rolled_back"


def test_what_is_granted_and_not_yet_begun_counts_as_used(stage: Stage) -> None:
    proposal = granted(stage)
    other = proposal.but(id="prop_other", state=ProposalState.REHEARSED)

    stage.road.settings = RoadSettings(plans_most=1)
    said = stage.ledger.read(lambda tables: budgets.over(stage.road, tables, other))

    assert said == ["`agent:provisioning` would use 2 plans of the 1 that it has for 1 h"]


def test_money_is_counted_by_declared_prices(stage: Stage) -> None:
    proposal = stage.begin()
    crew = Plan(steps=(DispatchCrew(target="link:a-b"),))
    asked = proposal.but(plan=crew, plan_digest=crew.digest)
    stage.road.settings = RoadSettings(spend_most_eur=400.0)

    said = stage.ledger.read(lambda tables: budgets.over(stage.road, tables, asked))

    assert said == ["`agent:provisioning` would use 450 euros of the 400 that it has for 1 h"]


def test_a_budget_is_fresh_in_the_next_window(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger)
    granted(stage)
    stage.walk_all()

    clock.advance(stage.road.settings.budget_window_s)

    assert used(stage, "agent:provisioning") == (0, 0, 0.0)


def test_a_plan_that_is_longer_than_the_house_takes_is_refused_and_the_old_one_stays(
    clock: ManualClock, ledger: Ledger
) -> None:
    stage = make_stage(clock, ledger=ledger, settings=RoadSettings(plan_steps_most=1))
    proposal = stage.begin()
    longer = Plan(steps=(InterfaceUp(target=CULPRIT), DrainLink(target="link:c-d", previous_metric=10)))

    with pytest.raises(BadInput, match="2 steps, and at most 1"):
        stage.commands.change(stage.one, proposal.id, longer, "both")

    assert stage.proposal().state is ProposalState.HELD


def test_an_agents_plan_that_is_too_long_is_not_taken(clock: ManualClock, ledger: Ledger) -> None:
    steps = (InterfaceUp(target=CULPRIT), DrainLink(target="link:c-d", previous_metric=10))
    stage = make_stage(clock, ledger=ledger, steps=steps, settings=RoadSettings(plan_steps_most=1))

    with pytest.raises(IndexError):
        stage.begin()

    assert stage.kinds().count("plane.agent.throttled") == 1


def test_an_agent_that_drafts_for_ever_is_throttled_and_people_are_told(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, settings=RoadSettings(drafts_most=3))
    stage.begin()

    for number in range(8):  # each time it asks for something else, and what waited is withdrawn
        stage.road.planners[0].steps = (DrainLink(target="link:c-d", previous_metric=11 + number),)
        stage.raise_alarms(resources=(CULPRIT, "tp:b-a", f"tp:{'bcd'[number % 3]}-{'cda'[number % 3]}"))
        stage.raise_alarms(cleared=True, resources=(f"tp:{'bcd'[number % 3]}-{'cda'[number % 3]}",))
        stage.suffer(1)

    asked = [p for p in stage.proposals() if p.requester == "agent:provisioning"]
    told = stage.ledger.read(lambda tables: tables.notices.find(kind=NoticeKind.ALARM))
    assert len(asked) == 3
    assert len({notice.text for notice in told}) == 1
    assert "is throttled" in told[0].text


def test_every_kind_of_action_has_a_price() -> None:
    assert set(PRICES_EUR) == set(ActionClass)
