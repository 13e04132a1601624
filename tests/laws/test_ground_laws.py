"""Laws of the training ground: scores follow their rows, and rewards add up to what the plan is worth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.ground.candidates import FEATURES
from twin.ground.episode import PRICE, Course, Episode
from twin.ground.kept import kept
from twin.ground.scenarios import Scenario, Trouble, drawn

ROWS = 12


@given(seed=st.integers(0, 10_000), allowed=st.lists(st.booleans(), min_size=ROWS, max_size=ROWS))
@settings(max_examples=50)
def test_permuting_the_rows_permutes_the_scores(seed: int, allowed: list[bool]) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(ROWS, len(FEATURES))).astype(np.float32)
    mask = np.array(allowed)
    mask[0] = True
    order = rng.permutation(ROWS)
    scorer = kept()[1]

    assert scorer.scores(rows[order], mask[order]) == pytest.approx(scorer.scores(rows, mask)[order], abs=1e-4)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30)
def test_rows_that_are_not_allowed_change_no_score(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(ROWS, len(FEATURES))).astype(np.float32)
    mask = np.arange(ROWS) < 7
    other = rows.copy()
    other[7:] = rng.normal(size=(ROWS - 7, len(FEATURES)))
    scorer = kept()[1]

    assert scorer.scores(other, mask)[:7] == pytest.approx(scorer.scores(rows, mask)[:7], abs=1e-5)


@given(
    picks=st.lists(st.floats(0, 1, exclude_max=True), min_size=4, max_size=4), trouble=st.sampled_from(list(Trouble))
)
@settings(max_examples=15)
def test_the_rewards_add_up_to_the_worth_of_the_plan_less_the_price_of_the_moves(
    picks: list[float], trouble: Trouble
) -> None:
    happened = drawn(Scenario("topozoo/Sprint", 18, trouble, 2))
    episode = Episode(Course(happened.snapshot, happened.closed), limit=4)
    total, moves = 0.0, 0
    for pick in picks:
        if episode.over:
            break
        rows = np.flatnonzero(episode.table.allowed)
        row = int(rows[int(pick * len(rows))])
        total += episode.take(row)
        moves += row != 0

    assert total == pytest.approx(np.log(episode.before / episode.reached) - moves * PRICE)
    assert episode.reached <= episode.before
    assert len(episode.plan()) <= moves
