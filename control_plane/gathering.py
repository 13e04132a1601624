"""What an agent is handed about an incident: alarms, the picture of telemetry around it, and one evidence per fact."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from control_plane.road import Road
from control_plane.tables import Tables
from domain.agents import Case
from domain.alarms import Alarm
from domain.evidence import Evidence, EvidenceKind
from domain.incidents import Incident
from domain.observations import Anomaly, Picture

#: So many alarms are looked into; an incident may hold thousands.
_MOST_ALARMS = 500
#: How far around the incident's elements telemetry is looked at, in hops.
_HOPS = 3
#: A silent element weighs half of a spoken symptom.
_SILENCE_WEIGHT = 0.5
#: Trouble begins a little before its first alarm; the baseline ends before that.
ONSET_SLACK = timedelta(seconds=3)


def gather(road: Road, incident: Incident) -> Case:
    """Return the case of an incident as it stands, with evidence ids that are not stored yet."""
    alarms = telling(road.ledger.read(lambda tables: tables.alarms.find(incident_id=incident.id)))
    now = road.clock.now()
    around = neighbourhood(road, incident.elements)
    onset = incident.opened_at - ONSET_SLACK
    picture = road.live.picture(now, sorted(around), onset=onset)
    evidence = (
        *from_alarms(road, incident, alarms),
        *_from_anomalies(road, incident, picture.anomalies),
        *_from_silence(road, incident, picture),
    )
    return Case(incident=incident, alarms=alarms, picture=picture, evidence=evidence, made_at=now)


def case_of(road: Road, incident: Incident) -> Case:
    """Return the case of a diagnosed incident, with the evidence that its diagnosis was stored with."""

    def read(tables: Tables) -> Case:
        diagnosis = tables.diagnoses.get(incident.diagnosis_id or "")
        return Case(
            incident=incident,
            alarms=telling(tables.alarms.find(incident_id=incident.id)),
            picture=Picture(at=road.clock.now()),
            evidence=tuple(tables.evidence.find(incident_id=incident.id)),
            diagnosis=diagnosis,
            made_at=road.clock.now(),
        )

    return road.ledger.read(read)


def telling(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """Return the alarms that tell most: in a storm, standing before cleared, the worst and then the earliest."""
    told = sorted(alarms, key=lambda alarm: (alarm.cleared, alarm.severity.rank, alarm.event_time, alarm.id))
    return tuple(sorted(told[:_MOST_ALARMS], key=lambda alarm: alarm.id))


def neighbourhood(road: Road, elements: Iterable[str]) -> set[str]:
    """Return the elements within a few hops of the given ones, in either direction of the cause-effect graph."""
    seen = {element for element in elements if element in road.live.graph}
    edge = set(seen)
    for _ in range(_HOPS):
        edge = {
            near
            for element in edge
            for near in (*road.live.graph.predecessors(element), *road.live.graph.successors(element))
        } - seen
        seen |= edge
    return seen


def from_alarms(road: Road, incident: Incident, alarms: Iterable[Alarm]) -> list[Evidence]:
    """Return one evidence per alarm."""
    return [
        Evidence(
            id=road.id("ev"),
            kind=EvidenceKind.ALARM,
            incident_id=incident.id,
            element=alarm.resource,
            statement=f"{alarm.severity} alarm {alarm.key.type} {'cleared' if alarm.cleared else 'standing'}",
            quoted=alarm.text[:500],
            source=alarm.source,
            event_time=alarm.last_event_time,
            known_time=alarm.known_time,
            ref=alarm.id,
            metric=str(alarm.key.type),
        )
        for alarm in alarms
    ]


def _from_anomalies(road: Road, incident: Incident, anomalies: Iterable[Anomaly]) -> list[Evidence]:
    now = road.clock.now()
    return [
        Evidence(
            id=road.id("ev"),
            kind=EvidenceKind.MEASUREMENT,
            incident_id=incident.id,
            element=anomaly.element,
            statement=f"{anomaly.metric} is {anomaly.value:.4g}, usually {anomaly.usual:.4g} (z {anomaly.score:+.1f})",
            source=anomaly.source,
            event_time=anomaly.event_time,
            known_time=now,
            metric=str(anomaly.metric),
            value=anomaly.value,
        )
        for anomaly in anomalies
    ]


def _from_silence(road: Road, incident: Incident, picture: Picture) -> list[Evidence]:
    since: datetime = picture.oldest_reading or picture.at
    return [
        Evidence(
            id=road.id("ev"),
            kind=EvidenceKind.SILENCE,
            incident_id=incident.id,
            element=element,
            statement="no fresh reading, although it usually reports",
            source="plane",
            event_time=since,
            known_time=picture.at,
            weight=_SILENCE_WEIGHT,
        )
        for element in sorted(picture.silent)
    ]
