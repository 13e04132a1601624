"""How well the evidence on and beside an element looks like a kind of fault: one small function per kind, 0 to 1.

A signature reads only the element and its nearest neighbours; what the fault would do further away is judged by
`scoring`. Every value is a noisy-or of signs or a product with its conditions, so each sign moves it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from causal.symptoms import OVERLOADED, Symptoms, noisy_or
from causal.topology import DEMAND, LINK, TERMINATION_POINT, Topology
from domain.alarms import AlarmType
from domain.diagnosis import FaultKind
from domain.measurements import Metric
from domain.network import NodeKind

_DARK = (AlarmType.LOSS_OF_SIGNAL, AlarmType.LINK_DOWN)


@dataclass(frozen=True)
class Scene:
    """What a signature may look at: the graph, the symptoms, and which elements are configured `locked`."""

    topology: Topology
    symptoms: Symptoms
    locked: frozenset[str] = frozenset()


def match(scene: Scene, element: str, fault: FaultKind) -> float:
    """Return how well (0–1) the evidence at `element` fits `fault`; 0 for a kind without a signature."""
    signature = _SIGNATURES.get(fault)
    return signature(scene, element) if signature else 0.0


def faults_of(kind: str) -> tuple[FaultKind, ...]:
    """Return the kinds of fault that an element of this kind can have."""
    return _FAULTS.get(kind, _NODE_FAULTS if kind in _SERVING else ())


def overload(scene: Scene, link: str) -> float:
    """Return how surely (0–1) a link carries more than it can."""
    return max((_hot(scene, end) for end in scene.topology.ends(link)), default=0.0)


def _hot(scene: Scene, point: str) -> float:
    reading = scene.symptoms.readings.get(point, {}).get(Metric.UTILISATION)
    read = 0.9 if reading and reading.value >= OVERLOADED else 0.0
    return noisy_or(read, 0.8 * scene.symptoms.alarm(point, AlarmType.CONGESTION))


def _touched(scene: Scene, element: str) -> float:
    """How surely somebody configured the element down: the configuration says so, or it was just changed."""
    if element in scene.locked:
        return 0.95
    if element in scene.symptoms.changed:
        return 0.85
    return 0.0


def _interface_locked(scene: Scene, point: str) -> float:
    s, far = scene.symptoms, scene.topology.peer(point)
    down = noisy_or(s.down(point), 0.7 * _most(s.down(end) for end in far))
    touched = noisy_or(_touched(scene, point), 0.5 * (scene.topology.owner(point) in s.changed))
    return down * noisy_or(touched, 0.12, 0.65 * _quiet(scene, point))


def _quiet(scene: Scene, point: str) -> float:
    """How surely (0–1) a port is down without having lost its light: one that was shut raises no such alarm.

    It may miss its routing neighbour all the same; its far end, which nobody shut, does lose the light.
    """
    s = scene.symptoms
    far_is_dark = _most(s.alarm(end, *_DARK) for end in scene.topology.peer(point))
    if s.alarm(point, *_DARK) > 0 or far_is_dark == 0:
        return 0.0
    if s.alarm(point, AlarmType.ADJACENCY_LOST) > 0:
        return far_is_dark
    return 0.6 * far_is_dark * (s.down(point) > 0)


def _link_down(scene: Scene, link: str) -> float:
    ends = scene.topology.ends(link)
    told = scene.symptoms.down(link)
    downs = [scene.symptoms.down(end) or 0.5 * (end in scene.symptoms.silent) for end in ends]
    # both ends agree, or one speaks alone
    agreed = 0.7 * min(downs, default=0.0) + 0.3 * max(downs, default=0.0)
    shut = _most(max(0.9 * _touched(scene, end), 0.5 * _quiet(scene, end)) for end in ends)
    return noisy_or(agreed, 0.6 * told) * (1.0 - shut)


def _link_degraded(scene: Scene, link: str) -> float:
    s, ends = scene.symptoms, scene.topology.ends(link)
    errors = [noisy_or(0.9 * s.reading(end, Metric.ERROR_RATE), 0.7 * _degraded(s, end)) for end in ends]
    up = 1.0 - _most(s.down(end) for end in ends)
    lossy = _share(s.reading(demand, Metric.LOSS) > 0.3 for demand in scene.topology.carried(link))
    calm = 1.0 - overload(scene, link)
    return up * noisy_or(
        0.7 * _most(errors), 0.25 * min(errors, default=0.0), 0.6 * _degraded(s, link), 0.25 * lossy * calm
    )


def _degraded(symptoms: Symptoms, element: str) -> float:
    return symptoms.alarm(element, AlarmType.LINK_DEGRADED)


def _process_hung(scene: Scene, node: str) -> float:
    s, topology = scene.symptoms, scene.topology
    told = 0.9 * s.alarm(node, AlarmType.PROCESS_FAILED)
    restarted = 0.3 * s.reading(node, Metric.PROCESS_UPTIME)
    if not topology.routes(node):
        served = topology.effects(node)
        idle = _share(s.reading(cell, Metric.THROUGHPUT) > 0.5 or s.down(cell) > 0 for cell in served)
        return (1.0 - 0.8 * s.down(node)) * noisy_or(told, restarted, 0.4 * idle)
    points = topology.interfaces(node)
    lost = _adjacencies_lost(scene, node)
    missed = [_misses(scene, end) for point in points for end in topology.peer(point)]
    seen = 0.6 * (sum(missed) / len(missed)) ** 2 if missed else 0.0
    ports_down = _share(s.down(point) > 0.5 for point in points)
    return (1.0 - 0.8 * max(s.down(node), ports_down)) * noisy_or(told, restarted, lost, seen)


def _misses(scene: Scene, point: str) -> float:
    """Return how surely (0–1) a port that is up lost its routing neighbour at the other end."""
    s = scene.symptoms
    reading = s.readings.get(scene.topology.owner(point), {}).get(Metric.ADJACENCIES)
    fewer = 0.5 * bool(reading and reading.value < reading.usual)
    return (1.0 - s.down(point)) * max(s.alarm(point, AlarmType.ADJACENCY_LOST), fewer)


def _adjacencies_lost(scene: Scene, node: str) -> float:
    """Return the share of a node's routing neighbours that it lost, weighed by how far that stands out."""
    s = scene.symptoms
    reading = s.readings.get(node, {}).get(Metric.ADJACENCIES)
    gone = max(0.0, 1.0 - reading.value / reading.usual) if reading and reading.usual > 0 else 0.0
    points = scene.topology.interfaces(node)
    told = _share(s.alarm(point, AlarmType.ADJACENCY_LOST) > 0 for point in points)
    own = 0.3 * s.alarm(node, AlarmType.ADJACENCY_LOST)
    return noisy_or(0.7 * gone * s.reading(node, Metric.ADJACENCIES), 0.5 * told, own)


def _node_down(scene: Scene, node: str) -> float:
    s, topology = scene.symptoms, scene.topology
    points = topology.interfaces(node)
    ports = _share(s.down(point) > 0.5 or point in s.silent for point in points)
    far = _share(s.down(end) > 0.5 for point in points for end in topology.peer(point))
    quiet = 0.3 * (node in s.silent)
    beside = 0.5 * ports * far if len(points) > 1 else 0.3 * ports * far
    unreachable = 0.4 * s.alarm(node, AlarmType.NODE_UNREACHABLE)
    by_power = max(
        (s.down(cause) for cause in topology.causes(node) if topology.kind(cause) == NodeKind.POWER), default=0
    )
    return noisy_or(0.7 * s.down(node), beside, quiet, unreachable) * (1.0 - 0.5 * by_power)


def _power_lost(scene: Scene, power: str) -> float:
    s = scene.symptoms
    fed = scene.topology.effects(power)
    dark = _share(s.down(node) > 0.5 or node in s.silent for node in fed)
    battery = noisy_or(0.7 * s.alarm(power, AlarmType.ON_BATTERY), 0.6 * s.reading(power, Metric.BATTERY))
    own = noisy_or(0.9 * s.down(power), battery)
    # several things that only share their power went dark together
    together = (0.65 if len(fed) > 1 else 0.3) * dark**2
    return noisy_or(own, together, 0.2 * (power in s.silent))


def _cell_out(scene: Scene, cell: str) -> float:
    """How surely a cell is out while what it hangs on works."""
    holder = _most(scene.symptoms.down(cause) for cause in scene.topology.above(cell))
    return scene.symptoms.down(cell) * (1.0 - 0.7 * holder)


def _cell_locked(scene: Scene, cell: str) -> float:
    touched = _touched(scene, cell)
    gone = noisy_or(scene.symptoms.down(cell), 0.8 * scene.symptoms.reading(cell, Metric.THROUGHPUT))
    return noisy_or(0.95 * touched * gone, 0.5 * _cell_out(scene, cell))


def _cell_sleeping(scene: Scene, cell: str) -> float:
    s = scene.symptoms
    idle = noisy_or(0.85 * s.reading(cell, Metric.THROUGHPUT), 0.6 * s.alarm(cell, AlarmType.CELL_DEGRADED))
    hung = 0.7 * s.alarm(cell, AlarmType.PROCESS_FAILED)
    return noisy_or(idle, hung) * (1.0 - 0.85 * s.down(cell)) * (1.0 - 0.8 * _touched(scene, cell))


def _congestion(scene: Scene, demand: str) -> float:
    s = scene.symptoms
    reading = s.readings.get(demand, {}).get(Metric.THROUGHPUT)
    risen = min(1.0, abs(reading.score) / 10.0) if reading and reading.value > reading.usual else 0.0
    growth = min(1.0, max(0.0, reading.value / reading.usual - 1.0)) if risen and reading and reading.usual > 0 else 0.0
    hot = _most(overload(scene, link) for link in scene.topology.path(demand))
    surge = noisy_or(0.4 * risen, 0.7 * risen * growth)
    return noisy_or(surge * (0.25 + 0.75 * hot), hot * (0.06 if demand in s.healthy else 0.15))


def _most(values: Iterable[float]) -> float:
    return max(values, default=0.0)


def _share(signs: Iterable[bool]) -> float:
    seen = [float(sign) for sign in signs]
    return sum(seen) / len(seen) if seen else 0.0


_SIGNATURES: dict[FaultKind, Callable[[Scene, str], float]] = {
    FaultKind.INTERFACE_LOCKED: _interface_locked,
    FaultKind.LINK_DOWN: _link_down,
    FaultKind.LINK_DEGRADED: _link_degraded,
    FaultKind.CONGESTION: _congestion,
    FaultKind.PROCESS_HUNG: _process_hung,
    FaultKind.NODE_DOWN: _node_down,
    FaultKind.POWER_LOST: _power_lost,
    FaultKind.CELL_LOCKED: _cell_locked,
    FaultKind.CELL_SLEEPING: _cell_sleeping,
}
_FAULTS: dict[str, tuple[FaultKind, ...]] = {
    TERMINATION_POINT: (FaultKind.INTERFACE_LOCKED,),
    LINK: (FaultKind.LINK_DOWN, FaultKind.LINK_DEGRADED),
    DEMAND: (FaultKind.CONGESTION,),
    NodeKind.POWER: (FaultKind.POWER_LOST,),
    NodeKind.CELL: (FaultKind.CELL_LOCKED, FaultKind.CELL_SLEEPING),
}
_NODE_FAULTS = (FaultKind.NODE_DOWN, FaultKind.PROCESS_HUNG)
_SERVING = frozenset({NodeKind.CORE, NodeKind.AGGREGATION, NodeKind.GATEWAY, NodeKind.ROUTER, NodeKind.GNB})
