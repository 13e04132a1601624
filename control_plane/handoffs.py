"""Messages between agents go through the plane: without its ticket, none is delivered."""

from control_plane.ports import Planner, Written
from control_plane.road import Road
from control_plane.tables import Tables
from domain.agents import AgentCard, Case
from domain.bookkeeping import HandOff
from domain.errors import Refused
from domain.proposals import Draft
from domain.records import Entry


def hand_over(road: Road, incident_id: str, sender: AgentCard, receiver: AgentCard, subject: str) -> HandOff:
    """Record a hand-off and return its ticket.

    Raises:
        Refused: the sender's card does not list the receiver; the attempt is recorded.
    """
    allowed = receiver.name in sender.hands_to
    ticket = HandOff(
        id=road.id("hand"),
        incident_id=incident_id,
        sender=sender.name,
        receiver=receiver.name,
        subject=subject,
        made_at=road.clock.now(),
    )

    def change(tables: Tables) -> Written[None]:
        if allowed:
            tables.hand_offs.add(ticket)
        kind = "plane.handoff.made" if allowed else "plane.handoff.refused"
        fields = {"from": sender.name, "to": receiver.name}
        refs = (incident_id, ticket.id, subject)
        return Written(
            None, (Entry(kind=kind, actor=sender.principal, refs=refs, fields=fields, event_time=ticket.made_at),)
        )

    road.ledger.do(change)
    if not allowed:
        raise Refused(f"`{sender.name}` may not hand over to `{receiver.name}`; add it to the card's `hands_to`")
    return ticket


def ask(road: Road, planner: Planner, case: Case) -> Draft | None:
    """Deliver a case to a planning agent and return what it drafts: the one way by which a case reaches one.

    Raises:
        Refused: the case does not come by a hand-off to this agent about this diagnosis; the attempt is recorded.
    """
    deliver(road, case.hand_off_id, planner.card, case.incident.id, case.diagnosis.id if case.diagnosis else "")
    return planner.plan(case)


def deliver(road: Road, hand_off_id: str, receiver: AgentCard, incident_id: str, subject: str) -> HandOff:
    """Return the hand-off that a message claims to come by.

    Raises:
        Refused: there is no such ticket for this receiver, incident and subject; the attempt is recorded.
    """
    ticket = road.ledger.read(lambda tables: tables.hand_offs.get(hand_off_id))
    if ticket and (ticket.receiver, ticket.incident_id, ticket.subject) == (receiver.name, incident_id, subject):
        return ticket
    refused = Entry(
        kind="plane.handoff.refused",
        actor="plane",
        refs=(incident_id,),
        fields={"to": receiver.name, "claimed": hand_off_id[:64]},
        event_time=road.clock.now(),
    )
    road.ledger.do(lambda _: Written(None, (refused,)))
    raise Refused(f"no hand-off `{hand_off_id[:64]}` to `{receiver.name}`: agents talk through the control plane")
