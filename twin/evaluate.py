"""What follows from a state of the network: one pure function, `evaluate(snapshot, changes) -> Prediction`.

Physics, in order: (1) availability, a closure over dependencies (AND, k-of-n) in which "served by" also asks that
the core can reach the server; (2) shortest paths with ECMP, waypoints as two legs; (3) load per link direction;
(4) loss = max(0, 1 − C/load) per direction for inelastic traffic, together with declared loss, composed along the
paths; (5) what it means for demands, cells, slices and customers. Queueing delay, radio, batteries and overload
cascades have their places after (4) and are not predicted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from domain.changes import Change
from domain.errors import BadInput
from domain.network import NodeKind
from domain.rehearsal import Impact
from twin import kernel
from twin.routing import Ask, Routing, delivery, route
from twin.snapshot import Snapshot
from twin.topology import Flags, Floats, Ints, Topology

#: Differences in loss below this are rounding.
NOTICEABLE = 1e-6


@dataclass(frozen=True, eq=False)
class Prediction:
    """The predicted state. Arrays are aligned with the topology's sorted ids and must not be written.

    Attributes:
        topology: of the snapshot.
        works: per unit.
        reached: per routing node, whether the core reaches it (true where no core is declared).
        routing: the paths; its loads are for `scale` 1.
        scale: factor on all demands.
        capacity: per arc, Mbit/s.
        spoiled: per arc, share lost by declaration (grey faults).
    """

    topology: Topology
    works: Flags
    reached: Flags
    routing: Routing
    scale: float
    capacity: Floats
    spoiled: Floats

    @cached_property
    def arc_load(self) -> Floats:
        """Mbit/s offered per arc."""
        return self.routing.arc_load * self.scale

    @cached_property
    def arc_loss(self) -> Floats:
        """Share lost per arc: by overload and by declaration."""
        with np.errstate(divide="ignore"):
            overload = np.maximum(0.0, 1.0 - self.capacity / self.arc_load)
        return 1.0 - (1.0 - overload) * (1.0 - self.spoiled)

    @cached_property
    def arc_utilisation(self) -> Floats:
        """Offered load over capacity per arc; above 1 where more is offered than fits."""
        return self.arc_load / self.capacity

    @cached_property
    def demand_mbps(self) -> Floats:
        """Mbit/s offered per demand."""
        return self.routing.ask.mbps * self.scale

    @cached_property
    def demand_loss(self) -> Floats:
        """Share lost per demand; 1 when there is no path."""
        return 1.0 - delivery(self.topology, self.routing, 1.0 - self.arc_loss)

    @cached_property
    def lost_mbps(self) -> float:
        """Mbit/s lost over all demands."""
        return float(self.demand_mbps @ self.demand_loss)

    def available(self, element: str) -> bool:
        """Say whether a node, termination point or link works. Raises BadInput for what can neither work nor fail."""
        unit = self.topology.unit(element)
        if unit is None:
            raise BadInput(f"`{element}` is no node, termination point or link of this network; correct the name")
        return bool(self.works[unit])

    def reachable(self, node: str) -> bool:
        """Say whether a routing node works and the core reaches it. Raises BadInput for other elements."""
        place = self.topology.node_at.get(node)
        router = -1 if place is None else int(self.topology.router_of[place])
        if router < 0:
            raise BadInput(f"`{node}` is no routing node of this network; correct the name")
        return bool(self.reached[router] and self.works[self.topology.routers[router]])

    def utilisation(self, element: str) -> float:
        """Return offered load over capacity: of a termination point outgoing, of a link its busier direction."""
        topology = self.topology
        if element in topology.link_at:
            arc = 2 * topology.link_at[element]
            return float(self.arc_utilisation[arc : arc + 2].max())
        if element in topology.point_at:
            arc = int(topology.point_arc[topology.point_at[element]])
            return float(self.arc_utilisation[arc]) if arc >= 0 else 0.0
        raise BadInput(f"`{element}` is no link or termination point of this network; correct the name")

    def loss(self, demand: str) -> float:
        """Return the share of a demand that is lost. Raises BadInput for other elements."""
        place = self.topology.demand_at.get(demand)
        if place is None:
            raise BadInput(f"`{demand}` is no demand of this network; correct the name")
        return float(self.demand_loss[place])

    def at_load(self, factor: float) -> "Prediction":
        """Return the same state with all demands multiplied; paths do not depend on load, so none is routed anew."""
        return Prediction(
            self.topology, self.works, self.reached, self.routing, self.scale * factor, self.capacity, self.spoiled
        )

    def affected(self, relative_to: "Prediction") -> frozenset[str]:
        """Return the nodes, cells, termination points, links and demands that are worse off than in another state.

        Worse off: works no more, cannot be reached any more, or loses a larger share of its traffic.
        """
        topology, before = self.topology, relative_to
        worse = {_unit_name(topology, unit) for unit in np.flatnonzero(before.works & ~self.works)}
        cut_off = topology.routers[before.reached & ~self.reached]
        worse.update(topology.nodes[place] for place in cut_off)
        lossy = np.flatnonzero(self.arc_loss > before.arc_loss + NOTICEABLE)
        worse.update(topology.links[arc // 2] for arc in lossy)
        worse.update(topology.points[point] for point in topology.link_ends.ravel()[lossy])
        hit = np.flatnonzero(self.demand_loss > before.demand_loss + NOTICEABLE)
        worse.update(topology.demands[place] for place in hit)
        worse.discard("")
        return frozenset(worse)

    def impact(self) -> Impact:
        """Return what this state means, in words that people use; lists are sorted by id."""
        topology = self.topology
        hit_places = np.flatnonzero(self.demand_loss > topology.max_loss + NOTICEABLE)
        hit = {topology.demands[place] for place in hit_places}
        up = self.works[: len(topology.nodes)]
        down = {name for name, works in zip(topology.nodes, up, strict=True) if not works}
        cells = {name for name in down if topology.kinds[topology.node_at[name]] is NodeKind.CELL}
        idle = {_unit_name(topology, unit) for unit in np.flatnonzero(~self.works)} - {""}
        over = sorted({topology.links[arc // 2] for arc in np.flatnonzero(self.arc_utilisation > 1 + NOTICEABLE)})
        slices = {demand.slice_id for demand in topology.inventory.demands if demand.id in hit}
        customers = set()
        for service in topology.inventory.services:
            if not hit.isdisjoint(service.demands) or not cells.isdisjoint(service.cells):
                customers.add(service.customer)
                slices.add(service.slice_id)
        return Impact(
            offered_mbps=float(self.demand_mbps.sum()),
            lost_mbps=self.lost_mbps,
            max_utilisation=float(self.arc_utilisation.max(initial=0.0)),
            overloaded=tuple(over),
            unavailable=tuple(sorted(idle)),
            demands_hit=tuple(sorted(hit)),
            cells_down=tuple(sorted(cells)),
            slices_hit=tuple(sorted(slices - {""})),
            customers_hit=tuple(sorted(customers)),
        )


def evaluate(snapshot: Snapshot, changes: Sequence[Change] = ()) -> Prediction:
    """Predict the network with an overlay on it. Pure: the same arguments give the same bits, nothing is altered.

    Raises:
        BadInput: a change names an unknown element, or two changes contradict each other.
    """
    return predict(snapshot.with_changes(changes), near=snapshot)


def predict(snapshot: Snapshot, near: Snapshot | None = None) -> Prediction:
    """Predict a snapshot; `near`, of the same inventory, lends the paths in which the two do not differ.

    A snapshot predicted for itself is worked out once and kept with it.
    """
    if near is not None and near is not snapshot and near.topology is snapshot.topology:
        return _predict(snapshot, predict(near).routing)
    known: Prediction | None = snapshot.memo.get("prediction")
    if known is None:
        known = snapshot.memo["prediction"] = _predict(snapshot, None)
    return known


def _predict(snapshot: Snapshot, base: Routing | None) -> Prediction:
    topology, state = snapshot.topology, snapshot.state
    works, reached = _availability(topology, _own(topology, state))
    links = works[topology.first_link_unit : topology.first_point_unit]
    ask = Ask(
        usable=np.repeat(links, 2),
        metric=_overlaid(topology.metric, state.get("metric", {}), topology.link_at),
        mbps=_overlaid(topology.mbps, state.get("demand_factor", {}), topology.demand_at, multiply=True),
        via=_waypoints(topology, state.get("via", {}), works),
    )
    return Prediction(
        topology=topology,
        works=works,
        reached=reached,
        routing=route(topology, ask, base),
        scale=1.0,
        capacity=_overlaid(topology.capacity, state.get("capacity_share", {}), topology.link_at, multiply=True),
        spoiled=_overlaid(np.zeros(len(topology.tail)), state.get("loss", {}), topology.link_at),
    )


def _own(topology: Topology, state: Any) -> Flags:
    """Return, per unit, whether it is unlocked and not broken itself."""
    own = topology.unlocked.copy()
    for element, value in state.get("administrative", {}).items():
        own[topology.own_unit(element)] = value == "unlocked"
    for element, value in state.get("operational", {}).items():
        if value == "disabled":
            own[topology.own_unit(element)] = False
    return own


def _availability(topology: Topology, own: Flags) -> tuple[Flags, Flags]:
    """Close over dependencies and reachability until both agree; both only shrink, so this ends."""
    works = np.ones(topology.units, np.bool_)
    reachable = np.ones(topology.units, np.bool_)
    reached = np.ones(len(topology.routers), np.bool_)
    rows = topology.closure
    while True:
        kernel.close(
            rows.sequence,
            rows.group_rows,
            rows.needs,
            rows.reachable,
            rows.member_rows,
            rows.members,
            own,
            reachable,
            works,
        )
        if not len(topology.anchors):
            return works, reached
        now = _reached(topology, works)
        if np.array_equal(now, reached):
            return works, reached
        reached = now
        reachable[topology.routers] = reached


def _reached(topology: Topology, works: Flags) -> Flags:
    usable = np.repeat(works[topology.first_link_unit : topology.first_point_unit], 2)
    starts = topology.anchors[works[topology.routers[topology.anchors]]]
    seen = np.zeros(len(topology.routers), np.bool_)
    kernel.reach(topology.out_rows, topology.out_arcs, topology.head, usable, starts, seen)
    return seen


def _waypoints(topology: Topology, vias: Any, works: Flags) -> Ints:
    """Return the waypoints in force; a policy whose waypoint is down, or is an end of the demand, is not."""
    via = topology.via.copy()
    for demand, node in vias.items():
        via[topology.demand_at[demand]] = topology.router_of[topology.node_at[node]] if node else -1
    idle = (via == topology.source) | (via == topology.destination)
    if len(topology.routers):
        idle |= ~works[topology.routers[via]]
    via[idle] = -1
    return via


def _overlaid(values: Any, changed: Any, places: dict[str, int], *, multiply: bool = False) -> Any:
    """Return values with some replaced (or multiplied); per arc where there are two per place."""
    if not changed:
        return values
    fresh = values.copy()
    wide = len(values) // len(places)
    for element, value in changed.items():
        at = wide * places[element]
        fresh[at : at + wide] = fresh[at : at + wide] * value if multiply else value
    return fresh


def _unit_name(topology: Topology, unit: int | np.signedinteger[Any]) -> str:
    """Return the element that a unit speaks for, or "" for a termination point seen alone."""
    if unit < len(topology.nodes):
        return topology.nodes[unit]
    if unit < topology.first_link_unit:
        return ""
    if unit < topology.first_point_unit:
        return topology.links[unit - topology.first_link_unit]
    return topology.points[unit - topology.first_point_unit]
