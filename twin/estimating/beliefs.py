"""What each demand is believed to be, as counters bear it out: a slow correction on top of a quick guess.

A single look at the counters is noisy, and it may be of a network in trouble. So each look moves a demand's correction
only a little (its logarithm, with a time constant of ten minutes, never by more than a factor of two at once); looks
under different paths add up, because it is demands and not loads that are remembered. What is published changes only
when the loads that it makes are clearly off, so that a belief does not tremble with every reading.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from twin.estimating.matrix import SPREAD, Counters, estimate
from twin.estimating.routes import Shares, routing_matrix
from twin.routing import Routing
from twin.topology import Flags, Floats, Ints, Topology

#: Looks are at least this many seconds apart, and none counts for more time than this.
PACE_S = 60.0
MEMORY_S = 600.0
_AT_ONCE = np.log(2.0)
_LOWEST, _HIGHEST = np.log(0.1), np.log(10.0)
#: Published anew when loads would change by this wMAPE, and for the better, as so many looks in a row have it.
_DEADBAND, _IN_A_ROW = 0.03, 3
#: Loads of which a larger share is not explained by any demands are a matter of paths, and correct no demand.
_UNEXPLAINED = 0.15
#: A demand that a probe measures is known to this share of itself.
_PROBED = 0.03

_SOURCES = ("inventory", "counters", "probe")


@dataclass(frozen=True)
class Believed:
    """A demand in Mbit/s as believed, by what (`inventory`, `counters` or `probe`), and since when that is not newer.

    `at` is the event time of the oldest counter that it rests on; None where only the inventory speaks.
    """

    demand: str
    mbps: float
    source: str
    at: datetime | None


@dataclass(frozen=True, eq=False)
class Look:
    """What is known at one moment, in Mbit/s, NaN where nothing is; ages are in seconds, NaN likewise.

    Attributes:
        at: the moment.
        arcs: what each arc carries, shape (arcs,).
        arc_age: shape (arcs,).
        probes: what each demand offers, as a probe measures it, shape (demands,).
        probe_age: shape (demands,).
    """

    at: datetime
    arcs: Floats
    arc_age: Floats
    probes: Floats
    probe_age: Floats


class Beliefs:
    """Corrections per demand; `factors` are those that are published, shape (demands,)."""

    def __init__(self, topology: Topology) -> None:
        """Start from no correction at all."""
        size = len(topology.demands)
        self._topology = topology
        self._log: Floats = np.zeros(size)
        self._by: Ints = np.zeros(size, np.int32)
        self._age: Floats = np.full(size, np.nan)
        self._looked_at: datetime | None = None
        self._off_in_a_row = 0
        self.factors: Floats = np.ones(size)

    def moved_to(self, topology: Topology) -> "Beliefs":
        """Return the same corrections for a network with further demands, which begin without any."""
        grown = Beliefs(topology)
        places = [topology.demand_at[demand] for demand in self._topology.demands]
        for name in ("_log", "_by", "_age", "factors"):
            getattr(grown, name)[places] = getattr(self, name)
        grown._looked_at, grown._off_in_a_row = self._looked_at, self._off_in_a_row
        return grown

    def due(self, at: datetime) -> bool:
        """Say whether it is time for the next look."""
        return self._looked_at is None or (at - self._looked_at).total_seconds() >= PACE_S

    def look(self, look: Look, routing: Routing, guess: Floats) -> bool:
        """Take counters in; return whether `factors` changed.

        Args:
            look: what is known.
            routing: the paths of that moment.
            guess: Mbit/s per demand before corrections, shape (demands,).
        """
        self._looked_at = look.at
        if np.isnan(look.arcs).all() or not guess.any():
            return False
        topology, probed = self._topology, ~np.isnan(look.probes)
        shares = routing_matrix(topology, routing)
        counters = Counters.of_links(look.arcs, len(topology.routers), np.nan_to_num(look.arc_age))
        first = np.where(probed, look.probes, guess * np.exp(self._log))
        spread = np.where(probed, _PROBED, SPREAD)
        found = estimate(shares, topology.source, topology.destination, counters, first, spread)
        if found.residual > _UNEXPLAINED:
            return False
        self._remember(found.mbps, guess, found.informed | probed)
        self._date(look, shares, found.informed, probed)
        return self._publish(look, shares, guess)

    def believed(self, mbps: Floats) -> tuple[Believed, ...]:
        """Return what each demand is believed to be, by what and since when; `mbps` has shape (demands,)."""
        looked = self._looked_at
        rows = zip(self._topology.demands, mbps.tolist(), self._by.tolist(), self._age.tolist(), strict=True)
        return tuple(
            Believed(demand, rate, _SOURCES[by], looked - timedelta(seconds=age) if looked and by else None)
            for demand, rate, by, age in rows
        )

    def _remember(self, mbps: Floats, guess: Floats, informed: Flags) -> None:
        moved = informed & (guess > 0)
        ratio = np.ones_like(guess)
        ratio[moved] = np.maximum(mbps[moved] / guess[moved], np.exp(_LOWEST))
        step = np.clip(np.log(ratio) - self._log, -_AT_ONCE, _AT_ONCE) * (1.0 - np.exp(-PACE_S / MEMORY_S))
        self._log = np.asarray(np.clip(np.where(moved, self._log + step, self._log), _LOWEST, _HIGHEST), np.float64)

    def _date(self, look: Look, shares: Shares, informed: Flags, probed: Flags) -> None:
        """Note by what each demand is known, and the age of the oldest counter on its paths."""
        crossing = shares.tocoo()
        counted = ~np.isnan(look.arcs[crossing.row])
        age = np.zeros(len(informed))
        np.maximum.at(age, crossing.col[counted], np.nan_to_num(look.arc_age[crossing.row[counted]]))
        self._by = np.where(probed, 2, np.where(informed, 1, 0)).astype(np.int32)
        self._age = np.where(probed, np.nan_to_num(look.probe_age), age)

    def _publish(self, look: Look, shares: Shares, guess: Floats) -> bool:
        """Publish the corrections if, look after look, they explain links and probes otherwise, and better."""
        wanted = np.exp(self._log).round(2)
        counted = np.concatenate([look.arcs, look.probes])
        known = ~np.isnan(counted)
        before, after = (_explained(shares, guess * factors)[known] for factors in (self.factors, wanted))
        nearer = np.abs(after - counted[known]).sum() < np.abs(before - counted[known]).sum()
        off = nearer and np.abs(after - before).sum() > _DEADBAND * before.sum()
        self._off_in_a_row = self._off_in_a_row + 1 if off else 0
        if self._off_in_a_row < _IN_A_ROW:
            return False
        self._off_in_a_row = 0
        self.factors = wanted
        return True


def _explained(shares: Shares, mbps: Floats) -> Floats:
    """Return what all links and then all demands carry."""
    return np.concatenate([np.asarray(shares @ mbps).ravel(), mbps])
