"""How far the twin's delay is from a packet simulation, beside M/M/1.

Each simulated line has a habit of its own by which packets arrive: bursts of random size at once, bursts of fixed size
at once (the formula holds for both), or bursts whose packets follow each other at four times the speed of the line (it
does not). Sizes are IMIX. The burst parameter of a line is fitted to what was measured at one load, on one run; what is
scored is the mean delay at the other loads, on other runs. M/M/1 has nothing to fit.
"""

from collections.abc import Iterator

import numpy as np

from twin.physics.delay import IMIX_BYTES, IMIX_SHARES, MEAN_PACKET_BITS, fit_burst, waiting
from twin.topology import Floats

_FITTED_AT = 0.5
_LOADS = (0.3, 0.6, 0.7, 0.8, 0.9)
_BURSTS = (1.0, 2.0, 5.0, 10.0)
_HABITS = ("random", "fixed", "spaced")
#: Packets of a spaced burst arrive at this multiple of the speed of the line.
_FASTER = 4.0


def delay_error(quick: bool, seed: int) -> tuple[float, float]:
    """Return the wMAPE of the mean delay by the twin's formula, and by M/M/1, against a packet simulation."""
    seen, ours, plain = (np.array(column) for column in zip(*delays(quick, seed), strict=True))
    return wmape(seen, ours), wmape(seen, plain)


def wmape(seen: Floats, predicted: Floats) -> float:
    """Return the sum of absolute errors over the sum of what was seen."""
    return float(np.abs(predicted - seen).sum() / seen.sum())


def delays(quick: bool, seed: int) -> Iterator[tuple[float, float, float]]:
    """Yield (simulated, predicted, M/M/1) mean delay in mean transmission times, per line and load."""
    rng = np.random.default_rng(seed)
    packets = 200_000 if quick else 2_000_000
    for habit in _HABITS:
        for size in _BURSTS:
            burst = fit_burst(np.array([_FITTED_AT]), np.array([mean_wait(rng, habit, size, _FITTED_AT, packets)]))
            for load in _LOADS:
                seen = 1 + mean_wait(rng, habit, size, load, packets)
                yield seen, 1 + float(waiting(load, burst)), 1 / (1 - load)


def mean_wait(rng: np.random.Generator, habit: str, size: float, load: float, packets: int) -> float:
    """Simulate one line and return the mean wait of its packets in mean transmission times.

    Lindley (1952): the next packet waits max(0, wait + transmission − gap), which unrolls to a running minimum.

    Args:
        rng: of all draws.
        habit: of the arrivals, one of `random`, `fixed`, `spaced`.
        size: mean number of packets in a burst, at least 1.
        load: ρ, below 1.
        packets: how many are simulated.
    """
    service = rng.choice(IMIX_BYTES, packets, p=IMIX_SHARES) * 8 / MEAN_PACKET_BITS
    first = np.arange(packets) % int(size) == 0 if habit == "fixed" else rng.random(packets) < 1 / size
    gap = np.where(first, rng.exponential(size / load, packets), 0.0)
    if habit == "spaced":
        gap = np.where(first, gap * (1 - load * (1 - 1 / size) / _FASTER), np.roll(service, 1) / _FASTER)
    steps = np.concatenate([[0.0], np.cumsum(service[:-1] - gap[1:])])
    return float((steps - np.minimum.accumulate(steps)).mean())
