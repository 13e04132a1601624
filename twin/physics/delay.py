"""How long a packet takes: propagation, transmission and queueing per arc, and its sum along the paths of a demand.

Queueing is M^X/G/1: bursts of X packets arrive as a Poisson process, one packet leaves at a time, sizes are general
with squared coefficient of variation c². The mean wait, in mean transmission times, is

    W / E[S] = [ρ(1 + c²)/2 + (b − 1)/2] / (1 − ρ),    b = E[X²]/E[X]

(Burke 1975, "Delays in single-server queues with batch input"). `b` is the one burst parameter of a link: the size of
the burst in which a packet finds itself. It is 1 for single packets, and then this is Pollaczek-Khinchine.
"""

from typing import Any

import numba as nb
import numpy as np

from domain.errors import BadInput
from twin.routing import Routing
from twin.topology import Floats, Topology

#: Sizes of packets in bytes and their shares: the simple IMIX (RFC 6985).
IMIX_BYTES: Floats = np.array([40.0, 576.0, 1500.0])
IMIX_SHARES: Floats = np.array([7.0, 4.0, 1.0]) / 12
MEAN_PACKET_BITS = float(8 * IMIX_BYTES @ IMIX_SHARES)
#: Squared coefficient of variation of the sizes.
SIZE_SCV = float((IMIX_BYTES**2 @ IMIX_SHARES) / (IMIX_BYTES @ IMIX_SHARES) ** 2 - 1)
#: How long a full buffer takes to drain; no packet that is not dropped waits longer.
BUFFER_MS = 50.0


def transmission_ms(capacity: Floats) -> Floats:
    """Return how long a packet of mean size takes onto a line of so many Mbit/s, in ms."""
    return np.asarray(MEAN_PACKET_BITS / (capacity * 1e3))


def waiting(load: Floats | float, burst: Floats | float = 1.0, scv: float = SIZE_SCV) -> Floats:
    """Return the mean wait in mean transmission times (see the module); infinite from a load of 1 on.

    Args:
        load: ρ, offered over capacity, at least 0.
        burst: b, at least 1; shapes are broadcast.
        scv: c² of the packet sizes: 1 for M/M/1, 0 for M/D/1.
    """
    rho = np.asarray(load, np.float64)
    with np.errstate(divide="ignore"):
        wait = (rho * (1 + scv) / 2 + (np.asarray(burst) - 1) / 2) / (1 - rho)
    return np.asarray(np.where(rho < 1, np.where(rho > 0, wait, 0.0), np.inf))


def queueing_ms(load: Floats, capacity: Floats, burst: Floats | float = 1.0, scv: float = SIZE_SCV) -> Floats:
    """Return the mean wait per arc in ms, at most `BUFFER_MS`; `load` is ρ, `capacity` Mbit/s."""
    return np.asarray(np.minimum(BUFFER_MS, waiting(load, burst, scv) * transmission_ms(capacity)))


def fit_burst(load: Floats, wait: Floats, scv: float = SIZE_SCV) -> float:
    """Return the burst parameter of a link that explains its measured mean waits best, in relative error.

    The wait is linear in b, so this is one weighted least square; a result below 1 means smoother than Poisson, and
    is 1.

    Args:
        load: ρ of each measurement, strictly between 0 and 1.
        wait: measured mean wait of each, in mean transmission times, above 0 (delay less what an empty line takes).
        scv: c² of the packet sizes.

    Raises:
        BadInput: no measurement, or one that cannot be.
    """
    rho, seen = np.asarray(load, np.float64), np.asarray(wait, np.float64)
    if rho.shape != seen.shape or not rho.size:
        raise BadInput(f"a burst is fitted to as many loads as waits, not {rho.size} and {seen.size}; give both")
    if not (np.isfinite(seen).all() and (seen > 0).all() and ((rho > 0) & (rho < 1)).all()):
        raise BadInput("a burst is fitted to loads between 0 and 1 and finite waits above 0; leave the others out")
    slope = 1 / (2 * (1 - rho)) / seen
    rest = (seen - waiting(rho, 1.0, scv)) / seen
    return 1.0 + max(0.0, float(slope @ rest / (slope @ slope)))


def arc_delay_ms(topology: Topology, load: Floats, capacity: Floats, burst: Floats | None = None) -> Floats:
    """Return the mean delay per arc in ms: propagation + transmission + queueing at this load (ρ).

    `burst`: per arc; None for the bursts that are declared.
    """
    queueing = queueing_ms(load, capacity, topology.burst if burst is None else burst)
    return topology.propagation_ms + transmission_ms(capacity) + queueing


def demand_delay_ms(topology: Topology, routing: Routing, arc_ms: Floats, *, worst: bool = False) -> Floats:
    """Return the delay of each demand in ms along its paths, both legs of a waypoint; infinite when it is cut off.

    Of a demand that goes two ways, what arrives counts: a way that is cut off is a matter of loss, not of delay.

    Args:
        topology: of the routing.
        routing: whose paths are gone.
        arc_ms: delay per arc.
        worst: of the longest of equal paths, and of the later of two ways, on which a flow may be hashed; else the
            mean, weighed as the flow is.
    """
    reached = np.where(routing.carries, 0.0, np.inf)
    _walk(
        topology.out_rows,
        topology.out_arcs,
        topology.head,
        routing.ask.metric,
        routing.ask.usable,
        np.ascontiguousarray(arc_ms),
        worst,
        routing.distance,
        routing.order,
        routing.settled,
        routing.carries,
        reached,
    )
    ask, split = routing.ask, routing.ask.split
    bent = ask.via >= 0
    first = np.where(bent, ask.via, topology.destination)
    total: Floats = reached[routing.row_at[first], topology.source]
    total[bent] += reached[routing.row_at[topology.destination[bent]], ask.via[bent]]
    direct = reached[routing.row_at[topology.destination[split]], topology.source[split]]
    total[split] = _of_two_ways(total[split], direct, ask.share[split], worst=worst)
    return total


def _of_two_ways(bent: Floats, direct: Floats, share: Floats, *, worst: bool) -> Floats:
    both = np.isfinite(bent) & np.isfinite(direct)
    bent_ms, direct_ms = np.where(both, bent, 0.0), np.where(both, direct, 0.0)
    joined = np.maximum(bent_ms, direct_ms) if worst else share * bent_ms + (1.0 - share) * direct_ms
    return np.where(both, joined, np.minimum(bent, direct))


def _walk_paths(
    out_rows: Any,
    out_arcs: Any,
    head: Any,
    metric: Any,
    usable: Any,
    arc_ms: Any,
    worst: Any,
    distance: Any,
    order: Any,
    settled: Any,
    carries: Any,
    reached: Any,
) -> None:
    """Write, per row and node that carries, the delay to the row's destination (shapes: `twin.kernel.deliver`)."""
    for row in range(len(settled)):
        for place in range(1, settled[row]):
            node = order[row, place]
            if not carries[row, node]:
                continue
            hops, total, longest = 0, 0.0, 0.0
            for at in range(out_rows[node], out_rows[node + 1]):
                arc = out_arcs[at]
                if usable[arc] and distance[row, head[arc]] + metric[arc] == distance[row, node]:
                    onward = arc_ms[arc] + reached[row, head[arc]]
                    hops += 1
                    total += onward
                    longest = max(longest, onward)
            reached[row, node] = longest if worst else total / hops


_I, _I2 = "int32[::1]", "int32[:,::1]"
_walk = nb.njit(
    f"void({_I},{_I},{_I},{_I},boolean[::1],float64[::1],boolean,{_I2},{_I2},{_I},boolean[:,::1],float64[:,::1])",
    cache=True,
)(_walk_paths)
