"""The truth of the fidelity bench: networks whose traffic no estimator is told, and what their counters show.

Nothing of the twin is used. Traffic is gravity disturbed by lognormal factors, with a few pairs that are many times
hotter than their ends suggest; routers hash unevenly over equal paths; counters err and some are silent.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from domain.network import Demand, Inventory

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

#: Spread (of the logarithm) of the sizes of places, of pairs about gravity, and of the weights by which routers hash.
_SIZES, _PAIRS, _HASHES = 0.9, 0.6, 0.2
_HOT_SHARE, _HOT_LEAST, _HOT_MOST = 0.02, 4.0, 12.0
#: Mean Mbit/s of a pair.
_MEAN = 400.0


@dataclass(frozen=True, eq=False)
class Truth:
    """What really flows in one network: n places, m arcs (two per link, there and back), destinations as columns.

    `mbps[i, j]` is what flows from place i to place j.
    """

    places: tuple[str, ...]
    tail: Ints
    head: Ints
    metric: Floats
    capacity: Floats
    hashing: Floats
    mbps: Floats

    @classmethod
    def drawn(cls, inventory: Inventory, rng: np.random.Generator) -> "Truth":
        """Draw the truth of a network; its own demands count for nothing."""
        host = {point.id: point.node for point in inventory.termination_points}
        ends = [(host[link.source], host[link.destination]) for link in inventory.links]
        places = tuple(sorted({place for pair in ends for place in pair}))
        at = {place: number for number, place in enumerate(places)}
        links = np.array([[at[begin], at[end]] for begin, end in ends], dtype=np.intp)
        return cls(
            places=places,
            tail=links.ravel(),
            head=links[:, ::-1].ravel(),
            metric=np.repeat([float(link.metric) for link in inventory.links], 2),
            capacity=np.repeat([link.capacity_mbps for link in inventory.links], 2),
            hashing=rng.lognormal(0.0, _HASHES, 2 * len(links)),
            mbps=_traffic(rng, len(places)),
        )

    def loads(self, *failed: int) -> Floats:
        """Return Mbit/s per arc, shape (m,), with all links up but those that `failed`.

        What has no way is lost and loads nothing. Per destination, what passes a place is what it sends plus what its
        neighbours hand on: one linear system, solved for all destinations together.
        """
        size = len(self.places)
        up = np.ones(len(self.tail), np.bool_)
        for link in failed:
            up[2 * link : 2 * link + 2] = False
        split = self._splits(up)
        handed = np.zeros((size, size, size))
        goal = np.arange(size)[:, None]
        np.add.at(handed, (goal, self.head[None, :], self.tail[None, :]), split)
        passing = np.linalg.solve(np.eye(size) - handed, self.mbps.T[:, :, None])[:, :, 0]
        loads: Floats = (passing[:, self.tail] * split).sum(axis=0)
        return loads

    def _splits(self, up: NDArray[np.bool_]) -> Floats:
        """Return, per destination and arc, which share of what is at the arc's tail takes it: shape (n, m)."""
        size = len(self.places)
        cost = np.full((size, size), np.inf)
        np.minimum.at(cost, (self.head[up], self.tail[up]), self.metric[up])
        backwards = csr_matrix(np.where(np.isinf(cost), 0.0, cost))
        distance = dijkstra(backwards, directed=True)
        here, there = distance[:, self.tail], distance[:, self.head]
        with np.errstate(invalid="ignore"):
            taken = up & np.isfinite(here) & (np.abs(there + self.metric - here) < 1e-6)
        weight = np.where(taken, self.hashing, 0.0)
        whole = np.zeros((size, size))
        np.add.at(whole, (np.arange(size)[:, None], self.tail[None, :]), weight)
        of_tail = whole[:, self.tail]
        shares: Floats = np.divide(weight, of_tail, out=np.zeros_like(weight), where=of_tail > 0)
        return shares


@dataclass(frozen=True, eq=False)
class Shown:
    """What counters show, in Mbit/s, NaN where silent: per arc, and per place what leaves and enters its edge."""

    arcs: Floats
    leaving: Floats
    entering: Floats


def shown(truth: Truth, rng: np.random.Generator, noise: float, silent: float) -> Shown:
    """Return noisy counters of the truth; `noise` is their relative error, `silent` the share that says nothing."""
    return Shown(
        *(
            np.where(rng.random(len(real)) < silent, np.nan, real * np.abs(rng.normal(1.0, noise, len(real))))
            for real in (truth.loads(), truth.mbps.sum(axis=1), truth.mbps.sum(axis=0))
        )
    )


def full_mesh(inventory: Inventory, places: tuple[str, ...], mbps: Floats) -> Inventory:
    """Return the network with one demand per pair of places; `mbps` has shape (n, n), its diagonal is left out."""
    demands = tuple(
        Demand(id=f"demand:{begin}>{end}", source=begin, destination=end, mbps=float(mbps[row, column]))
        for row, begin in enumerate(places)
        for column, end in enumerate(places)
        if row != column
    )
    return inventory.but(demands=demands, services=(), customers=())


def _traffic(rng: np.random.Generator, size: int) -> Floats:
    sends, takes = rng.lognormal(0.0, _SIZES, size), rng.lognormal(0.0, _SIZES, size)
    mbps = np.outer(sends, takes) * rng.lognormal(0.0, _PAIRS, (size, size))
    hot = rng.random((size, size)) < _HOT_SHARE
    mbps *= np.where(hot, rng.uniform(_HOT_LEAST, _HOT_MOST, (size, size)), 1.0)
    np.fill_diagonal(mbps, 0.0)
    scaled: Floats = mbps * (_MEAN * size * (size - 1) / mbps.sum())
    return scaled
