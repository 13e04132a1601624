"""The network's parts, named as RFC 8345 (topology), RFC 8795 (traffic), X.731 (states) and RFC 9417 (dependencies) do.

Every element (node, termination point, link, demand, service …) has one id in one namespace: an
alarm's resource, a fault's place and an action's target are such ids.
"""

from enum import StrEnum

from pydantic import Field

from domain.base import Word


class NodeKind(StrEnum):
    POWER = "power"
    CORE = "core"
    AGGREGATION = "aggregation"
    GATEWAY = "gateway"  # cell-site gateway
    GNB = "gnb"
    CELL = "cell"
    ROUTER = "router"  # of a topology whose layers are not known


#: Node kinds that route packets; the others only depend and are depended on.
ROUTING_KINDS = frozenset({NodeKind.CORE, NodeKind.AGGREGATION, NodeKind.GATEWAY, NodeKind.ROUTER})


class Administrative(StrEnum):
    LOCKED = "locked"
    UNLOCKED = "unlocked"


class Operational(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    UNKNOWN = "unknown"


class Node(Word):
    """A thing that stands somewhere. `latitude` and `longitude` are degrees, or None where unknown."""

    id: str
    kind: NodeKind
    name: str
    site: str = ""
    region: str = "default"
    vendor: str = ""
    latitude: float | None = None
    longitude: float | None = None
    administrative: Administrative = Administrative.UNLOCKED


class TerminationPoint(Word):
    """An interface of a node."""

    id: str
    node: str
    name: str
    administrative: Administrative = Administrative.UNLOCKED


class Link(Word):
    """A two-way link between two termination points; each direction has the whole capacity."""

    id: str
    source: str = Field(description="termination point id")
    destination: str = Field(description="termination point id")
    capacity_mbps: float = Field(gt=0)
    delay_ms: float = Field(ge=0)
    metric: int = Field(ge=1, le=65535)
    srlgs: tuple[str, ...] = ()
    administrative: Administrative = Administrative.UNLOCKED


class DependencyKind(StrEnum):
    CONTAINED_IN = "contained_in"
    POWERED_BY = "powered_by"
    CARRIED_BY = "carried_by"
    SERVED_BY = "served_by"


class Dependency(Word):
    """`dependent` works while at least `needs` of `on` work; `needs == len(on)` is AND, 1 is OR."""

    dependent: str
    on: tuple[str, ...] = Field(min_length=1)
    kind: DependencyKind
    needs: int = Field(ge=1)


class Demand(Word):
    """Traffic from one routing node to another. `mbps` is what the inventory believes, not what flows."""

    id: str
    source: str = Field(description="routing node id")
    destination: str = Field(description="routing node id")
    mbps: float = Field(ge=0)
    traffic_class: str = "best_effort"
    slice_id: str = ""
    via: str | None = Field(default=None, description="waypoint node of an SR policy, if one is in force")


class Slice(Word):
    id: str
    name: str
    max_loss: float = Field(default=0.01, ge=0, le=1)
    max_delay_ms: float = Field(default=100.0, gt=0)


class Customer(Word):
    id: str
    name: str
    priority: int = Field(default=3, ge=1, le=5, description="1 is the highest")


class Service(Word):
    """What a customer buys: it works while its demands flow and its cells are up."""

    id: str
    name: str
    customer: str
    slice_id: str = ""
    demands: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()


class Inventory(Word):
    """Everything that is declared to exist. What is really there may differ."""

    name: str
    nodes: tuple[Node, ...]
    termination_points: tuple[TerminationPoint, ...] = ()
    links: tuple[Link, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    demands: tuple[Demand, ...] = ()
    slices: tuple[Slice, ...] = ()
    customers: tuple[Customer, ...] = ()
    services: tuple[Service, ...] = ()
