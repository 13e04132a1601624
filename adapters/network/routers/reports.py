"""Reads what FRR says (8.4, JSON) into a few small records. What is not as expected is `Garbled`, never a guess."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from adapters.network.routers.vty import Garbled

_ADJACENT = "Full"
_POINT_TO_POINT = "POINTOPOINT"
_NEIGHBOUR_LINK = "another Router (point-to-point)"
_US_PER_MS = 1000.0
#: A name that may stand in a line of configuration; the kernel knows no others.
_NAME = re.compile(r"[\w.@-]{1,15}")


@dataclass(frozen=True)
class Interface:
    """An interface. `capacity_mbps` is its configured bandwidth, None where none is; `delay_ms` likewise.

    One that is configured and is not there (a card was pulled) was shut by nobody: it is down.
    """

    name: str
    admin_up: bool
    oper_up: bool
    addresses: tuple[IPv4Interface, ...]
    capacity_mbps: float | None
    delay_ms: float | None


@dataclass(frozen=True)
class Hello:
    """An interface on which OSPF speaks to one neighbour."""

    name: str
    router_id: str
    cost: int


@dataclass(frozen=True)
class Neighbourship:
    """A link as one router announces it in OSPF's database: who, to whom, over which address, at which cost."""

    router_id: str
    neighbour_id: str
    address: IPv4Address
    cost: int


@dataclass(frozen=True)
class Counters:
    """What an interface has counted since it came up."""

    octets_sent: int
    frames_received: int
    errors_received: int


@contextmanager
def _expected(router: str, what: str) -> Iterator[None]:
    """Turn a missing or odd field into `Garbled`."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as odd:
        raise Garbled(f"what {router} says of its {what} cannot be read ({odd!r:.100}); none of it is used") from odd


def interfaces(router: str, answer: Mapping[str, Any]) -> dict[str, Interface]:
    """Read `show interface json`, without the loopback."""
    with _expected(router, "interfaces"):
        return {name: _interface(name, said) for name, said in answer.items() if not _is_loopback(said)}


def _is_loopback(said: Mapping[str, Any]) -> bool:
    return not said.get("pseudoInterface") and said["type"] == "Loopback"


def _interface(name: str, said: Mapping[str, Any]) -> Interface:
    if not _NAME.fullmatch(name):
        raise ValueError("an interface cannot have this name")
    if said.get("pseudoInterface"):
        return Interface(name, admin_up=True, oper_up=False, addresses=(), capacity_mbps=None, delay_ms=None)
    admin_up = _one_of(said["administrativeStatus"], {"up": True, "down": False})
    # a shut interface has no operational status in what FRR says
    oper_up = admin_up and _one_of(said["operationalStatus"], {"up": True, "down": False})
    delay_us = said.get("trafficEngineeringLinkParameters", {}).get("linkDelayAverage")
    bandwidth = said.get("bandwidth")
    addresses = [IPv4Interface(each["address"]) for each in said["ipAddresses"] if "." in each["address"]]
    return Interface(
        name=name,
        admin_up=admin_up,
        oper_up=oper_up,
        addresses=tuple(addresses),
        capacity_mbps=_number(bandwidth) if bandwidth else None,
        delay_ms=None if delay_us is None else _number(delay_us) / _US_PER_MS,
    )


def hellos(router: str, answer: Mapping[str, Any]) -> dict[str, Hello]:
    """Read `show ip ospf interface json`: the point-to-point interfaces that are up."""
    with _expected(router, "OSPF interfaces"):
        return {
            name: Hello(name, str(IPv4Address(said["routerId"])), int(_number(said["cost"])))
            for name, said in answer["interfaces"].items()
            if said["networkType"] == _POINT_TO_POINT
        }


def adjacencies(router: str, answer: Mapping[str, Any]) -> dict[str, int]:
    """Read `show ip ospf neighbor json`: interface to the number of full adjacencies on it."""
    with _expected(router, "OSPF neighbours"):
        full: dict[str, int] = {}
        for said in (each for found in answer.get("neighbors", answer).values() for each in found):
            name = said["ifaceName"].partition(":")[0]
            full[name] = full.get(name, 0) + said["nbrState"].startswith(_ADJACENT)
        return full


def database(router: str, answer: Mapping[str, Any]) -> tuple[frozenset[str], tuple[Neighbourship, ...]]:
    """Read `show ip ospf database router json`: all router ids, and the links that they announce."""
    with _expected(router, "OSPF database"):
        announced = [lsa for area in answer["routerLinkStates"]["areas"].values() for lsa in area]
        ids = frozenset(str(IPv4Address(lsa["advertisingRouter"])) for lsa in announced)
        links = [
            Neighbourship(
                router_id=str(IPv4Address(lsa["advertisingRouter"])),
                neighbour_id=str(IPv4Address(said["neighborRouterId"])),
                address=IPv4Address(said["routerInterfaceAddress"]),
                cost=int(_number(said["tos0Metric"])),
            )
            for lsa in announced
            for said in lsa.get("routerLinks", {}).values()
            if said["linkType"] == _NEIGHBOUR_LINK
        ]
        return ids, tuple(links)


def router_id(router: str, answer: Mapping[str, Any]) -> str:
    """Read the router's own id out of `show ip ospf json`."""
    with _expected(router, "OSPF process"):
        return str(IPv4Address(answer["routerId"]))


def steering(router: str, answer: Mapping[str, Any]) -> dict[IPv4Network, tuple[IPv4Address | None, ...]]:
    """Read `show ip route static json`: to which addresses host routes lead; None for a hole or a bare interface."""
    with _expected(router, "static routes"):
        return {
            IPv4Network(prefix): tuple(IPv4Address(hop["ip"]) if "ip" in hop else None for hop in entry["nexthops"])
            for prefix, entries in answer.items()
            for entry in entries[:1]
            if prefix.endswith("/32")
        }


def counters(router: str, answer: object) -> dict[str, Counters]:
    """Read `ip -s -j link`."""
    with _expected(router, "counters"):
        if not isinstance(answer, list):
            raise TypeError("not a list")
        return {
            said["ifname"]: Counters(
                octets_sent=int(_number(said["stats64"]["tx"]["bytes"])),
                frames_received=int(_number(said["stats64"]["rx"]["packets"])),
                errors_received=int(_number(said["stats64"]["rx"]["errors"])),
            )
            for said in answer
        }


def costs_of(running: str) -> dict[str, int]:
    """Read the OSPF cost of each interface out of a running configuration; an interface without one is absent."""
    found: dict[str, int] = {}
    for name, lines in stanzas(running).items():
        costs = [line.removeprefix("ip ospf cost ") for line in lines if line.startswith("ip ospf cost ")]
        found |= {name: int(costs[0])} if costs and costs[0].isdigit() else {}
    return found


def stanzas(running: str) -> dict[str, tuple[str, ...]]:
    """Return the lines below each `interface …` of a running configuration."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in running.splitlines():
        if line.startswith("interface "):
            name = line.split()[1]
            found[name] = []
        elif line.startswith(" ") and name:
            found[name].append(line.strip())
        elif not line.startswith(" "):
            name = ""
    return {name: tuple(lines) for name, lines in found.items()}


def host_routes(running: str) -> dict[IPv4Address, tuple[str, ...]]:
    """Return the static host routes of a running configuration: per destination, where each leads, in its own words.

    That is a next hop, an interface or `Null0`, and what may follow, such as a distance.
    """
    routes: dict[IPv4Address, tuple[str, ...]] = {}
    for line in running.splitlines():
        words = line.split()
        if words[:2] == ["ip", "route"] and len(words) >= 4 and words[2].endswith("/32"):
            with _expected("the router", "static routes"):
                destination = IPv4Address(words[2].removesuffix("/32"))
                routes[destination] = (*routes.get(destination, ()), " ".join(words[3:]))
    return routes


def _one_of(value: object, meanings: Mapping[str, bool]) -> bool:
    if not isinstance(value, str) or value not in meanings:
        raise ValueError(f"`{value!s:.40}` is none of {', '.join(meanings)}")
    return meanings[value]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise ValueError(f"`{value!s:.40}` is no count")
    return float(value)
