"""A steering problem as arrays: the demands that could be moved, their waypoints, and what every choice puts where.

A demand's *options* are the waypoints, in order, and after them the direct way. What a demand does now is one of its
options, or a share of it beside the direct way. Waypoints that another one dominates are pruned: when the only hop into
a waypoint is also the only hop out of it, the traffic just turns there, and turning one hop earlier spares two arcs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from twin.evaluate import Prediction
from twin.routing import delivery
from twin.steering.ways import Places, Ways, ways_between
from twin.topology import Flags, Floats, Topology

#: Waypoints (the best connected first) and demands (those on hot arcs first) that are looked at, at least and at most,
#: and what their products may be: what stays interactive.
_WAYPOINTS, _WAYPOINTS_TIMES_ROUTERS = (64, 512), 200_000
_DEMANDS, _DEMANDS_TIMES_WAYPOINTS = (200, 3000), 150_000
#: An arc is hot from this share of the worst utilisation.
_HOT = 0.8


@dataclass(frozen=True, eq=False)
class Scene:
    """See the module. Arcs are the topology's; places are routing places.

    Attributes:
        topology: of the network.
        arcs: (arcs,) which of them can carry traffic.
        capacity: (arcs,) Mbit/s.
        load: (arcs,) Mbit/s, as the network routes now.
        demands: (d,) places of the demands that may be moved.
        mbps: (d,)
        waypoints: (w,) routing places.
        present: (d,) option that is in force.
        part: (d,) share of the demand that takes it, the rest goes the direct way; 1 where all of it does.
        allowed: (d, w + 1) options that may be chosen.
        into: (d, w + 1) row of `ways` of the first leg.
        out: (d, w + 1) row of the second leg, or -1 for the direct way.
        ways: the legs.
    """

    topology: Topology
    arcs: Flags
    capacity: Floats
    load: Floats
    demands: Places
    mbps: Floats
    waypoints: Places
    present: Places
    part: Floats
    allowed: Flags
    into: Places
    out: Places
    ways: Ways

    @property
    def direct(self) -> int:
        """The option without a waypoint."""
        return len(self.waypoints)

    def worst_of(self, load: Floats) -> float:
        """Return the largest utilisation that a load per arc means."""
        return float((load[self.arcs] / self.capacity[self.arcs]).max(initial=0.0))

    def shares(self, which: Places, options: Places) -> Any:
        """Return (n, arcs) sparse: what a unit of each demand puts on each arc under an option."""
        first, second = self.into[which, options], self.out[which, options]
        bent = np.flatnonzero(second >= 0)
        legs = np.concatenate([first, second[bent]])
        picked = (np.ones(len(legs)), (np.concatenate([np.arange(len(first)), bent]), legs))
        return sparse.csr_array(picked, shape=(len(first), self.ways.share.shape[0])) @ self.ways.share

    def standing(self, which: Places) -> Any:
        """Return (n, arcs) sparse: what a unit of each demand puts on each arc as it goes now."""
        held = self.shares(which, self.present[which])
        if (self.part[which] == 1.0).all():
            return held
        directly = self.shares(which, np.full(len(which), self.direct))
        return _times(self.part[which], held) + _times(1.0 - self.part[which], directly)

    @property
    def offered(self) -> Flags:
        """(d, w + 1): the options that may be chosen and are not what is in force."""
        offered = self.allowed.copy()
        whole = np.flatnonzero(self.part == 1.0)
        offered[whole, self.present[whole]] = False
        return offered

    def paid(self, cost: Floats) -> Floats:
        """Return (d,): what each demand pays as it goes now, when `cost` says what each option costs."""
        every = np.arange(len(self.demands))
        now: Floats = self.part * cost[every, self.present] + (1.0 - self.part) * cost[:, self.direct]
        return now

    def costs(self, price: Floats) -> Floats:
        """Return (d, w + 1): what a unit pays under each option when each arc has a price."""
        leg = np.append(self.ways.share @ price, 0.0)
        paid: Floats = leg[self.into] + leg[self.out]
        return paid

    def via(self, option: int) -> str | None:
        """Return the node id of an option's waypoint, None for the direct way."""
        if option == self.direct:
            return None
        node: str = self.topology.nodes[self.topology.routers[self.waypoints[option]]]
        return node


def carried(present: Prediction, *, by_any_way: bool = False) -> Flags:
    """Return per demand whether its policy lets it arrive, or whether any way would; idle demands do not count."""
    topology, ask = present.topology, present.routing.ask
    arcs = ask.usable & (topology.tail != topology.head)
    size = len(topology.routers)
    joins = sparse.csr_array((np.ones(int(arcs.sum())), (topology.tail[arcs], topology.head[arcs])), shape=(size, size))
    _, part = csgraph.connected_components(joins, directed=False)
    flows = (ask.mbps > 0) & (topology.source != topology.destination)
    arrives: Flags = flows & (part[topology.source] == part[topology.destination])
    if by_any_way:
        return arrives
    arrives &= (ask.via < 0) | (part[ask.via] == part[topology.source])
    return arrives


def scene_of(present: Prediction) -> Scene:
    """Lay out the problem of a predicted state: the demands that arrive in it, and where else they could go.

    An option is allowed when it keeps the delay that the slice asks for, or is no later than what the demand has now.
    Delay is propagation: what queues add depends on all moves together.
    """
    topology, ask = present.topology, present.routing.ask
    arcs = ask.usable & (topology.tail != topology.head)
    around = _waypoints(present, arcs)
    demands = _movable(present, arcs, carried(present), len(around))
    waypoints = np.union1d(around, ask.via[demands][ask.via[demands] >= 0]).astype(np.int64)
    source, target = topology.source[demands].astype(np.int64), topology.destination[demands].astype(np.int64)
    ways = ways_between(topology, ask.usable, ask.metric, _pairs(source, target, waypoints))
    into, out = _legs(ways, source, target, waypoints)
    choice = np.where(ask.via[demands] < 0, len(waypoints), np.searchsorted(waypoints, ask.via[demands]))
    allowed = ways.connected[into] & ((out < 0) | ways.connected[out])
    allowed &= ~_dominated(ways, into, out, source, target, waypoints)
    delay_ms = ways.delay_ms[into] + np.where(out < 0, 0.0, ways.delay_ms[out])
    now_ms = delay_ms[np.arange(len(demands)), choice]
    part = ask.share[demands]
    now_ms = np.where(part < 1.0, np.maximum(now_ms, delay_ms[:, -1]), now_ms)
    allowed &= delay_ms <= np.maximum(delay_bounds(topology, demands), now_ms)[:, None] + 1e-9
    return Scene(
        topology=topology,
        arcs=arcs,
        capacity=present.capacity,
        load=present.arc_load,
        demands=demands,
        mbps=present.demand_mbps[demands],
        waypoints=waypoints,
        present=choice,
        part=part,
        allowed=allowed,
        into=into,
        out=out,
        ways=ways,
    )


def _times(parts: Floats, rows: Any) -> Any:
    return sparse.diags_array(parts) @ rows


def _fitting(product: int, factor: int, bounds: tuple[int, int]) -> int:
    return min(bounds[1], max(bounds[0], product // max(1, factor)))


def _movable(present: Prediction, arcs: Flags, routed: Flags, waypoints: int) -> Places:
    """Return the demands to look at: all of them, or as many as fit, those with most on hot arcs first."""
    topology = present.topology
    most = _fitting(_DEMANDS_TIMES_WAYPOINTS, waypoints, _DEMANDS)
    places = np.flatnonzero(routed)
    if len(places) <= most:
        return places
    worst = present.arc_utilisation[arcs].max(initial=0.0)
    past_hot = delivery(topology, present.routing, np.where(present.arc_utilisation >= _HOT * worst, 0.0, 1.0))
    mbps = present.demand_mbps[places]
    first = np.lexsort((places, -mbps, -mbps * (1.0 - past_hot[places])))
    return np.sort(places[first[:most]])


def _waypoints(present: Prediction, arcs: Flags) -> Places:
    """Return the routers with the most capacity around them, as many as fit."""
    topology = present.topology
    around = np.bincount(topology.tail[arcs], present.capacity[arcs], minlength=len(topology.routers))
    most = _fitting(_WAYPOINTS_TIMES_ROUTERS, len(around), _WAYPOINTS)
    best = np.argsort(-around, kind="stable")[:most]
    return best[around[best] > 0]


def _pairs(source: Places, target: Places, waypoints: Places) -> Places:
    """Return (n, 2): every leg of every option."""
    sources, targets = np.unique(source), np.unique(target)
    legs_in = np.stack(np.meshgrid(sources, waypoints, indexing="ij"), axis=-1).reshape(-1, 2)
    legs_out = np.stack(np.meshgrid(waypoints, targets, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.concatenate([np.column_stack([source, target]), legs_in, legs_out])


def _legs(ways: Ways, source: Places, target: Places, waypoints: Places) -> tuple[Places, Places]:
    into = np.column_stack([ways.rows(source[:, None], waypoints[None, :]), ways.rows(source, target)])
    out = ways.rows(waypoints[None, :], target[:, None])
    return into, np.column_stack([out, np.full(len(source), -1)])


def _dominated(
    ways: Ways, into: Places, out: Places, source: Places, target: Places, waypoints: Places
) -> NDArray[np.bool_]:
    """Say which waypoints are an end of the demand, or only a turning point beyond one that is on offer."""
    answer = np.zeros(into.shape, np.bool_)
    ends = np.stack([source, target], axis=1)[:, None, :]
    answer[:, :-1] = (waypoints[None, :, None] == ends).any(axis=2)
    turn = ways.last[into[:, :-1]]
    turns = (turn >= 0) & (turn == ways.first[out[:, :-1]])
    on_offer = np.isin(turn, waypoints) | (turn[:, :, None] == ends).any(axis=2)
    answer[:, :-1] |= turns & on_offer
    return answer


def delay_bounds(topology: Topology, demands: Places) -> Floats:
    """Return per demand the delay that its slice asks for in ms; infinite where it asks for none."""
    asked = {entry.id: entry.max_delay_ms for entry in topology.inventory.slices}
    slice_of = {demand.id: demand.slice_id for demand in topology.inventory.demands}
    return np.array([asked.get(slice_of[topology.demands[place]], np.inf) for place in demands], np.float64)
