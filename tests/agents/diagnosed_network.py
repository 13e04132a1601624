"""A generated network under a known fault, seen through a real telemetry history: what diagnostics is handed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from adapters.models.ranker import NoRanker
from agents.ports import Ranker
from domain.agents import Case
from domain.alarms import Alarm, Severity
from domain.changes import SetAdministrative
from domain.diagnosis import FaultKind
from domain.evidence import Evidence, EvidenceKind
from domain.incidents import Incident
from domain.measurements import Metric, Reading
from domain.network import Administrative
from domain.observations import Picture
from telemetry.history import History
from twin.incidents import NOW, ONSET, IncidentGenerator, raised
from twin.snapshot import Snapshot
from twin.views import Views

PERIOD_S = 0.5


@dataclass
class Tools:
    """The tools of `agents.ports.Tools` that diagnostics has, over a real history and a real snapshot."""

    history: History
    state: Snapshot
    telemetry: "Tools" = field(init=False)
    twin: "Tools" = field(init=False)
    ranker: Ranker = field(default_factory=NoRanker)

    def __post_init__(self) -> None:
        self.telemetry = self.twin = self

    def snapshot(self) -> Snapshot:
        return self.state

    def picture(self, at: datetime, elements: Sequence[str] | None = None) -> Picture:
        return self.history.picture(at, elements)

    def series(self, pairs: Sequence[tuple[str, Metric]], since: datetime, until: datetime) -> NDArray[np.float64]:
        return self.history.series(pairs, since, until)


def history_of(views: Views, rng: np.random.Generator, *, mute: frozenset[str] = frozenset()) -> History:
    """Return a minute of readings that turn from usual to the views' values at the onset; the dead fall silent."""
    history = History(PERIOD_S)
    slots = int(60 / PERIOD_S)
    for slot in range(slots):
        at = NOW - timedelta(seconds=PERIOD_S * (slots - 1 - slot))
        after = at >= ONSET
        gone = views.dead | mute if after else frozenset()
        readings = [
            Reading(
                element=element,
                metric=metric,
                value=_drawn(now if after else usual, sigma, metric, rng),
                event_time=at,
            )
            for (element, metric), (usual, now, sigma) in views.readings.items()
            if element not in gone
        ]
        history.add(readings, "pm-1")
    return history


def _drawn(value: float, sigma: float, metric: Metric, rng: np.random.Generator) -> float:
    if metric in {Metric.OPER_UP, Metric.ADJACENCIES}:
        return value
    return max(0.0, value + float(rng.normal(0, sigma)))


def stage(
    network: IncidentGenerator, element: str, fault: FaultKind, *, seed: int = 5, locked: bool = False
) -> tuple[Tools, Case]:
    """Return the tools and the case of one fault at `element`; `locked`: the twin knows of the lock."""
    rng = np.random.default_rng(seed)
    views = network.views_of(element, fault)
    overlay = (SetAdministrative(element=element, state=Administrative.LOCKED),) if locked else ()
    tools = Tools(history_of(views, rng), network.snapshot.with_changes(overlay))
    return tools, case_of(tools, network, raised(views.alarms, rng))


def case_of(tools: Tools, network: IncidentGenerator, alarms: Sequence[Alarm], *, at: datetime = NOW) -> Case:
    """Return the case that the plane would hand over, with one evidence per fact."""
    around = network.around([alarm.resource for alarm in alarms])
    picture = tools.picture(at, sorted(around))
    incident = Incident(
        id="inc_1",
        severity=Severity.MAJOR,
        opened_at=min((alarm.event_time for alarm in alarms), default=at),
        last_alarm_at=max((alarm.event_time for alarm in alarms), default=at),
        last_known_at=max((alarm.event_time for alarm in alarms), default=at),
        alarm_ids=tuple(alarm.id for alarm in alarms),
        elements=tuple(sorted({alarm.resource for alarm in alarms})),
        open_alarms=len(alarms),
    )
    return Case(
        incident=incident, alarms=tuple(alarms), picture=picture, evidence=evidence(picture, alarms), made_at=at
    )


def evidence(picture: Picture, alarms: Sequence[Alarm]) -> tuple[Evidence, ...]:
    told = [("alarm", EvidenceKind.ALARM, alarm.resource, alarm.id, "", alarm.event_time, 1.0) for alarm in alarms]
    measured = [
        ("read", EvidenceKind.MEASUREMENT, one.element, "", str(one.metric), one.event_time, 1.0)
        for one in picture.anomalies
    ]
    silent = [("hush", EvidenceKind.SILENCE, one, "", "", picture.at, 0.5) for one in sorted(picture.silent)]
    return tuple(
        Evidence(
            id=f"ev_{number:04d}_{name}",
            kind=kind,
            incident_id="inc_1",
            element=element,
            statement="a fact",
            source="test",
            event_time=at,
            known_time=at,
            weight=weight,
            ref=ref,
            metric=metric,
        )
        for number, (name, kind, element, ref, metric, at, weight) in enumerate([*told, *measured, *silent])
    )
