"""The true state of the plant and what changes it: time, faults, actions. Nobody outside the process sees it whole."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from adapters.network.emulated.arrivals import circuit_of, with_circuit
from adapters.network.emulated.availability import Availability, Closure
from adapters.network.emulated.demands import Demands, thinned
from adapters.network.emulated.faults import MISTAKES, REPAIRED_BY, REPAIRED_BY_CREW, Fault
from adapters.network.emulated.habits import Habits
from adapters.network.emulated.physics import Flags, Floats, Routes, Topology, Traffic, hashed, route, traffic
from adapters.network.emulated.places import hosts, within
from adapters.network.emulated.times import iso
from domain.actions import (
    Action,
    ActivateCircuit,
    DeactivateCircuit,
    DispatchCrew,
    DrainLink,
    InterfaceDown,
    InterfaceUp,
    LockCell,
    RecallCrew,
    RestartProcess,
    SteerDemand,
    UndrainLink,
    UnlockCell,
)
from domain.diagnosis import FaultKind
from domain.network import ROUTING_KINDS, Inventory, Node, NodeKind
from domain.waypoints import WHOLE, policy_text

_PROCESS_KINDS = ROUTING_KINDS | {NodeKind.GNB, NodeKind.CELL}


@dataclass(frozen=True)
class Notice:
    """A configuration notification: an attribute of an element was set."""

    element: str
    attribute: str
    value: str


class World:
    """State, and what follows from it. Not thread-safe: the runtime holds a lock. Times are seconds since 1970."""

    def __init__(
        self, inventory: Inventory, topology: Topology, habits: Habits, rng: np.random.Generator, now: float
    ) -> None:
        """Start with everything as declared and no fault."""
        self.inventory, self.habits = inventory, habits
        self.topology = replace(topology, delay=topology.delay * habits.delay_factor)
        self.node: dict[str, Node] = {node.id: node for node in inventory.nodes}
        self.faults: list[Fault] = []
        self._administrative = {tp.id: str(tp.administrative) for tp in inventory.termination_points}
        self._administrative |= {node.id: str(node.administrative) for node in inventory.nodes}
        self._administrative |= {demand.id: str(demand.administrative) for demand in inventory.demands}
        self._metric = {link.id: link.metric for link in inventory.links}
        self._policy: dict[str, tuple[str | None, float]] = {
            demand.id: (demand.via, WHOLE) for demand in inventory.demands
        }
        self._started = {node: now - age for node, age in habits.uptime_s.items()}
        self._restarting: dict[str, float] = {}
        self._crews: dict[str, float] = {}  # target to time of arrival; infinity once they have arrived
        self._arrived: dict[str, float] = {}  # target to when they came
        self._notices: list[Notice] = []
        self._closure = Closure(inventory, self.topology)
        self._reroute_at: float | None = None
        self.up = self._availability(now)
        self.routes = self._routes()
        believed = np.array([demand.mbps for demand in inventory.demands], dtype=float)
        base = thinned(believed * habits.demand_factor, self.routes, self.topology.capacity)
        self.demands = Demands(base, habits.bursts, rng)
        self.traffic: Traffic = self.flow(now)

    # what is there

    def state(self, element: str) -> dict[str, str]:
        """Return the element's state as one reads it from the device. Raises KeyError when there is no such element."""
        shown = self._shown(element)
        shown["crew"] = "dispatched" if element in self._crews else "none"
        if element in self._arrived:
            shown["crew_arrived_at"] = datetime.fromtimestamp(self._arrived[element], UTC).isoformat()
        return shown

    def _shown(self, element: str) -> dict[str, str]:
        if element in self.node:
            return self._shown_node(self.node[element])
        if element in self._metric:
            up = self.up.link_up[self.topology.link_at[element]]
            return {"metric": str(self._metric[element]), "operational": _operational(bool(up))}
        if element in self._policy:
            return {"via": policy_text(*self._policy[element]), "administrative": self._administrative[element]}
        up = element in self.topology.arc_at and self.up.link_up[self.topology.arc_at[element] >> 1]
        return {"administrative": self._administrative[element], "operational": _operational(bool(up))}

    def _shown_node(self, node: Node) -> dict[str, str]:
        shown = {"operational": _operational(self.up.oper[node.id])}
        if node.kind in _PROCESS_KINDS:
            shown["process"] = "hung" if node.id in self.hung() else "running"
            shown["process_started_at"] = iso(self._started[node.id])
        if node.kind is NodeKind.CELL:
            shown["administrative"] = self._administrative[node.id]
        return shown

    def kind_of(self, element: str) -> str | None:
        """Return `termination_point`, `link`, `demand`, a node's kind, or None for an unknown element."""
        if element in self.node:
            return str(self.node[element].kind)
        if element in self._metric:
            return "link"
        if element in self._policy:
            return "demand"
        return "termination_point" if element in self._administrative else None

    def active(self, *kinds: FaultKind) -> Iterator[Fault]:
        """Yield the faults that stand, of these kinds or of all."""
        return (fault for fault in self.faults if fault.active and (not kinds or fault.kind in kinds))

    def hung(self) -> set[str]:
        """Return the nodes whose process hangs."""
        return {fault.element for fault in self.active(FaultKind.PROCESS_HUNG, FaultKind.CELL_SLEEPING)}

    def dark(self, now: float) -> set[str]:
        """Return the power elements that deliver nothing: no mains, and batteries empty."""
        return {fault.element for fault in self.active(FaultKind.POWER_LOST) if fault.dark_at <= now}

    def started(self, node: str) -> float:
        """Return when the node's process started."""
        return self._started[node]

    def degraded(self) -> Floats:
        """Return the share of frames that each arc loses by a grey fault."""
        lost = np.zeros(len(self.topology.tail))
        for fault in self.active(FaultKind.LINK_DEGRADED):
            arc = 2 * self.topology.link_at[fault.element]
            lost[arc], lost[arc + 1] = max(lost[arc], fault.size), max(lost[arc + 1], fault.back)
        return lost

    def in_service(self) -> Flags:
        """Return, per demand, whether it is unlocked."""
        return np.array([self._administrative[demand] == "unlocked" for demand in self.topology.demands], dtype=bool)

    def metrics(self) -> Floats:
        """Return the IGP metric of each arc."""
        return np.repeat(np.array([self._metric[link] for link in self.topology.links], dtype=float), 2)

    def notices(self) -> list[Notice]:
        """Return, once, the configuration notifications since the last call."""
        drained, self._notices = self._notices, []
        return drained

    # what time does

    def next_change(self) -> float:
        """Return when time alone will change the state next, or infinity."""
        times = [fault.ends_at for fault in self.active() if fault.ends_at is not None]
        times += [fault.dark_at for fault in self.active(FaultKind.POWER_LOST) if fault.element not in self._dark]
        times += [*self._restarting.values(), *self._crews.values()]
        times += [] if self._reroute_at is None else [self._reroute_at]
        return min(times, default=float("inf"))

    def advance(self, now: float) -> None:
        """Do what time has brought by `now`: self-healing, crews at work, empty batteries, restarts, rerouting."""
        if self.next_change() > now:
            return
        for fault in list(self.active()):
            if fault.ends_at is not None and fault.ends_at <= now:
                self._heal(fault, now, "itself")
        for target, arrival in list(self._crews.items()):
            if arrival <= now:
                self._crews[target] = float("inf")
                self._arrived[target] = arrival
                self._repair(within(self.inventory, self.topology, target), now)
        self._restarting = {node: until for node, until in self._restarting.items() if until > now}
        if self._reroute_at is not None and self._reroute_at <= now:
            self.routes, self._reroute_at = self._routes(), None
        self._settle(now)

    def flow(self, now: float) -> Traffic:
        """Step the demands to `now` and return what flows."""
        surge = self.in_service().astype(float)
        for fault in self.active(FaultKind.CONGESTION):
            surge[self.topology.demand_at[fault.element]] *= fault.size
        clean = np.where(self.up.usable, 1.0 - self.degraded(), 0.0)
        asked = self.demands.step(now, surge)
        self.traffic = traffic(
            self.topology, self.routes, asked, clean=clean, queue=self.habits.queue_ms, buffer_ms=self.habits.buffer_ms
        )
        return self.traffic

    # what faults and actions do

    def break_(self, fault: Fault) -> None:
        """Let a fault begin."""
        self.faults.append(fault)
        if fault.kind in MISTAKES:
            self._administrative[fault.element] = "locked"
            if fault.notified:
                self._notices.append(Notice(fault.element, "administrative", "locked"))
        self._settle(fault.at)

    def calm(self, now: float) -> None:
        """End every fault."""
        for fault in list(self.active()):
            self._heal(fault, now, "calm")
        self._settle(now)

    def reaches(self, action: Action) -> bool:
        """Say whether the device that is to carry the action out is alive; people find their way without it."""
        if isinstance(action, DispatchCrew | RecallCrew):
            return True
        if isinstance(action, ActivateCircuit | DeactivateCircuit):
            return self.up.alive[action.source]  # its head end holds its configuration
        return any(self.up.alive[node] for node in hosts(self.inventory, self.topology, action.target))

    def apply(self, action: Action, key: str, now: float, crew_s: float) -> bool:
        """Carry the action out; return whether anything is different now.

        Args:
            action: what is to be done; its target was checked when it was accepted.
            key: who did it, for the truth about repaired faults.
            now: seconds since 1970.
            crew_s: how long a crew travels.
        """
        if isinstance(action, ActivateCircuit) and action.target not in self._policy:
            self._admit(action, now)
        before = self._shown(action.target), action.target in self._crews
        self._do(action, now, crew_s)
        for fault in list(self.active(*REPAIRED_BY.get(action.kind, frozenset()))):
            if fault.element == action.target and action.kind in REPAIRED_BY:
                fault.heal(now, key)
        self._settle(now)
        return before != (self._shown(action.target), action.target in self._crews)

    def _do(self, action: Action, now: float, crew_s: float) -> None:
        target = action.target
        match action:
            case InterfaceUp() | UnlockCell():
                self._set_administrative(target, "unlocked")
            case InterfaceDown() | LockCell():
                self._set_administrative(target, "locked")
            case DrainLink() | UndrainLink():
                self._metric[target] = action.changes()[0].metric  # type: ignore[union-attr]
                self._notices.append(Notice(target, "metric", str(self._metric[target])))
                self._reroute_soon(now)
            case SteerDemand():
                self._policy[target] = (action.via, action.share)
                self._notices.append(Notice(target, "via", policy_text(*self._policy[target])))
                self._reroute_soon(now)
            case ActivateCircuit() | DeactivateCircuit():
                active = isinstance(action, ActivateCircuit)
                self._set_administrative(target, "unlocked" if active else "locked")
                self._policy[target] = (action.via, action.share) if active else (None, WHOLE)
                self._notices.append(Notice(target, "via", policy_text(*self._policy[target])))
                self._reroute_soon(now)
            case RestartProcess():
                self._started[target] = now
                self._restarting[target] = now + self.habits.restart_s
            case DispatchCrew():
                self._crews[target] = now + crew_s
                self._arrived.pop(target, None)
            case RecallCrew():
                self._crews.pop(target, None)
                self._arrived.pop(target, None)
            case _:
                raise AssertionError(f"nothing was accepted that is not done here: `{action.kind}`")

    def _admit(self, asked: ActivateCircuit, now: float) -> None:
        """Set up a circuit that is not there yet: locked, and with a customer who uses what was ordered, or less."""
        circuit = circuit_of(asked)
        self.inventory = with_circuit(self.inventory, circuit, asked)
        self.topology = replace(Topology.of(self.inventory), delay=self.topology.delay)
        self.habits = self.habits.with_demand(circuit.id)
        self._administrative[circuit.id], self._policy[circuit.id] = "locked", (None, WHOLE)
        self.demands.add(circuit.mbps * float(self.habits.demand_factor[-1]))
        self.routes = self._routes()
        self.flow(now)

    def _set_administrative(self, element: str, value: str) -> None:
        self._administrative[element] = value
        self._notices.append(Notice(element, "administrative", value))

    def _heal(self, fault: Fault, now: float, by: str) -> None:
        fault.heal(now, by)
        if fault.kind in MISTAKES:
            self._set_administrative(fault.element, "unlocked")

    def _repair(self, elements: set[str], now: float) -> None:
        for fault in list(self.active(*REPAIRED_BY_CREW)):
            if fault.element in elements:
                self._heal(fault, now, "crew")

    # what follows

    def _settle(self, now: float) -> None:
        before = self.up
        self.up = self._availability(now)
        if not np.array_equal(before.usable, self.up.usable):
            self._reroute_soon(now)

    def _reroute_soon(self, now: float) -> None:
        if self._reroute_at is None:
            self._reroute_at = now + self.habits.convergence_s

    def _availability(self, now: float) -> Availability:
        self._dark = self.dark(now)
        locked = {element for element, value in self._administrative.items() if value == "locked"}
        broken = {fault.element for fault in self.active(FaultKind.LINK_DOWN, FaultKind.NODE_DOWN)}
        return self._closure.of(locked, broken | self._dark, self.hung() | set(self._restarting))

    def _routes(self) -> Routes:
        policies = list(self._policy.values())
        vias = [None if via is None else self.topology.node_at[via] for via, _ in policies]
        parts = hashed(np.array([share for _, share in policies], dtype=float), self.habits.list_weight)
        return route(self.topology, self.metrics(), self.up.usable, vias, self.habits.hash_weight, parts.tolist())


def _operational(up: bool) -> str:
    return "enabled" if up else "disabled"
