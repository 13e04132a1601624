"""Starts a lab and ends it again, whatever happens in between; and makes the mistakes that somebody is to find."""

import contextlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from adapters.network.lab import namespaces, ownership, traffic
from adapters.network.lab.daemons import LOG, Daemons, missing
from adapters.network.lab.plan import Plan, interface
from adapters.network.routers.access import Access, Reach
from adapters.network.routers.vty import Vty
from domain.errors import NotFound, Unavailable

_CONVERGE_S = 30.0
_POLL_S = 0.25
REACH = "reach.json"
#: A line of FRR's own log of commands: the daemon, and what it was told in configuration mode.
_TOLD = re.compile(r" (ZEBRA|OSPF|STATIC): .*@\(config[^)]*\)# (.*)")
_MEANT = {
    "ZEBRA": ("shutdown", "no shutdown"),
    "OSPF": ("ip ospf", "no ip ospf"),
    "STATIC": ("ip route", "no ip route"),
}


@dataclass
class RunningLab:
    """A lab that is up. `seconds` holds how long its parts took: `start`, `converge`."""

    id: str
    plan: Plan
    folder: Path
    reach: Reach
    daemons: Daemons
    seconds: dict[str, float] = field(default_factory=dict)
    by_hand: list[tuple[str, str]] = field(default_factory=list)

    @property
    def culprit(self) -> str:
        """The termination point that a mistake shuts."""
        router, towards = self.plan.mistake
        return f"tp:{router}-{towards}"

    def make_mistake(self) -> None:
        """Shut the interface of the plan's mistake, as somebody does who has mistaken the router."""
        self.configure(self.plan.mistake, "shutdown")

    def mend(self) -> None:
        """Take the mistake back, from the lab's side."""
        self.configure(self.plan.mistake, "no shutdown")

    def configure(self, end: tuple[str, str], line: str) -> None:
        """Configure the interface of one router that leads to another, from the lab's side.

        Raises:
            NotFound: the lab has no such router.
            Refused, Unavailable: as `Vty.configure`.
        """
        router, towards = end
        access = next((access for access in self.reach.routers if access.name == router), None)
        if access is None:
            raise NotFound(f"the lab has no router `{router}`")
        Vty(access).configure([f"interface {interface(towards)}", line])
        self.by_hand.append((router, line))

    def taken(self) -> list[tuple[str, str]]:
        """Return (router, line) for what the routers were told by others since they came up, by their own logs."""
        told = [(access.name, line) for access in self.reach.routers for line in self._logged(access.name)]
        for own in self.by_hand:
            told.remove(own)
        return told

    def _logged(self, router: str) -> list[str]:
        """Return the lines that the daemon which is meant took; each of them logs every line."""
        log = (self.folder / router / LOG).read_text(encoding="utf-8", errors="replace")
        found = (_TOLD.search(line) for line in log.splitlines())
        return [told[2].strip() for told in found if told and told[2].strip().startswith(_MEANT.get(told[1], ("?",)))]


@contextlib.contextmanager
def start_lab(plan: Plan) -> Iterator[RunningLab]:
    """Start a lab, yield it once OSPF has converged, and end it: daemons, traffic, namespaces, folder.

    Raises:
        Unavailable: this machine cannot (no root, no FRR), or a part did not come up; the reason says which.
    """
    if reason := missing():
        raise Unavailable(f"no lab can run here: {reason}")
    ownership.clear_leftovers()
    began = time.monotonic()
    with contextlib.ExitStack() as ending:
        lab, folder = ownership.found(plan)
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        names = tuple(namespaces.namespace(lab, router) for router in plan.routers)
        ending.callback(namespaces.remove, names)
        namespaces.make(lab, plan)
        daemons = Daemons(lab, plan, folder)
        ending.callback(daemons.end)
        daemons.start()
        running = RunningLab(lab, plan, folder, _reach(lab, plan, folder), daemons)
        (folder / REACH).write_text(running.reach.model_dump_json(), encoding="utf-8")
        running.seconds["start"] = round(time.monotonic() - began, 3)
        _converge(running)
        running.seconds["converge"] = round(time.monotonic() - began - running.seconds["start"], 3)
        _send_traffic(running, ending)
        yield running


def running_labs() -> dict[str, Reach]:
    """Return how to reach the labs that run on this machine, by their ids."""
    folders = {lab: folder for lab, folder in ownership.living().items() if (folder / REACH).exists()}
    return {lab: Reach.model_validate_json((folder / REACH).read_bytes()) for lab, folder in folders.items()}


def _reach(lab: str, plan: Plan, folder: Path) -> Reach:
    routers = tuple(
        Access(
            name=router,
            sockets=folder / router,
            inside=namespaces.inside(lab, router),
            address=str(plan.loopback(router).ip),
        )
        for router in plan.routers
    )
    return Reach(routers=routers, declared=plan.declared)


def _converge(lab: RunningLab) -> None:
    """Wait until every router knows a way to every other."""
    deadline = time.monotonic() + _CONVERGE_S
    waiting = list(lab.reach.routers)
    while waiting:
        waiting = [access for access in waiting if not _knows_all(lab, access)]
        if waiting and time.monotonic() > deadline:
            raise Unavailable(f"OSPF did not converge within {_CONVERGE_S:.0f} s: {waiting[0].name} lacks a way")
        if waiting:
            time.sleep(_POLL_S)


def _knows_all(lab: RunningLab, access: Access) -> bool:
    """Say whether all neighbours are full and all other loopbacks have a way."""
    try:
        routes, neighbours = Vty(access).show("show ip route ospf json", "show ip ospf neighbor json")
    except Unavailable:
        return False
    wanted = {f"{other.address}/32" for other in lab.reach.routers if other != access}
    wires = sum(access.name in (wire.a, wire.b) for wire in lab.plan.wires)
    full = [n for named in neighbours.get("neighbors", {}).values() for n in named if "Full" in str(n.get("nbrState"))]
    return wanted <= set(routes) and len(full) == wires


def _send_traffic(lab: RunningLab, ending: contextlib.ExitStack) -> None:
    """Start a sender in every namespace; each ends when its standard input closes."""
    address = {access.node: access.address for access in lab.reach.routers}
    for access in lab.reach.routers:
        flows = [
            f"{address[demand.destination]}={demand.mbps}"
            for demand in lab.plan.declared.demands
            if demand.source == access.node
        ]
        words = [*access.inside, sys.executable, "-I", "-S", traffic.__file__, f"{lab.folder}/", access.address, *flows]
        process = subprocess.Popen(  # noqa: S603  # our own words, as a list
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        ending.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(2.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
