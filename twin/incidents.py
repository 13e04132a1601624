"""Generated incidents with a known cause: the twin's own physics, seen through bad telemetry.

One fault is laid over a network; what follows becomes readings and alarms, of which a fifth is missing, some are
unrelated, some alarms are false, and a quarter of the culprits are grey (their own telemetry is clean). They serve
to train rankers and to measure diagnosis. Nobody who is measured may have been trained on the same seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from domain.alarms import Alarm, AlarmKey, AlarmType, Severity
from domain.diagnosis import FaultKind
from domain.measurements import METRICS, Metric
from domain.observations import Anomaly, Picture
from twin.views import FaultyNetwork, Views

#: When an incident is looked at, and when it began.
NOW = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
ONSET = NOW - timedelta(seconds=4)
#: How often each kind of fault is drawn.
MIX: Mapping[FaultKind, float] = {
    FaultKind.INTERFACE_LOCKED: 0.15,
    FaultKind.LINK_DOWN: 0.17,
    FaultKind.LINK_DEGRADED: 0.13,
    FaultKind.PROCESS_HUNG: 0.13,
    FaultKind.NODE_DOWN: 0.1,
    FaultKind.POWER_LOST: 0.12,
    FaultKind.CONGESTION: 0.08,
    FaultKind.CELL_LOCKED: 0.06,
    FaultKind.CELL_SLEEPING: 0.06,
}
_GREY, _MISSING, _UNRELATED, _FALSE_ALARM = 0.25, 0.2, 0.004, 0.3
_MUTE_WHEN_DEAD = 0.8
_STANDS_OUT = 3.0
_LOCKS = frozenset({FaultKind.INTERFACE_LOCKED, FaultKind.CELL_LOCKED})


@dataclass(frozen=True)
class GeneratedIncident:
    """What is seen of one fault at `element`. `locked`: the culprit, where the configuration is known to say so."""

    element: str
    fault: FaultKind
    picture: Picture
    alarms: list[Alarm]
    locked: frozenset[str] = frozenset()
    grey: bool = False


class IncidentGenerator(FaultyNetwork):
    """A network from which incidents are drawn. Everything that is drawn comes from the generator handed in."""

    def incidents(
        self, count: int, rng: np.random.Generator, mix: Mapping[FaultKind, float] = MIX
    ) -> Iterator[GeneratedIncident]:
        """Yield incidents that show at least one alarm."""
        possible = [fault for fault in mix if self.places[fault]]
        weights = np.array([mix[fault] for fault in possible])
        while count:
            fault = possible[int(rng.choice(len(possible), p=weights / weights.sum()))]
            element = str(rng.choice(self.places[fault]))
            found = self.incident(element, fault, rng)
            if found is not None:
                count -= 1
                yield found

    def incident(self, element: str, fault: FaultKind, rng: np.random.Generator) -> GeneratedIncident | None:
        """Return what is seen of a fault, or None when nobody raises an alarm about it."""
        size = {FaultKind.LINK_DEGRADED: rng.uniform(0.02, 0.3), FaultKind.CONGESTION: rng.uniform(3, 5)}.get(fault)
        state = self.state(element, fault, size)
        views = self.views(element, fault, state, size or 0.0)
        grey = bool(rng.random() < _GREY)
        if grey:
            self.made_grey(views, element, fault, rng)
        if fault is FaultKind.CONGESTION and state.impact().max_utilisation < 0.95:
            return None
        picture, told = self._seen(views, rng)
        if not told:
            return None
        alarms, picture = self._told(told, picture, rng)
        locked = fault in _LOCKS and not grey and rng.random() < 0.6
        return GeneratedIncident(element, fault, picture, alarms, frozenset({element}) if locked else frozenset(), grey)

    def calm(self, rng: np.random.Generator) -> tuple[Picture, list[Alarm]]:
        """Return a picture without a fault: noise, and now and then a false alarm."""
        picture, told = self._seen(self.views_of("", FaultKind.UNKNOWN), rng)
        alarms, picture = self._told(told, picture, rng)
        return picture, alarms

    def around(self, elements: Sequence[str]) -> set[str]:
        """Return the elements within three hops, as the control plane gathers them."""
        seen = {e for e in elements if e in self.graph}
        edge = set(seen)
        for _ in range(3):
            edge = {n for e in edge for n in (*self.graph.predecessors(e), *self.graph.successors(e))} - seen
            seen |= edge
        return seen

    def _seen(self, views: Views, rng: np.random.Generator) -> tuple[Picture, list[tuple[str, AlarmType]]]:
        """Return the picture of the whole network, and the alarms that got through."""
        mute = views.dead | {
            p for p, node in self.owner.items() if node in views.dead and rng.random() < _MUTE_WHEN_DEAD
        }
        mute |= {demand.id for demand in self.inventory.demands if demand.source in views.dead}
        spoke: dict[str, list[Anomaly]] = {}
        for (element, metric), (usual, value, sigma) in views.readings.items():
            noisy = value + rng.normal(0, sigma) * (metric is not Metric.OPER_UP)
            if rng.random() < _UNRELATED:
                noisy += 6 * sigma * rng.choice([-1, 1]) * (metric is not Metric.OPER_UP)
            spoke.setdefault(element, []).append(_reading(element, metric, usual, noisy, sigma))
        anomalies: list[Anomaly] = []
        healthy, silent = set(), set()
        for element, found in spoke.items():
            if rng.random() < _MISSING or (element in mute and rng.random() < _MUTE_WHEN_DEAD):
                silent.add(element)
                continue
            odd = [one for one in found if abs(one.score) > _STANDS_OUT]
            anomalies += odd
            if not odd:
                healthy.add(element)
        fresh = 1 - len(silent) / max(1, len(spoke))
        picture = Picture(
            at=NOW,
            anomalies=tuple(anomalies),
            healthy=frozenset(healthy),
            silent=frozenset(silent),
            fresh_share=fresh,
        )
        return picture, [alarm for alarm in dict.fromkeys(views.alarms) if rng.random() > _MISSING]

    def _told(
        self, told: list[tuple[str, AlarmType]], picture: Picture, rng: np.random.Generator
    ) -> tuple[list[Alarm], Picture]:
        """Return the alarms, a false one among them now and then, and the part of the picture around them."""
        if rng.random() < _FALSE_ALARM:
            told = [*told, (str(rng.choice(sorted(self.owner))), AlarmType.LINK_DOWN)]
        alarms = raised(told, rng)
        around = self.around([alarm.resource for alarm in alarms])
        near = {
            "anomalies": tuple(one for one in picture.anomalies if one.element in around),
            "healthy": picture.healthy & around,
            "silent": picture.silent & around,
        }
        return alarms, picture.model_copy(update=near)


def raised(told: Sequence[tuple[str, AlarmType]], rng: np.random.Generator) -> list[Alarm]:
    """Return an alarm for each distinct (element, type), raised within a second and a half of the onset."""
    return [_alarm(number, element, kind, rng) for number, (element, kind) in enumerate(dict.fromkeys(told))]


def _reading(element: str, metric: Metric, usual: float, value: float, sigma: float) -> Anomaly:
    score = float(np.clip(METRICS[metric].bad * (value - usual) / sigma, -50, 50))
    return Anomaly(
        element=element, metric=metric, score=score, value=value, usual=usual, event_time=NOW, source="generated"
    )


def _alarm(number: int, element: str, kind: AlarmType, rng: np.random.Generator) -> Alarm:
    at = ONSET + timedelta(seconds=float(rng.uniform(0, 1.5)))
    return Alarm(
        id=f"alarm_{number:04d}",
        key=AlarmKey(resource=element, type=kind),
        severity=Severity.MAJOR,
        highest_severity=Severity.MAJOR,
        event_time=at,
        last_event_time=at,
        known_time=at,
        source="generated",
    )
