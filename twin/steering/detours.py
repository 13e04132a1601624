"""Detours by what is lost: a search that asks the twin about each move, for when no move makes the fullest link better.

A cheap estimate proposes moves: for each demand over the hottest link, the waypoints behind which there is room
(one shortest-path tree from its source, one towards its destination). The twin then judges the most promising
ones, and the best is kept; where none helps, the next full link is looked at. `plan.py` looks at the fullest link
alone, which may be one that nothing can relieve, while traffic is lost elsewhere; this search minds the loss.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.network import Demand, Link
from domain.rehearsal import Impact
from twin.evaluate import Prediction, evaluate
from twin.snapshot import Snapshot
from twin.steering.plan import Move
from twin.steering.scene import delay_bounds
from twin.steering.ways import ways_between

_ARCS_PER_ROUND = 4
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
class Detours:
    """The moves found, what the network loses with them, and how often the twin was asked."""

    moves: tuple[Move, ...]
    after: Impact
    asked: int


class _Trial(NamedTuple):
    relief: float
    demand: Demand
    via: str
    detour: int

    @property
    def rank(self) -> tuple[float, float, int, str, str]:
        """The most relief first, then the smallest demand, then the shortest detour."""
        return (-round(self.relief, 6), self.demand.mbps, self.detour, self.demand.id, self.via)


def comfortable(impact: Impact, comfort: float) -> bool:
    """Say whether nothing is lost and no link is fuller than `comfort`."""
    return impact.lost_mbps < 1e-6 and impact.max_utilisation <= comfort


def better(new: Impact, old: Impact) -> bool:
    """Less is lost; or as much, and the fullest link is clearly less full. Nobody else may be hit for it."""
    if set(new.customers_hit) - set(old.customers_hit):
        return False
    slack = 1e-3 * max(1.0, old.lost_mbps)
    if abs(new.lost_mbps - old.lost_mbps) > slack:
        return new.lost_mbps < old.lost_mbps
    return new.max_utilisation < old.max_utilisation - 0.01


def detours(standing: Snapshot, *, limit: int, comfort: float) -> Detours | None:
    """Return the demands to send through a waypoint, or None when no move makes anything better.

    Args:
        standing: the network with its trouble.
        limit: the most moves.
        comfort: a utilisation below which a link is no trouble any more.
    """
    start, best = standing, evaluate(standing).impact()
    made: list[_Trial] = []
    asked = 1
    while len(made) < limit and not comfortable(best, comfort):
        found: tuple[_Trial, Impact] | None = None
        for trials in _promising(standing, made, comfort):
            found, tried = _best_of(standing, trials, best, comfort)
            asked += tried
            if found is not None:
                break
        if found is None:
            break
        best = found[1]
        made.append(found[0])
        standing = standing.with_changes([_move(standing, found[0]).change()])
    return Detours(tuple(_move(start, trial) for trial in made), best, asked) if made else None


def _best_of(
    standing: Snapshot, trials: list[_Trial], best: Impact, comfort: float
) -> tuple[tuple[_Trial, Impact] | None, int]:
    """Return the trial that is better than the state and all others, if there is one, and how many were made."""
    found: tuple[_Trial, Impact] | None = None
    for number, trial in enumerate(trials, 1):
        impact = evaluate(standing, [_move(standing, trial).change()]).impact()
        if better(impact, found[1] if found else best):
            found = (trial, impact)
        if comfortable(impact, comfort):
            return found, number
    return found, len(trials)


def _move(snapshot: Snapshot, trial: _Trial) -> Move:
    return Move.of(snapshot, trial.demand.id, trial.via)


def _promising(snapshot: Snapshot, made: Sequence[_Trial], comfort: float) -> Iterator[list[_Trial]]:
    """Yield the moves off the fullest arc that the estimate likes best, then off the next; a demand is moved once."""
    moved = {trial.demand.id for trial in made}
    present = evaluate(snapshot)
    arcs = list(_arcs(snapshot, present))
    full = [arc for arc in arcs if arc.utilisation > comfort]
    for hot in sorted(full, key=lambda arc: (arc.utilisation, arc.tail, arc.head), reverse=True)[:_ARCS_PER_ROUND]:
        ways = _Ways(arc._replace(room=0.0) if arc == hot else arc for arc in arcs)
        overflow = hot.capacity * (hot.utilisation - comfort)
        over = [demand for demand in _crossing(snapshot, ways, hot) if demand.id not in moved]
        over.sort(key=lambda demand: (demand.mbps < overflow, abs(demand.mbps - overflow), demand.id))
        trials = [trial for demand in over[:_DEMANDS_PER_ROUND] for trial in _trials(ways, demand, overflow)]
        yield sorted(_timely(present, trials), key=lambda trial: trial.rank)[:_TRIALS_PER_ROUND]


def _timely(present: Prediction, trials: list[_Trial]) -> list[_Trial]:
    """Return the trials that keep the delay their slice asks for, or are no later than the direct way is."""
    if not trials:
        return trials
    topology, ask = present.topology, present.routing.ask
    places = np.array([topology.demand_at[trial.demand.id] for trial in trials])
    via = np.array([topology.router_of[topology.node_at[trial.via]] for trial in trials], np.int64)
    source, target = topology.source[places].astype(np.int64), topology.destination[places].astype(np.int64)
    legs = [np.column_stack(ends) for ends in ((source, via), (via, target), (source, target))]
    ways = ways_between(topology, ask.usable, ask.metric, np.concatenate(legs))
    into, out, direct = (ways.delay_ms[ways.rows(leg[:, 0], leg[:, 1])] for leg in legs)
    good = into + out <= np.maximum(delay_bounds(topology, places), direct) + 1e-9
    return [trial for trial, fits in zip(trials, good, strict=True) if fits]


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
        via, share = snapshot.policy(demand.id)
        stops = [stop for stop in (demand.source, via, demand.destination) if stop]
        legs = [*itertools.pairwise(stops), *([(demand.source, demand.destination)] if share < 1 else [])]
        if any(may_cross(begin, end) for begin, end in legs):
            mbps = float(snapshot.value(demand.id, "mbps") or 0.0)
            crossing.append(demand.model_copy(update={"mbps": mbps}))
    return crossing


def _trials(ways: _Ways, demand: Demand, overflow: float) -> list[_Trial]:
    """Return up to three waypoints for a demand, by the relief that the estimate expects of them."""
    out, back = ways.away(demand.source), ways.towards(demand.destination)
    direct = out.get(demand.destination, Reach(0, 0.0)).distance
    trials = []
    for via in out.keys() & back.keys() - {demand.source, demand.destination}:
        room = min(out[via].room, back[via].room)
        relief = min(demand.mbps, overflow) - max(0.0, demand.mbps - room)
        if room > 0 and relief > 0:
            trials.append(_Trial(relief, demand, via, out[via].distance + back[via].distance - direct))
    return sorted(trials, key=lambda trial: trial.rank)[:3]
