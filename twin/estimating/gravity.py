"""Gravity: what flows from one place to another is proportional to what leaves the one and what enters the other.

The first guess of every traffic matrix, and the baseline of every better one (Zhang, Roughan, Duffield, Greenberg:
Fast accurate computation of large-scale IP traffic matrices from link loads, SIGMETRICS 2003). `fit_totals` is
iterative proportional fitting (Deming and Stephan, 1940).
"""

import numpy as np

from domain.errors import BadInput
from twin.topology import Floats, Ints

_ROUNDS = 50
_CLOSE = 1e-9


def gravity(begins: Ints, ends: Ints, leaving: Floats, entering: Floats) -> Floats:
    """Return the gravity estimate of each pair in Mbit/s, shape (pairs,), its sum what leaves in all.

    Args:
        begins: place where each pair's traffic leaves, shape (pairs,).
        ends: place where it enters, shape (pairs,).
        leaving: Mbit/s that each place sends into the network, shape (places,); NaN where its edge says nothing.
        entering: Mbit/s that each place takes from it; likewise.

    A place that says nothing counts as a middling one.

    Raises:
        BadInput: a total is negative or infinite, or no place says anything.
    """
    leaving, entering = _filled(leaving, "leaving"), _filled(entering, "entering")
    product = leaving[begins] * entering[ends]
    whole = product.sum()
    return product * (leaving[np.unique(begins)].sum() / whole) if whole > 0 else product


def fit_totals(mbps: Floats, begins: Ints, ends: Ints, leaving: Floats, entering: Floats) -> Floats:
    """Return pairs scaled, by rows and columns in turn, until what leaves and enters each place is what it says.

    Shapes as in `gravity`; NaN totals bind nothing, and a place all of whose pairs are zero stays so. Where the two
    sides disagree on the whole (noise), those that enter are taken in proportion.
    """
    fitted = mbps.copy()
    known_out, known_in = ~np.isnan(leaving), ~np.isnan(entering)
    if known_out.all() and known_in.all() and entering.sum() > 0:
        entering = entering * (leaving.sum() / entering.sum())
    for _ in range(_ROUNDS):
        before = fitted
        fitted = _scaled(fitted, begins, leaving, known_out)
        fitted = _scaled(fitted, ends, entering, known_in)
        if np.abs(fitted - before).sum() <= _CLOSE * before.sum():
            break
    return fitted


def _scaled(mbps: Floats, places: Ints, totals: Floats, known: np.ndarray) -> Floats:
    present = np.bincount(places, weights=mbps, minlength=len(totals))
    factor = np.ones(len(totals))
    bound = known & (present > 0)
    factor[bound] = totals[bound] / present[bound]
    scaled: Floats = mbps * factor[places]
    return scaled


def _filled(totals: Floats, side: str) -> Floats:
    known = ~np.isnan(totals)
    if not known.any():
        raise BadInput(f"no place says how much traffic is {side} it; give the counters of at least one edge")
    if (totals[known] < 0).any() or np.isinf(totals).any():
        raise BadInput(f"a total of what is {side} a place is negative or infinite; give Mbit/s")
    return np.where(known, totals, np.median(totals[known]))
