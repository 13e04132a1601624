"""Tomogravity: the traffic nearest to a first guess among all that explain what the links carry, none of it negative.

Minimised is Σ((x − g)/τ)² + Σ((A x − y)/σ)²: g the guess with its spread τ, y what is measured with its error σ, A the
shares of the demands in each measurement (Zhang et al., SIGMETRICS 2003, with errors). What comes out negative is held
at zero and the rest solved anew. Where the guess was so far off that the measurements are still not explained within
their errors, a multiplicative polish closes what is left, as iterative proportional fitting does with totals.
"""

import numpy as np
from scipy.sparse import diags
from scipy.sparse.linalg import lsmr

from twin.estimating.routes import Shares
from twin.topology import Flags, Floats

_SOLVES = 8
_STEPS = 1000  # of one solve; that many are not needed
_POLISHES = 200


def tomogravity(shares: Shares, measured: Floats, error: Floats, guess: Floats, spread: Floats) -> Floats:
    """Return the traffic of each demand in Mbit/s, shape (demands,), at least 0.

    Args:
        shares: sparse, shape (measurements, demands): the share of each demand in each measurement.
        measured: Mbit/s, shape (measurements,).
        error: standard error of each measurement in Mbit/s, above 0.
        guess: the prior in Mbit/s, shape (demands,), at least 0; what is 0 stays 0.
        spread: standard deviation of the prior in Mbit/s, shape (demands,); what has 0 is believed as it is.
    """
    traffic = _nearest(shares, measured, error, guess, spread)
    precision = np.square(measured / error)
    loose = spread > 0
    into = np.asarray(shares.T @ precision).ravel()
    for _ in range(_POLISHES):
        explained = np.asarray(shares @ traffic).ravel()
        if np.mean(np.square((explained - measured) / error)) <= 1.0:
            break
        ratio = np.divide(measured, explained, out=np.ones_like(measured), where=explained > 0)
        pull = np.asarray(shares.T @ (precision * ratio)).ravel()
        traffic = traffic * np.divide(pull, into, out=np.ones_like(traffic), where=loose & (into > 0))
    return traffic


def _nearest(shares: Shares, measured: Floats, error: Floats, guess: Floats, spread: Floats) -> Floats:
    """Solve the least squares, holding at zero what would be negative."""
    held: Flags = np.zeros(len(guess), np.bool_)
    precise = diags(1.0 / error) @ shares
    traffic = guess
    for _ in range(_SOLVES):
        base, width = np.where(held, 0.0, guess), np.where(held, 0.0, spread)
        missing = (measured - np.asarray(shares @ base).ravel()) / error
        solved = lsmr(precise @ diags(width), missing, damp=1.0, atol=1e-10, btol=1e-10, maxiter=_STEPS)
        traffic = base + width * solved[0]
        below = traffic < 0
        if not below.any():
            break
        held |= below
    return np.maximum(traffic, 0.0)
