"""A person and an agent want different things: both choices are kept, and later what came of it."""

from domain.actions import DrainLink, InterfaceUp
from domain.autonomy import Disagreement
from domain.incidents import Resolution
from domain.proposals import Plan
from tests.control_plane.autonomy.earning import Earning
from tests.stage import CULPRIT


def the_one(earning: Earning) -> Disagreement:
    (row,) = earning.desk.disagreements(earning.manager).rows
    return row


def test_a_no_is_kept_with_what_was_asked_and_why(earning: Earning) -> None:
    earning.stage.commands.reject(earning.stage.one, earning.sample.id, "the crew is there")

    row = the_one(earning)
    assert (row.choice, row.person, row.because) == ("reject", "one", "the crew is there")
    assert (row.requester, row.plan_digest) == ("agent:provisioning", earning.sample.plan_digest)
    assert row.outcome == ""


def test_the_outcome_of_a_rejected_plan_is_how_its_incident_ended(earning: Earning) -> None:
    stage = earning.stage
    stage.commands.reject(stage.one, earning.sample.id, "wait for it")
    stage.network.put(CULPRIT, administrative="unlocked")
    stage.recover()
    stage.settle()

    row = the_one(earning)
    assert row.outcome == f"the incident ended {Resolution.NOT_OURS}"
    assert row.known_at is not None


def test_the_outcome_of_a_changed_plan_is_what_the_other_one_did(earning: Earning) -> None:
    stage = earning.stage
    other = Plan(steps=(DrainLink(target="link:a-b", previous_metric=10), InterfaceUp(target=CULPRIT)))
    changed = stage.commands.change(stage.one, earning.sample.id, other, "drain it first")
    stage.walk_all()
    stage.commands.approve(stage.two, changed.id, "as my colleague says")
    stage.walk_all()
    stage.suffer(20)

    row = the_one(earning)
    assert (row.choice, row.other_proposal_id) == ("change", changed.id)
    assert row.outcome.startswith("the other plan was ")


def test_a_plan_that_a_person_stops_is_a_disagreement_and_a_failure(earning: Earning) -> None:
    stage = earning.stage
    stage.commands.approve(stage.one, earning.sample.id, "plausible")
    stage.walk_all()
    stage.commands.stop(stage.operator, earning.sample.id, "the wrong interface")
    stage.walk_all()

    row = the_one(earning)
    assert (row.choice, row.outcome) == ("stop", f"the plan, stopped, was {Resolution.ROLLED_BACK}")
    assert (earning.standing().outcomes, earning.standing().failures) == (1, 1)


def test_the_rate_is_of_what_people_decided_on(earning: Earning) -> None:
    earning.settle(Resolution.RESTORED, 9)
    earning.stage.commands.reject(earning.stage.one, earning.sample.id, "not this one")

    (rate,) = earning.desk.disagreements(earning.manager).rates
    assert (rate.requester, rate.disagreements, rate.decided, rate.share) == ("agent:provisioning", 1, 10, 0.1)
    assert rate.low < 0.1 < rate.high


def test_acceptance_is_counted_per_agent_and_class_of_action(earning: Earning) -> None:
    earning.settle(Resolution.RESTORED, 9)
    earning.settle(Resolution.RESTORED, 5, alone=True)  # nobody was asked: says nothing of what people accept
    earning.stage.commands.reject(earning.stage.one, earning.sample.id, "not this one")

    (row,) = earning.desk.acceptance(earning.manager)
    assert (row.agent, row.action, row.accepted, row.decided) == ("agent:provisioning", "interface_up", 9, 10)
    assert row.low < row.share == 0.9 < row.high
