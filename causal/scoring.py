"""The topology-aware scorer: for each candidate a row, for each idea of what makes a cause a column.

Ideas (all public, all label-free): the culprit's own anomaly; its evidence looks like the fault; the anomalous set is
what the fault would do (precision and recall, and a log-likelihood over every observed element, where silence is half
a symptom and a healthy element that should suffer speaks against); nothing upstream of it is in trouble; a node's
interfaces are hit together; it was among the first to complain. `fusion` turns the table into probabilities; a later
scorer adds its own column to `columns`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal.candidates import FAINT, Candidate
from causal.expectation import expectation
from causal.signatures import Scene

#: Chances of what is seen of an element that suffers, and of one that does not: (trouble, silent, healthy).
_SUFFERING = (0.72, 0.18, 0.10)
_CALM = (0.03, 0.07, 0.90)
#: Alarm jitter: a candidate that complains this many seconds after the first counts a third.
_ONSET_S = 3.0
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """One row per candidate.

    `columns` holds C values each. `contributions` (C × E) says what each observed element adds to the candidate's
    log-likelihood against "nothing to do with it"; its columns are `elements`.
    """

    candidates: tuple[Candidate, ...]
    columns: Mapping[str, Matrix]
    elements: tuple[str, ...]
    contributions: Matrix

    def row(self, index: int) -> dict[str, float]:
        """Return the scores of one candidate, rounded to what is worth showing."""
        return {name: round(float(values[index]), 4) for name, values in self.columns.items()}

    def weight(self, index: int, rivals: Matrix) -> dict[str, float]:
        """Return element → how much it speaks for candidate `index` rather than for the mean rival.

        Args:
            index: the row.
            rivals: C weights of the rival rows, for example their probabilities.
        """
        others = rivals.copy()
        others[index] = 0.0
        mean = others @ self.contributions / others.sum() if others.sum() > 0 else 0.0
        return dict(zip(self.elements, (self.contributions[index] - mean).tolist(), strict=True))


def score(scene: Scene, candidates: Sequence[Candidate], consequences: Mapping[str, frozenset[str]]) -> Table:
    """Return the table of scores.

    Args:
        scene: the graph, the symptoms, and what is configured locked.
        candidates: C candidates.
        consequences: candidate element → elements that would be unavailable or suffer if it failed.
    """
    expected = [expectation(scene, c, consequences.get(c.element, frozenset())) for c in candidates]
    elements = _observed(scene, expected)
    chances = _chances(expected, elements)
    seen = _seen(scene, elements)
    gains = _gains(chances, *seen)
    columns = {
        "match": np.array([candidate.match for candidate in candidates]),
        "anomaly": _of_elements(candidates, scene.symptoms.trouble),
        "likelihood": _likelihood(gains, seen[0]),
        **_coverage(chances, *seen),
        "upstream": _upstream(scene, candidates),
        "interfaces": np.array([_interfaces_hit(scene, candidate.element) for candidate in candidates]),
        "onset": _onset(scene, candidates),
    }
    return Table(tuple(candidates), {name: np.asarray(v, float) for name, v in columns.items()}, elements, gains)


def _observed(scene: Scene, expected: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """Elements of which something is known and that some candidate or some symptom speaks of."""
    symptoms = scene.symptoms
    spoken = set(symptoms.trouble).union(*expected)
    known = symptoms.healthy | symptoms.silent | symptoms.trouble.keys()
    return tuple(sorted(spoken & known))


def _chances(expected: Sequence[Mapping[str, float]], elements: tuple[str, ...]) -> Matrix:
    place = {element: index for index, element in enumerate(elements)}
    chances = np.zeros((len(expected), len(elements)))
    for row, marked in enumerate(expected):
        for element, chance in marked.items():
            if element in place:
                chances[row, place[element]] = chance
    return chances


def _seen(scene: Scene, elements: tuple[str, ...]) -> tuple[Matrix, Matrix]:
    """Return trouble (0–1) and silence (0 or 1) of each element; what is neither is healthy."""
    symptoms = scene.symptoms
    trouble = np.array([symptoms.trouble.get(element, 0.0) for element in elements])
    silent = np.array([element in symptoms.silent for element in elements], dtype=float)
    return trouble, silent * (trouble < FAINT)


def _gains(chances: Matrix, trouble: Matrix, silent: Matrix) -> Matrix:
    """Return log P(seen | candidate) - log P(seen | calm), C × E; `trouble` blends "in trouble" and "healthy"."""
    ratios = [
        np.log((chances * hit + (1 - chances) * calm) / calm) for hit, calm in zip(_SUFFERING, _CALM, strict=True)
    ]
    blended = trouble * ratios[0] + (1.0 - trouble) * ratios[2]
    return np.asarray(np.where(silent > 0, ratios[1], blended))


def _likelihood(gains: Matrix, trouble: Matrix) -> Matrix:
    """Return the log-likelihood ratio, tempered by the root of the most that could be explained.

    Symptoms of one fault are not independent, so their sum grows too fast with their number.
    """
    best = float(trouble.sum()) * np.log(_SUFFERING[0] / _CALM[0])
    return np.asarray(gains.sum(axis=1) / np.sqrt(max(best, 1.0)))


def _coverage(chances: Matrix, trouble: Matrix, silent: Matrix) -> dict[str, Matrix]:
    """Return precision, recall and their harmonic mean of what is predicted against what is seen."""
    seen = np.maximum(trouble, 0.5 * silent)
    sure = np.where(chances >= 0.5, chances, 0.0)
    precision = sure @ seen / np.maximum(sure.sum(axis=1), 1e-9)
    recall = np.sqrt(chances) @ trouble / max(float(trouble.sum()), 1e-9)
    return {
        "precision": precision,
        "recall": recall,
        "coverage": 2 * precision * recall / np.maximum(precision + recall, 1e-9),
    }


def _of_elements(candidates: Sequence[Candidate], values: Mapping[str, float]) -> Matrix:
    return np.array([values.get(candidate.element, 0.0) for candidate in candidates])


def _upstream(scene: Scene, candidates: Sequence[Candidate]) -> Matrix:
    """Return 1 where nothing that the candidate needs is in trouble, less the more it is; silence counts a little."""

    def worst(element: str) -> float:
        symptoms = scene.symptoms
        causes = scene.topology.above(element)
        levels = (symptoms.trouble.get(c, 0.3 * (c in symptoms.silent)) for c in causes)
        return max(levels, default=0.0)

    return np.array([1.0 - worst(candidate.element) for candidate in candidates])


def _interfaces_hit(scene: Scene, element: str) -> float:
    """Return the share of a node's interfaces that are in trouble; 0 for what has fewer than two."""
    points = scene.topology.interfaces(element)
    hit = sum(scene.symptoms.trouble.get(point, 0.0) > 0.3 for point in points)
    return hit / len(points) if len(points) > 1 else 0.0


def _onset(scene: Scene, candidates: Sequence[Candidate]) -> Matrix:
    """Return exp(-delay / 3 s) after the first alarm; 0.5 where the candidate and its ends raised none."""
    onset = scene.symptoms.onset
    first = min(onset.values(), default=None)

    def early(element: str) -> float:
        own = [onset[near] for near in (element, *scene.topology.ends(element)) if near in onset]
        return float(np.exp(-(min(own) - first).total_seconds() / _ONSET_S)) if own and first else 0.5

    return np.array([early(candidate.element) for candidate in candidates])
