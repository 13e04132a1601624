"""Changes that a careful engineer pushes every week, in which nothing is wrong."""

from collections.abc import Callable
from itertools import pairwise

import networkx as nx

from benchmarks.config_errors_faults import moved_exit, symmetric_metric
from benchmarks.config_errors_oracle import worst
from benchmarks.config_errors_slips import Rng
from benchmarks.config_errors_text import Draft, Edit, World, pick

Benign = Callable[[World, Rng], Edit | None]
_ROOM = 0.99


def _edit(world: World, draft: Draft) -> Edit | None:
    return Edit("benign", world.text, draft.text) if draft.text != world.text else None


def descriptions(world: World, rng: Rng) -> Edit | None:
    """Rename ports and routers, everywhere if need be."""
    draft = world.draft()
    for name in rng.permutation(world.routers)[: int(rng.integers(1, len(world.routers)))].tolist():
        draft.put(name, "lan0", "description", f"customers since {int(rng.integers(2001, 2027))}")
    return _edit(world, draft)


def metric_at_both_ends(world: World, rng: Rng) -> Edit | None:
    """Change a metric at both ends, and leave room everywhere."""
    link = pick(rng, sorted(world.links))
    metric = pick(rng, [2, 5, 15, 30, 75, 150, 400])
    return _edit(world, symmetric_metric(world, link, metric)) if worst(world, {link: metric}) <= _ROOM else None


def loopback(world: World, rng: Rng) -> Edit | None:
    """Give a router one more loopback."""
    draft, name = world.draft(), pick(rng, world.routers)
    at = draft.section(name, "interface lan0")[0]
    address = f"10.254.{int(rng.integers(256))}.{int(rng.integers(256))}/32"
    draft.lines[at:at] = [
        " interface lo1",
        f"  address {address}",
        "  ospf area 0",
        "  ospf metric 1",
        "  ospf passive",
    ]
    return _edit(world, draft)


def pair_of_units(world: World, rng: Rng) -> Edit | None:
    """Put a matched pair of units on a link, one at each end."""
    draft, link = world.draft(), pick(rng, sorted(world.links))
    third, base = int(rng.integers(256)), 2 * int(rng.integers(128))
    unit, igp = int(rng.integers(200, 300)), rng.random() < 0.5
    for number, side in enumerate(world.links[link]):
        lines = [f" interface {side.interface}.{unit}", f"  address 10.253.{third}.{base + number}/31", "  mtu 9000",
                 f"  vlan {4000 - unit}"]  # fmt: skip
        lines += ["  ospf area 0", "  ospf metric 5000", "  ospf authentication igp-key"] if igp else []
        at = draft.section(side.router, f"interface {side.interface}")[1]
        draft.lines[at:at] = lines
    return _edit(world, draft)


def _both_ends(key: str, values: tuple[str, ...]) -> Benign:
    """Make the change of setting something at both ends of a link that the network can be without for a while."""

    def change(world: World, rng: Rng) -> Edit | None:
        spare = sorted(set(world.links) - world.bridges())
        if not spare:
            return None
        draft, value = world.draft(), pick(rng, list(values))
        for side in world.links[pick(rng, spare)]:
            draft.put(side.router, side.interface, key, value)
        return _edit(world, draft)

    return change


def new_subnet(world: World, rng: Rng) -> Edit | None:
    """Move a link to another subnet, both ends."""
    spare = sorted(set(world.links) - world.bridges())
    if not spare:
        return None
    draft, third = world.draft(), int(rng.integers(256))
    for number, side in enumerate(world.links[pick(rng, spare)]):
        draft.put(side.router, side.interface, "address", f"10.252.{third}.{number}/31")
    return _edit(world, draft)


def drained_link(world: World, rng: Rng) -> Edit | None:
    """Shut a link at both ends, where the rest has room for its traffic."""
    spare = sorted(set(world.links) - world.bridges())
    link = pick(rng, spare) if spare else ""
    if not spare or worst(world, {}, frozenset({link})) > _ROOM:
        return None
    draft = world.draft()
    for side in world.links[link]:
        draft.put(side.router, side.interface, "state", "down")
    return _edit(world, draft)


def customer_route(world: World, rng: Rng) -> Edit | None:
    """Announce one more network of a customer."""
    draft, name = world.draft(), pick(rng, world.routers)
    lan = str(draft.value(name, "lan0", "address")).rsplit(".", 1)[0]
    draft.add(name, f" route 198.19.{int(rng.integers(256))}.0/24 via {lan}.{int(rng.integers(3, 250))} announced")
    return _edit(world, draft)


def customer_gone(world: World, rng: Rng) -> Edit | None:
    """Take a customer's route away."""
    draft = world.draft()
    lines = draft.starting(pick(rng, world.routers), "route ")
    if not lines:
        return None
    del draft.lines[lines[0]]
    return _edit(world, draft)


def filtered_port(world: World, rng: Rng) -> Edit | None:
    """Close one more port, before the entry that lets all else through."""
    draft = world.draft()
    for name in rng.permutation(world.routers)[:3].tolist():
        at = draft.section(name, "access-list CORE")[1] - 1
        port = pick(rng, ["tcp any any port 23", "udp any any port 69", "tcp any 10.255.0.0/16 port 445"])
        draft.lines.insert(at, f"  {int(rng.integers(21, 30))} deny {port}")
    return _edit(world, draft)


def new_session(world: World, rng: Rng) -> Edit | None:
    """Configure one more session, both sides."""
    one, other = (world.routers[place] for place in rng.permutation(len(world.routers))[:2])
    draft = world.draft()
    address = {name: str(draft.value(name, "lo0", "address")).split("/")[0] for name in (one, other)}
    if draft.starting(one, f"neighbor {address[other]} "):
        return None
    for here, there in ((one, other), (other, one)):
        draft.add(here, f" neighbor {address[there]} remote-as 64512 source lo0 authentication bgp-key")
    return _edit(world, draft)


def external_session(world: World, rng: Rng) -> Edit | None:
    """Peer with a customer that has an AS number of its own."""
    draft, name = world.draft(), pick(rng, world.routers)
    lan = str(draft.value(name, "lan0", "address")).rsplit(".", 1)[0]
    draft.add(
        name, f" neighbor {lan}.{int(rng.integers(3, 250))} remote-as {int(rng.integers(65000, 65400))} source lan0"
    )
    return _edit(world, draft)


def session_key(world: World, rng: Rng) -> Edit | None:
    """Change the key of one session, both sides."""
    draft, name = world.draft(), pick(rng, world.routers)
    own = str(draft.value(name, "lo0", "address")).split("/")[0]
    at = pick(rng, draft.starting(name, "neighbor "))
    peer = draft.lines[at].split()[1]
    far = next(each for each in world.routers if str(draft.value(each, "lo0", "address")).split("/")[0] == peer)
    for line in (at, draft.starting(far, f"neighbor {own} ")[0]):
        draft.lines[line] = draft.lines[line].replace("bgp-key", "bgp-key-new")
    return _edit(world, draft)


def session_gone(world: World, rng: Rng) -> Edit | None:
    """Take a session away, both sides."""
    draft, name = world.draft(), pick(rng, world.routers)
    own = str(draft.value(name, "lo0", "address")).split("/")[0]
    at = pick(rng, draft.starting(name, "neighbor "))
    peer = draft.lines[at].split()[1]
    far = next(each for each in world.routers if str(draft.value(each, "lo0", "address")).split("/")[0] == peer)
    for line in sorted((at, draft.starting(far, f"neighbor {own} ")[0]), reverse=True):
        del draft.lines[line]
    return _edit(world, draft)


def dual_homed(world: World, rng: Rng) -> Edit | None:
    """Announce one customer's network from two routers that both have a line to him."""
    draft, third = world.draft(), int(rng.integers(256))
    for name in rng.permutation(world.routers)[:2].tolist():
        lan = str(draft.value(name, "lan0", "address")).rsplit(".", 1)[0]
        draft.add(name, f" route 198.19.{third}.0/24 via {lan}.{int(rng.integers(3, 250))} announced")
    return _edit(world, draft)


def anycast(world: World, rng: Rng) -> Edit | None:
    """Give two routers the address of one service, on purpose and said so."""
    draft, last = world.draft(), int(rng.integers(1, 255))
    for name in rng.permutation(world.routers)[:2].tolist():
        at = draft.section(name, "interface lan0")[0]
        draft.lines[at:at] = [" interface lo53", "  description anycast resolver", f"  address 10.254.0.{last}/32",
                              "  ospf area 0", "  ospf metric 1", "  ospf passive"]  # fmt: skip
    return _edit(world, draft)


def resequenced(world: World, rng: Rng) -> Edit | None:
    """Number the entries of an access list anew."""
    draft, name = world.draft(), pick(rng, world.routers)
    start, end = draft.section(name, f"access-list {pick(rng, ['EDGE', 'CORE'])}")
    for count, at in enumerate(range(start + 1, end), 1):
        draft.lines[at] = f"  {100 * count} {draft.lines[at].split(maxsplit=1)[1]}"
    return _edit(world, draft)


def policy(world: World, rng: Rng) -> Edit | None:
    """Steer a colour through a waypoint."""
    here, via, end = (world.routers[place] for place in rng.permutation(len(world.routers))[:3])
    draft = world.draft()
    address = {name: str(draft.value(name, "lo0", "address")).split("/")[0] for name in (via, end)}
    draft.add(here, f" policy green color {int(rng.integers(1, 900))} endpoint {address[end]} via {address[via]}")
    return _edit(world, draft)


def other_protection(world: World, rng: Rng) -> Edit | None:
    """Add a protected way to another router, over ways that share nothing."""
    here, end = (world.routers[place] for place in rng.permutation(len(world.routers))[:2])
    risks = {link.id: set(link.srlgs) for link in world.inventory.links}
    primary = _links(world.graph, here, end)
    used = set().union(*(risks[link] for link in primary))
    rest = nx.Graph(
        [(a, b, data) for a, b, data in world.graph.edges(data=True)
         if data["link"] not in primary and not risks[data["link"]] & used]
    )  # fmt: skip
    if here not in rest or end not in rest or not nx.has_path(rest, here, end):
        return None
    draft = world.draft()
    draft.add(here, f" protection extra primary {' '.join(primary)} backup {' '.join(_links(rest, here, end))}")
    return _edit(world, draft)


def _links(graph: nx.Graph, begin: str, end: str) -> list[str]:
    way = nx.shortest_path(graph, begin, end, weight="metric")
    return [graph[a][b]["link"] for a, b in pairwise(way)]


def moved(world: World, rng: Rng) -> Edit | None:
    """Move the exit of a network, beginning at the new exit."""
    return moved_exit(world, rng, wrong=False)


BENIGN: dict[str, Benign] = {
    "descriptions": descriptions,
    "metric_at_both_ends": metric_at_both_ends,
    "loopback": loopback,
    "pair_of_units": pair_of_units,
    "mtu_at_both_ends": _both_ends("mtu", ("8900", "9100", "4470")),
    "vlan_at_both_ends": _both_ends("vlan", ("4001", "4002", "4003")),
    "key_at_both_ends": _both_ends("ospf authentication", ("igp-key-2027",)),
    "area_at_both_ends": _both_ends("ospf area", ("1", "0.0.0.2")),
    "new_subnet": new_subnet,
    "drained_link": drained_link,
    "customer_route": customer_route,
    "customer_gone": customer_gone,
    "filtered_port": filtered_port,
    "new_session": new_session,
    "external_session": external_session,
    "session_key": session_key,
    "session_gone": session_gone,
    "dual_homed": dual_homed,
    "anycast": anycast,
    "resequenced": resequenced,
    "policy": policy,
    "other_protection": other_protection,
    "moved_exit": moved,
}
