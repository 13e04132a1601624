"""The embedded ticket desk: trouble tickets in our own store, in the states of TMF621.

A ticket's id follows from the key of the action that opened it, so a second sending of the key finds it there.
"""

import hashlib
from collections.abc import Iterable, Mapping

from control_plane.ports import Ledger, Seen, Written
from control_plane.tables import Tables
from domain.actions import Action, CancelTicket, OpenTicket
from domain.bookkeeping import Ticket
from domain.clock import Clock
from domain.errors import BadInput, Refused, Unavailable
from domain.records import Entry

#: TMF621 states in which somebody still works on a ticket.
_OPEN = ("acknowledged", "inProgress", "pending", "held")


class TicketDesk:
    """The `Hands` port for tickets. Every ticket is kept and recorded in the ledger."""

    keyed = True

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def takes(self, action: Action) -> bool:
        return isinstance(action, OpenTicket | CancelTicket)

    def state(self, element: str) -> Mapping[str, str]:
        """Return `{"ticket": "open" | "cancelled" | "none"}` for an incident; closed tickets count as none."""
        tickets = self._ledger.read(lambda tables: tables.tickets.find(incident_id=element))
        statuses = {ticket.status for ticket in tickets}
        if statuses & set(_OPEN):
            return {"ticket": "open"}
        return {"ticket": "cancelled" if "cancelled" in statuses else "none"}

    def send(self, key: str, action: Action) -> None:
        """Open or cancel at once; a key that was sent before changes nothing.

        Raises:
            BadInput: the action is not about tickets.
            Refused: the incident has an open ticket already, or none that could be cancelled.
            Unavailable: the store does not answer.
        """
        if isinstance(action, OpenTicket):
            self._ledger.do(lambda tables: self._opened(tables, key, action))
        elif isinstance(action, CancelTicket):
            self._ledger.do(lambda tables: self._cancelled(tables, key, action))
        else:
            raise BadInput(f"the ticket desk does not carry out `{action.kind}`; send it to the network")

    def look(self, key: str) -> Seen:
        try:
            known = self._ledger.read(lambda tables: _sent_before(tables, key))
        except Unavailable:
            return Seen.CANNOT_TELL
        return Seen.DONE if known else Seen.ABSENT

    def cancel(self, key: str) -> None:
        """Do nothing: what is sent to the desk is done when `send` returns, so nothing is ever pending."""

    def _opened(self, tables: Tables, key: str, action: OpenTicket) -> Written[None]:
        if _sent_before(tables, key):
            return Written(None)
        standing = tables.tickets.find(incident_id=action.target, status=_OPEN, limit=1)
        if standing:
            raise Refused(f"incident `{action.target}` has the open ticket `{standing[0].id}`; add to that one")
        now = self._clock.now()
        incident = tables.incidents.get(action.target)
        ticket = Ticket(
            id=ticket_id(key),
            tenant=incident.tenant if incident else "default",
            key=key,
            incident_id=action.target,
            status="acknowledged",
            severity=action.severity,
            description=action.description,
            created_at=now,
            status_changed_at=now,
        )
        tables.tickets.add(ticket)
        return Written(None, (self._entry(tables, "desk.ticket.opened", key, action, [ticket]),))

    def _cancelled(self, tables: Tables, key: str, action: CancelTicket) -> Written[None]:
        if _sent_before(tables, key):
            return Written(None)
        standing = tables.tickets.find(incident_id=action.target, status=_OPEN)
        if not standing:
            raise Refused(f"incident `{action.target}` has no open ticket; there is nothing to cancel")
        now = self._clock.now()
        for ticket in standing:
            tables.tickets.swap(ticket, ticket.but(status="cancelled", cancel_key=key, status_changed_at=now))
        return Written(None, (self._entry(tables, "desk.ticket.cancelled", key, action, standing),))

    def _entry(
        self, tables: Tables, kind: str, key: str, action: OpenTicket | CancelTicket, tickets: Iterable[Ticket]
    ) -> Entry:
        """Return a record about tickets; it belongs to the tenant and the region of their incident."""
        ids, incident = [ticket.id for ticket in tickets], tables.incidents.get(action.target)
        whose = {"tenant": incident.tenant, "residency": incident.region} if incident else {}
        return Entry(
            kind=kind,
            actor="plane",
            refs=(action.target, *ids, key),
            fields={"key": key, "tickets": ids, "severity": action.severity, "description": action.description},
            event_time=self._clock.now(),
            **whose,
        )


def ticket_id(key: str) -> str:
    """Return the id of the ticket that a key opens: always the same one."""
    return f"tkt_{hashlib.sha256(key.encode()).hexdigest()[:26]}"


def _sent_before(tables: Tables, key: str) -> bool:
    return tables.tickets.get(ticket_id(key)) is not None or tables.tickets.count(cancel_key=key) > 0
