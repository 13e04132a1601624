"""Which interface faces which: the inventory says which termination points a link joins, the configuration the rest.

A link carries the interfaces named like its termination points and, unit by unit, those named `<point>.<unit>`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from domain.configuration import Igp, IgpProtocol, Interface
from domain.errors import BadInput
from domain.network import ROUTING_KINDS, Inventory, Link
from twin.configuration.reading import Document

#: The first address and the prefix length.
Block = tuple[int, int]
LOOPBACK, CUSTOMERS = "lo", "lan"


@lru_cache(maxsize=65_536)
def number_of(address: str) -> int:
    """Return an IPv4 address as a number."""
    return int(IPv4Address(address))


@lru_cache(maxsize=65_536)
def block_of(prefix: str) -> Block:
    """Return a prefix, or the network of an interface's address, as a block."""
    network = IPv4Interface(prefix).network
    return int(network[0]), network.prefixlen


def own_address(interface: Interface) -> str:
    """Return an interface's address without its prefix length; empty when it has none."""
    return (interface.address or "").partition("/")[0]


def text_of(block: Block) -> str:
    """Return a block as people write it."""
    return str(IPv4Network(block))


def covers(block: Block, address: int) -> bool:
    """Say whether an address lies in a block."""
    return address >> (32 - block[1]) == block[0] >> (32 - block[1])


@dataclass(frozen=True)
class End:
    """One side of a wire; `interface` is None when the router does not configure it."""

    router: str
    name: str
    interface: Interface | None

    @property
    def up(self) -> bool:
        return self.interface is not None and self.interface.enabled

    @property
    def igp(self) -> Igp | None:
        """The protocol if it looks for neighbours here."""
        igp = self.interface.igp if self.interface is not None else None
        return None if igp is None or igp.passive else igp


@dataclass(frozen=True)
class Wire:
    """A link, or one unit of it, between two configured routers."""

    link: Link
    ends: tuple[End, End]

    @property
    def name(self) -> str:
        """The link's id, with the unit if it is one."""
        unit = self.ends[0].name.removeprefix(self.link.source)
        return f"{self.link.id}{unit}"

    @cached_property
    def carries(self) -> bool:
        """Whether packets get across: both ends are up, with one VLAN, in one subnet, at different addresses."""
        a, b = (end.interface for end in self.ends)
        if a is None or b is None or not (a.enabled and b.enabled) or a.address is None or b.address is None:
            return False
        return a.vlan == b.vlan and a.address != b.address and block_of(a.address) == block_of(b.address)

    @cached_property
    def adjacent(self) -> bool:
        """Whether the IGP finds the neighbour (RFC 2328 section 10.6: OSPF also asks for one MTU)."""
        (a, b), (here, there) = (end.igp for end in self.ends), (end.interface for end in self.ends)
        if not self.carries or a is None or b is None or here is None or there is None:
            return False
        same = (a.protocol, a.area, a.authentication) == (b.protocol, b.area, b.authentication)
        return same and (a.protocol is IgpProtocol.ISIS or here.mtu == there.mtu)


@dataclass(frozen=True, eq=False)
class Wiring:
    """The inventory's links between routers."""

    inventory: Inventory

    @cached_property
    def routers(self) -> frozenset[str]:
        """The ids of the routing nodes."""
        return frozenset(node.id for node in self.inventory.nodes if node.kind in ROUTING_KINDS)

    @cached_property
    def links(self) -> tuple[tuple[Link, str, str], ...]:
        """Each link between routers with the routers at its source and at its destination."""
        node_of = {point.id: point.node for point in self.inventory.termination_points}
        ends = ((link, node_of[link.source], node_of[link.destination]) for link in self.inventory.links)
        return tuple((link, a, b) for link, a, b in ends if {a, b} <= self.routers)

    @cached_property
    def points(self) -> dict[str, str]:
        """The router of each termination point."""
        return {point.id: point.node for point in self.inventory.termination_points}

    def wires(self, document: Document) -> tuple[Wire, ...]:
        """Return all wires between the routers of a configuration, by link and unit."""
        interfaces = {name: {i.name: i for i in router.interfaces} for name, router in document.routers.items()}
        units = {name: _units(found) for name, found in interfaces.items()}
        return tuple(
            Wire(link, (_end(interfaces, a, link.source + unit), _end(interfaces, b, link.destination + unit)))
            for link, a, b in self.links
            if a in interfaces and b in interfaces
            for unit in sorted({"", *units[a].get(link.source, ()), *units[b].get(link.destination, ())})
        )

    def check_routers(self, document: Document) -> None:
        """Refuse a configuration of routers that are not there. Raises BadInput naming the line."""
        for router in document.routers:
            if router not in self.routers:
                line = document.line(router).number
                raise BadInput(f"line {line}: `{router}` is no router of this network; correct the name")


def _units(interfaces: dict[str, Interface]) -> dict[str, list[str]]:
    """Return, per interface that has some, the units (`.100`) that are configured; their points may have dots too."""
    found: dict[str, list[str]] = {}
    for name in interfaces:
        point, dot, unit = name.rpartition(".")
        if dot and unit.isdigit():
            found.setdefault(point, []).append(f".{unit}")
    return found


def _end(interfaces: dict[str, dict[str, Interface]], router: str, name: str) -> End:
    return End(router, name, interfaces[router].get(name))


def is_local(name: str) -> bool:
    """Say whether an interface is a loopback or faces customers, so that no link ends in it."""
    return name.startswith((LOOPBACK, CUSTOMERS))


def strangers(wiring: Wiring, document: Document) -> Iterator[tuple[str, str]]:
    """Yield router and name of each interface that is neither local nor a point (or a unit of one) of its router."""
    for name, router in document.routers.items():
        for interface in router.interfaces:
            point, _, unit = interface.name.rpartition(".")
            names = {interface.name, point} if unit.isdigit() else {interface.name}
            if not is_local(interface.name) and all(wiring.points.get(each) != name for each in names):
                yield name, interface.name
