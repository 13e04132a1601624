"""What the counters show: noisy, with gaps, late, and here and there untrue.

The rows of one tick are worked out as one vector over all (element, metric) pairs and split by collector at the end.
"""

from typing import Any

import numpy as np

from adapters.network.emulated.habits import Collector
from adapters.network.emulated.physics import Flags, Floats
from adapters.network.emulated.times import iso
from adapters.network.emulated.world import World
from domain.diagnosis import FaultKind
from domain.measurements import Metric
from domain.network import ROUTING_KINDS, DependencyKind, NodeKind

#: Share of its traffic that a sleeping cell still carries.
_ASLEEP = 0.002
_OCTETS_PER_MBIT = 1e6 / 8


class Readings:
    """Samples a world. One instance per plant: it keeps the counters and what the stuck sensors said first."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self._world, self._rng = world, rng
        self._points = world.topology.sender
        kinds = {node.id: node.kind for node in world.inventory.nodes}
        self._routers = [node for node, kind in kinds.items() if kind in ROUTING_KINDS]
        self._gnbs = [node for node, kind in kinds.items() if kind is NodeKind.GNB]
        self._cells = [node for node, kind in kinds.items() if kind is NodeKind.CELL]
        self._power = [node for node, kind in kinds.items() if kind is NodeKind.POWER]
        self._tail = np.array(world.topology.tail, dtype=int)
        self._octets: Floats = rng.uniform(1e9, 1e13, len(self._points))
        self._stuck_at: Floats | None = None
        self._at: float | None = None
        self._blackout: dict[int, float] = {}
        self._name()

    def _name(self) -> None:
        """Name the rows of a tick, anew when there are more demands."""
        self._known = len(self._world.topology.demands)
        self._backhaul = _backhaul(self._world, self._cells)
        self._labels = self._named()
        self._split = self._split_by_collector()

    @property
    def rows(self) -> int:
        """How many rows one tick has."""
        return len(self._labels)

    def sample(self, now: float) -> list[tuple[float, dict[str, Any]]]:
        """Return (arrival, item) for each collector that has something to say of the traffic at `now`."""
        if self._known != len(self._world.topology.demands):
            self._name()
        passed = 0.0 if self._at is None else now - self._at
        self._at = now
        values = np.concatenate(
            [*self._interfaces(passed), *self._nodes(now), *self._demands(), *self._radio(now), *self._supply(now)]
        )
        items = []
        for index, collector in enumerate(self._world.habits.collectors):
            if self._speaks(index, collector, now, passed):
                late = self._rng.random() < collector.late
                due = now + float(self._rng.uniform(0, collector.jitter_s)) + (collector.late_s if late else 0.0)
                items.append((due, self._item(index, collector, values, now)))
        return items

    def _speaks(self, index: int, collector: Collector, now: float, passed: float) -> bool:
        if self._rng.random() < passed / collector.blackout_every_s:
            self._blackout[index] = now + collector.blackout_s
        return self._blackout.get(index, 0.0) <= now and self._rng.random() >= collector.gap

    def _item(self, index: int, collector: Collector, values: Floats, now: float) -> dict[str, Any]:
        chosen, labels, silent_if_down = self._split[index]
        mine = values[chosen]
        mine[self._rng.random(len(mine)) < collector.null] = np.nan
        if not collector.pings:
            mine[silent_if_down & (mine == 0.0)] = np.nan
        rows = [
            [element, metric, None if value != value else value]  # noqa: PLR0124  # NaN is what differs from itself
            for (element, metric), value in zip(labels, mine.tolist(), strict=True)
        ]
        if collector.skips_missing:
            rows = [row for row in rows if row[2] is not None]
        return {"type": "readings", "source": collector.source, "time": iso(now), "rows": rows}

    def _interfaces(self, passed: float) -> tuple[Floats, ...]:
        """oper_up, utilisation, error_rate and octets, per termination point that ends a link."""
        world, sensors, rng = self._world, self._world.habits.sensors, self._rng
        size = len(self._points)
        heard = self._heard()[self._tail]
        up = np.repeat(world.up.link_up, 2)
        carried = np.where(up, np.minimum(world.traffic.load, world.topology.capacity), 0.0)
        self._octets += np.floor(np.where(heard, carried, 0.0) * _OCTETS_PER_MBIT * passed)
        noise = 1.0 + rng.normal(0.0, sensors.noise, size)
        utilisation = carried / world.topology.capacity * np.abs(noise) * sensors.bias
        if self._stuck_at is None:
            self._stuck_at = utilisation.copy()
        utilisation = np.where(sensors.stuck, self._stuck_at, utilisation)
        incoming = world.degraded().reshape(-1, 2)[:, ::-1].ravel()
        errors = sensors.error_floor * rng.exponential(1.0, size)
        errors += np.where(sensors.rosy, 0.0, incoming * np.abs(1.0 + rng.normal(0.0, 0.1, size)))
        shown_up = np.where(sensors.rosy, 1.0, up.astype(float))
        return (
            _known(shown_up, heard),
            _known(utilisation.round(6), heard),
            _known(np.minimum(errors, 1.0), heard & up),
            _known(self._octets.copy(), heard),
        )

    def _nodes(self, now: float) -> tuple[Floats, ...]:
        """oper_up, cpu, adjacencies and process_uptime of the routing nodes."""
        world, up = self._world, self._world.up
        alive = np.array([up.alive[node] for node in self._routers], dtype=bool)
        hung = world.hung()
        neighbours = np.bincount(self._tail, weights=world.up.usable, minlength=len(world.topology.nodes))
        at = [world.topology.node_at.get(node) for node in self._routers]
        adjacent = np.array([0.0 if index is None else neighbours[index] for index in at])
        spinning = 0.98 if world.habits.hung_spins else 0.02
        cpu = np.array([spinning if node in hung else world.habits.cpu[node] for node in self._routers])
        cpu = np.clip(cpu + self._rng.normal(0.0, 0.015, len(cpu)), 0.0, 1.0).round(4)
        uptime = np.array([now - world.started(node) for node in self._routers]).round(2)
        oper = np.array([up.oper[node] for node in self._routers], dtype=float)
        return oper, _known(cpu, alive), _known(adjacent, alive), _known(uptime, alive)

    def _demands(self) -> tuple[Floats, ...]:
        """loss, delay and throughput, as probes in the source node measure them."""
        flow, noise = self._world.traffic, self._world.habits.sensors.probe_noise
        size = len(flow.mbps)
        heard = self._heard()
        probed = np.array([heard[source] for source, _ in self._world.topology.ends], dtype=bool)
        probed &= self._world.in_service()  # nobody probes what is out of service
        loss = np.clip(flow.loss + self._rng.exponential(noise, size), 0.0, 1.0)
        delay = flow.delay * np.abs(1.0 + self._rng.normal(0.0, 0.02, size))
        delivered = flow.mbps * (1.0 - flow.loss) * np.abs(1.0 + self._rng.normal(0.0, 0.01, size))
        return _known(loss.round(6), probed), _known(delay.round(4), probed), _known(delivered.round(4), probed)

    def _radio(self, now: float) -> tuple[Floats, ...]:
        """oper_up and process_uptime of the gNBs; oper_up and throughput of the cells."""
        world, up = self._world, self._world.up
        gnb_up = np.array([up.oper[node] for node in self._gnbs], dtype=float)
        uptime = np.array([now - world.started(node) for node in self._gnbs]).round(2)
        cell_up = np.array([up.oper[node] for node in self._cells], dtype=float)
        asleep = {fault.element for fault in world.active(FaultKind.CELL_SLEEPING)}
        share = np.array([_ASLEEP if cell in asleep else float(up.serves[cell]) for cell in self._cells])
        through = np.array([1.0 - world.traffic.loss[rows].mean() if rows else 1.0 for rows in self._backhaul])
        mbps = np.array([world.habits.cell_mbps[cell] for cell in self._cells])
        mbps = mbps * share * through * np.abs(1.0 + self._rng.normal(0.0, 0.05, len(mbps)))
        return gnb_up, _known(uptime, gnb_up > 0), cell_up, _known(mbps.round(3), cell_up > 0)

    def _supply(self, now: float) -> tuple[Floats, ...]:
        """oper_up (it delivers) and battery (share of charge left) of the power elements."""
        world = self._world
        lost = {fault.element: fault for fault in world.active(FaultKind.POWER_LOST)}
        up = np.array([world.up.oper[node] for node in self._power], dtype=float)
        left = []
        for node in self._power:
            fault = lost.get(node)
            full = world.habits.battery_s[node] > 0
            used = 0.0 if fault is None else (now - fault.at) / max(fault.battery_s, 1e-9)
            left.append(max(0.0, 1.0 - used) if full else np.nan)
        return up, np.array(left).round(4)

    def _heard(self) -> Flags:
        """Per node of the topology: whether it can be read at all."""
        alive = self._world.up.alive
        return np.array([alive[node] for node in self._world.topology.nodes], dtype=bool)

    def _named(self) -> list[tuple[str, str]]:
        blocks: list[tuple[list[str], tuple[Metric, ...]]] = [
            (list(self._points), (Metric.OPER_UP, Metric.UTILISATION, Metric.ERROR_RATE, Metric.OCTETS)),
            (self._routers, (Metric.OPER_UP, Metric.CPU, Metric.ADJACENCIES, Metric.PROCESS_UPTIME)),
            (list(self._world.topology.demands), (Metric.LOSS, Metric.DELAY, Metric.THROUGHPUT)),
            (self._gnbs, (Metric.OPER_UP, Metric.PROCESS_UPTIME)),
            (self._cells, (Metric.OPER_UP, Metric.THROUGHPUT)),
            (self._power, (Metric.OPER_UP, Metric.BATTERY)),
        ]
        return [(element, str(metric)) for elements, metrics in blocks for metric in metrics for element in elements]

    def _split_by_collector(self) -> list[tuple[Any, list[tuple[str, str]], Flags]]:
        """Per collector: positions of its rows, their labels, and which of them need a ping to say "down"."""
        world = self._world
        host = {tp.id: tp.node for tp in world.inventory.termination_points}
        host |= {demand.id: demand.source for demand in world.inventory.demands}
        of = [world.habits.collector_of[host.get(element, element)] for element, _ in self._labels]
        split = []
        for index in range(len(world.habits.collectors)):
            chosen = [position for position, collector in enumerate(of) if collector == index]
            labels = [self._labels[position] for position in chosen]
            pinged = [metric == Metric.OPER_UP and element not in host for element, metric in labels]
            split.append((np.array(chosen, dtype=int), labels, np.array(pinged, dtype=bool)))
        return split


def _known(values: Floats, known: Flags) -> Floats:
    return np.where(known, values, np.nan)


def _backhaul(world: World, cells: list[str]) -> list[list[int]]:
    """Per cell: the demands that start or end at the gateways which serve its gNB."""
    serves = {DependencyKind.SERVED_BY, DependencyKind.CARRIED_BY}
    gnb_of = {d.dependent: d.on for d in world.inventory.dependencies if d.kind is DependencyKind.CONTAINED_IN}
    gateways: dict[str, set[str]] = {}
    for need in world.inventory.dependencies:
        if need.kind in serves:
            gateways.setdefault(need.dependent, set()).update(need.on)
    rows = [{world.topology.nodes[end] for end in ends} for ends in world.topology.ends]
    at = [set().union(*(gateways.get(gnb, set()) for gnb in gnb_of.get(cell, ()))) for cell in cells]
    return [[row for row, ends in enumerate(rows) if ends & mine] for mine in at]
