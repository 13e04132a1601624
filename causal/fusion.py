"""From a table of scores to probabilities over candidates and "something else", a candidate set, and a verdict.

The weights are fixed, few and written down here; they were chosen on generated networks whose seeds are not among
those of the evaluation. A column without a weight is ignored, and a column that a table lacks (`learned`, where no
ranker serves) adds nothing. What the learned ranker says is bounded: however wrong, it moves a candidate by at most
`WEIGHTS["learned"] * BOUND` nats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from causal.scoring import Table
from causal.symptoms import Symptoms
from domain.diagnosis import FaultKind, Verdict

#: Column → weight in nats.
WEIGHTS: Mapping[str, float] = {
    "match": 5.0,
    "likelihood": 1.2,
    "coverage": 2.0,
    "upstream": 0.8,
    "anomaly": 0.5,
    "interfaces": 0.3,
    "onset": 0.4,
    "learned": 0.3,
}
#: Nats above or below even odds that the learned ranker is heard to say, at most.
BOUND = 4.0
#: The logit of "something else": a candidate must beat it to be believed.
ELSE = 4.0
TEMPERATURE = 0.8
#: Below this share of fresh telemetry nothing is said at all.
BLIND = 0.2
#: Trouble of an element from which on something is the matter; and fresh share from which on calm is believed.
STANDS_OUT = 0.33
CLEAR_SIGHT = 0.8


@dataclass(frozen=True)
class Ranked:
    """One element, its likeliest fault, its probability (all its kinds of fault together), and the table's row."""

    element: str
    fault: FaultKind
    confidence: float
    row: int


@dataclass(frozen=True)
class Fused:
    """The ranking, the probability that it is something else, and the smallest set holding `level`."""

    ranked: tuple[Ranked, ...]
    something_else: float
    candidate_set: tuple[str, ...]
    probabilities: NDArray[np.float64]


def with_learned(table: Table, logits: Mapping[str, float]) -> Table:
    """Return the table with what the learned ranker says as the column `learned`.

    Args:
        table: C candidates; the kinds of fault of one element share what is said of it.
        logits: element → logit over the same candidates. The column is log(p · n) for the softmax p over its n
            elements, within ±BOUND: 0 is "as likely as any other", also for an element that it says nothing of.
    """
    if not logits:
        return table
    values = np.array(list(logits.values()))
    chances = np.exp(values - values.max())
    odds = np.log(chances / chances.sum() * len(values) + 1e-12).clip(-BOUND, BOUND)
    said = dict(zip(logits, odds.tolist(), strict=True))
    column = np.array([said.get(candidate.element, 0.0) for candidate in table.candidates])
    return replace(table, columns={**table.columns, "learned": column})


def fuse(table: Table, fresh_share: float = 1.0, level: float = 0.9, weights: Mapping[str, float] = WEIGHTS) -> Fused:
    """Return probabilities over the table's candidates and "something else" (softmax with temperature).

    Args:
        table: C candidates with their columns.
        fresh_share: share (0–1) of telemetry that is fresh; the temperature rises as it falls, so that confidence
            shrinks and the candidate set widens when sources are silent.
        level: probability that the candidate set is to hold. "Something else" takes part in the sum but not in the
            set, so a set that cannot reach the level names all candidates.
        weights: column → weight; columns without one are ignored.
    """
    temperature = TEMPERATURE * (2.0 - min(1.0, max(0.0, fresh_share)))
    logits = np.zeros(len(table.candidates))
    for name, values in table.columns.items():
        logits += weights.get(name, 0.0) * values
    scaled = np.append(logits, ELSE) / temperature
    chances = np.exp(scaled - scaled.max())
    chances /= chances.sum()
    ranked = _by_element(table, chances[:-1])
    return Fused(ranked, float(chances[-1]), _smallest_set(ranked, level), chances[:-1])


def verdict(symptoms: Symptoms, fused: Fused, *, settled: bool) -> Verdict:
    """Say whether there is a cause, no fault, or no telling.

    Args:
        symptoms: what is wrong.
        fused: the ranking.
        settled: whether readings have had time to show what the last alarm speaks of.
    """
    if symptoms.fresh_share < BLIND:
        return Verdict.CANNOT_TELL
    if not stands_out(symptoms):
        calm = settled and symptoms.fresh_share >= CLEAR_SIGHT and not symptoms.silent_sources
        return Verdict.NO_FAULT if calm else Verdict.CANNOT_TELL
    sure = fused.ranked and fused.ranked[0].confidence > fused.something_else
    return Verdict.CAUSE if sure else Verdict.CANNOT_TELL


def stands_out(symptoms: Symptoms) -> bool:
    """Say whether any element is clearly in trouble, is out of sight, or has an alarm that nothing contradicts."""
    return any(trouble >= STANDS_OUT for trouble in symptoms.trouble.values())


def _by_element(table: Table, chances: NDArray[np.float64]) -> tuple[Ranked, ...]:
    rows: dict[str, list[int]] = {}
    for row, candidate in enumerate(table.candidates):
        rows.setdefault(candidate.element, []).append(row)
    merged = []
    for element, own in rows.items():
        best = max(own, key=lambda row: chances[row])
        merged.append(Ranked(element, table.candidates[best].fault, float(chances[own].sum()), best))
    return tuple(sorted(merged, key=lambda ranked: (-ranked.confidence, ranked.element)))


def _smallest_set(ranked: tuple[Ranked, ...], level: float) -> tuple[str, ...]:
    held, chosen = 0.0, []
    for candidate in ranked:
        if held >= level:
            break
        chosen.append(candidate.element)
        held += candidate.confidence
    return tuple(chosen)
