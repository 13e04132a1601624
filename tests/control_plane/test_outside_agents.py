"""An agent outside the house asks by a door, and for no more plans than one inside is let ask for."""

import pytest

from adapters.memory import MemoryLedger
from control_plane.road import RoadSettings
from domain.actions import RestartProcess
from domain.clock import ManualClock
from domain.errors import Conflict
from domain.identity import Bound, Principal, Role, Scope
from domain.proposals import Plan
from tests.stage import Stage, make_stage

LISTED = Scope(bounds=(Bound(argument="kind", allowed=frozenset({"restart_process"})),))
ROBOT = Principal(id="acc_robot", name="robot", person="", roles=frozenset({Role.AGENT}), scope=LISTED)


def ask(stage: Stage, node: str) -> None:
    incident = stage.ledger.read(lambda tables: tables.incidents.find())[0]
    plan = Plan(steps=(RestartProcess(target=node),))
    stage.commands.propose(ROBOT, incident.id, plan, "it might help")
    stage.walk_all()


def test_an_agent_that_asks_for_one_plan_after_another_is_stopped_and_people_are_told(clock: ManualClock) -> None:
    stage = make_stage(clock, ledger=MemoryLedger(clock), settings=RoadSettings(drafts_most=2))
    stage.begin()
    for node in ("node:b", "node:c"):
        ask(stage, node)

    for _ in range(2):
        with pytest.raises(Conflict, match="too many plans"):
            ask(stage, "node:d")

    assert stage.kinds().count("plane.agent.throttled") == 1
    clock.advance(stage.road.settings.budget_window_s + 1)
    stage.walk_all()
    ask(stage, "node:d")
