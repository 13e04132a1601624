"""A person's no to a level: the matter ends, and is not opened again before there is twice the evidence."""

from control_plane.autonomy.demotion import keep
from control_plane.autonomy.standing import standing_of
from control_plane.road import Road
from control_plane.tables import Tables
from domain.actions import SetAutonomy
from domain.autonomy import parse_standing
from domain.incidents import IncidentClass, IncidentState, Resolution
from domain.proposals import Proposal
from domain.records import Entry


def declined(road: Road, tables: Tables, proposal: Proposal, because: str) -> tuple[Entry, ...]:
    """Note that people said no to a level, and close its incident; nothing for any other proposal.

    Called inside the change that stores the no.
    """
    incident = tables.incidents.get(proposal.incident_id)
    step = proposal.plan.steps[0]
    if incident is None or incident.about is not IncidentClass.AUTONOMY or not isinstance(step, SetAutonomy):
        return ()
    now = road.clock.now()
    tenant, ground = parse_standing(step.target)
    held = standing_of(tables, tenant, ground, now)
    keep(tables, held.but(declined_at=held.outcomes))
    if incident.state is IncidentState.OPEN:
        why = f"a person said no: {because}"
        tables.incidents.swap(incident, incident.closed(Resolution.UNRESOLVED, why, now))
    return (
        Entry(
            kind="autonomy.level.declined",
            actor="plane",
            refs=(held.id, proposal.id, incident.id),
            event_time=now,
            tenant=proposal.tenant,
            residency=proposal.region,
            fields={"ground": ground.key, "level": step.level, "outcomes": held.outcomes, "because": because},
        ),
    )
