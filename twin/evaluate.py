"""What follows from a state of the network: one pure function, `evaluate(snapshot, changes) -> Prediction`.

Physics, in order: (1) availability, a closure over dependencies (AND, k-of-n) in which "served by" also asks that
the core can reach the server; (2) shortest paths with ECMP, waypoints as two legs; (3) load per link direction;
(4) loss = max(0, 1 − C/load) per direction for inelastic traffic, together with declared loss, composed along the
paths; elastic classes, where declared, share what is left max-min fairly; (5) delay; (6) radio, where declared;
(7) batteries at a horizon; (8) shared risks, as changes (`snapshot.span_failure`); (10) what it means for demands,
cells, slices and customers. (9), the overload cascade, asks this function again (`twin.physics.cascade`). What a
rehearsal need not know, delay and radio, is worked out when it is asked for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from domain.changes import Change
from domain.errors import BadInput
from domain.network import NodeKind
from domain.rehearsal import Impact
from twin.physics.availability import availability, own_states
from twin.physics.delay import arc_delay_ms, demand_delay_ms
from twin.physics.elastic import Sharing, share_out
from twin.physics.overlay import offered, overlaid, waypoints
from twin.physics.radio import RadioState, radio_state
from twin.routing import Ask, Routing, delivery, route
from twin.snapshot import Snapshot
from twin.topology import Flags, Floats, Topology

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
        hours: how long it has been so (see `evaluate`), or None.
        burst: per arc, the burst parameter that measured delays have shown; None: what is declared.
    """

    topology: Topology
    works: Flags
    reached: Flags
    routing: Routing
    scale: float
    capacity: Floats
    spoiled: Floats
    hours: float | None = None
    burst: Floats | None = None

    @cached_property
    def sharing(self) -> Sharing | None:
        """How elastic demands share the network; None where no traffic class is elastic."""
        return share_out(self.topology, self.routing, self.scale, self.capacity)

    @cached_property
    def arc_load(self) -> Floats:
        """Mbit/s per arc: what inelastic demands offer to it and what elastic ones send over it."""
        return self.routing.arc_load * self.scale if self.sharing is None else self.sharing.arc_load

    @cached_property
    def arc_loss(self) -> Floats:
        """Share lost per arc: by overload and by declaration."""
        with np.errstate(divide="ignore", over="ignore"):
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
        """Share that does not arrive per demand, lost or (elastic) held back; 1 when there is no path."""
        arrives = delivery(self.topology, self.routing, 1.0 - self.arc_loss)
        if self.sharing is not None:
            arrives *= self.sharing.carried_share(len(arrives))
        return 1.0 - arrives

    @cached_property
    def lost_mbps(self) -> float:
        """Mbit/s lost over all demands."""
        return float(self.demand_mbps @ self.demand_loss)

    @cached_property
    def arc_delay_ms(self) -> Floats:
        """Mean delay per arc: propagation, transmission and queueing (at most a full buffer)."""
        return arc_delay_ms(self.topology, self.arc_utilisation, self.capacity, self.burst)

    @cached_property
    def demand_delay_ms(self) -> Floats:
        """Mean delay per demand over its paths; infinite when there is no path."""
        return demand_delay_ms(self.topology, self.routing, self.arc_delay_ms)

    @cached_property
    def worst_delay_ms(self) -> Floats:
        """Mean delay per demand on the longest of its equal paths: what the flows hashed onto it have to bear."""
        return demand_delay_ms(self.topology, self.routing, self.arc_delay_ms, worst=True)

    @cached_property
    def late_demands(self) -> tuple[str, ...]:
        """Demands, sorted, that have a path and break the delay bound of their slice."""
        delay = self.worst_delay_ms
        late = np.flatnonzero(np.isfinite(delay) & (delay > self.topology.max_delay_ms + NOTICEABLE))
        return tuple(self.topology.demands[place] for place in late)

    @cached_property
    def late_slices(self) -> tuple[str, ...]:
        """Slices, sorted, of which a demand breaks the delay bound."""
        late = set(self.late_demands)
        return tuple(sorted({demand.slice_id for demand in self.topology.inventory.demands if demand.id in late}))

    @cached_property
    def radio(self) -> RadioState | None:
        """Loads of the cells and what their users get; None where no cell declares radio."""
        plan = self.topology.radio
        if plan is None:
            return None
        places = [self.topology.node_at[cell] for cell in plan.cells]
        return radio_state(plan, self.works[places], self.scale)

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
        return float(self.demand_loss[self._demand(demand)])

    def delay(self, demand: str) -> float:
        """Return the mean delay of a demand in ms, infinite when cut off. Raises BadInput for other elements."""
        return float(self.demand_delay_ms[self._demand(demand)])

    def _demand(self, demand: str) -> int:
        place = self.topology.demand_at.get(demand)
        if place is None:
            raise BadInput(f"`{demand}` is no demand of this network; correct the name")
        return place

    def at_load(self, factor: float) -> "Prediction":
        """Return the same state with all demands multiplied; paths do not depend on load, so none is routed anew."""
        return replace(self, scale=self.scale * factor)

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


def evaluate(snapshot: Snapshot, changes: Sequence[Change] = (), *, hours: float | None = None) -> Prediction:
    """Predict the network with an overlay on it. Pure: the same arguments give the same bits, nothing is altered.

    Args:
        snapshot: the network before.
        changes: the overlay.
        hours: how long the overlay has been there: until its battery ends, a power node that does not work still
            feeds what depends on it. None: however long it takes, with the batteries empty.

    Raises:
        BadInput: a change names an unknown element, two changes contradict each other, or `hours` is no horizon.
    """
    return predict(snapshot.with_changes(changes), near=snapshot, hours=hours)


def predict(snapshot: Snapshot, near: Snapshot | None = None, *, hours: float | None = None) -> Prediction:
    """Predict a snapshot; `near`, of the same inventory, lends the paths in which the two do not differ.

    A snapshot predicted for itself is worked out once and kept with it; `hours` is as in `evaluate`.
    """
    if hours is not None and not (math.isfinite(hours) and hours >= 0):
        raise BadInput(f"a horizon is a finite number of hours of at least 0, not {hours}; give another")
    if not len(snapshot.topology.battery_hours):
        hours = None  # no state depends on it
    if near is not None and near is not snapshot and near.topology is snapshot.topology:
        return _predict(snapshot, predict(near).routing, hours)
    known: Prediction | None = snapshot.memo.get("prediction")
    if known is None:
        known = snapshot.memo["prediction"] = _predict(snapshot, None, None)
    return known if hours is None else _predict(snapshot, known.routing, hours)


def _predict(snapshot: Snapshot, base: Routing | None, hours: float | None) -> Prediction:
    topology, state = snapshot.topology, snapshot.state
    works, reached = availability(topology, own_states(topology, state), hours)
    links = works[topology.first_link_unit : topology.first_point_unit]
    via, share = waypoints(topology, state.get("via", {}), works)
    ask = Ask(
        usable=np.repeat(links, 2),
        metric=overlaid(topology.metric, state.get("metric", {}), topology.link_at),
        mbps=offered(topology, state),
        via=via,
        share=share,
    )
    return Prediction(
        topology=topology,
        works=works,
        reached=reached,
        routing=route(topology, ask, base),
        scale=1.0,
        capacity=overlaid(topology.capacity, state.get("capacity_share", {}), topology.link_at, multiply=True),
        spoiled=overlaid(np.zeros(len(topology.tail)), state.get("loss", {}), topology.link_at),
        hours=hours,
    )


def _unit_name(topology: Topology, unit: int | np.signedinteger[Any]) -> str:
    """Return the element that a unit speaks for, or "" for a termination point seen alone."""
    if unit < len(topology.nodes):
        return topology.nodes[unit]
    if unit < topology.first_link_unit:
        return ""
    if unit < topology.first_point_unit:
        return topology.links[unit - topology.first_link_unit]
    return topology.points[unit - topology.first_point_unit]
