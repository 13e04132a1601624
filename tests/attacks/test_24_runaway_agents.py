"""Attack 24, runaway: agents that flap, a tool that raises for ever, a storm, a drained budget, a kill switch."""

import threading
import time
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from control_plane import flow
from control_plane.ports import Written
from control_plane.road import RoadSettings
from control_plane.tables import Message
from control_plane.worker import Worker
from domain.agents import Case
from domain.identity import Role
from domain.proposals import Draft, ProposalState
from domain.roster import NoticeKind
from tests.attacks.ring_house import ALARMS, RingHouse


def alarms_of_the_plane(ring: RingHouse) -> list[str]:
    notices = ring.house.road.ledger.read(lambda tables: tables.notices.find(kind=NoticeKind.ALARM))
    return [notice.text for notice in notices]


def test_a_pulled_switch_stops_what_is_granted_before_its_next_step(ring: RingHouse) -> None:
    proposal = ring.held()
    ring.approve("approver_a", proposal)

    pulled = ring.post("operator", "/switches", {"kind": "all", "because": "it runs away"})
    flow.act(ring.house.road, proposal.incident_id)

    assert pulled.status_code == 201
    assert ring.network.journal == []
    assert ring.repairs()[0].state is ProposalState.WITHDRAWN


def test_nothing_is_granted_while_a_switch_is_off_and_the_refusal_names_it(ring: RingHouse) -> None:
    proposal = ring.held()
    ring.post("operator", "/switches", {"kind": "domain", "name": "transport", "because": "it runs away"})

    answer = ring.approve("approver_a", proposal)

    assert answer.status_code == 409
    assert "the kill switch of `transport` is off" in answer.json()["reason"]


@pytest.mark.parametrize("who", ["viewer", "feed", "robot", "auditor"])
def test_only_people_on_duty_pull_a_switch(ring: RingHouse, who: str) -> None:
    assert ring.post(who, "/switches", {"kind": "all", "because": "for fun"}).status_code == 403
    assert ring.get("operator", "/guards").json()["switches"] == []


@pytest.mark.parametrize("who", ["robot", "operator", "approver_a", "feed"])
def test_who_may_pull_a_switch_may_not_release_it(ring: RingHouse, who: str) -> None:
    ring.post("operator", "/switches", {"kind": "all", "because": "it runs away"})

    refused = ring.post(who, "/switches/release", {"kind": "all", "because": "let me"})

    assert refused.status_code == 403
    assert ring.get("operator", "/guards").json()["switches"][0]["off"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "all"},
        {"kind": "everything", "because": "x"},
        {"kind": "agent", "name": "nobody", "because": "x"},
        {"kind": "domain", "name": "../transport", "because": "x"},
        {"kind": "all", "because": "x", "off": False},
        {"kind": "all", "because": "x", "in_flight": "explode"},
    ],
)
def test_a_crooked_switch_is_a_400_that_says_why(ring: RingHouse, body: dict[str, object]) -> None:
    answer = ring.post("operator", "/switches", body)

    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "reason"}


class NeverContent:
    """A planner whose tool raises for ever."""

    def __init__(self, card: object) -> None:
        self.card, self.calls = card, 0

    def plan(self, case: Case) -> Draft | None:
        self.calls += 1
        raise RuntimeError("the tool raises, as always")


def test_an_agent_whose_tool_raises_for_ever_is_asked_ever_more_rarely(ring: RingHouse) -> None:
    road = ring.house.road
    broken = NeverContent(road.planners[0].card)
    road.planners = (broken, *road.planners[1:])
    ring.break_interface()
    ring.post("feed", ALARMS, ring.tmf_alarm())
    flow.correlate(road)
    worker = Worker(road, ring.house.graph, feed="network")
    waits: list[float] = []

    with capture_logs():
        for _ in range(7):
            worker._walk(ring.incidents()[0].id)
            later = [m for m in road.ledger.due(ring.clock.now() + timedelta(days=1)) if m.topic == "wake"]
            waits.append(max((m.due_at - ring.clock.now()).total_seconds() for m in later))
            road.ledger.done(later)
    worker.close()

    assert broken.calls == 7
    assert waits[2:] == [5.0, 30.0, 120.0, 600.0, 600.0]


def test_an_alarm_storm_starts_no_more_walks_than_the_pool_and_one_at_a_time_of_each_incident(
    ring: RingHouse,
) -> None:
    road, graph = ring.house.road, ring.house.graph
    lock, running, most = threading.Lock(), [0], [0]

    def diagnose(incident: str) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.002)
        with lock:
            running[0] -= 1

    class Graph:
        def invoke(self, here: dict[str, str], *_: object, **__: object) -> None:
            diagnose(here["incident"])

    worker = Worker(road, Graph(), feed="network", walkers=4)
    now = ring.clock.now()
    storm = [Message(id=f"msg_{n}", topic="wake", ref=f"inc_{n % 50}", due_at=now) for n in range(10_000)]

    worker._handle(storm)
    worker.close()

    assert graph is not None
    assert 1 <= most[0] <= 4


def test_a_drained_budget_holds_the_agent_and_tells_the_operators_once(ring: RingHouse) -> None:
    ring.house.road.settings = RoadSettings(plans_most=0)

    ring.held()
    ring.walk(5)

    tickets = [p for p in ring.proposals() if p.requester == "agent:ticketing"]
    told = [text for text in alarms_of_the_plane(ring) if "of the 0 that it has" in text]
    assert [p.state for p in tickets] == [ProposalState.HELD]
    assert len(set(told)) == 1


def test_a_plan_of_ten_thousand_steps_is_refused_at_the_door_and_the_old_one_waits_on(ring: RingHouse) -> None:
    proposal = ring.held()
    steps = [{"kind": "interface_up", "target": "tp:a-b"}] * 10_000

    answer = ring.post("approver_a", f"/proposals/{proposal.id}/change", {"because": "more", "plan": {"steps": steps}})

    assert answer.status_code in {400, 413}
    assert ring.repairs()[-1].state is ProposalState.HELD


def test_a_release_by_who_may_lets_what_waits_go_on(ring: RingHouse) -> None:
    chief, token = ring.house.issuer.issue("chief", frozenset({Role.ADMIN}), "the chief")
    ring.tokens[chief.name] = token
    ring.post("operator", "/switches", {"kind": "all", "because": "a drill"})
    proposal = ring.held()

    released = ring.post("chief", "/switches/release", {"kind": "all", "because": "the drill is over"})
    approved = ring.approve("approver_a", proposal)
    flow.act(ring.house.road, proposal.incident_id)

    assert (released.status_code, approved.status_code) == (200, 200)
    assert len(ring.network.journal) == 1


def test_a_wake_that_was_written_twice_by_a_storm_is_harmless(ring: RingHouse) -> None:
    proposal = ring.held()
    road = ring.house.road
    before = len(ring.records())

    road.ledger.do(lambda _: Written(None, (), tuple(road.wake(proposal.incident_id) for _ in range(500))))
    for _ in range(20):
        flow.walk(road, ring.house.graph, proposal.incident_id)

    assert len(ring.records()) == before
