"""Mistakes that look right line by line: routes against each other, dead entries, ways that share a fate."""

from itertools import islice, pairwise

import networkx as nx

from benchmarks.config_errors_oracle import worst
from benchmarks.config_errors_slips import SLIPS, Rng, Slip
from benchmarks.config_errors_text import Draft, Edit, Side, World, pick

#: Routers that one push may change, by the policy of the bench.
MOST_ROUTERS = 6
_OVERLOADED, _FULLER = 1.05, 0.05


def _network(address: str) -> str:
    """Return the /24 of an address."""
    return address.rpartition(".")[0] + ".0/24"


def _two_routers(rng: Rng, world: World) -> tuple[str, str]:
    first, second = rng.permutation(len(world.routers))[:2].tolist()
    return world.routers[first], world.routers[second]


def _address(draft: Draft, side: Side) -> str:
    return (draft.value(side.router, side.interface, "address") or "").split("/")[0]


def acl_shadow(draft: Draft, rng: Rng, world: World) -> bool:
    """Put an entry where it, or one behind it, never matches."""
    name, entry = pick(
        rng,
        [
            ("EDGE", "5 permit ip any any"),
            ("EDGE", "15 permit ip 172.16.0.0/12 any"),
            ("EDGE", "25 permit tcp 172.16.0.0/12 10.255.0.0/16 port 22"),
            ("EDGE", "35 deny ip 172.16.0.0/24 any"),
            ("CORE", "5 deny tcp any any port 179"),
            ("CORE", "40 deny udp any any port 69"),
        ],
    )
    _insert(draft, pick(rng, world.routers), name, entry)
    return True


def acl_flow(draft: Draft, rng: Rng, world: World) -> bool:
    """Keep out what the network itself lives on."""
    router = pick(rng, world.routers)
    match int(rng.integers(4)):
        case 0:
            _insert(draft, router, "CORE", pick(rng, ["5 deny tcp any any", "8 deny ip any 10.255.0.0/16"]))
        case 1:
            _insert(draft, router, "CORE", "5 deny ip 10.255.0.0/16 any")
        case 2:
            start, end = draft.section(router, "access-list CORE")
            del draft.lines[next(n for n in range(start, end) if draft.lines[n].strip().startswith("10 "))]
        case _:
            for side in (side for ends in world.links.values() for side in ends if side.router == router):
                if draft.has(router, f"interface {side.interface}"):
                    draft.put(router, side.interface, "access-group", "EDGE in")
    return True


def _insert(draft: Draft, router: str, name: str, entry: str) -> None:
    start, end = draft.section(router, f"access-list {name}")
    number = int(entry.partition(" ")[0])
    at = next((n for n in range(start + 1, end) if int(draft.lines[n].split()[0]) > number), end)
    draft.lines.insert(at, f"  {entry}")


def static_loop(draft: Draft, rng: Rng, world: World) -> bool:
    """Send a customer's network back to a neighbour whose way to it leads through here."""
    goal, here = _two_routers(rng, world)
    distance = nx.single_source_dijkstra_path_length(world.graph, goal, weight="metric")
    behind = []
    for link, (a, b) in sorted(world.links.items()):
        for near, far in ((a, b), (b, a)):
            metric = world.graph[a.router][b.router]
            on_way = distance.get(far.router) == distance.get(near.router, -1) + metric["metric"]
            if (
                near.router == here
                and metric["link"] == link
                and on_way
                and draft.has(far.router, f"interface {far.interface}")
            ):
                behind.append(far)
    if not behind:
        return False
    draft.add(
        here, f" route {_network(str(draft.value(goal, 'lan0', 'address')))} via {_address(draft, pick(rng, behind))}"
    )
    return True


def default_loop(draft: Draft, rng: Rng, world: World) -> bool:
    """Let two neighbours send to each other what neither of them knows."""
    for near, far in (ends := world.links[pick(rng, sorted(world.links))], ends[::-1]):
        if not draft.has(far.router, f"interface {far.interface}"):
            return False
        draft.add(near.router, f" route 0.0.0.0/0 via {_address(draft, far)}")
    return True


def static_black_hole(draft: Draft, rng: Rng, world: World) -> bool:
    """Leave a scrubbing route behind, or send a network to a host that is not its router."""
    goal, here = _two_routers(rng, world)
    lan, loopback = str(draft.value(goal, "lan0", "address")), str(draft.value(goal, "lo0", "address"))
    whole = _network(lan)
    draft.add(here, f" route {pick(rng, [whole, whole.replace('.0/24', '.128/25'), loopback])} drop")
    return True


def hijack(draft: Draft, rng: Rng, world: World) -> bool:
    """Announce for a new customer what is another router's network, or a part of it."""
    goal, here = _two_routers(rng, world)
    whole = _network(str(draft.value(goal, "lan0", "address")))
    own = str(draft.value(here, "lan0", "address")).rpartition(".")[0]
    prefix = pick(rng, [whole, whole.replace(".0/24", ".64/26")])
    draft.add(here, f" route {prefix} via {own}.{int(rng.integers(3, 250))} announced")
    return True


def acl_open(draft: Draft, rng: Rng, world: World) -> bool:
    """Lose the filter that keeps customers away from the routers."""
    router = pick(rng, world.routers)
    match int(rng.integers(3)):
        case 0:
            draft.put(router, "lan0", "access-group", None)
        case 1:
            draft.put(router, "lan0", "access-group", "CORE in")
        case _:
            start, end = draft.section(router, "access-list EDGE")
            del draft.lines[next(n for n in range(start, end) if draft.lines[n].strip().startswith("20 "))]
            _insert(draft, router, "EDGE", "20 permit ip any 10.255.0.0/16")
    return True


def cut_off(draft: Draft, rng: Rng, world: World) -> bool:
    """Shut the last links of a router, at both ends as one should."""
    degrees = {name: [link for link, ends in world.links.items() if name in {s.router for s in ends}]
               for name in world.routers}  # fmt: skip
    thin = [name for name in world.routers if len(degrees[name]) <= 2]
    if not thin:
        return False
    for link in degrees[pick(rng, thin)]:
        for side in world.links[link]:
            if draft.has(side.router, f"interface {side.interface}"):
                draft.put(side.router, side.interface, "state", "down")
    return True


def _protected(draft: Draft, rng: Rng, world: World) -> tuple[int, list[str], list[str]] | None:
    """Return a protection's line with its two ways."""
    lines = draft.starting(pick(rng, world.routers), "protection ")
    if not lines:
        return None
    words = draft.lines[lines[0]].split()
    turn = words.index("backup")
    return lines[0], words[3:turn], words[turn + 1 :]


def srlg(draft: Draft, rng: Rng, world: World) -> bool:
    """Choose a backup that looks different and shares a link, or a duct, with the primary."""
    found = _protected(draft, rng, world)
    if found is None:
        return False
    at, primary, _ = found
    risks = {link.id: set(link.srlgs) | {link.id} for link in world.inventory.links}
    used = set().union(*(risks[link] for link in primary))
    here = draft.lines[: at + 1]
    router = next(line.split()[1] for line in reversed(here) if line.startswith("router "))
    goal = router
    for link in primary:
        a, b = world.links[link]
        goal = b.router if goal == a.router else a.router
    ways = islice(nx.shortest_simple_paths(world.graph, router, goal, weight="metric"), 12)
    named = [[world.graph[a][b]["link"] for a, b in pairwise(way)] for way in ways]
    shared = [way for way in named if used & set().union(*(risks[link] for link in way)) and way != primary]
    backup = pick(rng, shared or [primary])
    draft.lines[at] = f"{draft.lines[at].split(' primary ')[0]} primary {' '.join(primary)} backup {' '.join(backup)}"
    return True


def protection_torn(draft: Draft, rng: Rng, world: World) -> bool:
    """Forget a hop of the backup, or name a link that is elsewhere."""
    found = _protected(draft, rng, world)
    if found is None:
        return False
    at, primary, backup = found
    gone = int(rng.integers(len(backup)))
    short = backup[:gone] + backup[gone + 1 :] or [pick(rng, sorted(set(world.links) - set(primary) - set(backup)))]
    draft.lines[at] = f"{draft.lines[at].split(' backup ')[0]} backup {' '.join(short)}"
    return True


def blast(draft: Draft, rng: Rng, world: World) -> bool:
    """Search and replace in all files at once what was meant for one router."""
    old, new = pick(rng, [("  mtu 9000", "  mtu 9100"), ("authentication igp-key", "authentication igp-key-2027"),
                          ("authentication bgp-key", "authentication bgp-key-2027")])  # fmt: skip
    draft.lines[:] = [line.replace(old, new) for line in draft.lines]
    return len(world.routers) > MOST_ROUTERS


FAULTS: dict[str, Slip] = SLIPS | {
    "acl_shadow": acl_shadow,
    "acl_flow": acl_flow,
    "acl_open": acl_open,
    "hijack": hijack,
    "static_loop": static_loop,
    "default_loop": default_loop,
    "static_black_hole": static_black_hole,
    "cut_off": cut_off,
    "srlg": srlg,
    "protection_torn": protection_torn,
    "blast": blast,
}


def one_fault(kind: str, world: World, rng: Rng) -> Edit | None:
    """Return a push with one mistake in it, or None when this draw could not make it."""
    if kind == "wrong_order":
        return moved_exit(world, rng, wrong=True)
    if kind == "n1_overload":
        return n1_overload(world, rng)
    draft = world.draft()
    return Edit(kind, world.text, draft.text) if FAULTS[kind](draft, rng, world) and draft.text != world.text else None


def two_faults(kinds: tuple[str, str], world: World, rng: Rng) -> Edit | None:
    """Return a push with two different mistakes, one made on top of the other; None when a draw could not make it."""
    draft = world.draft()
    for kind in kinds:
        before = draft.text
        try:
            made = FAULTS[kind](draft, rng, world)
        except ValueError:  # the first mistake took away what the second one was to be made on
            return None
        if not made or draft.text == before:
            return None
    return Edit("+".join(kinds), world.text, draft.text)


def moved_exit(world: World, rng: Rng, *, wrong: bool) -> Edit | None:
    """Move the exit of a network from one end of a chain of routers to the other.

    Each router of the chain sends the network to the next one by a static route, the last one to its customers. When
    the push begins at the old end, the last router sends back what the one before it still sends on.
    """
    chain = _chain(world, rng, int(rng.integers(2, 4)))
    if chain is None:
        return None
    prefix = f"198.18.{int(rng.integers(256))}.0/24"
    before = _exit_at_end(world.draft(), world, chain, prefix)
    after = _exit_at_end(world.draft(), world, chain[::-1], prefix)
    order = tuple(chain[::-1] if wrong else chain)
    return Edit("wrong_order" if wrong else "moved_exit", before.text, after.text, order)


def _chain(world: World, rng: Rng, length: int) -> list[str] | None:
    chain = [pick(rng, world.routers)]
    while len(chain) < length:
        further = sorted(set(world.graph[chain[-1]]) - set(chain))
        if not further:
            return None
        chain.append(pick(rng, further))
    return chain


def _exit_at_end(draft: Draft, world: World, chain: list[str], prefix: str) -> Draft:
    for here, there in pairwise(chain):
        ends = world.links[world.graph[here][there]["link"]]
        far = next(side for side in ends if side.router == there)
        draft.add(here, f" route {prefix} via {_address(draft, far)}")
    lan = str(draft.value(chain[-1], "lan0", "address")).split("/")[0]
    draft.add(chain[-1], f" route {prefix} via {lan.rsplit('.', 1)[0]}.7")
    return draft


def n1_overload(world: World, rng: Rng) -> Edit | None:
    """Give a link a metric, the same at both ends, that overloads another one as soon as something fails."""
    link = pick(rng, sorted(world.links))
    metric = pick(rng, [1, 2_000, 60_000])
    busiest = worst(world, {link: metric})
    if busiest < _OVERLOADED or busiest < worst(world, {}) + _FULLER:  # what was so full before is no mistake of this
        return None
    return Edit("n1_overload", world.text, symmetric_metric(world, link, metric).text)


def symmetric_metric(world: World, link: str, metric: int) -> Draft:
    """Return the draft with a metric set at both ends of a link."""
    draft = world.draft()
    for side in world.links[link]:
        draft.put(side.router, side.interface, "ospf metric", str(metric))
    return draft


#: Every kind of single mistake.
KINDS = (*FAULTS, "wrong_order", "n1_overload")
