"""Looking at the models that serve: what the monitoring agent finds enters the road as an alarm, like any trouble.

Its finding is durable, deduplicated and cleared by the ordinary receive step. Only what changes something is sent.
"""

from collections.abc import Iterable

from control_plane.ports import Written
from control_plane.receiving import receive_reports
from control_plane.road import Road
from control_plane.tables import Tables
from domain.alarms import Alarm, AlarmReport, AlarmType
from domain.incidents import Incident, IncidentClass, IncidentState
from domain.models import ModelStatus
from domain.records import Entry


def watch(road: Road, slot: str) -> None:
    """Have a slot looked at, and take in what is new of it; an open incident of the slot is looked at anew."""
    if road.models is None:
        return
    found = road.models.monitor.reports(slot, road.clock.now())
    standing = road.ledger.read(lambda tables: _standing(tables, slot))
    news = [report for report in found if _is_news(report, standing)]
    if news:
        receive_reports(road, road.models.monitor.card.principal, news)
    _revise(road, slot)


def slots(tables: Tables) -> set[str]:
    """Return the slots that serve something: each is looked at when a house starts."""
    return {version.slot for version in tables.model_versions.find(status=ModelStatus.PRODUCTION)}


def _standing(tables: Tables, slot: str) -> list[Alarm]:
    alarms = tables.alarms.find(resource=slot, cleared=False)
    return [alarm for alarm in alarms if alarm.key.type is AlarmType.MODEL_DRIFT]


def _is_news(report: AlarmReport, standing: Iterable[Alarm]) -> bool:
    same = next((alarm for alarm in standing if alarm.key == report.key), None)
    return same is not None if report.cleared else same is None or same.severity is not report.severity


def _revise(road: Road, slot: str) -> None:
    """Have the slot's open incident diagnosed on what is known now; a plan that waits or runs is left in peace."""

    def change(tables: Tables) -> Written[None]:
        incident = _open_incident(tables, slot)
        if incident is None or any(p.live for p in tables.proposals.find(incident_id=incident.id)):
            return Written(None)
        revised = incident.but(revision=incident.revision + 1, last_known_at=road.clock.now())
        tables.incidents.swap(incident, revised)
        entry = Entry(
            kind="correlate.incident.revised",
            actor="plane",
            refs=(incident.id,),
            event_time=road.clock.now(),
            tenant=incident.tenant,
            residency=incident.region,
            fields={"slot": slot, "revision": revised.revision},
        )
        return Written(None, (entry,), (road.wake(incident.id),))

    road.ledger.do(change)


def _open_incident(tables: Tables, slot: str) -> Incident | None:
    found = tables.incidents.find(about=IncidentClass.AI_MODEL, state=IncidentState.OPEN)
    return next((incident for incident in found if slot in incident.elements), None)
