"""Counters become rates: the share of its capacity that an interface sends, and of what it receives the share in error.

Counters start anew when an interface does; then, and at the first look, there is no rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.network.routers.discovery import Topology
from adapters.network.routers.observation import Observation
from adapters.network.routers.reports import Counters

_SHORTEST_S = 1e-3
_MBIT_PER_OCTET = 8 / 1e6


@dataclass(frozen=True)
class Rate:
    """Since the look before. `utilisation` may pass 1 by what a token bucket holds; `error_rate` is 0–1."""

    utilisation: float | None
    error_rate: float


class Rates:
    """Remembers the last counters of each termination point."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._last: dict[str, tuple[float, Counters]] = {}

    def update(self, seen: Sequence[Observation]) -> Mapping[str, Rate]:
        """Return the rates of the termination points that were counted now and before."""
        rates = {}
        for observation in seen:
            for name, counted in (observation.counters or {}).items():
                point = self._topology.at.get((observation.access.name, name))
                if point is None:
                    continue
                before = self._last.get(point)
                self._last[point] = (observation.counted_at, counted)
                if before and not _began_anew(before[1], counted):
                    passed_s = max(observation.counted_at - before[0], _SHORTEST_S)
                    rates[point] = self._rate(point, before[1], counted, passed_s)
        return rates

    def _rate(self, point: str, before: Counters, now: Counters, passed_s: float) -> Rate:
        capacity = self._topology.ends[point].interface.capacity_mbps
        mbps = (now.octets_sent - before.octets_sent) * _MBIT_PER_OCTET / passed_s
        errors = now.errors_received - before.errors_received
        frames = now.frames_received - before.frames_received + errors
        return Rate(mbps / capacity if capacity else None, errors / frames if frames else 0.0)


def _began_anew(before: Counters, now: Counters) -> bool:
    return any(
        (
            now.octets_sent < before.octets_sent,
            now.frames_received < before.frames_received,
            now.errors_received < before.errors_received,
        )
    )
