"""What an agent is handed about a model in trouble: the alarms, and one evidence per outcome of what serves."""

from collections.abc import Iterable

from control_plane.gathering import from_alarms, telling
from control_plane.model_record import outcomes_while_serving, slot_state
from control_plane.road import Road
from control_plane.tables import Tables
from domain.agents import Case
from domain.alarms import Alarm
from domain.evidence import Evidence, EvidenceKind
from domain.incidents import Incident
from domain.models import ModelOutcome
from domain.observations import Picture

#: What an evidence about one outcome measures: 1 for a wrong opinion, 0 for a right one.
METRIC = "model_error"


def gather(road: Road, incident: Incident) -> Case:
    """Return the case of an incident about models, with evidence ids that are not stored yet."""

    def read(tables: Tables) -> tuple[list[Alarm], list[ModelOutcome]]:
        alarms = tables.alarms.find(incident_id=incident.id)
        known = [
            outcome
            for slot in incident.elements
            for outcome in outcomes_while_serving(tables, slot, slot_state(tables, slot).version)
        ]
        return alarms, known

    alarms, known = road.ledger.read(read)
    told = telling(alarms)
    evidence = (*from_alarms(road, incident, told), *_from_outcomes(road, incident, known))
    now = road.clock.now()
    return Case(incident=incident, alarms=told, picture=Picture(at=now), evidence=evidence, made_at=now)


def _from_outcomes(road: Road, incident: Incident, known: Iterable[ModelOutcome]) -> list[Evidence]:
    return [
        Evidence(
            id=road.id("ev"),
            kind=EvidenceKind.MEASUREMENT,
            incident_id=incident.id,
            element=outcome.slot,
            statement=f"it named {outcome.predicted}, the cause was {outcome.confirmed}",
            source=outcome.version,
            event_time=outcome.known_time,
            known_time=outcome.known_time,
            ref=outcome.id,
            metric=METRIC,
            value=0.0 if outcome.right else 1.0,
        )
        for outcome in known
    ]
