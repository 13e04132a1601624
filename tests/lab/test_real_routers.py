"""What actions do to real packets, and what is heard of a router whose routing process hangs."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from adapters.network.lab.launcher import RunningLab
from adapters.network.routers.network import RoutersNetwork
from control_plane.ports import Seen
from domain.actions import Action, DrainLink, SteerDemand
from tests.lab.fixed import heard
from tests.lab.test_what_is_said_of_routers import alarms, newest

_FULL_TTL = 64


def hops(lab: RunningLab, source: str, destination: str) -> int | None:
    """Return how many routers forward a ping's answer on its way back; None when there is none."""
    access = {router.name: router for router in lab.reach.routers}
    words = ["ping", "-n", "-c", "1", "-W", "1", "-I", access[source].address, access[destination].address]
    out = subprocess.run([*access[source].inside, *words], capture_output=True, text=True, check=False).stdout
    ttl = re.search(r"ttl=(\d+)", out)
    return _FULL_TTL - int(ttl[1]) if ttl else None


def soon(what: Callable[[], bool]) -> bool:
    for _ in range(60):
        if what():
            return True
        time.sleep(0.1)
    return False


def next_hop(lab: RunningLab, destination: str) -> str:
    """Return the interface by which r1's kernel would send."""
    access = {router.name: router for router in lab.reach.routers}
    words = [*access["r1"].inside, "ip", "route", "get", access[destination].address]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split(" dev ")[1].split()[0]


@pytest.mark.parametrize(
    "action",
    [SteerDemand(target="demand:r1-r2", via="node:r4"), DrainLink(target="link:r1-r2", previous_metric=10)],
    ids=lambda action: action.kind,
)
def test_traffic_goes_another_way_and_comes_back(lab: RunningLab, routers: RoutersNetwork, action: Action) -> None:
    assert next_hop(lab, "r2") == "eth-r2"
    inverse = action.inverse()
    assert inverse is not None

    routers.send(f"there-{action.kind}", action)
    try:
        assert routers.look(f"there-{action.kind}") is Seen.DONE
        assert soon(lambda: next_hop(lab, "r2") == "eth-r4")
        assert hops(lab, "r1", "r2") is not None
    finally:
        routers.send(f"back-{action.kind}", inverse)

    assert soon(lambda: next_hop(lab, "r2") == "eth-r2")
    assert soon(lambda: hops(lab, "r1", "r2") == 0)


def test_the_feed_tells_of_a_metric_that_somebody_changed(lab: RunningLab, routers: RoutersNetwork) -> None:
    position = routers.poll(0).position

    def told(value: str) -> bool:
        feed = routers.poll(position)
        found = [(item["element"], item["value"]) for item in feed.items if item["type"] == "state"]
        return ("link:r2-r3", value) in found

    try:
        lab.configure(("r2", "r3"), "ip ospf cost 25")
        lab.configure(("r3", "r2"), "ip ospf cost 25")
        assert soon(lambda: told("25"))
    finally:
        lab.configure(("r2", "r3"), "ip ospf cost 10")
        lab.configure(("r3", "r2"), "ip ospf cost 10")
    assert soon(lambda: told("10"))


@pytest.mark.slow
def test_a_hung_routing_process_is_told_and_no_reading_is_made_up(lab: RunningLab, routers: RoutersNetwork) -> None:
    position = routers.poll(0).position
    access = next(router for router in lab.reach.routers if router.name == "r3")
    pid = int((access.sockets / "ospfd.pid").read_text())

    os.kill(pid, signal.SIGSTOP)
    try:
        feed = heard(routers, lambda items: ("node:r3", "OSPFD-DOWN", False) in alarms(items), position)
        neighbours = {("tp:r2-r3", "OSPF-NBR-DOWN", False), ("tp:r4-r3", "OSPF-NBR-DOWN", False)}
        feed = heard(routers, lambda items: alarms(items) >= neighbours, feed.position)
        read = newest(feed.items)
        assert ("node:r1", "adjacencies") in read
        assert ("node:r3", "adjacencies") not in read  # nobody could be asked: unknown is not zero
    finally:
        os.kill(pid, signal.SIGCONT)

    cleared = {(resource, name, True) for resource, name, _ in neighbours} | {("node:r3", "OSPFD-DOWN", True)}
    heard(routers, lambda items: alarms(items) >= cleared, feed.position)
