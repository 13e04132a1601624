"""Laws of forecasts: of order, of scale, of time, and of what a calibration may do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stats.calibration import brier, isotonic
from stats.forecasting import forecast
from stats.origins import read
from tests.stats.loads import Floats, loads

LAW = settings(max_examples=25, deadline=None)


@st.composite
def histories(draw: st.DrawFn) -> Floats:
    """Two to four noisy series of 16 to 30 weeks, some of it not measured."""
    series = draw(st.integers(2, 4))
    made = loads(
        draw(st.lists(st.sampled_from([5.0, 80.0, 9_000.0]), min_size=series, max_size=series)),
        weeks=draw(st.integers(16, 30)),
        growth=draw(st.sampled_from([-0.01, 0.0, 0.02])),
        noise=draw(st.sampled_from([0.01, 0.2])),
        seed=draw(st.integers(0, 99)),
    )
    lost = np.random.default_rng(draw(st.integers(0, 99))).random(made.shape) < draw(st.sampled_from([0.0, 0.1]))
    made[lost] = np.nan
    return made


@LAW
@given(histories(), st.sampled_from([1, 3, 6]))
def test_low_is_not_above_the_middle_and_that_not_above_high(history: Floats, horizon: int) -> None:
    made = forecast(history, horizon)

    assert (made.low <= made.median).all()
    assert (made.median <= made.high).all()
    assert (made.peak_low <= made.peak).all()
    assert (made.peak <= made.peak_high).all()
    assert (made.low > 0).all()


@LAW
@given(histories(), st.sampled_from([1e-3, 1.0, 1e4]))
def test_another_unit_changes_the_loads_and_no_chance(history: Floats, factor: float) -> None:
    limit = np.nanmax(history, axis=(1, 2))

    one, other = forecast(history, 2, limit), forecast(history * factor, 2, limit * factor)

    assert other.median == pytest.approx(one.median * factor, rel=1e-6)
    assert other.chance_beyond(limit * factor) == pytest.approx(one.chance_beyond(limit), abs=1e-6)


@LAW
@given(histories())
def test_the_order_of_the_series_does_not_matter(history: Floats) -> None:
    assert forecast(history[::-1], 2).median == pytest.approx(forecast(history, 2).median[::-1], rel=1e-9)


@LAW
@given(histories(), st.integers(9, 15))
def test_an_origin_knows_nothing_of_what_comes_after_it(history: Floats, week: int) -> None:
    other = history.copy()
    other[:, week:] *= 7.0

    one, two = read(history, week, 3), read(other, week, 3)

    for name in ("bases", "slope", "profile", "peak", "level_spread", "slot_spread", "peak_spread"):
        assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True)


@LAW
@given(histories(), st.floats(1.0, 3.0))
def test_a_higher_limit_is_not_likelier_to_be_passed(history: Floats, factor: float) -> None:
    limit = np.nanmedian(history, axis=(1, 2))
    made = forecast(history, 2, limit)

    assert (made.chance_beyond(limit * factor) <= made.chance_beyond(limit)).all()


cases = st.integers(1, 60).flatmap(
    lambda n: st.tuples(hnp.arrays(np.float64, n, elements=st.integers(-5, 5)), hnp.arrays(np.bool_, n))
)


@LAW
@given(cases)
def test_a_calibration_is_monotone_and_never_certain(drawn: tuple[Floats, np.ndarray]) -> None:
    scores, outcomes = drawn

    chances = isotonic(scores, outcomes)(np.linspace(-7, 7, 57))

    assert (np.diff(chances) >= 0).all()
    assert ((chances > 0) & (chances < 1)).all()


@LAW
@given(cases)
def test_no_constant_fits_the_cases_better_than_their_calibration(drawn: tuple[Floats, np.ndarray]) -> None:
    scores, outcomes = drawn
    pools = len(np.unique(scores))
    constant = np.full(len(scores), outcomes.mean())

    # a pool of n cases is drawn by at most 1 / (2 n + 2), which costs it at most 1/16 of a case
    slack = pools / 16 / len(scores)
    assert brier(isotonic(scores, outcomes)(scores), outcomes) <= brier(constant, outcomes) + slack + 1e-9
