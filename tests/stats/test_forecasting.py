"""Forecasts of loads whose every part is known; what cannot be forecast is left out, or refused."""

import numpy as np
import pytest

from stats.calibration import coverage
from stats.forecasting import conclude, forecast, origins, trusted
from stats.origins import read
from tests.stats.loads import SLOTS, loads


def test_what_repeats_itself_is_foreseen_exactly() -> None:
    history = loads([10.0, 400.0])

    made = forecast(history, 4)

    assert made.median == pytest.approx(history[:, -1])
    assert made.peak == pytest.approx(history[:, -1].max(axis=1))


def test_steady_growth_goes_on() -> None:
    history = loads([50.0, 80.0, 20.0], weeks=44, growth=0.01)

    made = forecast(history[:, :40], 4)

    assert made.choice.damping == 1.0
    assert made.median == pytest.approx(history[:, 43], rel=1e-6)


def test_growth_that_has_ended_is_not_believed() -> None:
    history = np.concatenate([loads([50.0], weeks=12, growth=0.02), np.repeat(loads([62.3], 1), 30, axis=1)], axis=1)

    assert forecast(history, 4).median == pytest.approx(history[:, -1], rel=1e-6)


def test_a_turn_that_all_series_take_together_is_followed() -> None:
    wave = np.exp(0.3 * np.sin(2 * np.pi * np.arange(70) / 40))
    history = loads([100.0, 60.0, 80.0], weeks=70, noise=0.01) * wave[:, None]

    made = forecast(history[:, :64], 4)

    assert made.choice.turning > 0
    off = np.abs(np.log(made.median / history[:, 67])).mean()
    assert off < 0.5 * np.abs(np.log(history[:, 63] / history[:, 67])).mean()


def test_nine_in_ten_hours_and_peaks_of_noisy_loads_lie_in_their_interval() -> None:
    history = loads([100.0] * 150, weeks=46, noise=0.1, growth=0.003)

    made = forecast(history[:, :42], 4)

    assert 0.87 <= coverage(history[:, 45], made.low, made.high) <= 0.93
    assert 0.82 <= coverage(history[:, 45].max(axis=1), made.peak_low, made.peak_high) <= 0.97


def test_chances_are_fitted_where_there_are_cases_and_mean_what_they_say() -> None:
    history = loads(np.linspace(60, 140, 300).tolist(), weeks=46, noise=0.1)
    limit = np.full(300, 200.0)

    made = forecast(history[:, :42], 4, limit)
    chances = made.chance_beyond(limit)
    beyond = history[:, 45].max(axis=1) > limit

    assert made.calibrated
    assert np.abs(chances.mean() - beyond.mean()) < 0.05
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        some = (chances >= low) & (chances <= high)
        assert abs(chances[some].mean() - beyond[some].mean()) < 0.15


def test_chances_rest_on_the_newest_weeks_and_on_older_ones_where_those_are_too_few() -> None:
    limit = 200.0
    many = loads(np.linspace(60, 140, 60).tolist(), weeks=46, noise=0.1)
    few = many[20:50:6]

    made = forecast(many, 4, np.full(60, limit))
    sparse = forecast(few, 4, np.full(5, limit))

    assert made.calibrated
    assert len(made.scores) == 60 * 12
    assert sparse.calibrated
    assert len(sparse.scores) >= 150


def test_with_few_series_the_chance_is_the_share_of_earlier_errors() -> None:
    history = loads([100.0, 120.0], noise=0.05)

    made = forecast(history, 4, np.array([1e6, 1e6]))

    assert not made.calibrated
    assert made.chance_beyond(made.peak) == pytest.approx(0.5, abs=0.05)
    assert (made.chance_beyond(np.full(2, 1e6)) == 0.5 / (len(made.errors) + 1)).all()


def test_the_load_that_a_peak_stays_below_is_a_quantile_of_earlier_errors() -> None:
    made = forecast(loads([100.0, 120.0], noise=0.05), 4)

    assert made.peak_not_exceeded(0.5) == pytest.approx(made.peak)
    assert (made.peak_not_exceeded(0.8) > made.peak).all()


def test_one_burst_and_one_lost_week_move_little() -> None:
    history = loads([100.0, 100.0], noise=0.02)
    spoiled = history.copy()
    spoiled[0, 37, 3:7] *= 30
    spoiled[1, 39] = np.nan

    assert forecast(spoiled, 4).median == pytest.approx(forecast(history, 4).median, rel=0.06)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda h: h.__setitem__((0, slice(None), slice(0, 25)), np.nan), "fewer than 8"),
        (lambda h: h.__setitem__((0, slice(-2, None)), np.nan), "newest two weeks"),
        (lambda h: h.__setitem__(0, 5.0), "never changes"),
        (lambda h: h.__setitem__((0, slice(None), slice(0, 30)), 0.0), "carries nothing"),
    ],
)
def test_of_what_cannot_be_trusted_nothing_is_said_and_the_others_are_forecast_as_without_it(
    spoil: object, reason: str
) -> None:
    history = loads([100.0, 120.0, 90.0], noise=0.05)
    spoil(history)  # type: ignore[operator]

    made = forecast(history, 4, np.full(3, 150.0))

    assert reason in trusted(history)[0]
    assert trusted(history)[1:] == ["", ""]
    assert np.isnan(made.median[0]).all()
    assert np.isnan(made.chance_beyond(np.full(3, 150.0))[0])
    assert np.isfinite(made.median[1:]).all()
    spared = forecast(history[1:], 4)
    assert made.errors.tolist() == pytest.approx(spared.errors.tolist(), abs=0.3)


def test_a_history_of_seven_weeks_is_too_short() -> None:
    assert "7 weeks and 8 are needed" in trusted(loads([1.0], weeks=7))[0]


@pytest.mark.parametrize("value", [-1.0, np.inf])
def test_a_load_that_cannot_be_is_refused(value: float) -> None:
    history = loads([1.0])
    history[0, 3, 3] = value

    with pytest.raises(ValueError, match="not negative"):
        forecast(history, 4)


@pytest.mark.parametrize(
    ("shape", "horizon", "match"),
    [((2, 11, SLOTS), 4, "too few"), ((2, 40), 4, "shape"), ((2, 40, 0), 4, "shape"), ((2, 40, SLOTS), 0, "horizon")],
)
def test_a_question_without_an_answer_is_refused(shape: tuple[int, ...], horizon: int, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        forecast(np.ones(shape), horizon)


def test_no_forecast_learns_from_an_outcome_that_was_not_known_by_then() -> None:
    history = loads([1.0])

    with pytest.raises(ValueError, match="known by then"):
        conclude(history, [read(history, 37, 4)], read(history, 40, 4), 4, None)
    assert max(origins(40, 4)) == 36
