"""An inventory compiled to arrays: everything that evaluation needs and that no change can alter.

Parts are sorted by id, so the order in which an inventory lists them changes no result. Arc `2k` of link `k`
leads from its source to its destination, arc `2k + 1` back. *Units* are what can work or not: nodes, then
termination points seen alone, then links, then termination points with the link that ends in them.
"""

import weakref
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.canonical import digest
from domain.network import ROUTING_KINDS, Administrative, Inventory, Node, NodeKind
from twin.growth import MS_PER_KM, distance_km
from twin.integrity import LIMITS, Unit, check, order, requirements
from twin.physics.declared import backed, batteries_of, check_declared
from twin.physics.radio import RadioPlan, compile_radio

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: A demand without a slice is hit when it loses more than this share.
DEFAULT_MAX_LOSS = 0.01


def _index(ids: tuple[str, ...]) -> dict[str, int]:
    return {name: place for place, name in enumerate(ids)}


def _rows(lists: list[list[int]]) -> tuple[Ints, Ints]:
    """Return compressed rows: pointers of shape (len(lists) + 1,) and all values one after another."""
    pointers = np.zeros(len(lists) + 1, np.int32)
    pointers[1:] = np.cumsum([len(row) for row in lists])
    return pointers, np.array([value for row in lists for value in row], np.int32)


@dataclass(frozen=True, eq=False)
class Closure:
    """Requirements in the order in which they can be decided, as compressed rows."""

    sequence: Ints
    group_rows: Ints
    needs: Ints
    reachable: Flags
    member_rows: Ints
    members: Ints


@dataclass(frozen=True, eq=False)
class Topology:
    """See the module. `nodes`, `points`, `links`, `demands` are sorted ids; the arrays are aligned with them."""

    inventory: Inventory
    nodes: tuple[str, ...]
    points: tuple[str, ...]
    links: tuple[str, ...]
    demands: tuple[str, ...]
    node_at: dict[str, int]
    point_at: dict[str, int]
    link_at: dict[str, int]
    demand_at: dict[str, int]
    kinds: tuple[NodeKind, ...]
    routers: Ints  # node place of each routing node
    router_of: Ints  # routing place of each node, or -1
    point_node: Ints  # node place of each termination point
    link_ends: Ints  # (links, 2): places of the termination points
    point_arc: Ints  # the outgoing arc of each termination point, or -1
    tail: Ints  # per arc, routing place (0 for an arc that routes nothing)
    head: Ints
    in_rows: Ints
    in_arcs: Ints
    out_rows: Ints
    out_arcs: Ints
    anchors: Ints  # routing places of core nodes; empty where the layers are not known
    closure: Closure
    unlocked: Flags  # per unit
    metric: Ints  # per arc
    capacity: Floats  # per arc, Mbit/s
    source: Ints  # per demand, routing place
    destination: Ints
    via: Ints  # routing place or -1
    mbps: Floats
    max_loss: Floats

    @staticmethod
    def of(inventory: Inventory) -> "Topology":
        """Return the compiled form, compiling an inventory once in its life. Raises BadInput (see `check`)."""
        known = _COMPILED.get(id(inventory))
        if known is None:
            known = compile_topology(inventory)
            _COMPILED[id(inventory)] = known
        return known

    @cached_property
    def digest(self) -> str:
        """The digest of the inventory, whatever order it lists its parts in."""
        plain = self.inventory.model_dump(mode="json")
        for part in LIMITS:
            plain[part].sort(key=_sort_key)
        if "elastic_classes" in plain:
            plain["elastic_classes"].sort()
        return digest(plain)

    @cached_property
    def battery_hours(self) -> Floats:
        """Per battery (in the order of `batteries_of`), how long it feeds what depends on its power node."""
        return np.array(list(batteries_of(self.inventory).values()), np.float64)

    @cached_property
    def radio(self) -> RadioPlan | None:
        """The declared radio of the cells, compiled, or None where there is none."""
        return compile_radio(self.inventory)

    @cached_property
    def propagation_ms(self) -> Floats:
        """Per arc: 5 µs/km of great circle where both ends have positions, else the declared delay."""
        nodes = {node.id: node for node in self.inventory.nodes}
        declared = {link.id: link.delay_ms for link in self.inventory.links}
        ends = [[nodes[self.nodes[place]] for place in self.point_node[pair]] for pair in self.link_ends]
        delays = [
            MS_PER_KM * distance_km(*pair) if all(_stands_somewhere(end) for end in pair) else declared[link]
            for link, pair in zip(self.links, ends, strict=True)
        ]
        return np.repeat(np.array(delays, np.float64), 2)

    @cached_property
    def burst(self) -> Floats:
        """Per arc, the burst parameter of its link (see `twin.physics.delay`)."""
        declared = {link.id: link.burst for link in self.inventory.links}
        return np.repeat(np.array([declared[link] for link in self.links], np.float64), 2)

    @cached_property
    def max_delay_ms(self) -> Floats:
        """Per demand, what its slice promises at most; infinite without a slice."""
        promised = {entry.id: entry.max_delay_ms for entry in self.inventory.slices}
        slice_of = {demand.id: demand.slice_id for demand in self.inventory.demands}
        return np.array([promised.get(slice_of[demand], np.inf) for demand in self.demands], np.float64)

    @cached_property
    def elastic(self) -> Ints:
        """Places of the demands whose traffic class is declared elastic."""
        classes = set(self.inventory.elastic_classes)
        places = [self.demand_at[demand.id] for demand in self.inventory.demands if demand.traffic_class in classes]
        return np.array(sorted(places), np.int32)

    @cached_property
    def locked_demands(self) -> Flags:
        """Per demand, whether it is declared locked: planned, or out of service."""
        locked = {demand.id for demand in self.inventory.demands if demand.administrative is Administrative.LOCKED}
        return np.array([demand in locked for demand in self.demands], np.bool_)

    @property
    def units(self) -> int:
        return len(self.nodes) + 2 * len(self.points) + len(self.links)

    @property
    def first_link_unit(self) -> int:
        return len(self.nodes) + len(self.points)

    @property
    def first_point_unit(self) -> int:
        return self.first_link_unit + len(self.links)

    def own_unit(self, element: str) -> int | None:
        """Return the unit whose own state a change of this element sets, or None for what has none."""
        if element in self.node_at:
            return self.node_at[element]
        if element in self.point_at:
            return len(self.nodes) + self.point_at[element]
        if element in self.link_at:
            return self.first_link_unit + self.link_at[element]
        return None

    def unit(self, element: str) -> int | None:
        """Return the unit that says whether this element works, or None for what has none."""
        if element in self.point_at:
            return self.first_point_unit + self.point_at[element]
        return self.own_unit(element)


#: Compiled forms by the identity of their inventory; each keeps its inventory alive, and leaves when it dies itself.
_COMPILED: "weakref.WeakValueDictionary[int, Topology]" = weakref.WeakValueDictionary()


def _sort_key(entry: dict[str, Any]) -> str:
    return str(entry.get("id") or (entry["dependent"], entry["kind"], entry["on"]))


def _stands_somewhere(node: Node) -> bool:
    return node.latitude is not None and node.longitude is not None


def compile_topology(inventory: Inventory) -> Topology:
    """Check an inventory and compile it. Raises BadInput (see `twin.integrity.check`)."""
    check(inventory)
    check_declared(inventory)
    nodes = sorted(inventory.nodes, key=lambda node: node.id)
    points = sorted(inventory.termination_points, key=lambda point: point.id)
    links = sorted(inventory.links, key=lambda link: link.id)
    demands = sorted(inventory.demands, key=lambda demand: demand.id)
    node_ids, point_ids = tuple(n.id for n in nodes), tuple(p.id for p in points)
    node_at, point_at = _index(node_ids), _index(point_ids)
    link_ids = tuple(link.id for link in links)
    routers = np.array([place for place, node in enumerate(nodes) if node.kind in ROUTING_KINDS], np.int32)
    router_of = np.full(len(nodes), -1, np.int32)
    router_of[routers] = np.arange(len(routers), dtype=np.int32)
    point_node = np.array([node_at[point.node] for point in points], np.int32)
    ends = np.array([[point_at[link.source], point_at[link.destination]] for link in links], np.int32).reshape(-1, 2)
    point_arc = np.full(len(points), -1, np.int32)
    point_arc[ends.ravel()] = np.arange(2 * len(links), dtype=np.int32)
    tail = router_of[point_node[ends.ravel()]] if links else np.zeros(0, np.int32)
    head = tail.reshape(-1, 2)[:, ::-1].ravel()
    routed = (tail >= 0) & (head >= 0)
    in_rows, in_arcs = _arcs_by(head, routed, len(routers))
    out_rows, out_arcs = _arcs_by(tail, routed, len(routers))
    tolerated = {entry.id: entry.max_loss for entry in inventory.slices}
    return Topology(
        inventory=inventory,
        nodes=node_ids,
        points=point_ids,
        links=link_ids,
        demands=tuple(demand.id for demand in demands),
        node_at=node_at,
        point_at=point_at,
        link_at=_index(link_ids),
        demand_at=_index(tuple(demand.id for demand in demands)),
        kinds=tuple(node.kind for node in nodes),
        routers=routers,
        router_of=router_of,
        point_node=point_node,
        link_ends=ends,
        point_arc=point_arc,
        tail=np.where(routed, tail, 0).astype(np.int32),
        head=np.where(routed, head, 0).astype(np.int32),
        in_rows=in_rows,
        in_arcs=in_arcs,
        out_rows=out_rows,
        out_arcs=out_arcs,
        anchors=np.array([router_of[i] for i, n in enumerate(nodes) if n.kind is NodeKind.CORE], np.int32),
        closure=_closure(inventory, node_at, point_at, _index(link_ids)),
        unlocked=_unlocked(nodes, points, links),
        metric=np.repeat(np.array([link.metric for link in links], np.int32), 2),
        capacity=np.repeat(np.array([link.capacity_mbps for link in links], np.float64), 2),
        source=np.array([router_of[node_at[demand.source]] for demand in demands], np.int32),
        destination=np.array([router_of[node_at[demand.destination]] for demand in demands], np.int32),
        via=np.array([-1 if d.via is None else router_of[node_at[d.via]] for d in demands], np.int32),
        mbps=np.array([demand.mbps for demand in demands], np.float64),
        max_loss=np.array([tolerated.get(demand.slice_id, DEFAULT_MAX_LOSS) for demand in demands], np.float64),
    )


def _arcs_by(end: Ints, routed: Flags, routers: int) -> tuple[Ints, Ints]:
    rows: list[list[int]] = [[] for _ in range(routers)]
    for arc in np.flatnonzero(routed):
        rows[end[arc]].append(int(arc))
    return _rows(rows)


def _unlocked(nodes: list[Any], points: list[Any], links: list[Any]) -> Flags:
    states = [entry.administrative is Administrative.UNLOCKED for part in (nodes, points, links) for entry in part]
    return np.array(states + [True] * len(points), np.bool_)


def _closure(
    inventory: Inventory, node_at: dict[str, int], point_at: dict[str, int], link_at: dict[str, int]
) -> Closure:
    first_link = len(node_at) + len(point_at)
    place: dict[Unit, int] = {(name, ""): at for name, at in node_at.items()}
    place |= {(name, "own"): len(node_at) + at for name, at in point_at.items()}
    place |= {(name, ""): first_link + at for name, at in link_at.items()}
    place |= {(name, ""): first_link + len(link_at) + at for name, at in point_at.items()}
    batteries = batteries_of(inventory)
    first_battery = first_link + len(link_at) + len(point_at)
    for number, name in enumerate(batteries):
        place[name, "battery"] = first_battery + 2 * number
        place[name, "supply"] = first_battery + 2 * number + 1
    needed = list(backed(requirements(inventory), batteries))
    groups: dict[int, list[int]] = defaultdict(list)
    for number, requirement in enumerate(needed):
        groups[place[requirement.unit]].append(number)
    decided = [place[unit] for unit in order(needed)]
    free = sorted(set(place.values()) - set(decided))
    sequence = free + decided
    group_rows, numbers = _rows([groups.get(unit, []) for unit in sequence])
    chosen = [needed[number] for number in numbers]
    member_rows, members = _rows([[place[unit] for unit in requirement.on] for requirement in chosen])
    return Closure(
        sequence=np.array(sequence, np.int32),
        group_rows=group_rows,
        needs=np.array([requirement.needs for requirement in chosen], np.int32),
        reachable=np.array([requirement.reachable for requirement in chosen], np.bool_),
        member_rows=member_rows,
        members=members,
    )


__all__ = ["Closure", "Flags", "Floats", "Ints", "Topology", "compile_topology"]
