from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal.candidates import Candidate, candidates
from causal.fusion import WEIGHTS, fuse
from causal.scoring import Table, score
from causal.signatures import match
from causal.symptoms import noisy_or, symptoms
from domain.alarms import AlarmType
from domain.diagnosis import FaultKind
from tests.causal.small_network import CONSEQUENCES, REPORTING, alarm, down, picture, scene

chance = st.floats(0, 1, allow_nan=False)
SILENT = st.sets(st.sampled_from(sorted(REPORTING)))
DOWN = st.sets(st.sampled_from(sorted(REPORTING - {"long", "short"})), min_size=1)


def table_of(rows: list[tuple[float, float]]) -> Table:
    options = tuple(Candidate(f"e{i // 2}", FaultKind.NODE_DOWN, 0.0) for i in range(len(rows)))
    values = np.array(rows, dtype=float).reshape(-1, 2)
    return Table(options, {"match": values[:, 0], "likelihood": values[:, 1]}, (), np.zeros((len(rows), 0)))


@given(st.lists(st.tuples(chance, st.floats(-20, 20)), max_size=12), chance)
def test_probabilities_and_something_else_always_sum_to_one(rows: list[tuple[float, float]], fresh: float) -> None:
    fused = fuse(table_of(rows), fresh)

    assert sum(one.confidence for one in fused.ranked) + fused.something_else == pytest.approx(1.0)
    assert [one.confidence for one in fused.ranked] == sorted((o.confidence for o in fused.ranked), reverse=True)


@given(st.lists(st.tuples(chance, st.floats(-20, 20)), min_size=1, max_size=12), chance)
def test_the_candidate_set_is_the_smallest_that_holds_the_level(rows: list[tuple[float, float]], level: float) -> None:
    fused = fuse(table_of(rows), level=level)

    held = [one.confidence for one in fused.ranked[: len(fused.candidate_set)]]
    assert tuple(one.element for one in fused.ranked[: len(held)]) == fused.candidate_set
    assert sum(held[:-1]) < level or not held
    assert sum(held) >= level or len(held) == len(fused.ranked)


@given(st.lists(chance, max_size=6), chance)
def test_another_sign_never_lowers_trouble(signs: list[float], more: float) -> None:
    assert noisy_or(*signs) - 1e-12 <= noisy_or(*signs, more) <= 1.0


@given(DOWN, SILENT, st.randoms(use_true_random=False))
def test_the_order_of_facts_changes_nothing(troubled: set[str], silent: set[str], chaos) -> None:
    anomalies = [down(element) for element in sorted(troubled)]
    alarms = [alarm(element, AlarmType.OTHER) for element in sorted(troubled)]
    seen = symptoms(picture(*anomalies, silent=tuple(silent - troubled)), alarms)
    chaos.shuffle(anomalies)
    chaos.shuffle(alarms)

    again = symptoms(picture(*anomalies, silent=tuple(silent - troubled)), alarms)

    base = scene()
    first, second = (replace(base, symptoms=one) for one in (seen, again))
    assert (
        fuse(score(first, candidates(first), CONSEQUENCES)).ranked
        == fuse(score(second, candidates(second), CONSEQUENCES)).ranked
    )


@given(DOWN, SILENT)
def test_every_match_is_a_probability_and_every_score_is_finite(troubled: set[str], silent: set[str]) -> None:
    seen = scene(*map(down, sorted(troubled)), silent=tuple(silent - troubled))

    found = score(seen, candidates(seen), CONSEQUENCES)

    assert all(0.0 <= match(seen, c.element, c.fault) <= 1.0 for c in found.candidates)
    assert all(np.isfinite(values).all() for values in found.columns.values())
    assert set(found.columns) & set(WEIGHTS)
