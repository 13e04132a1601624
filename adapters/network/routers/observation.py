"""One look at one router: what it says of itself, or why it says nothing. A look never raises and never guesses."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from adapters.network.routers import reports
from adapters.network.routers.access import Access
from adapters.network.routers.reports import Counters, Hello, Interface
from adapters.network.routers.vty import Garbled, Run, Vty
from domain.clock import Clock
from domain.errors import Unavailable

_ROUTING = "ospfd"


class Heard(StrEnum):
    """How much of a router was heard."""

    WHOLE = "whole"
    NO_ROUTING = "no_routing"  # the box answers, its routing process does not
    GARBLED = "garbled"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Observation:
    """What was heard of a router at a moment (seconds since 1970). What was not heard is None."""

    access: Access
    at: float
    heard: Heard
    reason: str = ""
    interfaces: Mapping[str, Interface] | None = None
    adjacencies: Mapping[str, int] | None = None
    hellos: Mapping[str, Hello] | None = None
    steering: Mapping[IPv4Network, tuple[IPv4Address | None, ...]] | None = None
    counters: Mapping[str, Counters] | None = None
    counted_at: float = 0.0
    started: float | None = None


def look_at(vty: Vty, run: Run, clock: Clock) -> Observation:
    """Ask a router for everything that one sample needs."""
    try:
        return _whole(vty, run, clock)
    except Garbled as broken:
        return Observation(vty.access, clock.now().timestamp(), Heard.GARBLED, broken.reason)
    except Unavailable as silence:
        return _without_routing(vty, clock, silence.reason)


def started(access: Access, clock: Clock) -> float | None:
    """Return when the routing process began, in seconds since 1970; None when there is none."""
    try:
        pid = int((access.sockets / f"{_ROUTING}.pid").read_text(encoding="utf-8"))
        ticks = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    return clock.now().timestamp() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


def _whole(vty: Vty, run: Run, clock: Clock) -> Observation:
    said, neighbours, ospf, static = vty.show(
        "show interface json",
        "show ip ospf neighbor json",
        "show ip ospf interface json",
        "show ip route static json",
    )
    at = clock.now().timestamp()  # what a slow router says is as old as its answer, not as our question
    counted = _counters(vty.access, run)
    return Observation(
        access=vty.access,
        at=at,
        heard=Heard.WHOLE,
        interfaces=reports.interfaces(vty.name, said),
        adjacencies=reports.adjacencies(vty.name, neighbours),
        hellos=reports.hellos(vty.name, ospf),
        steering=reports.steering(vty.name, static),
        counters=counted,
        counted_at=clock.now().timestamp(),
        started=started(vty.access, clock),
    )


def _without_routing(vty: Vty, clock: Clock, reason: str) -> Observation:
    """Ask the box alone: with its routing process gone, it still knows its interfaces."""
    try:
        said = vty.show("show interface json", daemon="zebra")[0]
        found = reports.interfaces(vty.name, said)
    except Garbled as broken:
        return Observation(vty.access, clock.now().timestamp(), Heard.GARBLED, broken.reason)
    except Unavailable:
        return Observation(vty.access, clock.now().timestamp(), Heard.NOTHING, reason)
    return Observation(vty.access, clock.now().timestamp(), Heard.NO_ROUTING, reason, interfaces=found)


def _counters(access: Access, run: Run) -> Mapping[str, Counters] | None:
    """Read the kernel's counters; FRR has none. None when they cannot be had or are broken."""
    try:
        said = run([*access.inside, "ip", "-s", "-j", "link"], None, 2.0)
        return reports.counters(access.name, json.loads(said.out)) if said.status == 0 else None
    except (OSError, ValueError, Garbled):
        return None
