"""For whom an agent asks, where a person's wish opened the matter: that person signs nothing of it."""

from control_plane.tables import Tables
from domain.incidents import Incident, IncidentClass


def behind(tables: Tables, incident: Incident | None) -> tuple[str, ...]:
    """Return the accounts and people for whom a plan of this incident is asked: those who ordered, or took it back."""
    if incident is None or incident.about is not IncidentClass.SERVICE_ORDER:
        return ()
    for order in tables.orders.find(incident_id=incident.id):
        return tuple(name for name in (order.ordered_by, order.person) if name)
    for order in tables.orders.find(cancel_id=incident.id):
        return order.cancelled_by
    return ()
