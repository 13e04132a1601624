"""A consistent configuration for the routers of an inventory: what a careful engineer would have typed.

Each router has a loopback (10.255/16), a customer side (172.16/12), and for every second one a customer network behind
it (100.64/10). Each link has a /31 (10/8), a VLAN and its metric in area 0 at both ends. Two route reflectors have a
BGP session with everyone. Each router has a protected way to the first reflector where two ways exist that share no
risk. Demands that the inventory sends through a waypoint become segment routing policies of the same name.
"""

from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise

import networkx as nx

from domain.configuration import (
    AccessEntry,
    AccessList,
    AccessVerdict,
    BgpSession,
    Configuration,
    Igp,
    Interface,
    Protection,
    RouterConfiguration,
    SegmentPolicy,
    StaticRoute,
    Transport,
)
from domain.errors import BadInput
from domain.network import ROUTING_KINDS, Administrative, Inventory, Link, Node, NodeKind

_MTU, _AS, _FIRST_VLAN, _VLANS = 9000, 64512, 100, 3900
_IGP_KEY, _BGP_KEY, _EDGE, _CORE = "igp-key", "bgp-key", "EDGE", "CORE"
_LOOPBACKS, _CUSTOMERS = "10.255.0.0/16", "172.16.0.0/12"
_BEHIND = "100.64.0.0/10"
_MOST = 4_000


def generate(inventory: Inventory) -> Configuration:
    """Return a configuration in which no check finds anything.

    Raises:
        BadInput: the inventory has no router, or more than the address plan has room for.
    """
    nodes = sorted((node for node in inventory.nodes if node.kind in ROUTING_KINDS), key=lambda node: node.id)
    if not 0 < len(nodes) <= _MOST:
        raise BadInput(f"`{inventory.name}` has {len(nodes)} routers; a configuration is for 1 to {_MOST} of them")
    loopback = {node.id: str(IPv4Network(_LOOPBACKS)[number + 1]) for number, node in enumerate(nodes)}
    ends = _ends(inventory)
    graph = _graph(inventory, ends)
    reflectors = _reflectors(nodes, graph)
    links = _link_interfaces(inventory, {node.id for node in nodes}, ends)
    routers = []
    for number, node in enumerate(nodes):
        customer, behind = _customer_side(number)
        routers.append(
            RouterConfiguration(
                router=node.id,
                description=_plain(node.name),
                local_as=_AS,
                interfaces=(_loopback(loopback[node.id]), customer, *links.get(node.id, ())),
                access_lists=_access_lists(),
                sessions=_sessions(node.id, loopback, reflectors),
                routes=behind,
                policies=_policies(inventory, node.id, loopback),
                protections=_protections(inventory, graph, node.id, reflectors[0]),
            )
        )
    return Configuration(routers=tuple(routers))


def _plain(text: str) -> str:
    return " ".join(text.encode("ascii", "ignore").decode().split())


def _ends(inventory: Inventory) -> dict[str, tuple[str, str]]:
    """Return the nodes at both ends of each link."""
    node_of = {point.id: point.node for point in inventory.termination_points}
    return {link.id: (node_of[link.source], node_of[link.destination]) for link in inventory.links}


def _graph(inventory: Inventory, ends: dict[str, tuple[str, str]]) -> nx.Graph:
    graph = nx.Graph()
    for link in sorted(inventory.links, key=lambda link: (link.metric, link.id)):
        if not graph.has_edge(*ends[link.id]) and link.administrative is Administrative.UNLOCKED:
            graph.add_edge(*ends[link.id], weight=link.metric, link=link.id, srlgs=frozenset(link.srlgs))
    return graph


def _reflectors(nodes: list[Node], graph: nx.Graph) -> list[str]:
    """Choose the two core routers with the most neighbours; in a network without a core, of all."""
    cores = [node.id for node in nodes if node.kind is NodeKind.CORE] or [node.id for node in nodes]
    return sorted(cores, key=lambda name: (-graph.degree(name) if name in graph else 0, name))[:2]


def _loopback(address: str) -> Interface:
    return Interface(name="lo0", address=f"{address}/32", igp=Igp(metric=1, passive=True))


def _customer_side(number: int) -> tuple[Interface, tuple[StaticRoute, ...]]:
    lan = IPv4Network((int(IPv4Network(_CUSTOMERS)[0]) + 256 * number, 24))
    side = Interface(
        name="lan0", description="customers", address=f"{lan[1]}/24", igp=Igp(passive=True), access_in=_EDGE
    )
    if number % 2:
        return side, ()
    behind = IPv4Network((int(IPv4Network(_BEHIND)[0]) + 256 * number, 24))
    return side, (StaticRoute(prefix=str(behind), via=str(lan[2]), announced=True),)


def _link_interfaces(
    inventory: Inventory, routers: set[str], ends: dict[str, tuple[str, str]]
) -> dict[str, list[Interface]]:
    """Return the interfaces of each router that end links between routers."""
    locked = {point.id for point in inventory.termination_points if point.administrative is Administrative.LOCKED}
    locked |= {node.id for node in inventory.nodes if node.administrative is Administrative.LOCKED}
    found: dict[str, list[Interface]] = {}
    for number, link in enumerate(sorted(inventory.links, key=lambda link: link.id)):
        if not routers.issuperset(ends[link.id]):
            continue
        down = link.administrative is Administrative.LOCKED or not locked.isdisjoint(
            {link.source, link.destination, *ends[link.id]}
        )
        for side, point in enumerate((link.source, link.destination)):
            interface = _link_interface(link, number, side, point, enabled=not down)
            found.setdefault(ends[link.id][side], []).append(interface)
    return found


def _link_interface(link: Link, number: int, side: int, point: str, *, enabled: bool) -> Interface:
    return Interface(
        name=point,
        description=_plain(link.id),
        address=f"{IPv4Address('10.0.0.0') + 2 * number + side}/31",
        mtu=_MTU,
        vlan=_FIRST_VLAN + number % _VLANS,
        enabled=enabled,
        igp=Igp(metric=link.metric, authentication=_IGP_KEY),
        access_in=_CORE,
    )


def _access_lists() -> tuple[AccessList, ...]:
    """Customers reach no loopback except to ping it; only loopbacks speak BGP with loopbacks."""
    permit, deny = AccessVerdict.PERMIT, AccessVerdict.DENY
    edge = (
        AccessEntry(sequence=10, verdict=permit, transport=Transport.ICMP, destination=_LOOPBACKS),
        AccessEntry(sequence=20, verdict=deny, destination=_LOOPBACKS),
        AccessEntry(sequence=30, verdict=permit, source=_CUSTOMERS),
        AccessEntry(sequence=40, verdict=permit, source=_BEHIND),
    )
    bgp = {"transport": Transport.TCP, "destination": _LOOPBACKS, "port": 179}
    core = (
        AccessEntry(sequence=10, verdict=permit, source=_LOOPBACKS, **bgp),
        AccessEntry(sequence=20, verdict=deny, **bgp),
        AccessEntry(sequence=30, verdict=permit),
    )
    return AccessList(name=_EDGE, entries=edge), AccessList(name=_CORE, entries=core)


def _sessions(router: str, loopback: dict[str, str], reflectors: list[str]) -> tuple[BgpSession, ...]:
    peers = [name for name in (loopback if router in reflectors else reflectors) if name != router]
    return tuple(
        BgpSession(peer=loopback[peer], remote_as=_AS, source="lo0", authentication=_BGP_KEY) for peer in peers
    )


def _policies(inventory: Inventory, router: str, loopback: dict[str, str]) -> tuple[SegmentPolicy, ...]:
    bent = [demand for demand in inventory.demands if demand.source == router and demand.via in loopback]
    return tuple(
        SegmentPolicy(
            name=demand.id, color=100, endpoint=loopback[demand.destination], via=(loopback[str(demand.via)],)
        )
        for demand in bent
    )


def _protections(inventory: Inventory, graph: nx.Graph, router: str, goal: str) -> tuple[Protection, ...]:
    primary = _way(graph, router, goal)
    risks = {srlg for link in inventory.links if link.id in primary for srlg in link.srlgs}
    rest = nx.subgraph_view(
        graph, filter_edge=lambda a, b: graph[a][b]["link"] not in primary and risks.isdisjoint(graph[a][b]["srlgs"])
    )
    backup = _way(rest, router, goal) if primary else []
    if not backup:
        return ()
    return (Protection(name="to-reflector", primary=tuple(primary), backup=tuple(backup)),)


def _way(graph: nx.Graph, begin: str, end: str) -> list[str]:
    """Return the links of the shortest way, none where there is none."""
    if begin == end or not {begin, end} <= set(graph.nodes) or not nx.has_path(graph, begin, end):
        return []
    stops = nx.shortest_path(graph, begin, end, weight="weight")
    return [graph[a][b]["link"] for a, b in pairwise(stops)]
