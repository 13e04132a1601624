"""Everything that somebody can ask to be shown. Reading changes nothing and needs a role that reads."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from control_plane.approvals.lending import loans
from control_plane.audit.verifying import AuditVerdict, verify
from control_plane.cards import Card, IncidentView, card_of, incident_view
from control_plane.finding import found, one, page, some_proposal
from control_plane.gate import WAITING
from control_plane.horizon import Horizon, no_incident
from control_plane.lineage import Lineage, lineage
from control_plane.model_record import VersionView, version_views
from control_plane.policy.desk import health as policy_health
from control_plane.ports import Narrator
from control_plane.rights import need
from control_plane.road import Road
from control_plane.roster.on_call import roster_health
from control_plane.roster.seeding import open_card, open_cards
from control_plane.state import state
from control_plane.tables import Tables
from domain.alarms import Alarm
from domain.answers import Answer
from domain.bookkeeping import Quarantined, Tally, Ticket
from domain.identity import HOUSE, Permission, Principal
from domain.incidents import Incident, IncidentState
from domain.records import Record

T = TypeVar("T")

_RECORDS_AT_ONCE = 1000


class Queries:
    """The reading half of the service layer."""

    def __init__(self, road: Road, narrator: Narrator) -> None:
        self._road, self._narrator = road, narrator

    # --- what waits, and what is going on ---

    def inbox(self, who: Principal) -> list[Card]:
        """Return the proposals that wait for people, the oldest first."""
        need(who, Permission.READ)

        def read(tables: Tables) -> list[Card]:
            horizon = self._horizon(tables, who)
            waiting = tables.proposals.find(state=WAITING, tenant=who.tenant)
            cards = [card_of(self._road, tables, p) for p in waiting if horizon.proposal(tables, p)]
            others = [Card.model_validate_json(s.card) for s in open_cards(tables, who, self._road.clock.now())]
            return sorted((*cards, *others), key=lambda card: card.proposal.id)

        return self._read(read)

    def card(self, who: Principal, id: str) -> Card:
        """Return the card of a proposal, or of an incident's newest proposal; an unambiguous part of an id will do."""
        need(who, Permission.READ)

        def read(tables: Tables) -> Card:
            if (other := open_card(tables, who, id, self._road.clock.now())) is not None:
                return Card.model_validate_json(other.card)
            horizon = self._horizon(tables, who)
            return card_of(self._road, tables, some_proposal(tables, horizon, id))

        return self._read(read)

    def incidents(
        self, who: Principal, *, state: IncidentState | None = None, limit: int = 100, after: str | None = None
    ) -> list[Incident]:
        """Return incidents, the newest first."""
        need(who, Permission.READ)
        states = (state,) if state else tuple(IncidentState)

        def read(tables: Tables) -> list[Incident]:
            horizon = self._horizon(tables, who)
            most = limit if horizon.everywhere else None
            newest = tables.incidents.find(newest=True, limit=most, after=after, tenant=who.tenant, state=states)
            return [incident for incident in newest if horizon.incident(incident)][:limit]

        return self._read(read)

    def incident(self, who: Principal, id: str) -> IncidentView:
        """Return an incident with its alarms, diagnosis, evidence and proposals."""
        need(who, Permission.READ)

        def read(tables: Tables) -> IncidentView:
            horizon = self._horizon(tables, who)
            incident = one(tables.incidents, id, who.tenant, horizon.incident)
            if incident is None:
                raise no_incident(id)
            return incident_view(tables, horizon, incident)

        return self._read(read)

    def alarms(self, who: Principal, *, limit: int, offset: int, **equal: object) -> tuple[list[Alarm], int]:
        """Return one page of alarms in a stable order, and how many there are."""
        need(who, Permission.READ_ALARMS)
        return self._read(lambda t: page(t.alarms, limit, offset, equal, self._horizon(t, who), Horizon.alarm))

    def alarm(self, who: Principal, id: str) -> Alarm:
        """Return one alarm. Raises NotFound."""
        need(who, Permission.READ_ALARMS)

        def read(tables: Tables) -> Alarm | None:
            alarm = tables.alarms.get(id)
            return alarm if alarm and self._horizon(tables, who).alarm(alarm) else None

        return found(self._read(read), "alarm", id)

    def tickets(self, who: Principal, *, limit: int, offset: int, **equal: object) -> tuple[list[Ticket], int]:
        """Return one page of tickets in a stable order, and how many there are."""
        need(who, Permission.READ)

        def read(tables: Tables) -> tuple[list[Ticket], int]:
            seen = partial(_ticket_seen, tables)
            return page(tables.tickets, limit, offset, equal, self._horizon(tables, who), seen)

        return self._read(read)

    def ticket(self, who: Principal, id: str) -> Ticket:
        """Return one ticket. Raises NotFound."""
        need(who, Permission.READ)

        def read(tables: Tables) -> Ticket | None:
            ticket = tables.tickets.get(id)
            return ticket if ticket and self._horizon(tables, who).ticket(tables, ticket) else None

        return found(self._read(read), "ticket", id)

    def quarantine(self, who: Principal, limit: int = 100) -> list[Quarantined]:
        """Return what was bad, the newest first, each with the rule it broke. It lies in no region."""
        need(who, Permission.READ)
        if not Horizon(self._road.live, who).placeless(who.tenant):
            return []
        return self._read(lambda tables: tables.quarantine.find(newest=True, limit=limit, tenant=who.tenant))

    def tallies(self, who: Principal) -> list[Tally]:
        """Return what each source sent: received = kept + late + rejected. Sources lie in no region."""
        need(who, Permission.READ)
        horizon = Horizon(self._road.live, who)
        return self._read(lambda tables: [tally for tally in tables.tallies.find() if horizon.placeless(tally.tenant)])

    def models(self, who: Principal) -> list[VersionView]:
        """Return the versions of every model slot: what serves, what waits, and how often each was wrong.

        Models are the house's own: other tenants, and accounts of some regions only, see none.
        """
        need(who, Permission.READ)
        return self._read(version_views) if Horizon(self._road.live, who).placeless(HOUSE) else []

    # --- the network ---

    def state(self, who: Principal, at: datetime | None = None) -> dict[str, Any]:
        """Return topology, loads, alarms, slices and pending actions, now or at a past moment.

        Predicted loads of the past are from the newest snapshot that a decision rested on by then; measured ones
        are of now only.
        """
        need(who, Permission.READ)
        return state(self._road, self._read(lambda tables: self._horizon(tables, who)), at)

    def health(self) -> dict[str, Any]:
        """Return OK, or DEGRADED with the sources that are silent. Needs no role: watchdogs ask it."""
        picture = self._road.live.picture(self._road.clock.now())
        missing = list(picture.silent_sources)
        return {
            "status": "DEGRADED" if missing else "OK",
            "missing_sources": missing,
            "fresh_share": round(picture.fresh_share, 4),
            "silent_elements": len(picture.silent),
            "late_readings": self._road.live.late_readings,
            "policy": policy_health(self._road),
            **self._read(roster_health),
        }

    # --- the record ---

    def audit(self, who: Principal, ref: str | None = None, limit: int = 200, after: int = 0) -> list[Record]:
        """Return audit records, all or those that mention `ref`."""
        need(who, Permission.READ_RECORD)
        horizon = Horizon(self._road.live, who)
        if horizon.everywhere:
            return self._road.ledger.records(who.tenant, ref=ref, limit=limit, after=after)
        return list(islice(filter(horizon.record, self._records(who.tenant, ref, after)), limit))

    def verify_audit(self, who: Principal) -> AuditVerdict:
        """Verify the whole chain, and that record and executor agree on the steps; name the first bad record."""
        need(who, Permission.READ_RECORD)
        return verify(self._road.ledger, self._road.vault, who.tenant)

    def lineage(self, who: Principal, id: str) -> Lineage:
        """Return everything behind a proposal, down to raw events, and what came of it."""
        need(who, Permission.READ)
        return self._read(lambda t: lineage(t, some_proposal(t, self._horizon(t, who), id)))

    def ask(self, who: Principal, question: str) -> Answer:
        """Answer a question from recorded facts, or refuse what the record cannot support."""
        need(who, Permission.READ)
        return self._narrator(question, self._read(lambda tables: self._horizon(tables, who)))

    # --- how it is done ---

    def _read(self, query: Callable[[Tables], T]) -> T:
        return self._road.ledger.read(query)

    def _records(self, tenant: str, ref: str | None, after: int) -> Iterator[Record]:
        """Yield records from one on, some at a time: a long record is never held as a whole."""
        while some := self._road.ledger.records(tenant, ref=ref, limit=_RECORDS_AT_ONCE, after=after):
            yield from some
            after = some[-1].sequence

    def _horizon(self, tables: Tables, who: Principal) -> Horizon:
        """Return what the caller may see, by its own right and by what it is lent."""
        return Horizon(self._road.live, who, [loan.scope for loan in loans(tables, who, self._road.clock.now())])


def _ticket_seen(tables: Tables, horizon: Horizon, ticket: Ticket) -> bool:
    return horizon.ticket(tables, ticket)
