"""Simulated incidents with a known cause: the twin's own physics, seen through bad telemetry.

One fault is laid over a generated network; what follows becomes readings and alarms, of which a fifth is missing, some
are unrelated, some alarms are false, and a quarter of the culprits are grey (their own telemetry is clean).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import networkx as nx
import numpy as np

from domain.alarms import Alarm, AlarmKey, AlarmType, Severity
from domain.diagnosis import FaultKind
from domain.faults import hypothesis
from domain.measurements import METRICS, Metric
from domain.network import ROUTING_KINDS, Inventory, NodeKind
from domain.observations import Anomaly, Picture
from twin.evaluate import Prediction, evaluate
from twin.graph import element_graph
from twin.snapshot import Snapshot

NOW = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
ONSET = NOW - timedelta(seconds=4)
SERVING = {*ROUTING_KINDS, NodeKind.GNB}
MIX = {
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


@dataclass
class Incident:
    element: str
    fault: FaultKind
    picture: Picture
    alarms: list[Alarm]
    locked: frozenset[str] = frozenset()
    grey: bool = False
    views: "Views | None" = None


@dataclass
class Views:
    """What each element says of itself: readings as (usual, value, sigma), and alarms."""

    readings: dict[tuple[str, Metric], tuple[float, float, float]] = field(default_factory=dict)
    alarms: list[tuple[str, AlarmType]] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)


class Network:
    """A network with its graph and healthy state, from which incidents are drawn."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.snapshot = Snapshot.of(inventory)
        self.graph: nx.DiGraph = element_graph(inventory)
        self.healthy = evaluate(self.snapshot)
        self.owner = {point.id: point.node for point in inventory.termination_points}
        self.kind = {node.id: node.kind for node in inventory.nodes}
        self.links = {link.id: link for link in inventory.links}
        used = {element for demand in inventory.demands for element in self.graph.predecessors(demand.id)}
        self.places = {
            FaultKind.INTERFACE_LOCKED: [
                end for link in self.links.values() for end in (link.source, link.destination)
            ],
            FaultKind.LINK_DOWN: sorted(self.links),
            FaultKind.LINK_DEGRADED: sorted(used & self.links.keys()),
            FaultKind.PROCESS_HUNG: [node for node, kind in self.kind.items() if kind in ROUTING_KINDS],
            FaultKind.NODE_DOWN: [node for node, kind in self.kind.items() if kind in SERVING],
            FaultKind.POWER_LOST: [node for node, kind in self.kind.items() if kind is NodeKind.POWER],
            FaultKind.CONGESTION: self._large_demands(),
            FaultKind.CELL_LOCKED: [node for node, kind in self.kind.items() if kind is NodeKind.CELL],
            FaultKind.CELL_SLEEPING: [node for node, kind in self.kind.items() if kind is NodeKind.CELL],
        }

    def _large_demands(self) -> list[str]:
        """Return the demands that overload something when they surge fourfold."""
        surges = {demand.id: hypothesis(FaultKind.CONGESTION, demand.id, 4.0) for demand in self.inventory.demands}
        return [d for d, surge in surges.items() if evaluate(self.snapshot, surge).impact().max_utilisation > 1.0]

    def incidents(self, count: int, rng: np.random.Generator, mix: dict[FaultKind, float] = MIX) -> Iterator[Incident]:
        """Yield incidents that show at least one alarm or anomaly beyond the noise."""
        possible = [fault for fault in mix if self.places[fault]]
        weights = np.array([mix[fault] for fault in possible])
        while count:
            fault = possible[int(rng.choice(len(possible), p=weights / weights.sum()))]
            element = str(rng.choice(self.places[fault]))
            found = self.incident(element, fault, rng)
            if found is not None:
                count -= 1
                yield found

    def incident(self, element: str, fault: FaultKind, rng: np.random.Generator) -> Incident | None:
        size = {FaultKind.LINK_DEGRADED: rng.uniform(0.02, 0.3), FaultKind.CONGESTION: rng.uniform(3, 5)}.get(fault)
        state = (
            evaluate(self.snapshot, hypothesis(fault, element, size))
            if fault is not FaultKind.CELL_SLEEPING
            else self.healthy
        )
        views = self._views(element, fault, state, size or 0.0)
        grey = bool(rng.random() < 0.25)
        if grey:
            self._make_grey(views, element, fault, rng)
        if fault is FaultKind.CONGESTION and state.impact().max_utilisation < 0.95:
            return None
        return self._seen(element, fault, views, grey, rng)

    def views_of(self, element: str, fault: FaultKind, rng: np.random.Generator) -> Views:
        """Return what each element says of itself under a plain (not grey) fault."""
        size = {FaultKind.LINK_DEGRADED: 0.1, FaultKind.CONGESTION: 4.0}.get(fault)
        calm = fault in {FaultKind.CELL_SLEEPING, FaultKind.UNKNOWN}
        state = self.healthy if calm else evaluate(self.snapshot, hypothesis(fault, element, size))
        return self._views(element, fault, state, size or 0.0)

    def alarms_of(self, views: Views, rng: np.random.Generator) -> list[Alarm]:
        """Return all the alarms of the views."""
        return [_alarm(i, e, kind, rng) for i, (e, kind) in enumerate(dict.fromkeys(views.alarms))]

    def healthy_picture(self, rng: np.random.Generator) -> tuple[Picture, list[Alarm]]:
        """Return a picture without a fault: noise and now and then a false alarm."""
        found = self._seen(
            "", FaultKind.UNKNOWN, self._views("", FaultKind.UNKNOWN, self.healthy, 0.0), False, rng, always=True
        )
        assert found is not None
        return found.picture, found.alarms

    def _views(self, element: str, fault: FaultKind, state: Prediction, size: float) -> Views:
        views = Views()
        hung = element if fault is FaultKind.PROCESS_HUNG else ""
        before = self.healthy
        views.dead = {n for n in self.kind if self.kind[n] in SERVING and not state.available(n) and n != hung}
        adjacent: dict[str, list[int]] = {}
        for link in self.links.values():
            ends = (link.source, link.destination)
            works = state.available(link.id)
            up = works or hung in (self.owner[ends[0]], self.owner[ends[1]])
            for index, end in enumerate(ends):
                count = adjacent.setdefault(self.owner[end], [0, 0])
                count[0] += 1
                count[1] += works
                views.readings[end, Metric.OPER_UP] = (1.0, float(up), 0.02)
                load = state.utilisation(end) if works else 0.0
                views.readings[end, Metric.UTILISATION] = (before.utilisation(end), min(1.0, load), 0.03)
                errors = size if fault is FaultKind.LINK_DEGRADED and element == link.id else 0.0
                views.readings[end, Metric.ERROR_RATE] = (0.0, errors, 0.001)
                if not works and self.owner[end] not in views.dead:
                    views.alarms.append((end, AlarmType.ADJACENCY_LOST))
                    if not up and end != element:
                        views.alarms += [(end, AlarmType.LOSS_OF_SIGNAL), (end, AlarmType.LINK_DOWN)]
                if errors and index:
                    views.alarms.append((end, AlarmType.LINK_DEGRADED))
                if load > 0.95:
                    views.alarms.append((end, AlarmType.CONGESTION))
        self._node_views(views, state, hung, adjacent)
        self._demand_views(views, state)
        self._own_views(views, element, fault)
        return views

    def _node_views(self, views: Views, state: Prediction, hung: str, adjacent: dict[str, list[int]]) -> None:
        for node, kind in self.kind.items():
            up = node == hung or state.available(node)
            views.readings[node, Metric.OPER_UP] = (1.0, float(up), 0.02)
            if kind in ROUTING_KINDS:
                usual, now = adjacent.get(node, [0, 0])
                views.readings[node, Metric.ADJACENCIES] = (usual, 0 if node == hung else now, 0.3)
            if kind is NodeKind.CELL:
                views.readings[node, Metric.THROUGHPUT] = (80.0, 80.0 * up, 5.0)
            if not up and kind is not NodeKind.POWER:
                alarm = AlarmType.CELL_UNAVAILABLE if kind is NodeKind.CELL else AlarmType.NODE_UNREACHABLE
                views.alarms.append((node, alarm))

    def _demand_views(self, views: Views, state: Prediction) -> None:
        for place, demand in enumerate(state.topology.demands):
            usual, now = float(self.healthy.demand_mbps[place]), float(state.demand_mbps[place])
            loss = float(state.demand_loss[place])
            views.readings[demand, Metric.LOSS] = (0.0, loss, 0.001)
            views.readings[demand, Metric.THROUGHPUT] = (usual, now * (1 - loss), 0.02 * usual + 1e-3)

    def _own_views(self, views: Views, element: str, fault: FaultKind) -> None:
        match fault:
            case FaultKind.INTERFACE_LOCKED | FaultKind.CELL_LOCKED:
                views.alarms.append((element, AlarmType.CONFIGURATION_CHANGED))
            case FaultKind.PROCESS_HUNG:
                views.alarms.append((element, AlarmType.PROCESS_FAILED))
            case FaultKind.POWER_LOST:
                views.alarms.append((element, AlarmType.POWER_LOST))
            case FaultKind.CELL_SLEEPING:
                views.readings[element, Metric.THROUGHPUT] = (80.0, 0.1, 5.0)
                views.alarms.append((element, AlarmType.CELL_DEGRADED))

    def _make_grey(self, views: Views, element: str, fault: FaultKind, rng: np.random.Generator) -> None:
        """The culprit says nothing unusual; of a link, one end keeps quiet. A sleeping cell is seen by its traffic."""
        muted = {element}
        if element in self.links:
            link = self.links[element]
            muted = {link.source if rng.random() < 0.5 else link.destination}
        views.alarms = [(e, kind) for e, kind in views.alarms if e not in muted]
        if fault not in {FaultKind.CELL_SLEEPING, FaultKind.CELL_LOCKED}:
            for (e, metric), (usual, _, sigma) in list(views.readings.items()):
                if e in muted:
                    views.readings[e, metric] = (usual, usual, sigma)
            views.dead -= muted

    def _seen(
        self,
        element: str,
        fault: FaultKind,
        views: Views,
        grey: bool,
        rng: np.random.Generator,
        *,
        always: bool = False,
    ) -> Incident | None:
        mute = views.dead | {p for p, node in self.owner.items() if node in views.dead and rng.random() < 0.8}
        mute |= {d.id for d in self.inventory.demands if d.source in views.dead}
        anomalies, healthy, silent = [], set(), set()
        spoke: dict[str, list[tuple[Metric, float, float, float]]] = {}
        for (e, metric), (usual, value, sigma) in views.readings.items():
            noisy = value + rng.normal(0, sigma) * (metric is not Metric.OPER_UP)
            if rng.random() < 0.004:
                noisy += 6 * sigma * rng.choice([-1, 1]) * (metric is not Metric.OPER_UP)
            spoke.setdefault(e, []).append((metric, usual, noisy, sigma))
        for e, rows in spoke.items():
            if rng.random() < 0.2 or (e in mute and rng.random() < 0.8):
                silent.add(e)
                continue
            found = [self._anomaly(e, *row) for row in rows]
            anomalies += [one for one in found if abs(one.score) > 3]
            if not any(abs(one.score) > 3 for one in found):
                healthy.add(e)
        told = [alarm for alarm in dict.fromkeys(views.alarms) if rng.random() > 0.2]
        if not told and not always:
            return None
        if rng.random() < 0.3:
            told.append((str(rng.choice(sorted(self.owner))), AlarmType.LINK_DOWN))
        alarms = [_alarm(i, e, kind, rng) for i, (e, kind) in enumerate(told)]
        around = self.around([alarm.resource for alarm in alarms])
        locked = fault in {FaultKind.INTERFACE_LOCKED, FaultKind.CELL_LOCKED} and not grey and rng.random() < 0.6
        picture = Picture(
            at=NOW,
            anomalies=tuple(one for one in anomalies if one.element in around),
            healthy=frozenset(healthy & around),
            silent=frozenset(silent & around),
            fresh_share=1 - len(silent) / max(1, len(spoke)),
        )
        return Incident(element, fault, picture, alarms, frozenset({element}) if locked else frozenset(), grey, views)

    def around(self, elements: list[str]) -> set[str]:
        seen = {e for e in elements if e in self.graph}
        edge = set(seen)
        for _ in range(3):
            edge = {n for e in edge for n in (*self.graph.predecessors(e), *self.graph.successors(e))} - seen
            seen |= edge
        return seen

    def _anomaly(self, element: str, metric: Metric, usual: float, value: float, sigma: float) -> Anomaly:
        score = float(np.clip(METRICS[metric].bad * (value - usual) / sigma, -50, 50))
        return Anomaly(
            element=element, metric=metric, score=score, value=value, usual=usual, event_time=NOW, source="sim"
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
        source="sim",
    )
