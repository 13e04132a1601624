"""Slips of one line: what engineers type wrong, forget at the other end, or paste where it does not belong."""

from collections.abc import Callable

import numpy as np

from benchmarks.config_errors_text import Draft, Side, World, pick

Rng = np.random.Generator
#: Edits the draft, and says whether it could.
Slip = Callable[[Draft, Rng, World], bool]


def _side(rng: Rng, world: World) -> Side:
    return pick(rng, world.links[pick(rng, sorted(world.links))])


def _one_end(key: str, choices: tuple[str | None, ...]) -> Slip:
    """Make the slip of setting something at one end of a link alone."""

    def slip(draft: Draft, rng: Rng, world: World) -> bool:
        side = _side(rng, world)
        if not draft.has(side.router, f"interface {side.interface}"):
            return False
        old = draft.value(side.router, side.interface, key)
        new = pick(rng, [choice for choice in choices if choice != old])
        draft.put(side.router, side.interface, key, new)
        return True

    return slip


def duplicate_address(draft: Draft, rng: Rng, world: World) -> bool:
    """Paste an interface or a loopback from another router and forget to adapt its address."""
    if rng.random() < 0.5:
        one, other = (pick(rng, world.routers) for _ in range(2))
        pasted = draft.value(other, "lo0", "address")
        draft.put(one, "lo0", "address", pasted)
        return one != other
    one_side, other_side = _side(rng, world), _side(rng, world)
    if one_side == other_side or not draft.has(other_side.router, f"interface {other_side.interface}"):
        return False
    pasted = draft.value(other_side.router, other_side.interface, "address")
    draft.put(one_side.router, one_side.interface, "address", pasted)
    return True


def wrong_subnet(draft: Draft, rng: Rng, world: World) -> bool:
    """Mistype an octet, the host part or the prefix length of one end's address."""
    side = _side(rng, world)
    address, length = (draft.value(side.router, side.interface, "address") or "").split("/")
    octets = [int(octet) for octet in address.split(".")]
    match int(rng.integers(3)):
        case 0:
            octets[2] = (octets[2] + int(rng.integers(1, 200))) % 256
        case 1:
            octets[3] = (octets[3] + 2 * int(rng.integers(1, 100))) % 256
        case _:
            length = pick(rng, ["30", "29", "24"])
    draft.put(side.router, side.interface, "address", f"{'.'.join(map(str, octets))}/{length}")
    return True


def vlan(draft: Draft, rng: Rng, world: World) -> bool:
    """Mistype the VLAN of one end, or leave it out."""
    side = _side(rng, world)
    old = int(draft.value(side.router, side.interface, "vlan") or 1)
    new = pick(rng, [str(old + 1), str(old + 10), str(max(1, old - 1)), str(old)[::-1].lstrip("0"), None])
    draft.put(side.router, side.interface, "vlan", new)
    return new is None or int(new) not in {old} | set(range(4095, 10_000))


def metric(draft: Draft, rng: Rng, world: World) -> bool:
    """Change the metric at one end alone: one digit too many, one too few, or forgotten over there."""
    side = _side(rng, world)
    old = int(draft.value(side.router, side.interface, "ospf metric") or 1)
    new = pick(rng, [min(65_000, old * 10), max(1, old // 10), old + int(rng.integers(1, 50))])
    draft.put(side.router, side.interface, "ospf metric", str(new))
    return new != old


def igp_missing(draft: Draft, rng: Rng, world: World) -> bool:
    """Forget the IGP at one end, or make that end passive."""
    side = _side(rng, world)
    if rng.random() < 0.3:
        draft.lines.insert(draft.section(side.router, f"interface {side.interface}")[1], "  ospf passive")
        return True
    for key in ("ospf area", "ospf metric", "ospf authentication"):
        draft.put(side.router, side.interface, key, None)
    return True


def interface_name(draft: Draft, rng: Rng, world: World) -> bool:
    """Mistype the name of a port."""
    side = _side(rng, world)
    at = draft.section(side.router, f"interface {side.interface}")[0]
    wrong = pick(rng, [f"{side.interface}9", side.interface.replace("tp:", "tp-"), side.interface[:-1] + "77"])
    draft.lines[at] = f" interface {wrong}"
    return wrong != side.interface


def _neighbor(draft: Draft, rng: Rng, world: World) -> tuple[int, list[str]] | None:
    lines = draft.starting(pick(rng, world.routers), "neighbor ")
    if not lines:
        return None
    at = pick(rng, lines)
    return at, draft.lines[at].split()


def session_one_sided(draft: Draft, rng: Rng, world: World) -> bool:
    """Take one side of a session away, shut it, or mistype the neighbour's address."""
    found = _neighbor(draft, rng, world)
    if found is None:
        return False
    at, words = found
    match int(rng.integers(3)):
        case 0:
            del draft.lines[at]
        case 1:
            draft.lines[at] += " shutdown"
        case _:
            octets = words[1].split(".")
            octets[int(rng.integers(2, 4))] = str(int(rng.integers(100, 250)))
            draft.lines[at] = draft.lines[at].replace(words[1], ".".join(octets))
    return True


def session_terms(draft: Draft, rng: Rng, world: World) -> bool:
    """Mistype the AS number or the key of a session."""
    found = _neighbor(draft, rng, world)
    if found is None:
        return False
    at, words = found
    old = pick(rng, [words[3], words[7]])
    new = pick(rng, ["64521", "65412", "6451"]) if old == words[3] else pick(rng, ["bgp-kay", "bgp-key-2", "BGP-key"])
    draft.lines[at] = draft.lines[at].replace(f" {old}", f" {new}")
    return True


def reference(draft: Draft, rng: Rng, world: World) -> bool:
    """Mistype the name of an access list, or the address a policy ends at."""
    router = pick(rng, world.routers)
    if rng.random() < 0.4:
        draft.add(router, " policy gold color 100 endpoint 10.225.0.1")
        return True
    side = _side(rng, world)
    draft.put(side.router, side.interface, "access-group", pick(rng, ["COER in", "CORE-IN in", "core in"]))
    return True


def next_hop(draft: Draft, rng: Rng, world: World) -> bool:
    """Mistype the next hop of a customer's static route."""
    lines = draft.starting(pick(rng, world.routers), "route ")
    if not lines:
        return False
    at = pick(rng, lines)
    via = draft.lines[at].split()[3]
    octets = via.split(".")
    place = int(rng.integers(1, 3))
    octets[place] = {"172": "127", "16": "61"}.get(octets[place], str((int(octets[place]) + 100) % 256))
    draft.lines[at] = draft.lines[at].replace(f"via {via}", f"via {'.'.join(octets)}")
    return True


def garbled(draft: Draft, rng: Rng, world: World) -> bool:
    """Mistype a word, or a number beyond what is possible."""
    side = _side(rng, world)
    start, end = draft.section(side.router, f"interface {side.interface}")
    at = int(rng.integers(start + 1, end))
    word = draft.lines[at].split()[0]
    wrong = pick(rng, [word[:-1], word + word[-1], word.upper()])
    draft.lines[at] = draft.lines[at].replace(word, wrong, 1)
    if rng.random() < 0.3:
        draft.put(side.router, side.interface, "mtu", "90000")
    return True


def loopback_wrong(draft: Draft, rng: Rng, world: World) -> bool:
    """Give a loopback the mask of a network, or forget to announce it."""
    router = pick(rng, world.routers)
    if rng.random() < 0.5:
        old = str(draft.value(router, "lo0", "address"))
        draft.put(router, "lo0", "address", old.replace("/32", pick(rng, ["/24", "/30", "/16"])))
        return True
    start, end = draft.section(router, "interface lo0")
    kept = [line for line in draft.lines[start:end] if not line.startswith("  ospf")]
    draft.lines[start:end] = kept
    return True


def igp_exposed(draft: Draft, rng: Rng, world: World) -> bool:
    """Forget that customers are no neighbours of the IGP."""
    start, end = draft.section(pick(rng, world.routers), "interface lan0")
    at = draft.lines.index("  ospf passive", start, end)
    del draft.lines[at]
    return True


SLIPS: dict[str, Slip] = {
    "duplicate_address": duplicate_address,
    "wrong_subnet": wrong_subnet,
    "garbled": garbled,
    "mtu": _one_end("mtu", ("1500", "8900", "4470", "9100")),
    "vlan": vlan,
    "duplex": _one_end("duplex", ("half", "auto")),
    "half_shut": _one_end("state", ("down",)),
    "interface_name": interface_name,
    "loopback_wrong": loopback_wrong,
    "igp_exposed": igp_exposed,
    "metric": metric,
    "igp_missing": igp_missing,
    "area": _one_end("ospf area", ("1", "10", "0.0.0.1")),
    "authentication": _one_end("ospf authentication", (None, "igp-kex", "igp-key-2027")),
    "session_one_sided": session_one_sided,
    "session_terms": session_terms,
    "reference": reference,
    "next_hop": next_hop,
}
