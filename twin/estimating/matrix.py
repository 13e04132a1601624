"""A traffic matrix from counters only: a first guess, what the links carry, and what enters and leaves at the edge.

Single pairs come out tens of per cent wrong, for there are more of them than counters; the loads that they make, also
after a failure, come out a few per cent wrong. So the estimate is for loads and not for bills.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from domain.errors import BadInput
from twin.estimating.gravity import fit_totals, gravity
from twin.estimating.routes import Shares
from twin.estimating.tomogravity import tomogravity
from twin.topology import Flags, Floats, Ints

#: A fresh counter errs by this share of itself; traffic drifts by this share while `_DRIFT_S` pass.
_NOISE, _DRIFT, _DRIFT_S = 0.02, 0.2, 600.0
#: A counter of nothing errs by this share of the mean counter.
_FLOOR = 0.002
#: A pair is this much off its gravity guess, as a share of it (one standard deviation).
SPREAD = 0.7


@dataclass(frozen=True, eq=False)
class Counters:
    """What is measured, in Mbit/s; NaN where nothing is. Ages are in seconds, for all the same if a number.

    Attributes:
        arcs: what each arc carries, shape (arcs,).
        leaving: what each place sends into the network over its edge, shape (places,).
        entering: what each place takes from it, shape (places,).
        arc_age: shape (arcs,).
        edge_age: shape (places,).
    """

    arcs: Floats
    leaving: Floats
    entering: Floats
    arc_age: Floats | float = 0.0
    edge_age: Floats | float = 0.0

    @staticmethod
    def of_links(arcs: Floats, places: int, arc_age: Floats | float = 0.0) -> "Counters":
        """Return the counters of a network whose edges are not measured."""
        unknown = np.full(places, np.nan)
        return Counters(arcs=arcs, leaving=unknown, entering=unknown, arc_age=arc_age)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Traffic per pair.

    Attributes:
        mbps: shape (pairs,), at least 0.
        guess: what it started from, shape (pairs,).
        informed: whether a counter sees the pair, shape (pairs,); elsewhere the guess stands.
        residual: wMAPE of the explained against the measured counters; 0 where they measure no traffic.
    """

    mbps: Floats
    guess: Floats
    informed: Flags
    residual: float


def estimate(
    shares: Shares,
    begins: Ints,
    ends: Ints,
    counters: Counters,
    guess: Floats | None = None,
    spread: Floats | float = SPREAD,
) -> Estimate:
    """Return the traffic of each pair that explains the counters and is nearest to a guess, or else to gravity.

    Args:
        shares: share of each pair on each arc, sparse, shape (arcs, pairs); see `routing_matrix`.
        begins: place where each pair's traffic enters the network, shape (pairs,).
        ends: place where it leaves it.
        counters: what is measured.
        guess: Mbit/s per pair, or None for gravity, which needs counters of the edge.
        spread: how far a pair may be off its guess, as a share of it (one standard deviation), for all or per pair.

    Twice the traffic in counters and guess gives twice the estimate.

    Raises:
        BadInput: shapes do not fit, a value is negative or infinite, or nothing is measured.
    """
    _check(shares, begins, ends, counters, guess, spread)
    first = gravity_guess(begins, ends, counters) if guess is None else guess
    rows, measured, error = _measurements(shares, begins, ends, counters)
    informed = np.asarray(rows.sum(axis=0)).ravel() > 0
    if not measured.any():  # what is seen is seen to be idle
        return Estimate(np.where(informed, 0.0, first), first, informed, residual=0.0)
    found = tomogravity(rows, measured, error, first, spread * first) if first.any() else first
    off = np.abs(np.asarray(rows @ found).ravel() - measured).sum()
    return Estimate(found, first, informed, residual=float(off / measured.sum()))


def gravity_guess(begins: Ints, ends: Ints, counters: Counters) -> Floats:
    """Return gravity fitted to the totals of the edge, Mbit/s per pair. Raises BadInput where no edge is measured."""
    first = gravity(begins, ends, counters.leaving, counters.entering)
    return fit_totals(first, begins, ends, counters.leaving, counters.entering)


def _measurements(shares: Shares, begins: Ints, ends: Ints, counters: Counters) -> tuple[Shares, Floats, Floats]:
    """Stack links and edges: shares of the pairs in each measurement, Mbit/s, and standard errors."""
    places, pairs = len(counters.leaving), np.arange(len(begins))
    whole = np.ones(len(begins))
    leaving = csr_matrix((whole, (begins, pairs)), shape=(places, len(begins)))
    entering = csr_matrix((whole, (ends, pairs)), shape=(places, len(begins)))
    measured = np.concatenate([counters.arcs, counters.leaving, counters.entering])
    edge_age = np.broadcast_to(counters.edge_age, places)
    age = np.concatenate([np.broadcast_to(counters.arc_age, len(counters.arcs)), edge_age, edge_age])
    rows = vstack([shares, leaving, entering]).tocsr()
    seen = ~np.isnan(measured) & (np.diff(rows.indptr) > 0)
    measured, age = measured[seen], age[seen]
    relative = np.hypot(_NOISE, _DRIFT * np.sqrt(age / _DRIFT_S))
    error = relative * measured + _FLOOR * measured.mean() if len(measured) else measured
    return rows[seen], measured, error


def _check(
    shares: Shares, begins: Ints, ends: Ints, counters: Counters, guess: Floats | None, spread: Floats | float
) -> None:
    arcs, pairs = shares.shape
    places = len(counters.leaving)
    shapes: list[tuple[NDArray[Any], int]] = [(counters.arcs, arcs), (counters.entering, places)]
    shapes += [(begins, pairs), (ends, pairs)]
    shapes += [] if guess is None else [(guess, pairs)]
    vague = [(counters.arc_age, arcs), (counters.edge_age, places), (spread, pairs)]
    shapes += [(np.asarray(values), size) for values, size in vague if np.ndim(values)]
    if any(values.shape != (size,) for values, size in shapes):
        raise BadInput(
            f"what is given does not fit {arcs} arcs, {pairs} pairs and {places} places; give one value each"
        )
    if pairs and not 0 <= min(begins.min(), ends.min()) <= max(begins.max(), ends.max()) < places:
        raise BadInput(f"a pair begins or ends at a place that is none of the {places}; correct it")
    seen = [counters.arcs, counters.leaving, counters.entering]
    needed = [*(np.asarray(values) for values, _ in vague), *([] if guess is None else [guess])]
    if any((values < 0).any() or np.isinf(values).any() for values in (*seen, *needed)):
        raise BadInput("a counter, an age or a guess is negative or infinite; give Mbit/s and seconds")
    if any(np.isnan(values).any() for values in needed):
        raise BadInput("an age, a spread or a guess is no number; only counters may be unknown (NaN)")
    if all(np.isnan(values).all() for values in seen):
        raise BadInput("no counter says anything, so nothing can be estimated; wait for readings")
