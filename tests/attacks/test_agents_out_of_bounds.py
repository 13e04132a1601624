"""An agent that reaches further than its card, or speaks past the plane, is refused, and the attempt is recorded."""

import pytest

from adapters.memory import MemoryLedger
from agents.cards import CARDS, accept
from control_plane.gathering import case_of
from control_plane.handoffs import ask, hand_over
from control_plane.toolbox import Toolbox
from domain.agents import AgentCard, Case
from domain.clock import ManualClock
from domain.errors import Refused, ToolRefused
from tests.stage import ScriptedPlanner, Stage, make_stage

TOOLS = {"telemetry": "T", "twin": "W", "past": "P", "ranker": "R", "models": "M", "trials": "L", "facts": "F"}
FORBIDDEN = ("ledger", "book", "commands", "network", "hands", "roles", "policies", "autonomy", "send", "twin.write")


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    return make_stage(clock)


def handed(stage: Stage) -> Case:
    """Return a case as the plane made it, without the hand-off."""
    stage.begin()
    incident = stage.ledger.read(lambda tables: tables.incidents.find())[0]
    return case_of(stage.road, incident)


def planner(stage: Stage) -> ScriptedPlanner:
    made = stage.road.planners[0]
    assert isinstance(made, ScriptedPlanner)
    return made


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.name)
def test_an_agent_has_the_tools_of_its_card_and_no_other(clock: ManualClock, card: AgentCard) -> None:
    ledger = MemoryLedger(clock)
    toolbox = Toolbox(card, TOOLS, ledger, clock)

    unlisted = [name for name in (*TOOLS, *FORBIDDEN) if name not in card.tools]
    for name in unlisted:
        with pytest.raises(ToolRefused, match=f"`{card.name}` may not use `{name}`"):
            getattr(toolbox, name)

    assert all(getattr(toolbox, name) == TOOLS[name] for name in card.tools)
    recorded = [(record.kind, record.actor, record.fields["tool"].value) for record in ledger.records()]
    assert recorded == [("plane.tool.refused", card.principal, name) for name in unlisted]


def test_a_tool_with_an_endless_name_is_recorded_shortly(clock: ManualClock) -> None:
    ledger = MemoryLedger(clock)

    with pytest.raises(ToolRefused):
        getattr(Toolbox(CARDS["ticketing"], TOOLS, ledger, clock), "x" * 100_000)

    assert ledger.records()[0].fields["tool"].value == "x" * 64


@pytest.mark.parametrize(("sender", "receiver"), [("ticketing", "provisioning"), ("provisioning", "diagnostics")])
def test_an_agent_asks_no_other_for_what_it_may_not_do(stage: Stage, sender: str, receiver: str) -> None:
    with pytest.raises(Refused, match=f"`{sender}` may not hand over to `{receiver}`"):
        hand_over(stage.road, "inc_1", CARDS[sender], CARDS[receiver], "diag_1")

    last = stage.ledger.records()[-1]
    assert (last.kind, last.actor) == ("plane.handoff.refused", f"agent:{sender}")
    assert stage.ledger.read(lambda tables: tables.hand_offs.count()) == 0


@pytest.mark.parametrize("forged", ["", "hand_forged", "hand_00000000000000000000000000", "x" * 5000, "' OR 1=1 --"])
def test_a_forged_hand_off_reaches_no_agent(stage: Stage, forged: str) -> None:
    case = handed(stage)
    asked = len(planner(stage).cases)

    with pytest.raises(Refused, match="no hand-off"):
        ask(stage.road, planner(stage), case.but(hand_off_id=forged))

    assert len(planner(stage).cases) == asked
    last = stage.ledger.records()[-1]
    assert (last.kind, last.fields["claimed"].value) == ("plane.handoff.refused", forged[:64])


def test_a_hand_off_to_another_agent_or_about_something_else_is_no_hand_off(stage: Stage) -> None:
    case = handed(stage)
    assert case.diagnosis is not None
    diagnosis = case.diagnosis.id
    to_another = hand_over(stage.road, case.incident.id, CARDS["diagnostics"], CARDS["ticketing"], diagnosis)
    of_another = hand_over(stage.road, "inc_other", CARDS["diagnostics"], CARDS["provisioning"], diagnosis)
    about_another = hand_over(stage.road, case.incident.id, CARDS["diagnostics"], CARDS["provisioning"], "diag_other")

    for ticket in (to_another, of_another, about_another):
        with pytest.raises(Refused):
            ask(stage.road, planner(stage), case.but(hand_off_id=ticket.id))

    assert stage.kinds().count("plane.handoff.refused") == 3


def test_every_case_that_an_agent_saw_came_by_a_recorded_hand_off(stage: Stage) -> None:
    handed(stage)

    made = {ticket.id for ticket in stage.ledger.read(lambda tables: tables.hand_offs.find())}
    assert {case.hand_off_id for case in planner(stage).cases} == made
    assert stage.kinds().count("plane.handoff.made") == len(made)


@pytest.mark.parametrize("name", ["provisioning", "ticketing"])
def test_agents_take_no_case_from_each_other(stage: Stage, name: str) -> None:
    with pytest.raises(Refused, match="takes no case without a hand-off"):
        accept(CARDS[name], handed(stage))
