"""How bursty each link is, from the delays of demands: many links lie on a path, and one delay is measured for all.

By the twin's law of queueing (`twin.physics.delay`) the wait on a link is linear in its burst parameter b, so a
demand's delay less what it would be with single packets is a sum over its links of (b − 1) times a known slope. That is
the same question as the traffic matrix, and is answered the same way: one b for all links that explains the delays
best is the guess, and `tomogravity` finds the bursts nearest to it that explain each of them, none below 1.

What b comes out holds whatever else makes a link slower than the formula, in the units of the formula: so it is fit
to foresee delays, and says little of single packets.
"""

import numpy as np
from scipy.sparse import csr_matrix, diags

from domain.errors import BadInput
from twin.estimating.routes import Shares, routing_matrix
from twin.estimating.tomogravity import tomogravity
from twin.evaluate import Prediction
from twin.physics.delay import arc_delay_ms, demand_delay_ms, queueing_ms, transmission_ms, waiting
from twin.routing import delivery
from twin.topology import Floats

#: A measured mean delay errs by this share of itself; a link's burst is off the common one by this share of it.
_NOISE, _SPREAD = 0.02, 1.0
#: Fuller links wait in a full buffer and tell nothing of bursts.
_BUSIEST = 0.95
#: A larger share of a demand than this has no path: then only one of its two ways was measured.
_CUT_OFF = 1e-9


def fit_bursts(predicted: Prediction, delay_ms: Floats) -> Floats:
    """Return the burst parameter of each link, shape (links,), at least 1, that explains measured delays.

    Args:
        predicted: the state in which they were measured: its paths, loads and capacities.
        delay_ms: measured mean delay of each demand, shape (demands,); NaN where there is none.

    A link that no measured demand crosses has the common burst; delays shorter than single packets make are 1.

    Raises:
        BadInput: no delay is measured of a demand that has a path, or one is negative or infinite.
    """
    topology, load = predicted.topology, predicted.arc_utilisation
    if delay_ms.shape != (len(topology.demands),) or np.isinf(delay_ms).any() or (delay_ms < 0).any():
        raise BadInput("delays are given as one number of milliseconds per demand, NaN where unknown; correct them")
    paths = routing_matrix(topology, predicted.routing).T.tocsr()
    known = ~np.isnan(delay_ms) & (np.diff(paths.indptr) > 0)
    known &= delivery(topology, predicted.routing, np.ones(len(load))) > 1.0 - _CUT_OFF
    known &= np.asarray(paths @ (load > _BUSIEST).astype(np.float64)).ravel() == 0
    if not known.any():
        raise BadInput("no delay is measured of a demand that has a path with room; wait for probes")
    single = topology.propagation_ms + transmission_ms(predicted.capacity) + queueing_ms(load, predicted.capacity)
    excess = np.maximum(0.0, delay_ms[known] - np.asarray(paths[known] @ single).ravel())
    slopes = (paths[known] @ diags(_slope(predicted)) @ _both_ways(len(load))).tocsr()
    error = _NOISE * delay_ms[known] + 1e-9
    common = _common(np.asarray(slopes.sum(axis=1)).ravel(), excess, error)
    guess = np.full(slopes.shape[1], common)
    if not common > 0:
        return guess + 1.0
    return 1.0 + tomogravity(slopes, excess, error, guess, _SPREAD * guess)


class Bursts:
    """The bursts of all links as measured so far: each look moves them a little. Not thread-safe."""

    def __init__(self, pace_s: float, memory_s: float) -> None:
        """Looks come every `pace_s`; what was measured `memory_s` ago counts 1/e of what is measured now."""
        self._weight = 1.0 - float(np.exp(-pace_s / memory_s))
        self._links: Floats | None = None

    def look(self, predicted: Prediction, delay_ms: Floats) -> None:
        """Take in the delays of one moment; see `fit_bursts`."""
        found = fit_bursts(predicted, delay_ms)
        self._links = found if self._links is None else self._links + self._weight * (found - self._links)

    @property
    def per_arc(self) -> Floats | None:
        """The burst parameter of each arc, shape (arcs,); None until some are measured."""
        return None if self._links is None else np.repeat(self._links, 2)

    def delays(self, predicted: Prediction) -> Floats:
        """Return the mean delay of each demand in ms in a predicted state; by declared bursts until some are measured.

        Shape (demands,); infinite where a demand has no path.
        """
        if self.per_arc is None:
            return predicted.demand_delay_ms
        arc_ms = arc_delay_ms(predicted.topology, predicted.arc_utilisation, predicted.capacity, self.per_arc)
        return demand_delay_ms(predicted.topology, predicted.routing, arc_ms)


def _slope(predicted: Prediction) -> Floats:
    """Return how much longer a packet waits on each arc, in ms, when b is 1 higher."""
    load = predicted.arc_utilisation
    free = np.where((load > 0) & (load <= _BUSIEST), load, 0.5)
    slope = np.where(load > 0, waiting(free, 2.0) - waiting(free, 1.0), 0.0)
    return np.asarray(slope * transmission_ms(predicted.capacity))


def _both_ways(arcs: int) -> Shares:
    """Return the matrix that adds the two arcs of each link, shape (arcs, links)."""
    places = np.arange(arcs)
    return csr_matrix((np.ones(arcs), (places, places // 2)), shape=(arcs, arcs // 2))


def _common(slope: Floats, excess: Floats, error: Floats) -> float:
    """Return the one b − 1 that explains all delays best, by weighted least squares."""
    weighted = slope / error
    square = float(weighted @ weighted)
    return float(weighted @ (excess / error)) / square if square > 0 else 0.0
