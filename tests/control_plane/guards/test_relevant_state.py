"""A grant holds for the state that its rehearsal read: what is in it voids the grant, the rest does not."""

import pytest

from control_plane import flow
from domain.clock import ManualClock
from domain.proposals import ProposalState
from domain.rehearsal import Fact
from tests.control_plane.guards.people import execution, granted, sent
from tests.stage import Stage, make_stage


def facts(stage: Stage) -> tuple[Fact, ...]:
    return stage.ledger.read(lambda tables: tables.grants.find())[-1].facts


def differ(stage: Stage, fact: Fact) -> None:
    """Let what a fact is about be otherwise: on the device where it is configured, else in what it reports."""
    match fact.attribute:
        case "administrative":
            stage.network.put(fact.element, administrative="unlocked" if fact.value == "locked" else "locked")
        case "metric":
            stage.network.put(fact.element, metric="77")
        case "oper_up":
            say(stage, fact.element, "oper_up", 0.0 if fact.value == "1" else 1.0)
        case _:
            outside = (fact.high or 0.0) + 0.1 if fact.high is not None else (fact.low or 0.0) - 0.1
            say(stage, fact.element, fact.attribute, outside)


def say(stage: Stage, element: str, attribute: str, value: float) -> None:
    from control_plane.receiving import receive_feed

    stage.clock.advance(0.5)
    stage.say_readings(up=False)
    stage.clock.advance(0.01)
    at, rows = stage.clock.now().isoformat(), [[element, attribute, value]]
    stage.network.say({"type": "readings", "source": "pm-1", "time": at, "rows": rows})
    receive_feed(stage.road, "network", 0.0)


def number_of_facts() -> int:
    from datetime import UTC, datetime

    stage = make_stage(ManualClock(datetime(2026, 1, 12, 12, 0, tzinfo=UTC)))
    granted(stage)
    return len(facts(stage))


@pytest.mark.parametrize("place", range(number_of_facts()))
def test_each_fact_that_changes_voids_the_grant_and_is_named(stage: Stage, place: int) -> None:
    proposal = granted(stage)
    fact = facts(stage)[place]

    differ(stage, fact)
    flow.act(stage.road, proposal.incident_id)

    gone = stage.ledger.read(lambda tables: tables.proposals.get(proposal.id))
    assert stage.network.journal == []
    assert gone.state is ProposalState.WITHDRAWN
    assert f"{fact.attribute} of `{fact.element}`" in gone.state_reason


@pytest.mark.parametrize(
    ("element", "attribute", "value"),
    [
        ("tp:c-d", "utilisation", 0.9),
        ("tp:d-c", "utilisation", 0.4),
        ("tp:a-b", "cpu", 0.9),
        ("tp:d-a", "utilisation", 0.0),
    ],
)
def test_what_lies_outside_changes_and_the_grant_stands(
    stage: Stage, element: str, attribute: str, value: float
) -> None:
    granted(stage)

    say(stage, element, attribute, value)
    flow.act(stage.road, stage.proposal().incident_id)

    assert sent(stage) == ["step:0"]
    assert execution(stage).outcome is None


def test_configuration_elsewhere_changes_and_the_grant_stands(stage: Stage) -> None:
    granted(stage)

    stage.network.put("link:c-d", metric="11")
    stage.road.live.twin.configured("link:c-d", "metric", "11", stage.clock.now())
    flow.act(stage.road, stage.proposal().incident_id)

    assert sent(stage) == ["step:0"]


def test_what_goes_down_meanwhile_and_makes_the_plan_harmful_voids_the_grant(stage: Stage) -> None:
    """Not a fact of the rehearsal, but part of the network on which the plan is rehearsed again."""
    proposal = granted(stage)

    say(stage, "node:b", "oper_up", 0.0)
    flow.act(stage.road, proposal.incident_id)

    gone = stage.ledger.read(lambda tables: tables.proposals.get(proposal.id))
    assert stage.network.journal == []
    assert "rehearsed again" in gone.state_reason or "bring back" in gone.state_reason
