"""What each fault would make visible, as a chance per element: the rows that scoring compares with what is seen.

The twin says what stops working when an element fails (`consequences`); this module bends that into the kind of
fault. A hung router keeps its ports up; a degraded link takes nothing down, but what it carries loses traffic; a
surge shows on the demand and on the links it overloads.
"""

from collections.abc import Callable, Mapping

from causal.candidates import Candidate
from causal.signatures import Scene, overload
from causal.topology import DEMAND
from domain.diagnosis import FaultKind

#: Chances that an element shows trouble under the fault: surely, probably, possibly.
SURE, LIKELY, POSSIBLE = 0.95, 0.5, 0.2
#: The culprit's own telemetry is clean now and then (a grey fault).
SELF = 0.75


def expectation(scene: Scene, candidate: Candidate, consequences: frozenset[str]) -> Mapping[str, float]:
    """Return element → chance (0–1] that it shows trouble if `candidate` is the fault; all others stay calm."""
    chances = _BY_FAULT[candidate.fault](scene, candidate.element, consequences)
    chances[candidate.element] = max(SELF, min(chances.get(candidate.element, SELF), SELF))
    return chances


def _marked(*groups: tuple[float, tuple[str, ...]]) -> dict[str, float]:
    chances: dict[str, float] = {}
    for chance, elements in groups:
        for element in elements:
            chances[element] = max(chance, chances.get(element, 0.0))
    return chances


def _wire(scene: Scene, link: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a link's ends, and the nodes they belong to (which count one neighbour less)."""
    ends = scene.topology.ends(link)
    return ends, tuple(owner for owner in map(scene.topology.owner, ends) if owner)


def _link_out(scene: Scene, link: str, consequences: frozenset[str]) -> dict[str, float]:
    ends, owners = _wire(scene, link)
    carried = scene.topology.carried(link)
    return _marked((SURE, (*consequences, *ends)), (LIKELY, owners), (POSSIBLE, carried))


def _port_locked(scene: Scene, point: str, consequences: frozenset[str]) -> dict[str, float]:
    chances = _marked((SURE, (*consequences, point, *scene.topology.peer(point))))
    for link in scene.topology.links(point):
        chances = _link_out(scene, link, frozenset()) | chances
    return chances


def _link_degraded(scene: Scene, link: str, _consequences: frozenset[str]) -> dict[str, float]:
    ends, _ = _wire(scene, link)
    return _marked((0.8, ends), (LIKELY, scene.topology.carried(link)), (LIKELY, (link,)))


def _surge(scene: Scene, demand: str, _consequences: frozenset[str]) -> dict[str, float]:
    chances = {demand: SURE}
    for link in scene.topology.path(demand):
        ends, _ = _wire(scene, link)
        hot = overload(scene, link) > 0
        chances |= _marked((LIKELY if hot else POSSIBLE, ends))
        if hot:
            chances = _marked((LIKELY, scene.topology.carried(link))) | chances
    return chances


def _hung(scene: Scene, node: str, consequences: frozenset[str]) -> dict[str, float]:
    topology = scene.topology
    points = topology.interfaces(node)
    far = tuple(end for point in points for end in topology.peer(point))
    wires = tuple(link for point in points for link in topology.links(point))
    still_up = {*points, *far, *wires}
    lost = tuple(element for element in consequences if element not in still_up)
    carried = tuple(demand for link in wires for demand in topology.carried(link))
    return _marked((SURE, lost), (SURE, topology.neighbours(node)), (LIKELY, (*points, *far)), (POSSIBLE, carried))


def _node_out(scene: Scene, node: str, consequences: frozenset[str]) -> dict[str, float]:
    topology = scene.topology
    points = topology.interfaces(node)
    far = tuple(end for point in points for end in topology.peer(point))
    wires = tuple(link for point in points for link in topology.links(point))
    carried = tuple(demand for link in wires for demand in topology.carried(link))
    return _marked((SURE, (*consequences, *points, *far)), (LIKELY, topology.neighbours(node)), (POSSIBLE, carried))


def _power_out(scene: Scene, power: str, consequences: frozenset[str]) -> dict[str, float]:
    chances = _marked((SURE, tuple(consequences)))
    for node in scene.topology.effects(power):
        if node in consequences:
            chances = _node_out(scene, node, frozenset({node})) | chances
    return chances


def _cell_out(scene: Scene, _cell: str, consequences: frozenset[str]) -> dict[str, float]:
    spared = {effect for effect in consequences if scene.topology.kind(effect) == DEMAND}
    return _marked((SURE, tuple(consequences - spared)))


_BY_FAULT: dict[FaultKind, Callable[[Scene, str, frozenset[str]], dict[str, float]]] = {
    FaultKind.INTERFACE_LOCKED: _port_locked,
    FaultKind.LINK_DOWN: _link_out,
    FaultKind.LINK_DEGRADED: _link_degraded,
    FaultKind.CONGESTION: _surge,
    FaultKind.PROCESS_HUNG: _hung,
    FaultKind.NODE_DOWN: _node_out,
    FaultKind.POWER_LOST: _power_out,
    FaultKind.CELL_LOCKED: _cell_out,
    FaultKind.CELL_SLEEPING: _cell_out,
}
