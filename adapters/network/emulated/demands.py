"""How much the demands really ask for: believed traffic x a hidden factor x bursts x a tide x surges."""

import math

import numpy as np

from adapters.network.emulated.habits import Bursts
from adapters.network.emulated.physics import Floats, Routes


class Demands:
    """The true demands, moving in time.

    The logarithm of each demand follows an Ornstein-Uhlenbeck process (exact in discrete time: it needs no
    particular step), whose standard deviation swings slowly; a common tide rises and falls under all.
    """

    def __init__(self, base: Floats, bursts: Bursts, rng: np.random.Generator) -> None:
        """Start the process in its stationary state. `base` is in Mbit/s."""
        self._base, self._bursts, self._rng = base, bursts, rng
        self._state: Floats = rng.normal(0.0, 1.0, len(base))
        self._at: float | None = None

    @property
    def base(self) -> Floats:
        return self._base

    def add(self, mbps: float) -> None:
        """Let one more demand begin, in its mean state. `mbps` is its base."""
        self._base, self._state = np.append(self._base, mbps), np.append(self._state, 0.0)

    def step(self, now: float, surge: Floats) -> Floats:
        """Move to `now` (seconds since 1970) and return what is asked for, with the surges, in Mbit/s."""
        bursts = self._bursts
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        keep = math.exp(-passed / bursts.memory_s)
        fresh: Floats = self._rng.normal(0.0, 1.0, len(self._base))
        self._state = keep * self._state + math.sqrt(1.0 - keep * keep) * fresh
        self._at = now
        sigma = bursts.sigma * (1.0 + bursts.swing * math.sin(2 * math.pi * now / bursts.swing_period_s))
        tide = 1.0 + bursts.tide * math.sin(2 * math.pi * now / bursts.tide_period_s)
        return self._base * surge * tide * np.exp(sigma * self._state)


def thinned(mbps: Floats, routes: Routes, capacity: Floats, most: float = 0.65) -> Floats:
    """Return demands scaled down where an arc would be filled beyond `most`: no operator starts a day congested.

    Args:
        mbps: demands.
        routes: where they go.
        capacity: per arc in Mbit/s.
        most: highest utilisation that is left.
    """
    crossing = routes.shares.tocoo()
    for _ in range(8):
        over = np.asarray(routes.shares.T @ mbps).ravel() / (capacity * most)
        if over.max(initial=0.0) <= 1.0:
            break
        worst = np.ones(len(mbps))
        np.maximum.at(worst, crossing.row, over[crossing.col])
        mbps = mbps / worst
    return mbps
