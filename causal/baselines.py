"""The naive rankings that every figure of ours stands beside: the highest anomaly, and plain correlation.

Both rank every element that reports, see no topology, and cost next to nothing.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from domain.observations import Picture


def highest_anomaly(picture: Picture) -> tuple[str, ...]:
    """Return the anomalous elements, the largest absolute robust z of any metric first; ties by id."""
    largest: dict[str, float] = {}
    for anomaly in picture.anomalies:
        largest[anomaly.element] = max(abs(anomaly.score), largest.get(anomaly.element, 0.0))
    return tuple(sorted(largest, key=lambda element: (-largest[element], element)))


def correlation_only(series: Mapping[str, NDArray[np.float64]], symptom: str) -> tuple[str, ...]:
    """Return the elements by |Pearson correlation| of their series with the symptom's, strongest first.

    Args:
        series: element → T values of one time grid (NaN where nothing is known).
        symptom: the element whose trouble is to be explained; it is not ranked itself.

    A constant series, or one with fewer than three slots in common with the symptom's, correlates with nothing.
    """
    if symptom not in series:
        return ()
    target = series[symptom]
    strength = {element: _correlation(values, target) for element, values in series.items() if element != symptom}
    return tuple(sorted(strength, key=lambda element: (-strength[element], element)))


def _correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    both = np.isfinite(left) & np.isfinite(right)
    if both.sum() < 3:
        return 0.0
    a, b = left[both] - left[both].mean(), right[both] - right[both].mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return abs(float(a @ b)) / scale if scale > 1e-12 else 0.0
