"""What is there, as the routers themselves say it: nodes and links out of OSPF's database (RFC 2328, router LSAs).

The database names routers, the addresses of their ends and the costs there; the interfaces with these addresses tell
names, capacity and delay. A link that is shut at the moment is in no database: two interfaces configured into one
network with an OSPF cost are one too, so that a house that starts during a fault does not take the fault for the
network.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from adapters.network.routers import reports
from adapters.network.routers.access import Access, Reach
from adapters.network.routers.reports import Interface, Neighbourship
from adapters.network.routers.vty import Vty
from domain.errors import BadInput, Unavailable
from domain.network import Administrative, Inventory, Link, Node, NodeKind, TerminationPoint

_ENDS = 2


@dataclass(frozen=True)
class End:
    """One end of a link: an interface of a router, with its address in the link's network."""

    access: Access
    interface: Interface
    address: IPv4Interface
    cost: int


@dataclass(frozen=True)
class Topology:
    """What was discovered, by the ids of the inventory."""

    inventory: Inventory
    ends: dict[str, End]  # termination point
    links: dict[str, tuple[str, str]]  # link to its termination points
    at: dict[tuple[str, str], str]  # (router, interface) to termination point
    addresses: dict[str, IPv4Address]  # node to its loopback
    node_of: dict[IPv4Address, str]  # address of an end to its node

    def facing(self, point: str) -> str:
        """Return the termination point at the other end."""
        a, b = next(ends for ends in self.links.values() if point in ends)
        return b if point == a else a


def discover(vtys: Sequence[Vty], reach: Reach) -> Topology:
    """Ask the routers what is there.

    Raises:
        Unavailable: a router does not answer, or they do not agree yet; ask again.
        BadInput: OSPF knows a router that nobody said how to reach.
    """
    ids, announced = reports.database(vtys[0].name, vtys[0].show("show ip ospf database router json")[0])
    costs = {link.address: link.cost for link in announced}
    access_of: dict[str, Access] = {}
    ends: list[End] = []
    for vty in vtys:
        router_id, found = _ends(vty, costs)
        access_of[router_id] = vty.access
        ends += found
    if strangers := sorted(ids - access_of.keys()):
        raise BadInput(f"OSPF knows router {strangers[0]}, and nobody said how to reach it; declare its access")
    pairs = _pairs(ends)
    _agree(announced, pairs, vtys[0].name)
    return _topology(reach, pairs)


def _ends(vty: Vty, announced: Mapping[IPv4Address, int]) -> tuple[str, list[End]]:
    """Return a router's id and its ends of links: those that the database announces, and those configured as such."""
    said, process = vty.show("show interface json", "show ip ospf json")
    configured = reports.costs_of(vty.running("ospfd"))
    ends = [
        End(vty.access, interface, address, announced.get(address.ip, configured.get(name, 0)))
        for name, interface in reports.interfaces(vty.name, said).items()
        for address in interface.addresses[:1]
        if address.ip in announced or name in configured
    ]
    return reports.router_id(vty.name, process), ends


def _pairs(ends: Sequence[End]) -> list[tuple[End, End]]:
    """Return the links: two ends in one network."""
    by_network: dict[IPv4Network, list[End]] = {}
    for end in ends:
        by_network.setdefault(end.address.network, []).append(end)
    found = [tuple(sorted(both, key=lambda end: end.access.name)) for both in by_network.values() if len(both) == _ENDS]
    return sorted(((a, b) for a, b in found), key=lambda pair: (pair[0].access.name, pair[1].access.name))


def _agree(announced: Sequence[Neighbourship], pairs: Sequence[tuple[End, End]], router: str) -> None:
    """See that every link of the database is one of the pairs."""
    known: set[IPv4Address] = {end.address.ip for pair in pairs for end in pair}
    for link in announced:
        if link.address not in known:
            raise Unavailable(
                f"the OSPF database of {router} has a link at {link.address} that no interface shows; ask again"
            )


def _topology(reach: Reach, pairs: Sequence[tuple[End, End]]) -> Topology:
    numbered: Counter[str] = Counter()
    ends: dict[str, End] = {}
    links: dict[str, tuple[str, str]] = {}
    records: list[Link] = []
    for a, b in pairs:
        between = f"{a.access.name}-{b.access.name}"
        numbered[between] += 1
        more = f".{numbered[between]}" if numbered[between] > 1 else ""
        here, there = f"tp:{between}{more}", f"tp:{b.access.name}-{a.access.name}{more}"
        ends |= {here: a, there: b}
        links[f"link:{between}{more}"] = (here, there)
        records.append(_link(f"link:{between}{more}", here, there, a, b))
    declared = reach.declared
    inventory = Inventory(
        name=declared.name,
        nodes=tuple(_node(access) for access in reach.routers),
        termination_points=tuple(_point(id, end) for id, end in ends.items()),
        links=tuple(records),
        demands=declared.demands,
        slices=declared.slices,
        customers=declared.customers,
        services=declared.services,
    )
    at = {(end.access.name, end.interface.name): id for id, end in ends.items()}
    addresses = {access.node: IPv4Address(access.address) for access in reach.routers}
    node_of = {end.address.ip: end.access.node for end in ends.values()}
    return Topology(inventory, ends, links, at, addresses, node_of)


def _node(access: Access) -> Node:
    return Node(id=access.node, kind=NodeKind.ROUTER, name=access.name, vendor="frr")


def _point(id: str, end: End) -> TerminationPoint:
    state = Administrative.UNLOCKED if end.interface.admin_up else Administrative.LOCKED
    return TerminationPoint(id=id, node=end.access.node, name=end.interface.name, administrative=state)


def _link(id: str, here: str, there: str, a: End, b: End) -> Link:
    capacities = [end.interface.capacity_mbps for end in (a, b) if end.interface.capacity_mbps is not None]
    if not capacities:
        raise BadInput(f"neither end of `{id}` has a bandwidth configured; set `bandwidth` on one of them")
    delay = max((end.interface.delay_ms or 0.0 for end in (a, b)), default=0.0)
    return Link(id=id, source=here, destination=there, capacity_mbps=min(capacities), delay_ms=delay, metric=a.cost)
