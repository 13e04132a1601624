"""Checks of what names something else: sessions and their other side, names and addresses that must be there."""

from collections.abc import Iterator

from domain.configuration import BgpSession, RouterConfiguration, StaticRoute
from twin.configuration.view import Hit, View
from twin.configuration.wiring import block_of, covers, is_local, number_of, own_address


def session_one_sided(view: View) -> Iterator[Hit]:
    """Yield each session that the other side does not have."""
    for router, session, ours in _sessions(view):
        owners = view.owners.get(number_of(session.peer), ())
        subject = f"{router.router} {session.peer}"
        place = (router.router, "neighbor", session.peer, "")
        if not owners and session.remote_as == router.local_as:
            message = f"`{router.router}` has a session with {session.peer}, which is the address of no router"
            yield Hit(subject, message, (place,))
        for peer, _ in owners:
            if _answer(view, peer, ours) is None:
                message = f"`{router.router}` has a session with `{peer}`, and `{peer}` has none with {ours}"
                yield Hit(subject, message, (place, (peer, "neighbor", ours, "")))


def session_mismatch(view: View) -> Iterator[Hit]:
    """Yield each session whose sides disagree about an AS number or a key."""
    for router, session, ours in _sessions(view):
        for peer, _ in view.owners.get(number_of(session.peer), ()):
            answer, other = _answer(view, peer, ours), view.routers[peer]
            if answer is None:
                continue
            wrong = []
            if session.remote_as != other.local_as:
                wrong.append(f"`{router.router}` expects AS {session.remote_as} and `{peer}` is in {other.local_as}")
            if session.authentication != answer.authentication and router.router < peer:
                wrong.append(f"`{router.router}` and `{peer}` use different keys")
            if wrong:
                places = ((router.router, "neighbor", session.peer, ""), (peer, "neighbor", answer.peer, ""))
                yield Hit(f"{router.router} {session.peer}", "; ".join(wrong), places)


def _sessions(view: View) -> Iterator[tuple[RouterConfiguration, BgpSession, str]]:
    """Yield each session that is wanted, with its router and its own address."""
    for router in view.routers.values():
        addresses = {interface.name: own_address(interface) for interface in router.interfaces}
        for session in router.sessions:
            if session.enabled and addresses.get(session.source):
                yield router, session, addresses[session.source]


def _answer(view: View, peer: str, ours: str) -> BgpSession | None:
    return next((each for each in view.routers[peer].sessions if each.peer == ours and each.enabled), None)


def reference_unknown(view: View) -> Iterator[Hit]:
    """Yield each name or address in use that is not there."""
    for name, router in view.routers.items():
        lists = {access.name for access in router.access_lists}
        sources = {interface.name for interface in router.interfaces if interface.address}
        for interface in router.interfaces:
            for part, wanted in (("access_in", interface.access_in), ("access_out", interface.access_out)):
                if wanted and wanted not in lists:
                    message = f"`{interface.name}` of `{name}` uses the access list `{wanted}`, which is not there"
                    yield Hit(f"{name} {interface.name} {part}", message, ((name, "interface", interface.name, part),))
        for session in router.sessions:
            if session.source not in sources:
                message = f"the session of `{name}` with {session.peer} starts at `{session.source}`, without address"
                yield Hit(f"{name} {session.peer}", message, ((name, "neighbor", session.peer, ""),))
        for policy in router.policies:
            lost = [address for address in (policy.endpoint, *policy.via) if number_of(address) not in view.owners]
            if lost:
                message = f"policy `{policy.name}` of `{name}` goes to {', '.join(lost)}, which no router has"
                yield Hit(f"{name} {policy.name}", message, ((name, "policy", policy.name, ""),))


def route_unresolved(view: View) -> Iterator[Hit]:
    """Yield each static route whose next hop cannot be reached."""
    for name, router in view.routers.items():
        for route in router.routes:
            why = _unresolved(view, router, route)
            if why:
                message = f"the next hop {route.via} of {route.prefix} at `{name}` {why}"
                yield Hit(f"{name} {route.prefix}", message, ((name, "route", route.prefix, ""),))


def _unresolved(view: View, router: RouterConfiguration, route: StaticRoute) -> str:
    """Return why a route leads nowhere; empty when it does not."""
    if route.via is None:
        return ""
    via = number_of(route.via)
    for interface in router.interfaces:
        if interface.address and covers(block_of(interface.address), via):
            if own_address(interface) == route.via:
                return "is an address of the router itself"
            if not interface.enabled:
                return f"is behind `{interface.name}`, which is down"
            faces_host = is_local(interface.name)
            return "" if faces_host or via in view.owners else f"is no neighbour on `{interface.name}`"
    return "" if via in view.owners else "is in no connected subnet, and no router has it"


def prefix_conflict(view: View) -> Iterator[Hit]:
    """Yield each static route to customers of its own into a network that is connected to another router."""
    connected = [(block_of(interface.address), name, interface) for name, interface in view.interfaces()
                 if interface.address is not None and is_local(interface.name)]  # fmt: skip
    for name, router in view.routers.items():
        for route in router.routes:
            start, length = block_of(route.prefix)
            if route.via is None or not _to_customers(router, number_of(route.via)):
                continue
            for block, owner, interface in connected:
                if owner != name and block[1] <= length and covers(block, start):
                    message = f"{route.prefix} at `{name}` is a part of the network on `{interface.name}` of `{owner}`"
                    places = ((name, "route", route.prefix, ""), (owner, "interface", interface.name, "address"))
                    yield Hit(f"{name} {route.prefix}", message, places)


def _to_customers(router: RouterConfiguration, via: int) -> bool:
    near = (i for i in router.interfaces if i.address is not None and covers(block_of(i.address), via))
    return any(is_local(interface.name) for interface in near)


def prefixes(view: View) -> dict[str, tuple[str, str]]:
    """Return each prefix that somebody announces for customers or loopbacks: its router and interface or route."""
    found: dict[str, tuple[str, str]] = {}
    for name, router in view.routers.items():
        for interface in router.interfaces:
            if interface.address and interface.enabled and interface.igp is not None and is_local(interface.name):
                found[interface.address] = (name, interface.name)
        found |= {route.prefix: (name, "") for route in router.routes if route.announced}
    return found
