"""Cards name tools that exist and hand over to agents that exist; nobody takes a case past the plane."""

from datetime import UTC, datetime

import pytest

from agents.cards import CARDS, DIAGNOSTICS, PROVISIONING, RETRAINING, TICKETING, accept
from agents.ports import Tools
from domain.agents import AgentCard, Case
from domain.alarms import Severity
from domain.errors import Refused
from domain.incidents import Incident
from domain.observations import Picture

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)


def test_every_tool_of_a_card_is_an_attribute_of_the_tools() -> None:
    known = {name for name in vars(Tools) if not name.startswith("_")}

    assert {tool for card in CARDS.values() for tool in card.tools} <= known


def test_every_hand_over_is_to_an_agent_that_has_a_card() -> None:
    assert {name for card in CARDS.values() for name in card.hands_to} <= set(CARDS)
    assert DIAGNOSTICS.hands_to == {"provisioning", "ticketing"}


def test_an_agents_account_bears_its_name() -> None:
    assert {card.principal for card in CARDS.values()} == {f"agent:{name}" for name in CARDS}


@pytest.mark.parametrize("card", [PROVISIONING, TICKETING, RETRAINING])
def test_a_case_without_a_hand_off_is_refused(card: AgentCard) -> None:
    incident = Incident(
        id="inc_1",
        severity=Severity.MAJOR,
        opened_at=NOON,
        last_alarm_at=NOON,
        last_known_at=NOON,
        alarm_ids=(),
        elements=(),
        open_alarms=0,
    )
    case = Case(incident=incident, alarms=(), picture=Picture(at=NOON), made_at=NOON)

    with pytest.raises(Refused, match="through the control plane"):
        accept(card, case)
    accept(card, case.but(hand_off_id="hand_1"))
