"""Do probabilities mean what they say? Scores of probability forecasts, and a map that makes them mean it.

The map is monotone: isotonic regression by pooling adjacent violators (Barlow et al., "Statistical inference under
order restrictions", 1972; Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability
estimates", KDD 2002), with each pool's share drawn towards one half by one half of an event and one half of a
non-event, so that no finite number of cases makes a certainty. Between pools it is a straight line.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Calibration:
    """A monotone map from scores to probabilities: straight lines between (`scores`, `shares`), both ascending."""

    scores: Floats
    shares: Floats

    def __call__(self, scores: Floats) -> Floats:
        """Return probabilities, of the shape of `scores`; NaN stays NaN, and beyond the ends the end's share holds."""
        return np.where(np.isnan(scores), np.nan, np.interp(scores, self.scores, self.shares))


def isotonic(scores: Floats, outcomes: Flags) -> Calibration:
    """Return the monotone map that fits the outcomes best in squared error.

    Args:
        scores: (n,), higher where the outcome is likelier; cases whose score is NaN do not count.
        outcomes: (n,), what happened.

    Raises:
        ValueError: the shapes differ, or no case has a score.
    """
    if scores.shape != outcomes.shape or scores.ndim != 1:
        raise ValueError(f"{scores.shape} scores do not go with {outcomes.shape} outcomes; give one of each per case")
    known = ~np.isnan(scores)
    if not known.any():
        raise ValueError("a calibration needs cases that have a score; give at least one")
    at, place = np.unique(scores[known], return_inverse=True)
    cases = np.bincount(place).astype(np.float64)
    hits = np.bincount(place, weights=outcomes[known].astype(np.float64))
    fitted = isotonic_regression(hits / cases, weights=cases)
    starts = np.asarray(fitted.blocks[:-1], np.intp)
    ends = np.asarray(fitted.blocks[1:], np.intp) - 1
    size = np.add.reduceat(cases, starts)
    drawn_in = (np.add.reduceat(hits, starts) + 0.5) / (size + 1.0)
    shares = isotonic_regression(drawn_in, weights=size).x  # a small pool was drawn further than its neighbours
    corners, first = np.unique(np.concatenate([at[starts], at[ends]]), return_index=True)
    return Calibration(corners, np.concatenate([shares, shares])[first])


def brier(probabilities: Floats, outcomes: Flags) -> float:
    """Return the mean squared error of probabilities (Brier, 1950): 0 is perfect, a constant half scores 0.25."""
    _check(probabilities, outcomes)
    return float(np.mean((probabilities - outcomes) ** 2))


def expected_calibration_error(probabilities: Floats, outcomes: Flags, bins: int = 10) -> float:
    """Return the mean distance between said and seen, over bins of equal width on 0–1 weighted by their cases.

    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
    """
    _check(probabilities, outcomes)
    place = np.minimum((probabilities * bins).astype(np.intp), bins - 1)
    said = np.bincount(place, weights=probabilities, minlength=bins)
    seen = np.bincount(place, weights=outcomes.astype(np.float64), minlength=bins)
    return float(np.abs(said - seen).sum() / len(probabilities))


def coverage(values: Floats, low: Floats, high: Floats) -> float:
    """Return the share of the known values (not NaN) that lie in their interval, ends included.

    Raises:
        ValueError: no value is known.
    """
    known = ~np.isnan(values)
    if not known.any():
        raise ValueError("coverage needs a value that is known; give at least one")
    inside = (values >= low) & (values <= high)
    return float(inside[known].mean())


def _check(probabilities: Floats, outcomes: Flags) -> None:
    if probabilities.shape != outcomes.shape or not probabilities.size:
        raise ValueError(
            f"{probabilities.shape} probabilities do not go with {outcomes.shape} outcomes; give one of each per case"
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("a probability lies between 0 and 1; leave out the cases that have none")
