"""The network's parts, named as RFC 8345 (topology), RFC 8795 (traffic), X.731 (states) and RFC 9417 (dependencies) do.

Every element (node, termination point, link, demand, service …) has one id in one namespace: an
alarm's resource, a fault's place and an action's target are such ids.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from domain.base import Word


def _is_default(default: object) -> Callable[[Any], bool]:
    """Leave a field out of what is written while it says nothing, so that a digest made before it was known holds."""
    return lambda value: bool(value == default)


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


class UserGroup(Word):
    """Users of one place, degrees; `offered_mbps` is what all of them together ask for, downlink."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    count: int = Field(default=1, ge=1)
    offered_mbps: float = Field(ge=0)


class Radio(Word):
    """What a cell radiates: `power_dbm` is the whole carrier's EIRP, shared equally by its resource blocks."""

    power_dbm: float = Field(ge=-50, le=100)
    azimuth_deg: float | None = Field(default=None, ge=0, lt=360, description="of a sector, from north; None: omni")
    prbs: int = Field(default=273, ge=1, le=10_000, description="physical resource blocks of 180 kHz")
    qam: Literal[64, 256] = Field(
        default=64, exclude_if=_is_default(64), description="highest modulation: up to 4.4 or 7.4 bit/s/Hz"
    )
    users: tuple[UserGroup, ...] = Field(default=(), description="those whom this cell serves while it works")


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
    battery_hours: float = Field(
        default=0.0, ge=0, exclude_if=_is_default(0.0), description="of a power node: how long it feeds without mains"
    )
    radio: Radio | None = Field(default=None, exclude_if=_is_default(None), description="of a cell with a position")


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
    burst: float = Field(
        default=1.0, ge=1, exclude_if=_is_default(1.0), description="E[X²]/E[X] of the bursts in which packets arrive"
    )


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
    administrative: Administrative = Field(
        default=Administrative.UNLOCKED,
        exclude_if=_is_default(Administrative.UNLOCKED),
        description="locked: planned, or taken out of service; it offers nothing",
    )


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
    elastic_classes: tuple[str, ...] = Field(
        default=(), exclude_if=_is_default(()), description="traffic classes that send what fits instead of losing"
    )
