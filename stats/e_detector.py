"""Has the error rate risen above its limit? An e-detector that may be looked at after every outcome.

The Shiryaev-Roberts e-detector of Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential
change detection" (2022, arXiv:2203.03532), for outcomes that are right or wrong:

    M_n = (M_{n-1} + 1) · L_n,   L_n = q / p0 for an error, (1 - q) / (1 - p0) for none,   M_0 = 0

For every q above the limit p0, L_n has a mean of at most 1 while the chance of an error, given all outcomes before it,
is at most p0. So the mean of M_n is at most n, and the average number of outcomes until M_n ≥ c is at least c: the
guaranteed run length. A mean over several q keeps both, and finds small and large rises. Outcomes need not be
independent or alike; but errors that come in runs, above p0 for a while, are a rise. Leaving old outcomes out only
lowers M_n, so the guarantee holds for the newest ones, too.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Where the alternatives q lie between the limit (0) and certain error (1).
_RISES = (0.03, 0.08, 0.2, 0.4, 0.65, 0.95)


def e_values(errors: Iterable[bool], limit: float) -> Floats:
    """Return M_1 … M_n, one value per outcome; empty for no outcomes.

    Args:
        errors: outcomes in the order in which they became known; True is an error.
        limit: the error rate that is still accepted, above 0 and below 1.

    Raises:
        ValueError: the limit is not between 0 and 1.
    """
    if not 0.0 < limit < 1.0:
        raise ValueError(f"an error limit lies between 0 and 1, and {limit} does not")
    rates = limit + (1.0 - limit) * np.array(_RISES)
    if_wrong, if_right = rates / limit, (1.0 - rates) / (1.0 - limit)
    sums, values = np.zeros(len(rates)), []
    for wrong in errors:
        sums = (sums + 1.0) * (if_wrong if wrong else if_right)
        sums = np.minimum(sums, 1e100)  # beyond any threshold; keeps long streams finite
        values.append(float(sums.mean()))
    return np.array(values)


def first_crossing(values: Floats, run_length: float) -> int | None:
    """Return after how many outcomes the values first reached `run_length`, or None when they never did."""
    crossed = np.flatnonzero(values >= run_length)
    return int(crossed[0]) + 1 if crossed.size else None


def median_delay(limit: float, rate: float, run_length: float, *, streams: int = 200, seed: int = 7) -> float | None:
    """Return the median number of outcomes until a jump from the limit to `rate` is found, by simulation.

    The detector starts afresh at the jump, which is its slowest case. None when half of the streams are not found
    within twenty times `run_length`, or within 20,000 outcomes.
    """
    rng, most = np.random.default_rng(seed), int(min(20 * run_length, 20_000))
    found = [_delay(rng, limit, rate, run_length, most) for _ in range(streams)]
    median = float(np.median([most + 1 if delay is None else delay for delay in found]))
    return None if median > most else median


def _delay(rng: np.random.Generator, limit: float, rate: float, run_length: float, most: int) -> int | None:
    """Draw one stream in pieces, so that a short delay costs little."""
    drawn: list[bool] = []
    piece = 64
    while len(drawn) < most:
        drawn += (rng.random(piece) < rate).tolist()
        crossed = first_crossing(e_values(drawn, limit), run_length)
        if crossed is not None:
            return crossed
        piece = len(drawn)
    return None
