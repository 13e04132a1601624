"""Which alarms the true state gives rise to. What is no condition any more is cleared; nothing else clears an alarm.

A device that is dead says nothing, a hung one neither: then its neighbours and its manager speak. A grey fault is
not reported by the element that has it (or only later, when nobody else would speak for it).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from adapters.network.emulated.faults import Fault
from adapters.network.emulated.physics import Flags, Floats
from adapters.network.emulated.world import World
from domain.alarms import AlarmType
from domain.diagnosis import FaultKind
from domain.network import ROUTING_KINDS, NodeKind

#: How long the alarm of a grey fault takes for which no other element would speak.
GREY_DELAY_S = 2.5
#: Utilisation at which an interface cries, and at which it calms down again.
FULL, NOT_FULL = 0.95, 0.9
#: Share of frames in error at which an interface cries.
ERRORS = 0.005


class _Said(NamedTuple):
    resource: str
    type: AlarmType
    delay_s: float


def _says(resource: str, type_: AlarmType, delay_s: float = 0.0) -> _Said:
    return _Said(resource, type_, delay_s)


class Conditions:
    """Reads the conditions off a world; remembers only which interfaces are full (there is a hysteresis)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._full: Flags = np.zeros(len(world.topology.tail), dtype=bool)
        self._limit = self._limits()
        self._usual: frozenset[tuple[str, AlarmType]] = frozenset()
        self._routing = [world.node[node].kind in ROUTING_KINDS for node in world.topology.nodes]

    def _limits(self) -> Floats:
        """Return, per demand, the delay that its slice promises at most."""
        limit = {slice_.id: slice_.max_delay_ms for slice_ in self._world.inventory.slices}
        return np.array([limit.get(demand.slice_id, np.inf) for demand in self._world.inventory.demands])

    def take_as_usual(self, now: float) -> None:
        """Let what holds already raise no alarm: something declared locked from the start is no trouble."""
        self._usual = frozenset(self.standing(now))

    def standing(self, now: float) -> dict[tuple[str, AlarmType], float]:
        """Return each (resource, alarm type) that holds at `now`, with the extra delay of its first report."""
        said = (*self._links(), *self._nodes(now), *self._cells(), *self._degraded(), *self._load(), *self._mistakes())
        every = {(one.resource, one.type): one.delay_s for one in said}
        return {key: delay_s for key, delay_s in every.items() if key not in self._usual}

    def _links(self) -> Iterator[_Said]:
        world = self._world
        broken = {fault.element: fault for fault in world.active(FaultKind.LINK_DOWN)}
        for index in np.flatnonzero(~world.up.usable[::2]).tolist():
            fault = broken.get(world.topology.links[index])
            for arc in (2 * index, 2 * index + 1):
                if fault and fault.grey and arc % 2 == 0:
                    continue
                if world.up.serves[world.topology.nodes[world.topology.tail[arc]]]:
                    yield from self._link_end(arc, up=bool(world.up.link_up[index]))

    def _link_end(self, arc: int, *, up: bool) -> Iterator[_Said]:
        """What the living end of a link says on which nothing can be sent."""
        world, topology = self._world, self._world.topology
        point = topology.sender[arc]
        locked = world.state(point)["administrative"] == "locked"
        muted = any(fault.grey for fault in world.active(FaultKind.INTERFACE_LOCKED) if fault.element == point)
        if self._routing[topology.tail[arc]] and self._routing[topology.head[arc]] and not muted:
            yield _says(point, AlarmType.ADJACENCY_LOST)
        if not up and not locked:
            yield _says(point, AlarmType.LINK_DOWN)
            yield _says(point, AlarmType.LOSS_OF_SIGNAL)

    def _nodes(self, now: float) -> Iterator[_Said]:
        world = self._world
        grey = {fault.element for fault in world.active() if fault.grey}
        for node in world.inventory.nodes:
            if node.kind in (NodeKind.POWER, NodeKind.CELL) or world.up.oper[node.id]:
                continue
            if not (node.id in grey and not world.up.alive[node.id]):
                yield _says(node.id, AlarmType.NODE_UNREACHABLE)
        for fault in world.active(FaultKind.PROCESS_HUNG):
            if world.up.alive[fault.element] and not self._unspoken(fault):
                yield _says(fault.element, AlarmType.PROCESS_FAILED)
        for fault in world.active(FaultKind.POWER_LOST):
            yield _says(fault.element, AlarmType.POWER_LOST, GREY_DELAY_S if fault.grey else 0.0)
            if now < fault.dark_at:
                yield _says(fault.element, AlarmType.ON_BATTERY)

    def _unspoken(self, fault: Fault) -> bool:
        """Say whether a grey fault of a process stays unreported by the node: only where neighbours speak."""
        at = self._world.topology.node_at.get(fault.element)
        return fault.grey and at is not None and bool(self._world.topology.outgoing[at])

    def _cells(self) -> Iterator[_Said]:
        world = self._world
        delay = {
            f.element: GREY_DELAY_S for f in world.active(FaultKind.CELL_LOCKED, FaultKind.CELL_SLEEPING) if f.grey
        }
        asleep = {fault.element for fault in world.active(FaultKind.CELL_SLEEPING)}
        for node in world.inventory.nodes:
            if node.kind is not NodeKind.CELL or world.up.serves[node.id]:
                continue
            degraded = node.id in asleep and world.up.oper[node.id]
            said = AlarmType.CELL_DEGRADED if degraded else AlarmType.CELL_UNAVAILABLE
            yield _says(node.id, said, delay.get(node.id, 0.0))

    def _degraded(self) -> Iterator[_Said]:
        world = self._world
        for fault in world.active(FaultKind.LINK_DEGRADED):
            link = world.topology.link_at[fault.element]
            if not world.up.link_up[link]:
                continue
            both = fault.back > ERRORS
            if fault.size > ERRORS and not (fault.grey and both):
                delay_s = GREY_DELAY_S if fault.grey else 0.0
                yield _says(world.topology.receiver[2 * link], AlarmType.LINK_DEGRADED, delay_s)
            if both:
                yield _says(world.topology.receiver[2 * link + 1], AlarmType.LINK_DEGRADED)

    def _load(self) -> Iterator[_Said]:
        world = self._world
        utilisation = world.traffic.utilisation
        self._full = (utilisation > FULL) | (self._full & (utilisation > NOT_FULL))
        self._full &= world.up.usable
        for arc in np.flatnonzero(self._full).tolist():
            yield _says(world.topology.sender[arc], AlarmType.CONGESTION)
        if len(self._limit) != len(world.topology.demands):
            self._limit = self._limits()
        bare = np.asarray(world.routes.shares @ world.topology.delay).ravel()
        slow = (world.traffic.delay > self._limit) & (bare < 0.8 * self._limit) & world.in_service()
        grey = {fault.element for fault in world.active(FaultKind.CONGESTION) if fault.grey}
        for row in np.flatnonzero(slow).tolist():
            if world.topology.demands[row] not in grey:
                yield _says(world.topology.demands[row], AlarmType.HIGH_DELAY)

    def _mistakes(self) -> Iterator[_Said]:
        for fault in self._world.active(FaultKind.INTERFACE_LOCKED, FaultKind.CELL_LOCKED):
            if fault.notified and not fault.grey:
                yield _says(fault.element, AlarmType.CONFIGURATION_CHANGED)
