"""What a lab consists of. `smoke` is a ring of four routers with a narrow chord.

Traffic from r1 to r2 has a wide way. Without it OSPF leads it over r4 and the chord, which has room for half of it:
so one interface shut by mistake makes a customer lose traffic although everybody stays connected. Traffic that begins
at r4 itself finds the chord's queue full as well; pings from there wait for room, so they see delay and no loss.
"""

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network

from adapters.network.routers.access import Declared
from domain.errors import BadInput
from domain.network import Customer, Demand, Service, Slice

_LINKS = IPv4Network("10.20.0.0/16")
_LOOPBACKS = IPv4Network("10.20.255.0/24")


@dataclass(frozen=True)
class Timers:
    """OSPF's timers, in seconds and milliseconds; RFC 2328 names them, and its defaults are many times as long."""

    hello_s: int = 1
    dead_s: int = 4
    spf_delay_ms: int = 50
    spf_first_hold_ms: int = 100
    spf_most_hold_ms: int = 1000
    lsa_interval_ms: int = 200
    lsa_arrival_ms: int = 100
    retransmit_s: int = 1

    def __str__(self) -> str:
        spf = f"{self.spf_delay_ms}/{self.spf_first_hold_ms}/{self.spf_most_hold_ms} ms"
        lsa = f"LSA interval/arrival {self.lsa_interval_ms}/{self.lsa_arrival_ms} ms"
        return f"hello {self.hello_s} s, dead {self.dead_s} s, retransmit {self.retransmit_s} s, SPF {spf}, {lsa}"


@dataclass(frozen=True)
class Wire:
    """A two-way link between two routers. `delay_us` is declared on the interface; a veth itself adds next to none."""

    a: str
    b: str
    mbps: int
    cost: int = 10
    delay_us: int = 50


@dataclass(frozen=True)
class Plan:
    """Routers, the wires between them, what is declared of their traffic, and the mistake that a smoke test makes."""

    name: str
    routers: tuple[str, ...]
    wires: tuple[Wire, ...]
    declared: Declared
    mistake: tuple[str, str]
    timers: Timers = Timers()

    def loopback(self, router: str) -> IPv4Interface:
        """Return the router's own address; it is its OSPF router id as well."""
        return IPv4Interface((_LOOPBACKS[self.routers.index(router) + 1], 32))

    def ends(self, wire: Wire) -> tuple[IPv4Interface, IPv4Interface]:
        """Return the addresses of both ends, in a network of two (RFC 3021)."""
        first = _LINKS[2 * self.wires.index(wire)]
        return IPv4Interface((first, 31)), IPv4Interface((first + 1, 31))


def interface(towards: str) -> str:
    """Return the name of the interface that leads to a router."""
    return f"eth-{towards}"


def named(name: str) -> Plan:
    """Return a plan by its name. Raises BadInput when there is none."""
    if name not in PLANS:
        raise BadInput(f"there is no lab `{name[:80]}`; the labs are {', '.join(PLANS)}")
    return PLANS[name]


def _demand(source: str, destination: str, mbps: float, slice_id: str) -> Demand:
    return Demand(
        id=f"demand:{source}-{destination}",
        source=f"node:{source}",
        destination=f"node:{destination}",
        mbps=mbps,
        traffic_class="assured" if slice_id == "slice:business" else "best_effort",
        slice_id=slice_id,
    )


_SMOKE_TRAFFIC = Declared(
    name="lab:smoke",
    demands=(
        _demand("r1", "r2", 4.0, "slice:business"),
        _demand("r4", "r2", 0.4, "slice:business"),
        _demand("r3", "r4", 1.0, "slice:internet"),
        _demand("r2", "r3", 1.0, "slice:internet"),
    ),
    slices=(
        Slice(id="slice:business", name="business", max_loss=0.01, max_delay_ms=25.0),
        Slice(id="slice:internet", name="internet", max_loss=0.02, max_delay_ms=50.0),
    ),
    customers=(
        Customer(id="customer:clinic", name="Harbour Clinic", priority=1),
        Customer(id="customer:mill", name="Paper Mill", priority=2),
        Customer(id="customer:homes", name="Homes", priority=4),
    ),
    services=(
        Service(
            id="service:clinic-line",
            name="leased line of the clinic",
            customer="customer:clinic",
            slice_id="slice:business",
            demands=("demand:r1-r2",),
        ),
        Service(
            id="service:mill-line",
            name="leased line of the mill",
            customer="customer:mill",
            slice_id="slice:business",
            demands=("demand:r4-r2",),
        ),
        Service(
            id="service:homes",
            name="internet of the homes",
            customer="customer:homes",
            slice_id="slice:internet",
            demands=("demand:r3-r4", "demand:r2-r3"),
        ),
    ),
)

SMOKE = Plan(
    name="smoke",
    routers=("r1", "r2", "r3", "r4"),
    wires=(
        Wire("r1", "r2", 10),
        Wire("r2", "r3", 10),
        Wire("r3", "r4", 10),
        Wire("r4", "r1", 10),
        Wire("r2", "r4", 2),
    ),
    declared=_SMOKE_TRAFFIC,
    mistake=("r1", "r2"),
)

PLANS = {plan.name: plan for plan in (SMOKE,)}
