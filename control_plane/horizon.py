"""What one caller may see: the things of its tenant that lie in one of its regions. All else does not exist for it."""

from collections.abc import Iterable

from control_plane.live import Live
from control_plane.tables import Tables
from domain.alarms import Alarm
from domain.bookkeeping import Ticket
from domain.errors import NotFound
from domain.identity import ANY, Principal, Scope
from domain.incidents import Incident
from domain.proposals import Plan, Proposal
from domain.records import Record
from policies.permissions import scope, tenants

#: What is known of nothing in particular lies here.
NOWHERE = "default"


class Horizon:
    """One caller's view of the house. It holds no state of its own: ask for it anew with each question."""

    def __init__(self, live: Live, who: Principal, lent: Iterable[Scope] = ()) -> None:
        self._live = live
        self.tenant = who.tenant
        held = frozenset[str]().union(scope(who).regions, *(other.regions for other in lent))
        self._regions = held if tenants(who) == {who.tenant} else frozenset()
        self.everywhere = ANY in self._regions

    def regions(self, tenant: str, regions: Iterable[str]) -> bool:
        """Say whether something of a tenant that lies in these regions is to be seen."""
        return tenant == self.tenant and (self.everywhere or not self._regions.isdisjoint(regions))

    def element(self, element: str) -> bool:
        """Say whether an element is to be seen; the network is every tenant's."""
        return self.regions(self.tenant, self._live.regions_of(element) or {NOWHERE})

    def alarm(self, alarm: Alarm) -> bool:
        return self.regions(alarm.tenant, self._live.regions_of(alarm.resource) or {NOWHERE})

    def incident(self, incident: Incident | None) -> bool:
        return incident is not None and self.regions(incident.tenant, incident_regions(self._live, incident))

    def proposal(self, tables: Tables, proposal: Proposal | None) -> bool:
        """Say whether a proposal is to be seen: where its trouble is, or where it would act."""
        if proposal is None or (self.everywhere and proposal.tenant == self.tenant):
            return proposal is not None
        acts = plan_regions(self._live, proposal.region, proposal.plan)
        incident = tables.incidents.get(proposal.incident_id)
        return self.regions(proposal.tenant, acts | (incident_regions(self._live, incident) if incident else set()))

    def ticket(self, tables: Tables, ticket: Ticket) -> bool:
        if self.everywhere and ticket.tenant == self.tenant:
            return True
        return ticket.tenant == self.tenant and self.incident(tables.incidents.get(ticket.incident_id))

    def named(self, tables: Tables, id: str) -> bool:
        """Say whether what an id names is to be seen; what names nothing that lies somewhere, is."""
        execution = tables.executions.get(id)
        proposal = tables.proposals.get(execution.proposal_id if execution else id)
        if proposal is not None:
            return self.proposal(tables, proposal)
        incident = tables.incidents.get(id)
        return incident is None or self.incident(incident)

    def record(self, record: Record) -> bool:
        """Say whether a record is to be seen; its residency names the regions that it is about, joined by `+`."""
        return self.regions(record.tenant, record.residency.split("+"))

    def placeless(self, tenant: str) -> bool:
        """Say whether what lies in no region is to be seen: tallies, quarantine, models."""
        return self.regions(tenant, {NOWHERE})


def incident_regions(live: Live, incident: Incident) -> frozenset[str]:
    """Return every region that an incident touches."""
    return frozenset({incident.region}).union(*(live.regions_of(element) for element in incident.elements))


def plan_regions(live: Live, region: str, plan: Plan) -> frozenset[str]:
    """Return every region that a plan touches: that of the trouble, and those of all that it acts on."""
    return frozenset({region}).union(*(live.regions_of(step.target) for step in plan.steps))


def no_proposal(id: str) -> NotFound:
    """Return the one refusal for a proposal that is not there, or not for this caller."""
    return NotFound(f"there is no proposal `{id}`; `nocturne inbox` lists those that wait")


def no_incident(id: str) -> NotFound:
    """Return the one refusal for an incident that is not there, or not for this caller."""
    return NotFound(f"there is no incident `{id}`; `nocturne incidents` lists them")
