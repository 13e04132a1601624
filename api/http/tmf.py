"""Our words in TM Forum's: alarms as TMF642 v4 shows them, tickets as TMF621 v4 does. Ids are strings.

What the canonical model does not keep is not shown: an attribute is absent rather than made up.
"""

from collections.abc import Callable
from typing import Any

from api.http.access import TMF621_BASE
from api.http.listing import Collection
from domain.alarms import Alarm, AlarmType
from domain.base import Utc
from domain.bookkeeping import Ticket

#: X.733 categories of the canonical types.
CATEGORY = {
    AlarmType.LINK_DOWN: "communicationsAlarm",
    AlarmType.LINK_DEGRADED: "communicationsAlarm",
    AlarmType.LOSS_OF_SIGNAL: "communicationsAlarm",
    AlarmType.ADJACENCY_LOST: "communicationsAlarm",
    AlarmType.NODE_UNREACHABLE: "communicationsAlarm",
    AlarmType.PROCESS_FAILED: "processingErrorAlarm",
    AlarmType.CONGESTION: "qualityOfServiceAlarm",
    AlarmType.HIGH_DELAY: "qualityOfServiceAlarm",
    AlarmType.POWER_LOST: "environmentalAlarm",
    AlarmType.ON_BATTERY: "environmentalAlarm",
    AlarmType.CELL_UNAVAILABLE: "equipmentAlarm",
    AlarmType.CELL_DEGRADED: "qualityOfServiceAlarm",
    AlarmType.CONFIGURATION_CHANGED: "operationalViolation",
    AlarmType.OTHER: "equipmentAlarm",
}

#: How a source that came by this door is told from others of the same name.
_TMF_SOURCE = "tmf642:"

ALARM_ATTRIBUTES = frozenset(
    {
        "id",
        "href",
        "externalAlarmId",
        "alarmType",
        "perceivedSeverity",
        "probableCause",
        "specificProblem",
        "alarmedObject",
        "alarmedObject.id",
        "sourceSystemId",
        "state",
        "ackState",
        "alarmRaisedTime",
        "alarmChangedTime",
        "alarmReportingTime",
        "alarmClearedTime",
        "alarmDetails",
        "@type",
    }
)

TICKET_ATTRIBUTES = frozenset(
    {
        "id",
        "href",
        "externalId",
        "description",
        "severity",
        "ticketType",
        "status",
        "creationDate",
        "lastUpdate",
        "statusChangeDate",
        "relatedEntity",
        "relatedEntity.id",
        "relatedEntity.href",
        "relatedEntity.role",
        "@type",
    }
)


def alarms(base: str) -> Collection[Alarm]:
    """Return the alarm collection as it looks from one of its base paths."""
    return Collection(ALARM_ATTRIBUTES, _alarm_at(base), {"alarmedObject.id": "resource"})


def show_alarm(alarm: Alarm, base: str) -> dict[str, Any]:
    """Return the alarm as TMF642 has it. Once cleared its severity is `cleared`, which our model keeps apart."""
    shown = {
        "id": alarm.id,
        "href": f"{base}/alarm/{alarm.id}",
        "externalAlarmId": alarm.external_id,
        "alarmType": CATEGORY[alarm.key.type],
        "perceivedSeverity": "cleared" if alarm.cleared else alarm.severity.value,
        "probableCause": alarm.key.type.value,
        "specificProblem": alarm.key.qualifier,
        "alarmedObject": {"id": alarm.resource},
        "sourceSystemId": alarm.source.removeprefix(_TMF_SOURCE),
        "state": _state(alarm),
        "ackState": "unacknowledged",
        "alarmRaisedTime": _iso(alarm.event_time),
        "alarmChangedTime": _iso(alarm.last_event_time),
        "alarmReportingTime": _iso(alarm.known_time),
        "alarmClearedTime": alarm.cleared_time and _iso(alarm.cleared_time),
        "alarmDetails": alarm.text,
        "@type": "Alarm",
    }
    return {name: value for name, value in shown.items() if value not in (None, "")}


def show_ticket(ticket: Ticket) -> dict[str, Any]:
    """Return the ticket as TMF621 has it; the incident that it is about is a related entity."""
    return {
        "id": ticket.id,
        "href": f"{TMF621_BASE}/troubleTicket/{ticket.id}",
        "externalId": ticket.key,
        "description": ticket.description,
        "severity": ticket.severity,
        "ticketType": "incident",
        "status": ticket.status,
        "creationDate": _iso(ticket.created_at),
        "lastUpdate": _iso(ticket.status_changed_at),
        "statusChangeDate": _iso(ticket.status_changed_at),
        "relatedEntity": [
            {
                "id": ticket.incident_id,
                "href": f"/incidents/{ticket.incident_id}",
                "role": "incident",
                "@referredType": "Incident",
            }
        ],
        "@type": "TroubleTicket",
    }


#: The ticket collection.
TICKETS: Collection[Ticket] = Collection(
    TICKET_ATTRIBUTES, show_ticket, {"status": "status", "relatedEntity.id": "incident_id"}
)


def _alarm_at(base: str) -> Callable[[Alarm], dict[str, Any]]:
    return lambda alarm: show_alarm(alarm, base)


def _state(alarm: Alarm) -> str:
    if alarm.cleared:
        return "cleared"
    return "updated" if alarm.repeats else "raised"


def _iso(moment: Utc) -> str:
    return moment.isoformat().replace("+00:00", "Z")
