"""Actions become lines of configuration, with the lines that put back what is configured now.

A demand is steered by a static host route at its source. Such a route decides one hop only, so a waypoint must be a
neighbour of the source; everything else from there to that destination follows, which is said when it is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from adapters.network.routers import reports
from adapters.network.routers.access import Access
from adapters.network.routers.discovery import Topology
from domain.actions import (
    DRAINED_METRIC,
    Action,
    DrainLink,
    InterfaceDown,
    InterfaceUp,
    SteerDemand,
    UndrainLink,
)
from domain.errors import Refused
from domain.waypoints import is_whole

#: Returns the running configuration of a router, with the part of the daemon that is named.
Running = Callable[[Access, str], str]


@dataclass(frozen=True)
class Edit:
    """Lines for one router, those that put back what was before, and the configuration that was saved."""

    access: Access
    lines: tuple[str, ...]
    back: tuple[str, ...]
    saved: str


def edits_of(action: Action, topology: Topology, running: Running) -> list[Edit]:
    """Return what an action comes to, router by router.

    Raises:
        Refused: routers do no such thing, or not to this target.
        Unavailable: a router's configuration cannot be read, so nothing was or is changed.
    """
    match action:
        case InterfaceUp() | InterfaceDown():
            return [_interface(action, topology, running)]
        case DrainLink():
            return _metric(action.target, DRAINED_METRIC, topology, running)
        case UndrainLink():
            return _metric(action.target, action.metric, topology, running)
        case SteerDemand():
            return [_route(action, topology, running)]
        case _:
            raise Refused(f"routers take no `{action.kind}`; they take interface, metric and steering actions")


def _interface(action: InterfaceUp | InterfaceDown, topology: Topology, running: Running) -> Edit:
    end = topology.ends.get(action.target)
    if end is None:
        raise Refused(f"`{action.target}` is no interface of these routers; name a termination point")
    saved = running(end.access, "zebra")
    where = f"interface {end.interface.name}"
    shut = "shutdown" in reports.stanzas(saved).get(end.interface.name, ())
    line = "no shutdown" if isinstance(action, InterfaceUp) else "shutdown"
    return Edit(end.access, (where, line), (where, "shutdown" if shut else "no shutdown"), saved)


def _metric(link: str, metric: int, topology: Topology, running: Running) -> list[Edit]:
    """Both ends, as a metric is of one direction."""
    if link not in topology.links:
        raise Refused(f"`{link}` is no link of these routers; name a link")
    edits = []
    for point in topology.links[link]:
        end = topology.ends[point]
        saved = running(end.access, "ospfd")
        before = reports.costs_of(saved).get(end.interface.name)
        back = "no ip ospf cost" if before is None else f"ip ospf cost {before}"
        where = f"interface {end.interface.name}"
        edits.append(Edit(end.access, (where, f"ip ospf cost {metric}"), (where, back), saved))
    return edits


def _route(action: SteerDemand, topology: Topology, running: Running) -> Edit:
    demand = next((each for each in topology.inventory.demands if each.id == action.target), None)
    if demand is None:
        raise Refused(f"`{action.target}` is no demand; name a demand")
    if not is_whole(action.share):
        raise Refused(
            f"these routers steer by static routes, which take all of `{demand.id}` or nothing; steer it as a whole"
        )
    hop = _hop(demand.source, action.via, topology)
    source = next(end.access for end in topology.ends.values() if end.access.node == demand.source)
    saved = running(source, "staticd")
    destination = topology.addresses[demand.destination]
    old, new = reports.host_routes(saved).get(destination, ()), (str(hop),) if hop else ()
    return Edit(source, _lines(destination, old, new), _lines(destination, new, old), saved)


def _hop(source: str, via: str | None, topology: Topology) -> IPv4Address | None:
    """Return the neighbour's address on the link from `source`; None when no waypoint is wanted."""
    if via is None:
        return None
    hops = _neighbours(source, topology)
    if via not in hops:
        near = ", ".join(sorted(hops))
        raise Refused(f"a static route holds for one hop and `{via}` is no neighbour of `{source}`; choose of {near}")
    return hops[via]


def _neighbours(source: str, topology: Topology) -> Mapping[str, IPv4Address]:
    far = [topology.ends[topology.facing(p)] for p, end in topology.ends.items() if end.access.node == source]
    return {end.access.node: end.address.ip for end in reversed(far)}


def _lines(destination: IPv4Address, old: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    gone = (f"no ip route {destination}/32 {hop}" for hop in old if hop not in new)
    return (*gone, *(f"ip route {destination}/32 {hop}" for hop in new if hop not in old))
