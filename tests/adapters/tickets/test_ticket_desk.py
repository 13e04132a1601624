from typing import Any

import pytest

from adapters.memory import MemoryLedger
from adapters.tickets.desk import TicketDesk, ticket_id
from control_plane.ports import Hands, Seen
from domain.actions import CancelTicket, InterfaceUp, OpenTicket
from domain.clock import ManualClock
from domain.errors import BadInput, Refused


@pytest.fixture
def ledger(clock: ManualClock) -> MemoryLedger:
    return MemoryLedger(clock)


@pytest.fixture
def desk(ledger: MemoryLedger, clock: ManualClock) -> Hands:
    return TicketDesk(ledger, clock)


OPEN = OpenTicket(target="inc_1", severity="critical", description="core link down")


def tickets(ledger: MemoryLedger) -> list[Any]:
    return ledger.read(lambda tables: tables.tickets.find())


def test_the_desk_takes_tickets_and_nothing_else(desk: Hands) -> None:
    assert desk.keyed
    assert desk.takes(OPEN)
    assert desk.takes(OPEN.inverse())
    assert not desk.takes(InterfaceUp(target="tp:1"))
    with pytest.raises(BadInput, match="interface_up"):
        desk.send("key", InterfaceUp(target="tp:1"))


def test_an_opened_ticket_is_acknowledged_and_recorded(desk: Hands, ledger: MemoryLedger, clock: ManualClock) -> None:
    desk.send("step_1", OPEN)

    (ticket,) = tickets(ledger)
    assert (ticket.status, ticket.severity, ticket.description) == ("acknowledged", "critical", "core link down")
    assert ticket.created_at == clock.now()
    assert [record.kind for record in ledger.records(ref=ticket.id)] == ["desk.ticket.opened"]
    assert ledger.records(ref="inc_1") == ledger.records(ref="step_1") == ledger.records()


def test_opening_and_cancelling_show_in_the_state(desk: Hands) -> None:
    states = [desk.state("inc_1")]
    for key, action in (("k1", OPEN), ("k2", OPEN.inverse()), ("k3", OPEN)):
        desk.send(key, action)
        states.append(desk.state("inc_1"))

    assert [state["ticket"] for state in states] == ["none", "open", "cancelled", "open"]
    assert OPEN.took_effect(states[0], states[1])
    assert OPEN.inverse().took_effect(states[1], states[2])
    assert desk.state("inc_2") == {"ticket": "none"}


def test_a_second_sending_of_a_key_changes_nothing(desk: Hands, ledger: MemoryLedger) -> None:
    desk.send("k1", OPEN)
    desk.send("k1", OPEN)
    desk.send("k2", OPEN.inverse())
    once = tickets(ledger)
    desk.send("k2", OPEN.inverse())
    desk.send("k1", OPEN)

    assert tickets(ledger) == once
    assert [ticket.id for ticket in once] == [ticket_id("k1")]
    assert len(ledger.records()) == 2


def test_a_late_second_cancel_does_not_touch_a_newer_ticket(desk: Hands) -> None:
    for key, action in (("k1", OPEN), ("k2", OPEN.inverse()), ("k3", OPEN), ("k2", OPEN.inverse())):
        desk.send(key, action)

    assert desk.state("inc_1") == {"ticket": "open"}


def test_reading_back_tells_what_was_sent(desk: Hands) -> None:
    desk.send("k1", OPEN)
    desk.send("k2", OPEN.inverse())
    desk.cancel("k1")

    assert [desk.look(key) for key in ("k1", "k2", "k3", "")] == [Seen.DONE, Seen.DONE, Seen.ABSENT, Seen.ABSENT]


def test_reading_back_without_a_store_cannot_tell(desk: Hands, ledger: MemoryLedger) -> None:
    desk.send("k1", OPEN)
    ledger.close()

    assert desk.look("k1") is Seen.CANNOT_TELL


def test_a_second_ticket_about_the_same_incident_is_refused(desk: Hands, ledger: MemoryLedger) -> None:
    desk.send("k1", OPEN)

    with pytest.raises(Refused, match=ticket_id("k1")):
        desk.send("k2", OPEN)
    assert desk.look("k2") is Seen.ABSENT
    assert len(tickets(ledger)) == 1


def test_there_is_nothing_to_cancel_without_a_ticket(desk: Hands) -> None:
    with pytest.raises(Refused, match="no open ticket"):
        desk.send("k1", CancelTicket(target="inc_1", description=""))
