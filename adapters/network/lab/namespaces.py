"""Network namespaces and the wires between them: a veth pair per wire, and a token bucket on each of its ends."""

import os
import subprocess

from adapters.network.lab.plan import Plan, Wire, interface
from domain.errors import Unavailable

PREFIX = "nocturne-"
#: Bytes that may go at once, and how long a packet may wait before it is dropped: a little over a dozen full packets.
_BURST_BYTES = 6_000
_QUEUE_MS = 15
_TIMEOUT_S = 10.0


def namespace(lab: str, router: str) -> str:
    """Return the name of a router's namespace."""
    return f"{PREFIX}{lab}-{router}"


def inside(lab: str, router: str) -> tuple[str, ...]:
    """Return the words before a command that is to run in a router's namespace."""
    return ("ip", "netns", "exec", namespace(lab, router))


def make(lab: str, plan: Plan) -> None:
    """Make all namespaces and wires. Raises Unavailable with the words of `ip` or `tc`."""
    for router in plan.routers:
        _ip(f"netns add {namespace(lab, router)}")
    for wire in plan.wires:
        _ip(_veth(lab, wire))
    for router in plan.routers:
        _run(["ip", "-n", namespace(lab, router), "-batch", "-"], _addresses(plan, router))
        _run(["tc", "-n", namespace(lab, router), "-batch", "-"], _buckets(plan, router))
        switches = ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0"]
        _run([*inside(lab, router), "sysctl", "-qw", *switches], "")


def remove(names: tuple[str, ...]) -> None:
    """Remove namespaces, and with each its ends of the wires. One that is gone already is fine."""
    for name in names:
        if name not in existing():
            continue
        try:
            _ip(f"netns delete {name}")
        except Unavailable:
            if name in existing():
                raise
            # somebody else, who clears up as well, was quicker


def refusal() -> str:
    """Return why this machine lets nobody make namespaces and buckets, root or not; empty when it does."""
    name = f"{PREFIX}try-{os.getpid()}"
    try:
        _ip(f"netns add {name}")
        try:
            _ip(f"-n {name} link add try type veth peer name tried")
            _run(["tc", "-n", name, "-batch", "-"], f"qdisc add dev try root {_bucket(1)}\n")
        finally:
            remove((name,))
    except Unavailable as reason:
        return reason.reason
    return ""


def existing() -> frozenset[str]:
    """Return the names of all namespaces of this machine."""
    return frozenset(line.split()[0] for line in _ip("netns list").splitlines() if line.strip())


def _veth(lab: str, wire: Wire) -> str:
    a, b = namespace(lab, wire.a), namespace(lab, wire.b)
    return f"link add {interface(wire.b)} netns {a} type veth peer name {interface(wire.a)} netns {b}"


def _addresses(plan: Plan, router: str) -> str:
    lines = ["link set lo up", f"addr add {plan.loopback(router)} dev lo"]
    for wire in plan.wires:
        for here, there, address in zip((wire.a, wire.b), (wire.b, wire.a), plan.ends(wire), strict=True):
            if here == router:
                lines += [f"addr add {address} dev {interface(there)}", f"link set {interface(there)} up"]
    return "\n".join(lines) + "\n"


def _buckets(plan: Plan, router: str) -> str:
    lines = []
    for wire in plan.wires:
        if router in (wire.a, wire.b):
            name = interface(wire.b if router == wire.a else wire.a)
            lines.append(f"qdisc add dev {name} root {_bucket(wire.mbps)}")
    return "\n".join(lines) + "\n"


def _bucket(mbps: int) -> str:
    return f"tbf rate {mbps}mbit burst {_BURST_BYTES} latency {_QUEUE_MS}ms"


def _ip(words: str) -> str:
    return _run(["ip", *words.split()], "")


def _run(words: list[str], text: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # our own words, as a list
            words, input=text, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{words[0]}` cannot be run: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[:300]
        raise Unavailable(f"`{' '.join(words[:6])}` failed: {said}; a lab needs root and network namespaces")
    return done.stdout
