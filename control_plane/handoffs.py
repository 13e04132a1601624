"""Messages between agents go through the plane: without its ticket, none is delivered."""

from control_plane import reach
from control_plane.ports import Planner, Written
from control_plane.road import Road
from control_plane.tables import Tables
from domain.agents import AgentCard, Case
from domain.bookkeeping import HandOff
from domain.errors import Refused
from domain.identity import domain_of
from domain.proposals import Draft, Plan
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
        return Written(None, (_entry(road, tables, kind, sender.principal, incident_id, refs, fields),))

    road.ledger.do(change)
    if not allowed:
        raise Refused(f"`{sender.name}` may not hand over to `{receiver.name}`; add it to the card's `hands_to`")
    return ticket


def ask(road: Road, planner: Planner, case: Case) -> Draft | None:
    """Deliver a case to a planning agent and return what it drafts: the one way by which a case reaches one.

    A draft that reaches beyond the agent's card is refused and recorded, and counts as none.

    Raises:
        Refused: the case does not come by a hand-off to this agent about this diagnosis; the attempt is recorded.
    """
    deliver(road, case.hand_off_id, planner.card, case.incident.id, case.diagnosis.id if case.diagnosis else "")
    draft = planner.plan(case)
    beyond = off_card(road, planner.card, draft.plan) if draft else ""
    if not beyond:
        return draft
    refs, fields = (case.incident.id, case.hand_off_id), {"why": beyond}
    who, incident_id = planner.card.principal, case.incident.id
    road.ledger.do(lambda t: Written(None, (_entry(road, t, "plane.draft.refused", who, incident_id, refs, fields),)))
    return None


def off_card(road: Road, card: AgentCard, plan: Plan) -> str:
    """Say what of a plan an agent's card does not list: a class of action, or a domain; nothing when it lists all."""
    for step, kind in zip(plan.steps, reach.kinds_of(road, plan), strict=True):
        if step.kind not in card.actions:
            return f"the card of `{card.name}` does not list the action `{step.kind}`"
        if domain_of(kind) not in card.domains:
            return f"the card of `{card.name}` does not list the domain `{domain_of(kind)}`, where `{step.target}` lies"
    return ""


def deliver(road: Road, hand_off_id: str, receiver: AgentCard, incident_id: str, subject: str) -> HandOff:
    """Return the hand-off that a message claims to come by.

    Raises:
        Refused: there is no such ticket for this receiver, incident and subject; the attempt is recorded.
    """
    ticket = road.ledger.read(lambda tables: tables.hand_offs.get(hand_off_id))
    if ticket and (ticket.receiver, ticket.incident_id, ticket.subject) == (receiver.name, incident_id, subject):
        return ticket
    fields, refs = {"to": receiver.name, "claimed": hand_off_id[:64]}, (incident_id,)
    road.ledger.do(
        lambda t: Written(None, (_entry(road, t, "plane.handoff.refused", "plane", incident_id, refs, fields),))
    )
    raise Refused(f"no hand-off `{hand_off_id[:64]}` to `{receiver.name}`: agents talk through the control plane")


def _entry(
    road: Road, tables: Tables, kind: str, actor: str, incident_id: str, refs: tuple[str, ...], fields: dict[str, str]
) -> Entry:
    """Return a record about a message of an incident; it belongs where the incident does."""
    incident = tables.incidents.get(incident_id)
    whose = {"tenant": incident.tenant, "residency": incident.region} if incident else {}
    return Entry(kind=kind, actor=actor, refs=refs, fields=fields, event_time=road.clock.now(), **whose)
