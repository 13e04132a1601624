"""Which demands to send another way when a link carries too much: a search in the twin.

A cheap estimate proposes moves: for each demand over the hottest link, the waypoints behind which there is room
(one shortest-path tree from its source, one towards its destination). The twin then judges the most promising
ones, and the best is kept; so on until nothing is lost or nothing helps. The naive plan, doing nothing, is what
every move is measured against.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.actions import SteerDemand
from domain.changes import Change
from domain.network import Demand, Link
from domain.rehearsal import Impact
from twin.evaluate import Prediction, evaluate
from twin.snapshot import Snapshot

#: A link is no trouble any more below this utilisation.
COMFORT = 0.9
_MOST_MOVES = 6
_DEMANDS_PER_ROUND = 12
_TRIALS_PER_ROUND = 12


class Arc(NamedTuple):
    """One direction of a link; `room` is what it could still carry, in Mbit/s, and never negative."""

    tail: str
    head: str
    metric: int
    room: float
    utilisation: float
    capacity: float


class Reach(NamedTuple):
    """How far a node is, and the least room on any shortest way there."""

    distance: int
    room: float


@dataclass(frozen=True)
class Steering:
    """The moves found, what the network loses without and with them, and how often the twin was asked."""

    steps: tuple[SteerDemand, ...]
    before: Impact
    after: Impact
    asked: int


class _Move(NamedTuple):
    relief: float
    demand: Demand
    via: str
    detour: int

    @property
    def rank(self) -> tuple[float, float, int, str, str]:
        """The most relief first, then the smallest demand, then the shortest detour."""
        return (-round(self.relief, 6), self.demand.mbps, self.detour, self.demand.id, self.via)


def steer(snapshot: Snapshot, trouble: Sequence[Change]) -> Steering | None:
    """Return the demands to send through a waypoint, or None when no move makes anything better.

    Args:
        snapshot: the network as it is configured.
        trouble: the fault, as an overlay.
    """
    standing = snapshot.with_changes(trouble)
    before = best = evaluate(standing).impact()
    moves: list[_Move] = []
    asked = 1
    while len(moves) < _MOST_MOVES and not _comfortable(best):
        found: tuple[_Move, Impact] | None = None
        for move in _promising(standing, moves):
            impact = evaluate(standing, _step(standing, move).changes()).impact()
            asked += 1
            if _better(impact, found[1] if found else best):
                found = (move, impact)
            if _comfortable(impact):
                break
        if found is None:
            break
        best = found[1]
        moves.append(found[0])
        standing = standing.with_changes(_step(standing, found[0]).changes())
    if not moves:
        return None
    return Steering(tuple(_step(snapshot, move) for move in moves), before, best, asked)


def _comfortable(impact: Impact) -> bool:
    return impact.lost_mbps < 1e-6 and impact.max_utilisation <= COMFORT


def _better(new: Impact, old: Impact) -> bool:
    """Less is lost; or as much, and the fullest link is clearly less full. Nobody else may be hit for it."""
    if set(new.customers_hit) - set(old.customers_hit):
        return False
    slack = 1e-3 * max(1.0, old.lost_mbps)
    if abs(new.lost_mbps - old.lost_mbps) > slack:
        return new.lost_mbps < old.lost_mbps
    return new.max_utilisation < old.max_utilisation - 0.01


def _step(snapshot: Snapshot, move: _Move) -> SteerDemand:
    return SteerDemand(target=move.demand.id, via=move.via, previous_via=_via(snapshot, move.demand))


def _via(snapshot: Snapshot, demand: Demand) -> str | None:
    via = snapshot.value(demand.id, "via")
    return str(via) if via else None


def _promising(snapshot: Snapshot, made: Sequence[_Move]) -> list[_Move]:
    """Return the moves off the fullest arc that the estimate likes best; a demand is moved once."""
    moved = {move.demand.id for move in made}
    arcs = list(_arcs(snapshot, evaluate(snapshot)))
    if not arcs:
        return []
    hot = max(arcs, key=lambda arc: (arc.utilisation, arc.tail, arc.head))
    ways = _Ways(arc._replace(room=0.0) if arc == hot else arc for arc in arcs)
    overflow = max(hot.capacity * (hot.utilisation - COMFORT), 1e-9)
    over = [demand for demand in _crossing(snapshot, ways, hot) if demand.id not in moved]
    over.sort(key=lambda demand: (demand.mbps < overflow, abs(demand.mbps - overflow), demand.id))
    moves = [move for demand in over[:_DEMANDS_PER_ROUND] for move in _detours(ways, demand, overflow)]
    return sorted(moves, key=lambda move: move.rank)[:_TRIALS_PER_ROUND]


def _arcs(snapshot: Snapshot, present: Prediction) -> Iterator[Arc]:
    """Yield both directions of every link that works."""
    owner = {point.id: point.node for point in snapshot.inventory.termination_points}
    for link in snapshot.inventory.links:
        if present.available(link.id):
            yield _arc(snapshot, present, link, link.source, owner[link.source], owner[link.destination])
            yield _arc(snapshot, present, link, link.destination, owner[link.destination], owner[link.source])


def _arc(snapshot: Snapshot, present: Prediction, link: Link, point: str, tail: str, head: str) -> Arc:
    capacity = float(snapshot.value(link.id, "capacity") or link.capacity_mbps)
    metric = int(snapshot.value(link.id, "metric") or link.metric)
    utilisation = present.utilisation(point)
    return Arc(tail, head, metric, max(0.0, capacity * (1 - utilisation)), utilisation, capacity)


class _Ways:
    """Shortest-path trees over arcs, each computed once."""

    def __init__(self, arcs: Iterable[Arc]) -> None:
        self._out: dict[str, list[tuple[str, int, float]]] = {}
        self._into: dict[str, list[tuple[str, int, float]]] = {}
        for arc in arcs:
            self._out.setdefault(arc.tail, []).append((arc.head, arc.metric, arc.room))
            self._into.setdefault(arc.head, []).append((arc.tail, arc.metric, arc.room))
        self._trees: dict[tuple[str, bool], dict[str, Reach]] = {}

    def away(self, root: str) -> dict[str, Reach]:
        """Return the ways from `root` to every node."""
        return self._tree(root, self._out, outward=True)

    def towards(self, root: str) -> dict[str, Reach]:
        """Return the ways from every node to `root`."""
        return self._tree(root, self._into, outward=False)

    def _tree(self, root: str, steps: dict[str, list[tuple[str, int, float]]], *, outward: bool) -> dict[str, Reach]:
        if (root, outward) not in self._trees:
            self._trees[root, outward] = _dijkstra(root, steps)
        return self._trees[root, outward]


def _dijkstra(root: str, steps: dict[str, list[tuple[str, int, float]]]) -> dict[str, Reach]:
    """Return distance and least room per node; of equal ways, the one with less room counts."""
    reached = {root: Reach(0, float("inf"))}
    settled: set[str] = set()
    heap = [(0, root)]
    while heap:
        distance, node = heapq.heappop(heap)
        if node in settled:
            continue
        settled.add(node)
        for other, metric, room in steps.get(node, ()):
            offer = Reach(distance + metric, min(room, reached[node].room))
            known = reached.get(other)
            if known is None or offer < known:
                reached[other] = offer
                heapq.heappush(heap, (offer.distance, other))
    return reached


def _crossing(snapshot: Snapshot, ways: _Ways, hot: Arc) -> list[Demand]:
    """Return the demands whose shortest ways use the arc.

    The first test costs no tree per demand: who crosses the arc comes to its head, and leaves its tail, by it.
    """
    to_tail, to_head = ways.towards(hot.tail), ways.towards(hot.head)
    from_tail, from_head = ways.away(hot.tail), ways.away(hot.head)

    def may_cross(begin: str, end: str) -> bool:
        if begin not in to_tail or end not in from_head:
            return False
        arrives = to_tail[begin].distance + hot.metric == to_head[begin].distance
        return arrives and hot.metric + from_head[end].distance == from_tail[end].distance

    crossing = []
    for demand in snapshot.inventory.demands:
        stops = [stop for stop in (demand.source, _via(snapshot, demand), demand.destination) if stop]
        if any(may_cross(begin, end) for begin, end in itertools.pairwise(stops)):
            mbps = float(snapshot.value(demand.id, "mbps") or 0.0)
            crossing.append(demand.model_copy(update={"mbps": mbps}))
    return crossing


def _detours(ways: _Ways, demand: Demand, overflow: float) -> list[_Move]:
    """Return up to three waypoints for a demand, by the relief that the estimate expects of them."""
    out, back = ways.away(demand.source), ways.towards(demand.destination)
    direct = out.get(demand.destination, Reach(0, 0.0)).distance
    moves = []
    for via in out.keys() & back.keys() - {demand.source, demand.destination}:
        room = min(out[via].room, back[via].room)
        relief = min(demand.mbps, overflow) - max(0.0, demand.mbps - room)
        if room > 0 and relief > 0:
            moves.append(_Move(relief, demand, via, out[via].distance + back[via].distance - direct))
    return sorted(moves, key=lambda move: move.rank)[:3]
