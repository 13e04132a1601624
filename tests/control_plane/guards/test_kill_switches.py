"""A kill switch stops everything in its reach at once, by every process, and leaves what runs as the person chose."""

from dataclasses import replace

import pytest

from adapters.identity.local import LocalIssuer
from control_plane import flow
from control_plane.guards import stopping, switches
from control_plane.guards.desk import GuardsDesk
from control_plane.ports import Ledger, Written
from domain.actions import DrainLink, InterfaceUp
from domain.clock import ManualClock
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.execution import ExecutionState, StepState
from domain.guards import InFlight, SwitchKind
from domain.identity import Role
from domain.incidents import Resolution
from domain.proposals import ProposalState
from domain.records import Entry
from tests.control_plane.guards.people import ADMIN, Crash, crash, execution, granted, sent, when
from tests.stage import CULPRIT, Stage, make_stage

TWO_STEPS = (InterfaceUp(target=CULPRIT), DrainLink(target="link:c-d", previous_metric=10))
REACHING = [(SwitchKind.ALL, ""), (SwitchKind.AGENT, "provisioning"), (SwitchKind.DOMAIN, "transport")]


@pytest.fixture
def desk(stage: Stage) -> GuardsDesk:
    return GuardsDesk(stage.road)


def two_steps(clock: ManualClock, ledger: Ledger) -> tuple[Stage, GuardsDesk]:
    stage = make_stage(clock, ledger=ledger, steps=TWO_STEPS)
    return stage, GuardsDesk(stage.road)


@pytest.mark.parametrize(("kind", "name"), REACHING)
def test_what_is_granted_is_withdrawn_and_never_sent(
    stage: Stage, desk: GuardsDesk, kind: SwitchKind, name: str
) -> None:
    proposal = granted(stage)

    desk.kill(stage.operator, kind, name, "something is very wrong")
    stage.walk_all()

    old = stage.ledger.read(lambda tables: tables.proposals.get(proposal.id))
    assert old.state is ProposalState.WITHDRAWN
    assert "something is very wrong" in old.state_reason
    assert stage.network.journal == []


@pytest.mark.parametrize(("kind", "name"), [(SwitchKind.AGENT, "ticketing"), (SwitchKind.DOMAIN, "ran")])
def test_a_switch_of_something_else_stops_nothing(
    clock: ManualClock, ledger: Ledger, kind: SwitchKind, name: str
) -> None:
    stage = make_stage(clock, ledger=ledger, tickets=True)
    granted(stage)

    GuardsDesk(stage.road).kill(stage.operator, kind, name, "not about this")
    stage.walk_all()

    assert sent(stage) == ["step:0"]


def test_what_waits_stays_to_be_seen_but_cannot_be_granted_until_the_release(stage: Stage, desk: GuardsDesk) -> None:
    proposal = stage.begin()
    desk.kill(stage.operator, SwitchKind.ALL, "", "stop")

    with pytest.raises(Conflict, match="the kill switch of everything is off"):
        stage.commands.approve(stage.one, proposal.id, "yes")
    waiting = [card.proposal.id for card in stage.queries.inbox(stage.one)]
    desk.release(ADMIN, SwitchKind.ALL, "", "it was a drill")
    stage.commands.approve(stage.one, proposal.id, "yes")
    stage.walk_all()

    assert proposal.id in waiting
    assert sent(stage) == ["step:0"]


def test_a_plan_in_the_middle_is_undone(clock: ManualClock, ledger: Ledger) -> None:
    stage, desk = two_steps(clock, ledger)
    granted(stage)

    with when(stage, "settled", lambda _: desk.kill(stage.operator, SwitchKind.ALL, "", "stop"), "step:0"):
        stage.walk_all()

    assert sent(stage) == ["step:0", "inverse:0"]
    assert execution(stage).outcome.resolution is Resolution.ROLLED_BACK


def test_a_plan_in_the_middle_is_left_to_people_where_they_want_it(clock: ManualClock, ledger: Ledger) -> None:
    stage, desk = two_steps(clock, ledger)
    granted(stage)

    def pull(_ref: str) -> None:
        desk.kill(stage.operator, SwitchKind.ALL, "", "stop", InFlight.HAND_OVER)

    with when(stage, "settled", pull, "step:0"):
        stage.walk_all()

    assert sent(stage) == ["step:0"]
    assert execution(stage).outcome.resolution is Resolution.UNRESOLVED
    assert "handed over to people with 1 steps done" in execution(stage).outcome.because


def test_a_plan_being_undone_goes_on_being_undone_unless_it_is_handed_over(clock: ManualClock, ledger: Ledger) -> None:
    stage, desk = two_steps(clock, ledger)
    granted(stage)

    def pull(_ref: str) -> None:
        desk.kill(stage.operator, SwitchKind.ALL, "", "stop", InFlight.HAND_OVER)

    stage.walk_all()
    with when(stage, "settled", pull, "inverse:1"):
        stage.suffer(20)

    assert sent(stage) == ["step:0", "step:1", "inverse:1"]
    assert execution(stage).state is ExecutionState.SETTLED


def test_an_undoing_that_was_intended_and_never_sent_is_left_to_people_where_they_want_it(
    clock: ManualClock, ledger: Ledger
) -> None:
    stage, desk = two_steps(clock, ledger)
    granted(stage)
    stage.walk_all()
    with pytest.raises(Crash), when(stage, "intended", crash, "inverse:1"):
        stage.suffer(20)

    desk.kill(stage.operator, SwitchKind.ALL, "", "stop", InFlight.HAND_OVER)
    stage.walk_all()

    assert sent(stage) == ["step:0", "step:1"]
    assert execution(stage).outcome.resolution is Resolution.UNRESOLVED


def test_nothing_is_sent_between_the_pull_and_its_intent(stage: Stage, desk: GuardsDesk) -> None:
    granted(stage)

    with when(stage, "intended", lambda _: desk.kill(stage.operator, SwitchKind.ALL, "", "stop")):
        stage.walk_all()

    step = stage.ledger.read(lambda tables: tables.steps.find())[0]
    assert stage.network.journal == []
    assert step.state is StepState.FAILED
    assert "before this was sent" in step.note


def test_the_switch_is_obeyed_by_a_process_that_starts_later(clock: ManualClock, every_ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=every_ledger)
    desk = GuardsDesk(stage.road)
    granted(stage)
    with pytest.raises(Crash), when(stage, "begun", crash):
        stage.walk_all()
    stage.road.watchers.clear()

    desk.kill(stage.operator, SwitchKind.ALL, "", "stop")
    flow.act(replace(stage.road, worker="another process"), stage.proposal(0).incident_id)

    assert stage.network.journal == []


def test_what_only_the_switch_held_passes_by_itself_after_the_release(clock: ManualClock, ledger: Ledger) -> None:
    stage = make_stage(clock, ledger=ledger, tickets=True)
    desk = GuardsDesk(stage.road)
    desk.kill(stage.operator, SwitchKind.ALL, "", "stop")
    stage.begin()

    held = {p.requester: p.state for p in stage.proposals()}
    desk.release(ADMIN, SwitchKind.ALL, "", "go on")
    stage.walk_all()

    assert held["agent:ticketing"] is ProposalState.HELD
    assert len(stage.ledger.read(lambda tables: tables.tickets.find())) == 1


def test_pulling_and_releasing_are_recorded_with_their_reasons(stage: Stage, desk: GuardsDesk) -> None:
    desk.kill(stage.operator, SwitchKind.AGENT, "agent:provisioning", "it flaps")
    desk.release(ADMIN, SwitchKind.AGENT, "provisioning", "mended")

    found = [r for r in stage.ledger.records() if r.kind.startswith("plane.switch.")]
    assert [(r.kind, r.actor, r.fields["because"].value) for r in found] == [
        ("plane.switch.off", "operator", "it flaps"),
        ("plane.switch.on", "admin", "mended"),
    ]


def test_who_may_pull_may_not_release(stage: Stage, desk: GuardsDesk) -> None:
    desk.kill(stage.operator, SwitchKind.ALL, "", "stop")

    with pytest.raises(Refused):
        desk.release(stage.operator, SwitchKind.ALL, "", "go on")
    with pytest.raises(Refused):
        desk.kill(stage.feed, SwitchKind.ALL, "", "stop")


def test_an_agent_from_outside_has_a_switch_as_one_of_the_house_has(stage: Stage, desk: GuardsDesk) -> None:
    LocalIssuer(stage.ledger, stage.clock).issue("robot", {Role.AGENT})

    pulled = desk.kill(stage.operator, SwitchKind.AGENT, "agent:robot", "it runs away")

    theirs = stage.begin().but(requester="agent:robot")
    off = stage.ledger.read(lambda tables: switches.off_for(stage.road, tables, theirs))
    assert [switch.id for switch in off] == [pulled.id]
    with pytest.raises(BadInput, match="no agent `one`"):
        desk.kill(stage.operator, SwitchKind.AGENT, "one", "people are no agents")


def test_what_cannot_be_pulled_or_released_is_refused_in_words(stage: Stage, desk: GuardsDesk) -> None:
    with pytest.raises(BadInput, match="no agent `nobody`"):
        desk.kill(stage.operator, SwitchKind.AGENT, "nobody", "stop")
    with pytest.raises(BadInput, match="no domain"):
        desk.kill(stage.operator, SwitchKind.DOMAIN, "moon", "stop")
    with pytest.raises(BadInput, match="takes no name"):
        desk.kill(stage.operator, SwitchKind.ALL, "provisioning", "stop")
    with pytest.raises(BadInput, match="reason"):
        desk.kill(stage.operator, SwitchKind.ALL, "", " \n")
    with pytest.raises(NotFound, match="no kill switch"):
        desk.release(ADMIN, SwitchKind.DOMAIN, "ran", "go on")
    desk.kill(stage.operator, SwitchKind.ALL, "", "stop")
    desk.release(ADMIN, SwitchKind.ALL, "", "go on")
    with pytest.raises(Conflict, match="on already"):
        desk.release(ADMIN, SwitchKind.ALL, "", "go on")


def test_a_switch_that_reaches_hundreds_is_off_at_once_and_stops_them_some_at_a_time(stage: Stage) -> None:
    proposal = stage.begin()
    many = [proposal.but(id=stage.road.id("prop"), state=ProposalState.GRANTED) for _ in range(70)]
    made = Entry(kind="test.plans.granted", actor="test", event_time=stage.clock.now())
    stage.ledger.do(lambda tables: Written(tables.proposals.add(*many), (made,)))
    read = stage.ledger.read

    stage.ledger.do(
        lambda tables: stopping.pull(stage.road, tables, stage.operator, SwitchKind.ALL, "*", "stop", InFlight.UNDO)
    )
    at_first = read(lambda tables: (tables.switches.count(off=True), tables.proposals.count(state="granted")))
    for _ in range(2):  # the errand may come twice
        stopping.sweep(stage.road, "default:all:*")

    assert at_first == (1, 50)
    assert read(lambda tables: tables.proposals.count(state="granted")) == 0
    assert stage.kinds().count("gate.proposal.withdrawn") == 70


@pytest.mark.parametrize(("switch_of", "plan_of", "stops"), [("default", "other", True), ("other", "default", False)])
def test_the_switch_of_the_house_stops_every_tenant_and_a_tenants_only_its_own(
    stage: Stage, desk: GuardsDesk, switch_of: str, plan_of: str, stops: bool
) -> None:
    proposal = granted(stage).but(tenant=plan_of)
    switch = desk.kill(stage.operator, SwitchKind.ALL, "", "stop").but(tenant=switch_of)

    assert switches.reaches(stage.road, switch, proposal) is stops
