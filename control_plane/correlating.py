"""The second step: alarms of one trouble become one incident, by topology, direction and time.

Alarms inside declared planned work that match its predicted effect open none. An incident's revision
rises whenever its alarms change, so that a diagnosis is known to be about what was known then.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster import asking
from control_plane.tables import Tables
from domain.alarms import Alarm, AlarmType
from domain.incidents import Incident, IncidentClass, IncidentState
from domain.records import Entry
from telemetry.correlate import Group, Standing, assign, planned

_MOST_AT_ONCE = 2000


def correlate_new(road: Road) -> list[str]:
    """Give every alarm that has none an incident, or a reason for having none. Returns the incidents touched."""
    touched: list[str] = []
    while True:
        ids, more = road.ledger.do(lambda tables: _correlate_some(road, tables))
        touched += ids
        for incident_id in ids:
            road.notice("correlated", incident_id)
        if not more:
            return touched


def work_over(road: Road, work_id: str) -> None:
    """Planned work has ended: alarms of it that still stand are looked at like any others."""

    def change(tables: Tables) -> Written[None]:
        overdue = tables.alarms.find(planned_work_id=work_id, cleared=False)
        for alarm in overdue:
            tables.alarms.swap(alarm, alarm.but(correlated=False, planned_work_id=None))
        if not overdue:
            return Written(None)
        about = About(overdue[0].tenant, road.live.residency(alarm.resource for alarm in overdue))
        return Written(None, (_entry(road, "correlate.work.overran", (work_id,), {"alarms": len(overdue)}, about),))

    road.ledger.do(change)


def refresh(road: Road, incident_id: str) -> None:
    """Count an incident's open alarms anew, after some of them were cleared or came back."""
    road.ledger.do(lambda tables: _refresh(road, tables, incident_id))


def _correlate_some(road: Road, tables: Tables) -> Written[tuple[list[str], bool]]:
    fresh = tables.alarms.find(correlated=False, limit=_MOST_AT_ONCE)
    if not fresh:
        return Written(([], False))
    now = road.clock.now()
    works = [work for work in tables.planned_work.find() if now < work.ends_at]  # what outlasts its window is trouble
    entries, messages, looked_at, explained = [], [], [], []
    for alarm in fresh:
        work = planned(alarm, [work for work in works if work.tenant == alarm.tenant])
        if alarm.cleared or work is not None:
            tables.alarms.swap(alarm, alarm.but(correlated=True, planned_work_id=work.id if work else None))
            explained.append(alarm)
        else:
            looked_at.append(alarm)
    for tenant, alarms in _by_tenant(explained).items():
        about = About(tenant, road.live.residency(alarm.resource for alarm in alarms))
        entries.append(_entry(road, "correlate.alarms.explained", (), {"planned_or_cleared": len(alarms)}, about))
    by_id = {alarm.id: alarm for alarm in looked_at}
    for kind_of, group in _groups(road, tables, looked_at):
        incident, opened = _join(road, tables, kind_of, group, by_id)
        kind = "correlate.incident.opened" if opened else "correlate.incident.extended"
        refs = (incident.id, *group.alarm_ids[:32])
        fields = {"alarms": len(group.alarm_ids), "revision": incident.revision}
        entries.append(_entry(road, kind, refs, fields, About.incident(incident)))
        messages.append(road.wake(incident.id))
    touched = [message.ref for message in messages]
    messages += [asking.message(road, id) for id in touched if _of_model(tables, id)]
    return Written((touched, len(fresh) == _MOST_AT_ONCE), tuple(entries), tuple(messages))


def _of_model(tables: Tables, incident_id: str) -> bool:
    incident = tables.incidents.get(incident_id)
    return incident is not None and incident.about is IncidentClass.AI_MODEL


def _groups(road: Road, tables: Tables, alarms: Sequence[Alarm]) -> Iterator[tuple[IncidentClass, Group]]:
    """Yield the groups of alarms of one trouble.

    Trouble of the network and of a model is never one trouble, and neither is that of two tenants.
    """
    for tenant, of_tenant in _by_tenant(alarms).items():
        for about in IncidentClass:
            of_class = [alarm for alarm in of_tenant if _about(road, alarm) is about]
            open_ones = _open_incidents(tables, tenant, about) if of_class else []
            for group in assign(of_class, [_standing(incident) for incident in open_ones], road.live.near):
                yield about, group


def _open_incidents(tables: Tables, tenant: str, about: IncidentClass) -> list[Incident]:
    return tables.incidents.find(state=IncidentState.OPEN, about=about, tenant=tenant)


def _by_tenant(alarms: Sequence[Alarm]) -> dict[str, list[Alarm]]:
    groups: dict[str, list[Alarm]] = defaultdict(list)
    for alarm in alarms:
        groups[alarm.tenant].append(alarm)
    return groups


def _about(road: Road, alarm: Alarm) -> IncidentClass:
    """Say what an alarm is about. The doors take alarms of known elements only, so a slot's is from our own agent."""
    drifts = alarm.key.type is AlarmType.MODEL_DRIFT and alarm.resource not in road.live.elements
    return IncidentClass.AI_MODEL if drifts else IncidentClass.NETWORK


def _standing(incident: Incident) -> Standing:
    return Standing(
        id=incident.id,
        elements=frozenset(incident.elements),
        first=incident.opened_at,
        last=incident.last_alarm_at,
    )


def _join(
    road: Road, tables: Tables, about: IncidentClass, group: Group, alarms: dict[str, Alarm]
) -> tuple[Incident, bool]:
    """Open an incident for the group, or extend the one that it belongs to."""
    members = [alarms[id] for id in group.alarm_ids]
    old = tables.incidents.get(group.incident_id) if group.incident_id else None
    incident = _extended(road, old, members) if old else _opened(road, about, members)
    if old is None:
        tables.incidents.add(incident)
    else:
        tables.incidents.swap(old, incident)
    for alarm in members:
        tables.alarms.swap(alarm, alarm.but(incident_id=incident.id, correlated=True))
    return incident, old is None


def _opened(road: Road, about: IncidentClass, members: Sequence[Alarm]) -> Incident:
    now = road.clock.now()
    return Incident(
        id=road.id("inc"),
        about=about,
        tenant=members[0].tenant,
        region=_region(road, members[0].resource),
        severity=min((alarm.severity for alarm in members), key=lambda severity: severity.rank),
        opened_at=min(alarm.event_time for alarm in members),
        last_alarm_at=max(alarm.last_event_time for alarm in members),
        last_known_at=now,
        alarm_ids=tuple(alarm.id for alarm in members),
        elements=tuple(dict.fromkeys(alarm.resource for alarm in members)),
        open_alarms=len(members),
    )


def _extended(road: Road, old: Incident, members: Sequence[Alarm]) -> Incident:
    return old.but(
        severity=min((old.severity, *(alarm.severity for alarm in members)), key=lambda severity: severity.rank),
        opened_at=min(old.opened_at, *(alarm.event_time for alarm in members)),
        last_alarm_at=max(old.last_alarm_at, *(alarm.last_event_time for alarm in members)),
        last_known_at=road.clock.now(),
        alarm_ids=(*old.alarm_ids, *(alarm.id for alarm in members)),
        elements=tuple(dict.fromkeys((*old.elements, *(alarm.resource for alarm in members)))),
        open_alarms=old.open_alarms + len(members),
        revision=old.revision + 1,
    )


def _refresh(road: Road, tables: Tables, incident_id: str) -> Written[None]:
    incident = tables.incidents.get(incident_id)
    if incident is None or incident.state is IncidentState.CLOSED:
        return Written(None)
    alarms = tables.alarms.find(incident_id=incident_id)
    open_alarms = sum(not alarm.cleared for alarm in alarms)
    worst = min((incident.severity, *(alarm.severity for alarm in alarms)), key=lambda severity: severity.rank)
    if (open_alarms, worst) == (incident.open_alarms, incident.severity):
        return Written(None)
    revision = incident.revision + (open_alarms != incident.open_alarms)  # how bad it is changes no cause
    changed = incident.but(open_alarms=open_alarms, severity=worst, revision=revision, last_known_at=road.clock.now())
    tables.incidents.swap(incident, changed)
    fields = {"open_alarms": open_alarms, "revision": changed.revision}
    entry = _entry(road, "correlate.incident.refreshed", (incident_id,), fields, About.incident(incident))
    return Written(None, (entry,), (road.wake(incident_id),))


def _region(road: Road, element: str) -> str:
    return road.live.regions.get(element, "default")


class About(NamedTuple):
    """Whose a record is, and where its data belongs."""

    tenant: str
    region: str

    @classmethod
    def incident(cls, incident: Incident) -> Self:
        return cls(incident.tenant, incident.region)


def _entry(road: Road, kind: str, refs: tuple[str, ...], fields: dict[str, int], about: About) -> Entry:
    return Entry(
        kind=kind,
        actor="plane",
        refs=refs,
        fields=dict(fields),
        event_time=road.clock.now(),
        tenant=about.tenant,
        residency=about.region,
    )
