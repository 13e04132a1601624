"""Protected flows and forbidden ones: which access lists are on their ways, and what those let through."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from domain.configuration import AccessEntry, AccessList, Interface, ProtectedFlow, Transport
from twin.configuration.filters import admits, deciding
from twin.configuration.forwarding import Hops
from twin.configuration.view import Hit, View, Where
from twin.configuration.wiring import CUSTOMERS, End, block_of, covers, number_of, own_address

_BGP = 179

#: The wires from router to router, each with the leaving end first.
Pairs: TypeAlias = dict[tuple[int, int], list[tuple[End, End]]]


@dataclass(frozen=True)
class _Filter:
    """An access list in force: where it stands, and its entries."""

    router: str
    interface: str
    part: str
    access: AccessList


def session_flows(view: View) -> Iterator[ProtectedFlow]:
    """Yield the flows that the sessions within the network need."""
    for name, router in view.routers.items():
        addresses = {interface.name: own_address(interface) for interface in router.interfaces}
        for session in router.sessions:
            source = addresses.get(session.source)
            if session.enabled and source and number_of(session.peer) in view.owners:
                yield ProtectedFlow(
                    name=f"BGP {name} {session.peer}",
                    source=source,
                    destination=session.peer,
                    transport=Transport.TCP,
                    port=_BGP,
                )


def flow_blocked(view: View, flows: tuple[ProtectedFlow, ...]) -> Iterator[Hit]:
    """Yield each protected flow that an access list keeps out, or that does not arrive."""
    pairs = _pairs(view)
    for flow in (*session_flows(view), *(flow for flow in flows if not flow.forbidden)):
        fate = view.forwarding.fate(number_of(flow.destination))
        for start in _starts(view, number_of(flow.source)):
            subject = f"{flow.name} from {view.names[start]}"
            if not fate.good[start]:
                message = f"`{flow.name}` does not arrive: {flow.destination} is out of reach of `{view.names[start]}`"
                yield Hit(subject, message, ((view.names[start], "", "", ""),))
                continue
            for filter_ in _passed(view, flow, start, fate.hops, pairs):
                entry = deciding(filter_.access, flow)
                if entry is not None:
                    yield Hit(subject, _told(flow, filter_, entry), _places(filter_, entry))
                    break


def flow_open(view: View, flows: tuple[ProtectedFlow, ...]) -> Iterator[Hit]:
    """Yield each forbidden flow that finds a way on which no access list keeps it out."""
    pairs = _pairs(view)
    for flow in flows:
        for start in _starts(view, number_of(flow.source)) if flow.forbidden else ():
            name = view.names[start]
            edge = list(_at_edge(view, name, flow.source, "access_in"))
            if all(admits(filter_.access, flow) for filter_ in edge) and _gets_through(view, flow, start, pairs):
                places = [(name, "interface", filter_.interface, filter_.part) for filter_ in edge]
                places += [(name, "access-list", filter_.access.name, "") for filter_ in edge]
                places += [(name, "interface", interface, "") for interface in _customers(view, name, flow.source)]
                yield Hit(f"{flow.name} from {name}", f"nothing keeps `{flow.name}` out behind `{name}`", tuple(places))


def _gets_through(view: View, flow: ProtectedFlow, start: int, pairs: Pairs) -> bool:
    """Follow all ways of a flow as far as access lists let a part of it through."""
    hops = view.forwarding.fate(number_of(flow.destination)).hops
    good = view.forwarding.fate(number_of(flow.destination)).good
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        if good[here] and not hops[here]:
            last = _at_edge(view, view.names[here], flow.destination, "access_out")
            if all(admits(filter_.access, flow) for filter_ in last):
                return True
        for there in hops[here] - seen:
            for a, b in pairs.get((here, there), ()):
                lists = (
                    *_of(view, a.router, a.interface, "access_out"),
                    *_of(view, b.router, b.interface, "access_in"),
                )
                if all(admits(filter_.access, flow) for filter_ in lists):
                    seen.add(there)
            if there in seen:
                todo.append(there)
    return False


def _told(flow: ProtectedFlow, filter_: _Filter, entry: AccessEntry) -> str:
    where = f"`{filter_.interface}` of `{filter_.router}`"
    return f"`{flow.name}` is kept out at {where} by `{filter_.access.name}`, entry {entry.sequence} or the end of it"


def _places(filter_: _Filter, entry: AccessEntry) -> tuple[Where, ...]:
    name = filter_.access.name
    return (
        (filter_.router, "access-list", name, str(entry.sequence)),
        (filter_.router, "interface", filter_.interface, filter_.part),
    )


def _pairs(view: View) -> Pairs:
    """Return the wires from router to router, each with the leaving end first."""
    found: Pairs = {}
    at = view.forwarding.at
    for wire in view.wires:
        if wire.carries:
            for a, b in (wire.ends, wire.ends[::-1]):
                found.setdefault((at[a.router], at[b.router]), []).append((a, b))
    return found


def _starts(view: View, source: int) -> list[int]:
    """Return the routers behind which an address is."""
    fate = view.forwarding.fate(source)
    return [int(place) for place in np.flatnonzero(fate.good) if not fate.hops[place]]


def _passed(
    view: View,
    flow: ProtectedFlow,
    start: int,
    hops: tuple[Hops, ...],
    pairs: Pairs,
) -> Iterator[_Filter]:
    """Yield the access lists on all ways of a flow."""
    yield from _at_edge(view, view.names[start], flow.source, "access_in")
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        if not hops[here]:
            yield from _at_edge(view, view.names[here], flow.destination, "access_out")
        for there in hops[here]:
            for a, b in pairs.get((here, there), ()):
                yield from _of(view, a.router, a.interface, "access_out")
                yield from _of(view, b.router, b.interface, "access_in")
            if there not in seen:
                seen.add(there)
                todo.append(there)


def _at_edge(view: View, router: str, address: str, part: str) -> Iterator[_Filter]:
    """Yield the lists between a router and a customer's address; there are none to the router's own addresses."""
    for interface in view.routers[router].interfaces:
        if interface.name in _customers(view, router, address):
            yield from _of(view, router, interface, part)


def _customers(view: View, router: str, address: str) -> tuple[str, ...]:
    """Return the customers' interfaces of a router behind which an address is, unless it is the router's own."""
    configured = view.routers[router]
    if any(own_address(interface) == address for interface in configured.interfaces):
        return ()
    number = number_of(address)
    via = [route.via for route in configured.routes if route.via and covers(block_of(route.prefix), number)]
    near = {number, *(number_of(each) for each in via)}
    return tuple(
        interface.name
        for interface in configured.interfaces
        if interface.name.startswith(CUSTOMERS)
        and interface.address is not None
        and any(covers(block_of(interface.address), each) for each in near)
    )


def _of(view: View, router: str, interface: Interface | None, part: str) -> Iterator[_Filter]:
    name = getattr(interface, part, "")
    for access in view.routers[router].access_lists:
        if interface is not None and name and access.name == name:
            yield _Filter(router, interface.name, part, access)
