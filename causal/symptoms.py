"""What is wrong, element by element: one number from all alarms and readings of an element, and when it began.

`trouble` is a noisy-or over independent signs, each with a fixed weight, so every single sign moves the number
(removing evidence always lowers it) and several weak ones add up. An alarm that fresh readings of the same element
contradict weighs little, once they have had time to show it; one whose subject they do not show keeps its weight.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from domain.alarms import Alarm, AlarmType
from domain.measurements import Metric
from domain.observations import Anomaly, Picture

#: How much a full-blown anomaly of a metric says that the element does not do its job.
METRIC_WEIGHT: dict[Metric, float] = {
    Metric.OPER_UP: 0.95,
    Metric.ADJACENCIES: 0.9,
    Metric.ERROR_RATE: 0.9,
    Metric.LOSS: 0.9,
    Metric.THROUGHPUT: 0.8,
    Metric.PROCESS_UPTIME: 0.8,
    Metric.BATTERY: 0.8,
    Metric.DELAY: 0.35,
    Metric.UTILISATION: 0.35,
    Metric.CPU: 0.3,
    Metric.OCTETS: 0.0,
}
#: The same for alarms. A configuration change is news, not trouble.
ALARM_WEIGHT: dict[AlarmType, float] = dict.fromkeys(AlarmType, 0.8) | {
    AlarmType.HIGH_DELAY: 0.4,
    AlarmType.OTHER: 0.4,
    AlarmType.CONFIGURATION_CHANGED: 0.0,
}
#: Which metric shows the condition that an alarm speaks of; fresh and normal, it contradicts the alarm.
SHOWN_BY: dict[AlarmType, Metric] = {
    AlarmType.LINK_DOWN: Metric.OPER_UP,
    AlarmType.LOSS_OF_SIGNAL: Metric.OPER_UP,
    AlarmType.LINK_DEGRADED: Metric.ERROR_RATE,
    AlarmType.CONGESTION: Metric.UTILISATION,
    AlarmType.CELL_UNAVAILABLE: Metric.OPER_UP,
    AlarmType.POWER_LOST: Metric.OPER_UP,
}
#: Alarm types that say that the element itself is down.
DOWN_ALARMS = frozenset(
    {
        AlarmType.LINK_DOWN,
        AlarmType.LOSS_OF_SIGNAL,
        AlarmType.NODE_UNREACHABLE,
        AlarmType.CELL_UNAVAILABLE,
        AlarmType.POWER_LOST,
    }
)
OVERLOADED = 0.9
_CONTRADICTED = 0.35
#: Readings need this long to show what an alarm speaks of.
SETTLING = timedelta(seconds=2)


def noisy_or(*signs: float) -> float:
    """Return the chance that at least one of independent signs (0–1) is true."""
    none = 1.0
    for sign in signs:
        none *= 1.0 - sign
    return 1.0 - none


def excess(score: float) -> float:
    """Return how far a robust z stands out: 0 at 2 and below, near 0.2 at 4, 1 from 12 on."""
    return min(1.0, max(0.0, (score - 2.0) / 10.0))


@dataclass(frozen=True)
class Symptoms:
    """The picture and the standing alarms of a case, keyed by element.

    `changed` holds what was configured lately, `young` what raised an alarm that readings cannot show yet.
    """

    readings: Mapping[str, Mapping[Metric, Anomaly]]
    alarms: Mapping[str, frozenset[AlarmType]]
    changed: frozenset[str]
    onset: Mapping[str, datetime]
    healthy: frozenset[str]
    silent: frozenset[str]
    young: frozenset[str] = frozenset()
    fresh_share: float = 1.0
    silent_sources: tuple[str, ...] = ()

    @cached_property
    def trouble(self) -> dict[str, float]:
        """Element to the strength (0–1) of what is wrong with it; elements with nothing wrong are absent."""
        strengths = {element: self._strength(element) for element in {*self.readings, *self.alarms}}
        return {element: strength for element, strength in sorted(strengths.items()) if strength > 0.02}

    def reading(self, element: str, metric: Metric) -> float:
        """Return how far (0–1) a metric of the element stands out towards trouble."""
        anomaly = self.readings.get(element, {}).get(metric)
        return excess(anomaly.score) if anomaly else 0.0

    def alarm(self, element: str, *types: AlarmType) -> float:
        """Return 1 when such an alarm stands, less when fresh readings contradict it, 0 when none stands."""
        standing = self.alarms.get(element, frozenset()) & set(types)
        return max((self._believed(element, kind) for kind in standing), default=0.0)

    def down(self, element: str) -> float:
        """Return how surely (0–1) the element is down by its own word or its manager's."""
        anomaly = self.readings.get(element, {}).get(Metric.OPER_UP)
        read = 0.95 if anomaly and anomaly.value < 0.5 else 0.0
        return noisy_or(read, 0.8 * self.alarm(element, *DOWN_ALARMS))

    def _believed(self, element: str, kind: AlarmType) -> float:
        shown = SHOWN_BY.get(kind)
        contradicted = shown is not None and element in self.healthy and element not in self.young
        return _CONTRADICTED if contradicted else 1.0

    def _strength(self, element: str) -> float:
        read = (_weight(anomaly) * excess(anomaly.score) for anomaly in self.readings.get(element, {}).values())
        told = (ALARM_WEIGHT[kind] * self._believed(element, kind) for kind in self.alarms.get(element, ()))
        return noisy_or(*read, *told)


def _weight(anomaly: Anomaly) -> float:
    if anomaly.metric is Metric.UTILISATION and anomaly.value >= OVERLOADED:
        return 0.8
    return METRIC_WEIGHT[anomaly.metric]


def symptoms(picture: Picture, alarms: Iterable[Alarm]) -> Symptoms:
    """Return the symptoms in a picture of telemetry and a set of alarms; cleared alarms count only as changes."""
    readings: dict[str, dict[Metric, Anomaly]] = defaultdict(dict)
    for anomaly in picture.anomalies:
        readings[anomaly.element][anomaly.metric] = anomaly
    told: dict[str, set[AlarmType]] = defaultdict(set)
    onset: dict[str, datetime] = {}
    changed, young = set(), set()
    for alarm in alarms:
        if alarm.key.type is AlarmType.CONFIGURATION_CHANGED:
            changed.add(alarm.resource)
        elif not alarm.cleared:
            told[alarm.resource].add(alarm.key.type)
            onset[alarm.resource] = min(alarm.event_time, onset.get(alarm.resource, alarm.event_time))
            if picture.at - alarm.last_event_time < SETTLING:
                young.add(alarm.resource)
    return Symptoms(
        readings=dict(readings),
        alarms={element: frozenset(types) for element, types in told.items()},
        changed=frozenset(changed),
        onset=onset,
        healthy=picture.healthy,
        silent=picture.silent,
        young=frozenset(young),
        fresh_share=picture.fresh_share,
        silent_sources=picture.silent_sources,
    )
