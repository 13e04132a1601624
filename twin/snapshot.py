"""An immutable version of the network: an inventory and the state that differs from what it declares.

The state is *configured* state (administrative, metric, via), believed demands, and the hypotheses laid over them
by `with_changes`. What is observed to be down is a symptom, not state. A snapshot's digest depends on what it says
and not on how it came about: a change and its inverse lead back to the same digest.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias, cast

from domain.canonical import canonical, digest
from domain.changes import (
    Change,
    ScaleDemand,
    SetAdministrative,
    SetCapacity,
    SetLoss,
    SetMetric,
    SetOperational,
    SetVia,
)
from domain.errors import BadInput
from domain.network import ROUTING_KINDS, Inventory, Operational
from domain.waypoints import ambiguous, policy_of, policy_text
from twin.topology import Topology

Value: TypeAlias = str | float
#: attribute → element → value; only what differs from the inventory.
State: TypeAlias = Mapping[str, Mapping[str, Value]]

_LINK_ATTRIBUTES = frozenset({"metric", "capacity_share", "loss"})
_DEMAND_ATTRIBUTES = frozenset({"via", "demand_factor"})
_STATE_ATTRIBUTES = frozenset({"administrative", "operational"}) | _LINK_ATTRIBUTES | _DEMAND_ATTRIBUTES


class Snapshot:
    """See the module. Build one with `Snapshot.of` or `Snapshot.load`; alter one with `with_changes`."""

    def __init__(self, topology: Topology, state: State) -> None:
        self.topology = topology
        self.state = state
        #: what others work out from this snapshot, once; it is immutable, so that stays right
        self.memo: dict[str, Any] = {}

    @classmethod
    def of(cls, inventory: Inventory) -> "Snapshot":
        """Return the network as the inventory declares it. Raises BadInput when it contradicts itself."""
        return cls(Topology.of(inventory), {})

    @classmethod
    def load(cls, body: str, inventory: Inventory) -> "Snapshot":
        """Return the snapshot that `body()` wrote. Raises BadInput when it is malformed or of another inventory."""
        topology = Topology.of(inventory)
        try:
            plain = json.loads(body)
            declared, state = str(plain["inventory"]), plain["state"]
            entries = [(str(a), str(e), v) for a, values in state.items() for e, v in values.items()]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput("the snapshot is not what `body` writes; take it from the store again") from error
        if declared != topology.digest:
            raise BadInput(f"the snapshot belongs to inventory `{declared}`; load it with that inventory")
        for attribute, element, _ in entries:
            _check_element(topology, attribute, element)
        return cls(topology, {attribute: dict(values) for attribute, values in state.items()})

    @property
    def inventory(self) -> Inventory:
        return self.topology.inventory

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the inventory's digest and the state."""
        return digest(self._plain())

    def body(self) -> str:
        """Return the canonical JSON from which `load` restores this snapshot."""
        return canonical(self._plain()).decode()

    def with_changes(self, changes: Sequence[Change]) -> "Snapshot":
        """Return this snapshot with an overlay on it; order does not matter, `ScaleDemand` multiplies.

        Raises:
            BadInput: a change names an unknown element or one it does not fit, or two changes contradict each other.
        """
        if not changes:
            return self
        wanted: dict[tuple[str, str], Value] = {}
        for change in changes:
            attribute, element, value = entry_of(change)
            _check_element(self.topology, attribute, element)
            if isinstance(change, SetVia) and change.via is not None:
                _check_waypoint(self.topology, change.demand, change.via, change.share)
            if wanted.setdefault((attribute, element), value) != value:
                raise BadInput(f"the changes set `{attribute}` of `{element}` to two values; keep one of them")
        return Snapshot(self.topology, self._overlaid(wanted))

    def value(self, element: str, attribute: str) -> Value | None:
        """Return a present value, or None when there is no such element or it has no such attribute.

        Attributes: `administrative`, `operational` (of demands the first only); of links `metric`, `capacity` (Mbit/s),
        `loss` (share); of demands `via` ("" when there is none, else see `domain.waypoints`) and `mbps`.
        """
        topology, state = self.topology, self.state
        if attribute == "capacity" and element in topology.link_at:
            declared = float(topology.capacity[2 * topology.link_at[element]])
            return declared * float(state.get("capacity_share", {}).get(element, 1.0))
        if attribute == "mbps" and element in topology.demand_at:
            declared = float(topology.mbps[topology.demand_at[element]])
            return declared * float(state.get("demand_factor", {}).get(element, 1.0))
        if attribute not in _STATE_ATTRIBUTES or not _has(topology, attribute, element):
            return None
        return state.get(attribute, {}).get(element, _declared(topology, attribute, element))

    def policy(self, demand: str) -> tuple[str | None, float]:
        """Return the waypoint that a demand is configured to (None: none) and the share that is to go through it."""
        return policy_of(str(self.value(demand, "via") or ""), self.topology.node_at)

    def _overlaid(self, wanted: Mapping[tuple[str, str], Value]) -> State:
        state = {attribute: dict(values) for attribute, values in self.state.items()}
        for (attribute, element), asked in wanted.items():
            values = state.setdefault(attribute, {})
            value = asked
            if attribute == "demand_factor":
                value = float(asked) * float(values.get(element, 1.0))
            if value == _declared(self.topology, attribute, element):
                values.pop(element, None)
            else:
                values[element] = value
        return {attribute: values for attribute, values in state.items() if values}

    def _plain(self) -> dict[str, Any]:
        return {"inventory": self.topology.digest, "state": {name: dict(held) for name, held in self.state.items()}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Snapshot({self.inventory.name!r}, {self.digest[:12]})"


def span_failure(inventory: Inventory, srlg: str) -> tuple[Change, ...]:
    """Return the overlay in which all links of one shared-risk group fail together. Raises BadInput."""
    links = tuple(link.id for link in inventory.links if srlg in link.srlgs)
    if not links:
        raise BadInput(f"no link of `{inventory.name}` belongs to the shared-risk group `{srlg}`; correct the name")
    return tuple(SetOperational(element=link, state=Operational.DISABLED) for link in links)


def entry_of(change: Change) -> tuple[str, str, Value]:  # noqa: PLR0911 - one return per kind of change
    """Return the attribute, the element and the value that a change sets."""
    match change:
        case SetAdministrative():
            return "administrative", change.element, change.state.value
        case SetOperational():
            return "operational", change.element, change.state.value
        case SetMetric():
            return "metric", change.link, change.metric
        case SetCapacity():
            return "capacity_share", change.link, change.share
        case SetLoss():
            return "loss", change.link, change.share
        case SetVia():
            return "via", change.demand, policy_text(change.via, change.share)
        case ScaleDemand():
            return "demand_factor", change.demand, change.factor


def _has(topology: Topology, attribute: str, element: str) -> bool:
    if attribute in _LINK_ATTRIBUTES:
        return element in topology.link_at
    if attribute in _DEMAND_ATTRIBUTES or (attribute == "administrative" and element in topology.demand_at):
        return element in topology.demand_at
    return attribute in _STATE_ATTRIBUTES and topology.own_unit(element) is not None


def _check_element(topology: Topology, attribute: str, element: str) -> None:
    if not _has(topology, attribute, element):
        raise BadInput(f"`{element}` is no element of this network that has `{attribute}`; correct the name")


def _check_waypoint(topology: Topology, demand: str, via: str, share: float) -> None:
    place = topology.node_at.get(via)
    if place is None or topology.kinds[place] not in ROUTING_KINDS:
        raise BadInput(f"`{via}` is no routing node, so `{demand}` cannot go through it; name a router")
    if ambiguous(via, share, topology.node_at):
        raise BadInput(f"`{policy_text(via, share)}` is the name of another node; choose a share other than that")


def _declared(topology: Topology, attribute: str, element: str) -> Value:
    match attribute:
        case "administrative" if element in topology.demand_at:
            return "locked" if topology.locked_demands[topology.demand_at[element]] else "unlocked"
        case "administrative":
            return "unlocked" if topology.unlocked[cast("int", topology.own_unit(element))] else "locked"
        case "operational":
            return Operational.ENABLED.value
        case "metric":
            return int(topology.metric[2 * topology.link_at[element]])
        case "via":
            place = int(topology.via[topology.demand_at[element]])
            return "" if place < 0 else topology.nodes[topology.routers[place]]
        case _:
            return 0.0 if attribute == "loss" else 1.0
