"""The mechanism that joins an effect to its causes in the structural causal model.

The baseline of a healthy network cannot teach what a fault does: in it no port ever went down. So the *declared*
dependency is the prior, "the effect is as bad as its worst cause" (the availability closure on the scale of
`causal.series`), and the baseline corrects each slope by ridge regression towards it. A plain linear regressor,
fitted on the same rows, finds slopes near zero and blames every symptom on itself (measured in the tests).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
#: The prior counts as this many slots in which the cause was wholly out.
PRIOR_SLOTS = 25.0


class WorstCause:
    """Predicts `intercept + max_j slope_j * x_j`; has the methods of `dowhy.gcm.ml.PredictionModel`."""

    def __init__(self, declared: Sequence[float] | Matrix) -> None:
        self._declared = np.asarray(declared, dtype=float)
        self._slopes = self._declared
        self._intercept = 0.0

    def fit(self, X: Matrix, Y: Matrix) -> None:  # noqa: N803  DoWhy calls with these names
        """Fit on T × p causes and T × 1 effects: each slope by ridge towards its declared value."""
        causes, effect = np.asarray(X, float), np.asarray(Y, float).reshape(-1)
        centred = causes - causes.mean(axis=0)
        with_effect = centred.T @ (effect - effect.mean())
        own = (centred**2).sum(axis=0)
        self._slopes = np.clip((with_effect + PRIOR_SLOTS * self._declared) / (own + PRIOR_SLOTS), 0.0, None)
        self._intercept = float(np.mean(effect - (causes * self._slopes).max(axis=1)))

    def predict(self, X: Matrix) -> Matrix:  # noqa: N803  DoWhy calls with this name
        """Return T × 1 predictions for T × p causes."""
        worst: Matrix = (np.asarray(X, float) * self._slopes).max(axis=1, keepdims=True)
        return worst + self._intercept

    def clone(self) -> "WorstCause":
        """Return an unfitted copy."""
        return WorstCause(self._declared)
