"""What each element says of itself while a fault is there: readings and alarms by the twin's physics, without noise.

`twin.incidents` lays bad telemetry over it.
"""

from dataclasses import dataclass, field

import networkx as nx
import numpy as np

from domain.alarms import AlarmType
from domain.diagnosis import FaultKind
from domain.faults import hypothesis
from domain.measurements import Metric
from domain.network import ROUTING_KINDS, Inventory, Link, NodeKind
from twin.evaluate import Prediction, evaluate
from twin.graph import element_graph
from twin.snapshot import Snapshot

_SERVING = {*ROUTING_KINDS, NodeKind.GNB}
_CELL_MBPS, _CELL_SIGMA = 80.0, 5.0
#: A link with more errors or fuller than this complains.
_FULL = 0.95


@dataclass
class Views:
    """What each element says of itself: readings as (usual, value, sigma), alarms, and who says nothing any more."""

    readings: dict[tuple[str, Metric], tuple[float, float, float]] = field(default_factory=dict)
    alarms: list[tuple[str, AlarmType]] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)


class FaultyNetwork:
    """A network with its graph and its healthy state, on which faults are laid."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.snapshot = Snapshot.of(inventory)
        self.graph: nx.DiGraph = element_graph(inventory)
        self.healthy = evaluate(self.snapshot)
        self.owner = {point.id: point.node for point in inventory.termination_points}
        self.kind = {node.id: node.kind for node in inventory.nodes}
        self.links: dict[str, Link] = {link.id: link for link in inventory.links}
        self.places = self._places()

    def _places(self) -> dict[FaultKind, list[str]]:
        """Return, per kind of fault, the elements that can have it and where it shows."""
        used = {element for demand in self.inventory.demands for element in self.graph.predecessors(demand.id)}
        cells = [node for node, kind in self.kind.items() if kind is NodeKind.CELL]
        return {
            FaultKind.INTERFACE_LOCKED: [
                end for link in self.links.values() for end in (link.source, link.destination)
            ],
            FaultKind.LINK_DOWN: sorted(self.links),
            FaultKind.LINK_DEGRADED: sorted(used & self.links.keys()),
            FaultKind.PROCESS_HUNG: [node for node, kind in self.kind.items() if kind in ROUTING_KINDS],
            FaultKind.NODE_DOWN: [node for node, kind in self.kind.items() if kind in _SERVING],
            FaultKind.POWER_LOST: [node for node, kind in self.kind.items() if kind is NodeKind.POWER],
            FaultKind.CONGESTION: self._large_demands(),
            FaultKind.CELL_LOCKED: cells,
            FaultKind.CELL_SLEEPING: cells,
        }

    def _large_demands(self) -> list[str]:
        """Return the demands that overload something when they surge fourfold."""
        surges = {demand.id: hypothesis(FaultKind.CONGESTION, demand.id, 4.0) for demand in self.inventory.demands}
        return [d for d, surge in surges.items() if evaluate(self.snapshot, surge).impact().max_utilisation > 1.0]

    def state(self, element: str, fault: FaultKind, size: float | None) -> Prediction:
        """Return the network under a fault; a sleeping cell, and no fault at all, change nothing that the twin sees."""
        calm = fault in {FaultKind.CELL_SLEEPING, FaultKind.UNKNOWN}
        return self.healthy if calm else evaluate(self.snapshot, hypothesis(fault, element, size))

    def views_of(self, element: str, fault: FaultKind) -> Views:
        """Return what each element says of itself under a plain fault of a middling size."""
        size = {FaultKind.LINK_DEGRADED: 0.1, FaultKind.CONGESTION: 4.0}.get(fault)
        return self.views(element, fault, self.state(element, fault, size), size or 0.0)

    def views(self, element: str, fault: FaultKind, state: Prediction, size: float) -> Views:
        """Return what each element says of itself in a state of the network, `element` being the culprit."""
        views = Views()
        hung = element if fault is FaultKind.PROCESS_HUNG else ""
        views.dead = {n for n in self.kind if self.kind[n] in _SERVING and not state.available(n) and n != hung}
        errors = {element: size} if fault is FaultKind.LINK_DEGRADED else {}
        adjacent: dict[str, list[int]] = {}
        for link in self.links.values():
            self._link_views(views, state, link, element, hung, errors.get(link.id, 0.0))
            works = state.available(link.id)
            for end in (link.source, link.destination):
                count = adjacent.setdefault(self.owner[end], [0, 0])
                count[0] += 1
                count[1] += works
        self._node_views(views, state, hung, adjacent)
        self._demand_views(views, state)
        _own_views(views, element, fault)
        return views

    def _link_views(self, views: Views, state: Prediction, link: Link, culprit: str, hung: str, errors: float) -> None:
        works = state.available(link.id)
        ends = (link.source, link.destination)
        up = works or hung in (self.owner[ends[0]], self.owner[ends[1]])
        for index, end in enumerate(ends):
            load = state.utilisation(end) if works else 0.0
            views.readings[end, Metric.OPER_UP] = (1.0, float(up), 0.02)
            views.readings[end, Metric.UTILISATION] = (self.healthy.utilisation(end), min(1.0, load), 0.03)
            views.readings[end, Metric.ERROR_RATE] = (0.0, errors, 0.001)
            if not works and self.owner[end] not in views.dead:
                views.alarms.append((end, AlarmType.ADJACENCY_LOST))
                if not up and end != culprit:
                    views.alarms += [(end, AlarmType.LOSS_OF_SIGNAL), (end, AlarmType.LINK_DOWN)]
            if errors and index:
                views.alarms.append((end, AlarmType.LINK_DEGRADED))
            if load > _FULL:
                views.alarms.append((end, AlarmType.CONGESTION))

    def _node_views(self, views: Views, state: Prediction, hung: str, adjacent: dict[str, list[int]]) -> None:
        for node, kind in self.kind.items():
            up = node == hung or state.available(node)
            views.readings[node, Metric.OPER_UP] = (1.0, float(up), 0.02)
            if kind in ROUTING_KINDS:
                usual, now = adjacent.get(node, [0, 0])
                views.readings[node, Metric.ADJACENCIES] = (usual, 0 if node == hung else now, 0.3)
            if kind is NodeKind.CELL:
                views.readings[node, Metric.THROUGHPUT] = (_CELL_MBPS, _CELL_MBPS * up, _CELL_SIGMA)
            if not up and kind is not NodeKind.POWER:
                alarm = AlarmType.CELL_UNAVAILABLE if kind is NodeKind.CELL else AlarmType.NODE_UNREACHABLE
                views.alarms.append((node, alarm))

    def _demand_views(self, views: Views, state: Prediction) -> None:
        for place, demand in enumerate(state.topology.demands):
            usual, now = float(self.healthy.demand_mbps[place]), float(state.demand_mbps[place])
            loss = float(state.demand_loss[place])
            views.readings[demand, Metric.LOSS] = (0.0, loss, 0.001)
            views.readings[demand, Metric.THROUGHPUT] = (usual, now * (1 - loss), 0.02 * usual + 1e-3)

    def made_grey(self, views: Views, element: str, fault: FaultKind, rng: np.random.Generator) -> None:
        """Make the culprit say nothing unusual; of a link, one end keeps quiet. Traffic gives a sleeping cell away."""
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


def _own_views(views: Views, element: str, fault: FaultKind) -> None:
    """Add what only the culprit itself says."""
    match fault:
        case FaultKind.INTERFACE_LOCKED | FaultKind.CELL_LOCKED:
            views.alarms.append((element, AlarmType.CONFIGURATION_CHANGED))
        case FaultKind.PROCESS_HUNG:
            views.alarms.append((element, AlarmType.PROCESS_FAILED))
        case FaultKind.POWER_LOST:
            views.alarms.append((element, AlarmType.POWER_LOST))
        case FaultKind.CELL_SLEEPING:
            views.readings[element, Metric.THROUGHPUT] = (_CELL_MBPS, 0.1, _CELL_SIGMA)
            views.alarms.append((element, AlarmType.CELL_DEGRADED))
