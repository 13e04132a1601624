"""Checks of interfaces, and of the two ends of each wire."""

from collections.abc import Iterator

from domain.configuration import Interface
from twin.configuration.view import Hit, View, Where
from twin.configuration.wiring import CUSTOMERS, LOOPBACK, End, Wire, block_of, own_address, strangers, text_of


def interface_unknown(view: View) -> Iterator[Hit]:
    """Yield each interface that is no termination point of its router."""
    for router, name in strangers(view.wiring, view.document):
        message = f"`{router}` has no termination point `{name}`"
        yield Hit(f"{router} {name}", message, ((router, "interface", name, ""),))


def ip_duplicate(view: View) -> Iterator[Hit]:
    """Yield each address that two interfaces have, except loopbacks that all call themselves anycast (RFC 4786)."""
    for owners in view.owners.values():
        if len(owners) > 1 and not all(_anycast(interface) for _, interface in owners):
            address = own_address(owners[0][1])
            names = ", ".join(f"`{interface.name}` of `{router}`" for router, interface in owners)
            places = tuple(_at(router, interface, "address") for router, interface in owners)
            yield Hit(address, f"{address} is the address of {names}", places)


def _anycast(interface: Interface) -> bool:
    return interface.name.startswith(LOOPBACK) and "anycast" in interface.description.lower().split()


def subnet_overlap(view: View) -> Iterator[Hit]:
    """Yield each two interfaces whose subnets overlap although no wire joins them (a sweep over sorted subnets)."""
    joined = {frozenset((end.router, end.name) for end in wire.ends) for wire in view.wires}
    found = sorted(
        ((*block_of(interface.address), router, interface) for router, interface in view.interfaces()
         if interface.address is not None),
        key=lambda each: each[:3],
    )  # fmt: skip
    above: list[tuple[int, int, str, Interface]] = []
    for entry in found:
        start, length, router, interface = entry
        while above and above[-1][0] + (1 << (32 - above[-1][1])) <= start:
            above.pop()
        for _, wide, other, against in above:
            key = frozenset({(other, against.name), (router, interface.name)})
            if key not in joined and own_address(against) != own_address(interface):
                names = f"`{against.name}` of `{other}` and `{interface.name}` of `{router}`"
                message = f"the subnets of {names} overlap in {text_of((start, max(length, wide)))}"
                places = (_at(other, against, "address"), _at(router, interface, "address"))
                yield Hit(" ".join(sorted(f"{name} {port}" for name, port in key)), message, places)
        above.append(entry)


def link_one_sided(view: View) -> Iterator[Hit]:
    """Yield each wire of which one end alone is up."""
    for wire in view.wires:
        a, b = wire.ends
        if a.up != b.up:
            up, other = (a, b) if a.up else (b, a)
            what = "is not configured" if other.interface is None else "is down"
            message = f"`{up.name}` of `{up.router}` is up, and its other end `{other.name}` of `{other.router}` {what}"
            yield Hit(wire.name, message, (_end(up, "enabled"), _end(other, "enabled")))


def subnet_mismatch(view: View) -> Iterator[Hit]:
    """Yield each wire whose ends are in different subnets."""
    for wire, a, b in _both(view):
        if (a.address is None) != (b.address is None) or (
            a.address is not None and b.address is not None and block_of(a.address) != block_of(b.address)
        ):
            yield _differ(wire, "address", "subnet", a.address or "no address", b.address or "no address")


def mtu_mismatch(view: View) -> Iterator[Hit]:
    """Yield each wire whose ends take packets of different sizes."""
    for wire, a, b in _both(view):
        if a.mtu != b.mtu:
            yield _differ(wire, "mtu", "MTU", str(a.mtu), str(b.mtu))


def vlan_mismatch(view: View) -> Iterator[Hit]:
    """Yield each wire whose ends tag differently."""
    for wire, a, b in _both(view):
        if a.vlan != b.vlan:
            yield _differ(wire, "vlan", "VLAN", str(a.vlan or "untagged"), str(b.vlan or "untagged"))


def duplex_mismatch(view: View) -> Iterator[Hit]:
    """Yield each wire of which one end alone may wait for the other."""
    for wire, a, b in _both(view):
        if a.duplex is not b.duplex:
            yield _differ(wire, "duplex", "duplex", a.duplex, b.duplex)


def igp_one_sided(view: View) -> Iterator[Hit]:
    """Yield each wire on which one end alone looks for a neighbour."""
    for wire, _, _ in _both(view):
        a, b = wire.ends
        if (a.igp is None) != (b.igp is None):
            speaks, silent = (a, b) if a.igp is not None else (b, a)
            message = f"`{speaks.name}` of `{speaks.router}` looks for an IGP neighbour and `{silent.name}` does not"
            yield Hit(wire.name, message, (_end(speaks, "igp"), _end(silent, "igp")))


def igp_exposed(view: View) -> Iterator[Hit]:
    """Yield each interface on which customers could become neighbours of the IGP."""
    for router, interface in view.interfaces():
        if interface.name.startswith(CUSTOMERS) and interface.igp is not None and not interface.igp.passive:
            message = f"`{interface.name}` of `{router}` faces customers and looks for IGP neighbours"
            yield Hit(f"{router} {interface.name}", message, (_at(router, interface, "igp"),))


def igp_metric_asymmetry(view: View) -> Iterator[Hit]:
    """Yield each wire that costs more in one direction."""
    for wire, _, _ in _both(view):
        a, b = (end.igp for end in wire.ends)
        if a is not None and b is not None and a.metric != b.metric:
            yield _differ(wire, "metric", "IGP metric", str(a.metric), str(b.metric))


def igp_area_mismatch(view: View) -> Iterator[Hit]:
    """Yield each wire whose ends are in different areas or speak different protocols."""
    for wire, _, _ in _both(view):
        a, b = (end.igp for end in wire.ends)
        if a is not None and b is not None and (a.protocol, a.area) != (b.protocol, b.area):
            yield _differ(wire, "area", "IGP area", f"{a.protocol} {a.area}", f"{b.protocol} {b.area}")


def igp_authentication_mismatch(view: View) -> Iterator[Hit]:
    """Yield each wire whose ends use different keys."""
    for wire, _, _ in _both(view):
        a, b = (end.igp for end in wire.ends)
        if a is not None and b is not None and a.authentication != b.authentication:
            keys = (a.authentication or "no key", b.authentication or "no key")
            yield _differ(wire, "authentication", "IGP authentication", *keys)


def _both(view: View) -> Iterator[tuple[Wire, Interface, Interface]]:
    for wire in view.wires:
        a, b = (end.interface for end in wire.ends)
        if a is not None and b is not None:
            yield wire, a, b


def _differ(wire: Wire, part: str, what: str, here: str, there: str) -> Hit:
    a, b = wire.ends
    message = f"the {what} differs across `{wire.name}`: {here} at `{a.router}`, {there} at `{b.router}`"
    return Hit(wire.name, message, (_end(a, part), _end(b, part)))


def _end(end: End, part: str) -> Where:
    return end.router, "interface", end.name, part


def _at(router: str, interface: Interface, part: str) -> Where:
    return router, "interface", interface.name, part
