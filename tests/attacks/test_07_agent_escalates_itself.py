"""Row 7: an agent that reaches for more than it was given.

Past its card, past the plane, past its list of actions, in another's name, through another: each is refused, and the
attempt is recorded, with everybody on whose behalf it was made.
"""

from typing import Any

import pytest

from adapters.memory import MemoryLedger
from agents.cards import CARDS, accept
from api.http.access import ACCESS
from control_plane.gathering import case_of
from control_plane.handoffs import ask, hand_over
from control_plane.toolbox import Toolbox
from domain.actions import InterfaceDown, InterfaceUp
from domain.agents import AgentCard, Case
from domain.clock import ManualClock
from domain.errors import Refused, ToolRefused
from domain.identity import Bound, Permission, Role, Scope
from domain.proposals import ProposalState
from policies.permissions import AGENTS_MOST
from tests.attacks.foreign import ask as send
from tests.attacks.foreign import knocks
from tests.attacks.ring_house import RingHouse
from tests.stage import CULPRIT, ScriptedPlanner, Stage, make_stage


class Tool:
    """A tool that says which it is."""

    def __init__(self, name: str) -> None:
        self.called = name


_NAMES = ("telemetry", "twin", "past", "ranker", "models", "trials", "facts", "autonomy", "orders")
TOOLS = {name: Tool(name) for name in _NAMES}
FORBIDDEN = ("ledger", "book", "commands", "network", "hands", "roles", "policies", "send", "twin.write")
#: What the one route that an agent may use takes.
PLAN = {"steps": [{"kind": "interface_up", "target": CULPRIT}]}
LISTED = Scope(bounds=(Bound(argument="kind", allowed=frozenset({"interface_up"})),))


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

    assert all(getattr(toolbox, name).called == name for name in card.tools)
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


@pytest.mark.parametrize(
    "beyond", [(InterfaceDown(target=CULPRIT),), (InterfaceUp(target=CULPRIT), InterfaceDown(target="tp:a-d"))], ids=len
)
def test_a_draft_beyond_the_card_is_refused_and_recorded(clock: ManualClock, beyond: tuple[Any, ...]) -> None:
    stage = make_stage(clock, steps=beyond)
    stage.network.put(CULPRIT, administrative="locked")
    stage.say_readings(up=False)
    stage.raise_alarms()
    stage.walk_all()

    assert stage.proposals() == []
    refused = [record for record in stage.ledger.records() if record.kind == "plane.draft.refused"]
    assert {record.actor for record in refused} == {"agent:provisioning"}
    assert "interface_down" in refused[0].fields["why"].value


# --- by the door ---


@pytest.fixture
def agent(ring: RingHouse) -> RingHouse:
    """A house with agents from outside: for themselves, for an engineer, for a viewer, and one with a name of ours."""
    issue = ring.house.issuer.issue
    people = {"engineer": Role.ENGINEER, "looker": Role.VIEWER}
    who = {name: issue(name, {role}, f"the {name}") for name, role in people.items()}
    ring.tokens["engineer"] = who["engineer"][1]
    for name, behind in (("lister", ""), ("for-engineer", "engineer"), ("for-looker", "looker")):
        acts_for = who[behind][0].id if behind else ""
        ring.tokens[name] = issue(name, {Role.AGENT}, scope=LISTED, behind=acts_for)[1]
    ring.tokens["listless"] = issue("listless", {Role.AGENT})[1]
    ring.tokens["provisioning"] = issue("provisioning", {Role.AGENT}, scope=LISTED)[1]
    return ring


def wanted(ring: RingHouse, **more: Any) -> dict[str, Any]:
    """Return a proposal for the open incident, whose own agent's repair people have refused."""
    old = ring.held()
    assert ring.post("approver_b", f"/proposals/{old.id}/reject", {"because": "not this way"}).status_code == 200
    steps = {"steps": [{"kind": "interface_up", "target": "tp:b-a"}]}
    return {"incident_id": old.incident_id, "plan": steps, "because": "the other end may be locked"} | more


def test_no_route_but_one_lets_an_agent_change_anything(agent: RingHouse) -> None:
    open_to_agents = {
        (method, path) for (method, path), needed in ACCESS.items() if needed in AGENTS_MOST and method != "GET"
    }
    for knock in knocks(agent, with_body=True):
        answer = send(agent, "lister", knock, "nothing_00000000")
        needed = ACCESS[knock.method, knock.path]
        if needed is not None and needed is not Permission.PROPOSE:
            assert answer.status_code == 403, knock
            assert agent.records("rights.command.refused")[-1].actor == "lister"
    assert ("POST", "/policy/load") not in open_to_agents


def test_an_agent_asks_for_what_is_on_its_list_and_says_who_it_is(agent: RingHouse) -> None:
    answer = agent.post("lister", "/proposals", wanted(agent))

    assert answer.status_code == 201, answer.text
    assert answer.json()["requester"] == "agent:lister"
    agent.walk(1)
    asked = next(p for p in agent.repairs() if p.requester == "agent:lister")
    assert asked.state is not ProposalState.DRAFTED, "it takes the road like any other"
    assert asked.state is not ProposalState.GRANTED


@pytest.mark.parametrize("who", ["listless", "provisioning", "for-looker"])
def test_an_agent_without_a_list_or_a_right_or_in_anothers_name_asks_for_nothing(agent: RingHouse, who: str) -> None:
    body = wanted(agent)
    before = agent.proposals()

    answer = agent.post(who, "/proposals", body)

    assert answer.status_code == 403, answer.text
    assert agent.proposals() == before
    assert agent.records("rights.command.refused")[-1].actor == who


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "interface_down", "target": "tp:b-a"},
        {"kind": "set_autonomy", "target": "default|agent:lister", "level": 2, "previous": 0},
        {"kind": "switch_model", "target": "diagnosis", "version": "v-2", "previous": "v-1"},
    ],
    ids=lambda step: str(step["kind"]),
)
def test_an_agent_asks_for_no_action_beyond_its_list(agent: RingHouse, step: dict[str, Any]) -> None:
    body = wanted(agent, plan={"steps": [step]})

    answer = agent.post("lister", "/proposals", body)

    assert answer.status_code in {400, 403}, answer.text
    assert not [p for p in agent.proposals() if p.requester == "agent:lister"]


@pytest.mark.parametrize("name", ["requester", "agent_id", "on_behalf_of", "person", "tenant", "confidence"])
def test_nobody_says_in_a_body_who_asks(agent: RingHouse, name: str) -> None:
    answer = agent.post("lister", "/proposals", wanted(agent, **{name: "agent:provisioning"}))

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")


def test_who_asked_through_an_agent_does_not_sign_what_it_asked_for(agent: RingHouse) -> None:
    answer = agent.post("for-engineer", "/proposals", wanted(agent))
    assert answer.status_code == 201, answer.text
    asked = answer.json()
    assert set(asked["on_behalf_of"]) >= {"engineer", "the engineer"}
    drafted = next(r for r in agent.records("propose.proposal.drafted") if asked["id"] in r.refs)
    assert list(drafted.fields["on_behalf_of"].value) == ["engineer"]
    agent.walk(1)

    signed = agent.post("engineer", f"/proposals/{asked['id']}/approve", {"because": "my agent is right"})

    assert signed.status_code == 403, signed.text
    assert agent.records("gate.proposal.refused", asked["id"])[-1].actor == "engineer"
    assert agent.post("for-engineer", f"/proposals/{asked['id']}/approve", {"because": "so am I"}).status_code == 403


def test_a_flood_of_proposals_is_cut_off(agent: RingHouse) -> None:
    body = wanted(agent)
    targets = ["tp:a-d", "tp:d-a", "tp:d-c", "tp:c-d", "tp:c-b", "tp:b-c", "tp:b-a", "tp:a-b"]
    plans = [{"steps": [{"kind": "interface_up", "target": one} for one in targets[:n]]} for n in range(2, 9)]
    plans += [{"steps": [{"kind": "interface_up", "target": one}]} for one in targets]

    answers = [agent.post("lister", "/proposals", body | {"plan": plan}).status_code for plan in plans]

    assert set(answers) <= {201, 400, 409}
    assert answers.count(201) <= 8
    assert answers[-1] == 409
