"""The routing daemons of a lab: FRR's zebra, ospfd and staticd for each router, each with sockets of its own."""

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

from adapters.network.lab import namespaces
from adapters.network.lab.namespaces import inside
from adapters.network.lab.plan import Plan, Wire, interface
from domain.errors import Unavailable

FOLDER = Path("/usr/lib/frr")
DAEMONS = ("zebra", "ospfd", "staticd")
USER = "frr"
CONFIGURATION, LOG = "frr.conf", "router.log"
_START_S = 10.0
_END_S = 3.0
_POLL_S = 0.02


def missing() -> str:
    """Return what a lab would need and this machine has not, as a reason; empty when it has everything."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    absent = [name for name in DAEMONS if not (FOLDER / name).exists()]
    absent += [name for name in ("vtysh", "ip", "tc", "ping") if not shutil.which(name)]
    if absent:
        return f"{', '.join(absent)} not installed; install frr, iproute2 and iputils-ping"
    return namespaces.refusal()


class Daemons:
    """The daemons of all routers, as children of this process."""

    def __init__(self, lab: str, plan: Plan, folder: Path) -> None:
        self._lab, self._plan, self._folder = lab, plan, folder
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._running]

    def start(self) -> None:
        """Start zebra everywhere, then the others. Raises Unavailable when one does not come up; its log says why."""
        for router in self._plan.routers:
            self._prepare(router)
        for daemons in (DAEMONS[:1], DAEMONS[1:]):
            started = [(router, name, self._begin(router, name)) for router in self._plan.routers for name in daemons]
            for router, name, process in started:
                self._await(self._folder / router, name, process)

    def end(self) -> None:
        """End every daemon; one that does not heed SIGTERM is killed."""
        for process in self._running:
            process.terminate()
        deadline = time.monotonic() + _END_S
        for process in self._running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _prepare(self, router: str) -> None:
        """Lay out a router's folder; the daemons give up root, so it belongs to their user."""
        folder, user = self._folder / router, pwd.getpwnam(USER)
        folder.mkdir()
        (folder / CONFIGURATION).write_text(configuration(self._plan, router, folder), encoding="utf-8")
        (folder / "vtysh.conf").write_text(f"hostname {router}\n", encoding="utf-8")
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)

    def _begin(self, router: str, name: str) -> subprocess.Popen[bytes]:
        folder = self._folder / router
        words = [*inside(self._lab, router), FOLDER / name, "--config_file", folder / CONFIGURATION]
        words += ["--pid_file", folder / f"{name}.pid", "--socket", folder / "zserv.api"]
        words += ["--vty_socket", folder, "--vty_port", "0", "--log", f"file:{folder / name}.log"]
        process = subprocess.Popen(  # noqa: S603  # our own words, as a list
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; we end them in order
        )
        self._running.append(process)
        return process

    def _await(self, folder: Path, name: str, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_S
        while not ((folder / f"{name}.vty").exists() and (name != "zebra" or (folder / "zserv.api").exists())):
            if process.poll() is not None or time.monotonic() > deadline:
                said = _last_line(folder / f"{name}.log")
                raise Unavailable(f"`{name}` of {folder.name} did not come up: {said or 'it said nothing'}")
            time.sleep(_POLL_S)


def configuration(plan: Plan, router: str, folder: Path) -> str:
    """Return a router's configuration, for all of its daemons."""
    lines = ["frr defaults traditional", f"hostname {router}", f"log file {folder / LOG}"]
    lines += ["log commands", "service integrated-vtysh-config", "!"]
    for wire in plan.wires:
        if router in (wire.a, wire.b):
            lines += _interface(plan, wire, wire.b if router == wire.a else wire.a)
    lines += ["interface lo", " ip ospf area 0", "exit", "!"]
    lines += ["router ospf", f" ospf router-id {plan.loopback(router).ip}", " log-adjacency-changes"]
    timers = plan.timers
    lines += [f" timers throttle spf {timers.spf_delay_ms} {timers.spf_first_hold_ms} {timers.spf_most_hold_ms}"]
    lines += [f" timers throttle lsa all {timers.lsa_interval_ms}", f" timers lsa min-arrival {timers.lsa_arrival_ms}"]
    return "\n".join([*lines, "exit", "!", ""])


def _interface(plan: Plan, wire: Wire, towards: str) -> list[str]:
    """Return the lines of one interface. Its bandwidth is what the token bucket lets through."""
    return [
        f"interface {interface(towards)}",
        f" bandwidth {wire.mbps}",
        " link-params",
        "  enable",
        f"  delay {wire.delay_us}",
        " exit-link-params",
        " ip ospf area 0",
        " ip ospf network point-to-point",
        f" ip ospf cost {wire.cost}",
        f" ip ospf hello-interval {plan.timers.hello_s}",
        f" ip ospf dead-interval {plan.timers.dead_s}",
        f" ip ospf retransmit-interval {plan.timers.retransmit_s}",
        "exit",
        "!",
    ]


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:200] if lines else ""
