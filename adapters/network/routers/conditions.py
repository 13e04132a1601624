"""Which alarms hold, given what was heard of the routers; and in whose words they are told.

A router that is shut by its configuration raises no `IF-DOWN`: the change is told instead, and the other end, which
nobody shut, misses its light. Alarms that one odd sample could raise wait until it has been so for a while.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.network.routers.discovery import Topology
from adapters.network.routers.observation import Heard, Observation
from adapters.network.routers.rates import Rate

VENDOR = "frr"
IF_DOWN, IF_SHUT, IF_FULL = "IF-DOWN", "IF-SHUT", "IF-OVERUTIL"
NEIGHBOUR_LOST, ROUTING_LOST = "OSPF-NBR-DOWN", "OSPFD-DOWN"
SILENT, GARBLED = "ROUTER-SILENT", "ANSWER-BROKEN"

#: Severities as syslog has them (RFC 5424).
SEVERITY = {
    IF_DOWN: "crit",
    SILENT: "crit",
    NEIGHBOUR_LOST: "err",
    ROUTING_LOST: "err",
    GARBLED: "warning",
    IF_FULL: "warning",
    IF_SHUT: "notice",
}
#: Utilisation at which an interface cries, and at which it calms down again.
FULL, NOT_FULL = 0.95, 0.9
#: So many samples in a row must agree before these are told.
_PATIENCE = {SILENT: 3, GARBLED: 3, IF_FULL: 2}
#: So many samples in a row must agree that these are over: a full queue measured on a busy machine seems to flap.
_LINGERS = {IF_FULL: 3}


@dataclass(frozen=True)
class Condition:
    """Something that holds at an element, by the name of its alarm."""

    resource: str
    name: str


class Conditions:
    """Remembers which interfaces are full, and for how many samples each condition has held."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._full: set[str] = set()
        self._held: dict[Condition, int] = {}
        self._missed: dict[Condition, int] = {}  # for how many samples it was seen not to hold

    def update(self, seen: Sequence[Observation], rates: Mapping[str, Rate]) -> frozenset[Condition]:
        """Return what holds now. `rates` are by termination point; what is not in them is not known.

        What cannot be seen now is neither raised nor cleared: a condition at an element of which nothing was heard
        stays as it was.
        """
        held = {condition: self._held.get(condition, 0) + 1 for condition in self._now(seen, rates)}
        visible = self._visible(seen, rates)
        missed = {old: self._missed.get(old, 0) + visible(old) for old in self._held if old not in held}
        self._missed = {old: count for old, count in missed.items() if count < self._lingers(old)}
        self._held = {old: self._held[old] for old in self._missed} | held
        return frozenset(c for c, count in self._held.items() if count >= _PATIENCE.get(c.name, 1))

    def _lingers(self, condition: Condition) -> int:
        told = self._held[condition] >= _PATIENCE.get(condition.name, 1)
        return _LINGERS.get(condition.name, 1) if told else 1

    def _now(self, seen: Sequence[Observation], rates: Mapping[str, Rate]) -> Iterator[Condition]:
        for observation in seen:
            yield from _of_node(observation)
            for name, point in self._points(observation):
                yield from _of_point(observation, name, point)
        for point, rate in rates.items():
            full = (rate.utilisation or 0.0) > (NOT_FULL if point in self._full else FULL)
            (self._full.add if full else self._full.discard)(point)
            if full:
                yield Condition(point, IF_FULL)

    def _points(self, observation: Observation) -> list[tuple[str, str]]:
        router = observation.access.name
        return [(name, point) for (owner, name), point in self._topology.at.items() if owner == router]

    def _visible(self, seen: Sequence[Observation], rates: Mapping[str, Rate]) -> Callable[[Condition], bool]:
        """Return a function that says whether it would be seen now that a condition is over."""
        nodes = {observation.access.node for observation in seen}
        with_ports = {p for o in seen if o.interfaces is not None for _, p in self._points(o)}
        with_neighbours = {p for o in seen if o.adjacencies is not None for _, p in self._points(o)}
        where = {IF_DOWN: with_ports, IF_SHUT: with_ports, NEIGHBOUR_LOST: with_neighbours, IF_FULL: rates.keys()}
        return lambda condition: condition.resource in where.get(condition.name, nodes)


def _of_node(observation: Observation) -> Iterator[Condition]:
    said = {Heard.NOTHING: SILENT, Heard.GARBLED: GARBLED, Heard.NO_ROUTING: ROUTING_LOST}.get(observation.heard)
    if said:
        yield Condition(observation.access.node, said)


def _of_point(observation: Observation, name: str, point: str) -> Iterator[Condition]:
    interface = (observation.interfaces or {}).get(name)
    if interface is None:
        return
    if not interface.admin_up:
        yield Condition(point, IF_SHUT)
    elif not interface.oper_up:
        yield Condition(point, IF_DOWN)
    if observation.adjacencies is not None and not observation.adjacencies.get(name):
        yield Condition(point, NEIGHBOUR_LOST)
