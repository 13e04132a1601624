"""The best way for each ordered circuit: the default one, or through one waypoint.

Of the ways that keep all bounds (`twin.placing.bounds`), the one that leaves the network's fullest link least full is
the best; then the one whose own fullest link is, then the shortest. The biggest circuit is placed first, each on top
of those before it; whatever comes out is checked as a whole. Waypoints that lead far around are not tried.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from domain.changes import ScaleDemand, SetAdministrative
from domain.errors import BadInput
from domain.network import Administrative
from domain.orders import ServiceOrder, declared
from twin.evaluate import Prediction, evaluate
from twin.placing.bounds import Bounds, Way, added, objections
from twin.snapshot import Snapshot
from twin.topology import Flags, Ints, Topology

#: So many waypoints are tried, the least detours first, and so many ways are taken through all failures.
_WAYPOINTS, _TRIED = 48, 6
#: In a network with many demands fewer waypoints are tried, so that this many demands are looked at, and two anyway.
_LOOKED_AT, _LEAST_WAYPOINTS = 400_000, 2
#: Demands times links of the largest network whose failures are all gone through for a protected circuit.
_MOST_FAILURES = 2_000_000
#: The rate that would fit is searched for to one part in 2 to the power of this.
_HALVINGS = 7


@dataclass(frozen=True)
class Placement:
    """The ways of all circuits, or why they cannot be had.

    Attributes:
        ways: one per circuit, sorted by circuit; empty where it does not fit.
        refused: in words, what stands against it; empty where it fits.
        fits_share: where it does not fit, the largest share of the ordered rate that does, rounded down; 0 where the
            rate is not what stands against it.
    """

    ways: tuple[Way, ...]
    refused: str = ""
    fits_share: float | None = None


def planned(snapshot: Snapshot, order: ServiceOrder) -> Snapshot:
    """Return the state with an order's circuits declared and locked, whether it knows them already or not.

    Raises:
        BadInput: the order names what is not there.
    """
    if not set(order.circuit_ids) <= set(snapshot.topology.demand_at):
        grown = declared(snapshot.inventory, (order,))
        snapshot = Snapshot(Topology.of(grown), snapshot.state)
    locked = [SetAdministrative(element=name, state=Administrative.LOCKED) for name in order.circuit_ids]
    return snapshot.with_changes(locked)


def place(snapshot: Snapshot, circuits: Sequence[str], protected: Iterable[str], bounds: Bounds) -> Placement:
    """Return the best ways for locked circuits of a state, or what stands against them and which rate would fit.

    Args:
        snapshot: the state; the circuits are declared in it and locked.
        circuits: their ids.
        protected: those of them whose promise must hold after any single link failure.
        bounds: how full links may get.

    Raises:
        BadInput: a circuit is no demand of this network, or it is too large for protection to be worked out.
    """
    guarded = frozenset(protected)
    if guarded and (size := len(snapshot.topology.links) * len(snapshot.topology.demands)) > _MOST_FAILURES:
        raise BadInput(
            f"a protected circuit is held against every link failure, and this network is {size / _MOST_FAILURES:.0f} "
            "times too large for that here; order it without protection"
        )
    found = _placed(snapshot, circuits, guarded, bounds)
    if not isinstance(found, str):
        return Placement(ways=tuple(sorted(found, key=lambda way: way.circuit)))
    return Placement(ways=(), refused=found, fits_share=_largest(snapshot, circuits, guarded, bounds))


def _largest(snapshot: Snapshot, circuits: Sequence[str], protected: frozenset[str], bounds: Bounds) -> float:
    def fits(share: float) -> bool:
        less = snapshot.with_changes([ScaleDemand(demand=name, factor=share) for name in circuits])
        return not isinstance(_placed(less, circuits, protected, bounds), str)

    good, bad = 2.0**-_HALVINGS, 1.0
    if not fits(good):
        return 0.0
    while bad - good > 2.0**-_HALVINGS:
        middle = (good + bad) / 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good


def _placed(snapshot: Snapshot, circuits: Sequence[str], protected: frozenset[str], bounds: Bounds) -> list[Way] | str:
    rate = {name: float(snapshot.value(name, "mbps") or 0.0) for name in circuits}
    ways: list[Way] = []
    state = snapshot
    for name in sorted(circuits, key=lambda circuit: (-rate[circuit], circuit)):
        found = _best(snapshot, state, [*(way.circuit for way in ways), name], protected, bounds)
        if isinstance(found, str):
            return found
        ways.append(found)
        state = state.with_changes(found.changes())
    return ways


def _best(
    before: Snapshot, state: Snapshot, circuits: Sequence[str], protected: frozenset[str], bounds: Bounds
) -> Way | str:
    """Return the best way of the last of the circuits, on top of the others; or what stands against it."""
    base = evaluate(before)
    fitting: list[tuple[tuple[float, float, float, str], Way]] = []
    against: list[tuple[tuple[float, float, float, str], str]] = []
    for via in (None, *_waypoints(state, circuits[-1])):
        way, after = _tried(base, state, circuits[-1], via)
        said = next(objections(before, after, circuits, (), bounds), "")
        rank = (evaluate(after).impact().max_utilisation, way.fullest, way.delay_ms, via or "")
        if said:
            against.append((rank, said))
        else:
            fitting.append((rank, way))
    if not fitting:
        return min(against)[1]
    refused = ""
    for _, way in sorted(fitting, key=lambda entry: entry[0])[:_TRIED]:
        after = state.with_changes(way.changes())  # made again: the states of all ways at once would fill the memory
        said = next(objections(before, after, circuits, protected, bounds), "")
        if not said:
            return way
        refused = refused or said
    return refused


def _tried(base: Prediction, state: Snapshot, circuit: str, via: str | None) -> tuple[Way, Snapshot]:
    way = Way(circuit, via, 0.0, 0.0, "")
    after = state.with_changes(way.changes())
    predicted = evaluate(after)
    fullest, arc = added(base, predicted)
    delay = float(predicted.worst_delay_ms[predicted.topology.demand_at[circuit]])
    link = predicted.topology.links[arc // 2] if arc >= 0 else ""
    return Way(circuit, via, delay, fullest, link), after


def _waypoints(state: Snapshot, circuit: str) -> list[str]:
    """Return the waypoints worth trying, the least detours (by metric) first."""
    topology, predicted = state.topology, evaluate(state)
    if circuit not in topology.demand_at:
        raise BadInput(f"`{circuit}` is no demand of this network; declare it first")
    ask, place = predicted.routing.ask, topology.demand_at[circuit]
    begin, end = int(topology.source[place]), int(topology.destination[place])
    graph = _costs(topology, ask.usable, ask.metric)
    detour = dijkstra(graph, indices=begin) + dijkstra(graph.T.tocsr(), indices=end)
    nearest = [int(router) for router in np.argsort(detour, kind="stable") if np.isfinite(detour[router])]
    most = min(_WAYPOINTS, max(_LEAST_WAYPOINTS, _LOOKED_AT // len(topology.demands)))
    chosen = [router for router in nearest if router not in (begin, end)][:most]
    return [topology.nodes[topology.routers[router]] for router in chosen]


def _costs(topology: Topology, usable: Flags, metric: Ints) -> Any:
    """Return the least metric from router to router, sparse."""
    arcs = np.flatnonzero(usable & (topology.tail != topology.head))
    arcs = arcs[np.lexsort((metric[arcs], topology.head[arcs], topology.tail[arcs]))]
    tail, head = topology.tail[arcs], topology.head[arcs]
    first = np.ones(len(arcs), np.bool_)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    size = len(topology.routers)
    return csr_matrix((metric[arcs][first].astype(np.float64), (tail[first], head[first])), shape=(size, size))
