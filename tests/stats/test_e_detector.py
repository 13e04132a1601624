"""The e-detector keeps the run length that it guarantees, and finds what it is there to find."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats.e_detector import e_values, first_crossing, median_delay

UNHURRIED = settings(deadline=None, max_examples=60)
streams = st.lists(st.booleans(), max_size=60)
limits = st.floats(0.02, 0.9)


@given(errors=streams, limit=limits)
@UNHURRIED
def test_one_more_error_never_speaks_less_for_a_rise_than_one_right_outcome(errors: list[bool], limit: float) -> None:
    assert e_values([*errors, True], limit)[-1] > e_values([*errors, False], limit)[-1]


@given(errors=streams, limit=limits)
@UNHURRIED
def test_what_is_known_is_not_changed_by_what_comes_later(errors: list[bool], limit: float) -> None:
    half = len(errors) // 2

    assert e_values(errors, limit)[:half].tolist() == e_values(errors[:half], limit).tolist()


@given(errors=st.lists(st.booleans(), min_size=1, max_size=60), limit=limits)
@UNHURRIED
def test_a_wider_limit_never_finds_more_in_a_stream_of_errors(errors: list[bool], limit: float) -> None:
    wrong = [True] * len(errors)

    assert e_values(wrong, limit)[-1] >= e_values(wrong, min(0.95, limit + 0.04))[-1]


@given(limit=limits, rate=st.floats(0, 1))
@UNHURRIED
def test_below_the_limit_each_outcome_adds_at_most_one_on_average(limit: float, rate: float) -> None:
    """The law that the guarantee rests on: E[M_1] = E[L] ≤ 1 for every error rate up to the limit."""
    mean = rate * e_values([True], limit)[0] + (1 - rate) * e_values([False], limit)[0]

    assert mean <= 1 + 1e-9 if rate <= limit else mean >= 1 - 1e-9


@pytest.mark.parametrize("limit", [0.1, 0.3])
def test_at_the_limit_the_average_run_length_is_at_least_the_guaranteed_one(limit: float) -> None:
    rng, guaranteed, longest = np.random.default_rng(11), 100.0, 1500
    values = (e_values((rng.random(longest) < limit).tolist(), limit) for _ in range(200))
    lengths = [first_crossing(found, guaranteed) or longest for found in values]

    assert np.mean(lengths) >= guaranteed


@pytest.mark.parametrize(("rate", "at_most"), [(0.2, 295), (0.4, 71)])
def test_a_jump_is_found_sooner_than_adwin_finds_it(rate: float, at_most: int) -> None:
    """The figures of ADWIN (river's defaults) on the same jumps from 10 %; ours allows one false alarm in 20,000."""
    found = median_delay(0.1, rate, 20_000, streams=20)

    assert found is not None
    assert found <= at_most


def test_no_outcomes_have_no_value_and_cross_nothing() -> None:
    assert e_values([], 0.1).size == 0
    assert first_crossing(e_values([], 0.1), 1) is None


def test_long_streams_of_errors_stay_finite() -> None:
    assert np.isfinite(e_values([True] * 3000, 0.05)).all()


@pytest.mark.parametrize("limit", [0.0, 1.0, -1.0, float("nan")])
def test_a_limit_that_is_no_rate_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        e_values([True], limit)
