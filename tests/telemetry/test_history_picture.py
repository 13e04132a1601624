"""The picture of telemetry: unusual, healthy, silent, and nothing in between called healthy."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from domain.errors import BadInput
from domain.measurements import Metric, Reading
from domain.observations import Anomaly, Picture
from telemetry.history import History

START = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
PERIOD = 0.5
Signal = Callable[[float], float | None]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def noisy(level: float, seed: int = 3, scale: float = 0.01) -> Signal:
    rng = np.random.default_rng(seed)
    return lambda _: level + scale * float(rng.normal())


def steps(before: float | None, after: float | None, when: float = 60.0) -> Signal:
    return lambda t: before if t < when else after


def feed(
    history: History, element: str, metric: Metric, signal: Signal, until: float = 63.0, source: str = "pm-1"
) -> None:
    times = np.arange(0, until, PERIOD)
    readings = [Reading(element=element, metric=metric, value=signal(t), event_time=at(t)) for t in times]
    history.add(readings, source)


def picture(*series: tuple[str, Metric, Signal], now: float = 62.9) -> Picture:
    history = History(PERIOD)
    for element, metric, signal in series:
        feed(history, element, metric, signal)
    return history.picture(at(now))


def only(found: Sequence[Anomaly]) -> Anomaly:
    (anomaly,) = found
    return anomaly


def test_what_is_as_usual_is_healthy() -> None:
    seen = picture(("tp:1", Metric.UTILISATION, noisy(0.4)), ("tp:1", Metric.OPER_UP, steps(1, 1)))
    assert seen.anomalies == ()
    assert (seen.healthy, seen.silent, seen.fresh_share) == (frozenset({"tp:1"}), frozenset(), 1.0)
    assert seen.oldest_reading == at(62.5)


def test_an_interface_that_goes_down_has_the_highest_score() -> None:
    anomaly = only(picture(("tp:1", Metric.OPER_UP, steps(1, 0, when=62.5))).anomalies)
    assert (anomaly.score, anomaly.value, anomaly.usual, anomaly.event_time) == (50.0, 0.0, 1.0, at(62.5))
    assert anomaly.source == "pm-1"


@pytest.mark.parametrize(
    ("metric", "before", "after", "sign"),
    [
        (Metric.UTILISATION, 0.4, 0.9, 1),
        (Metric.UTILISATION, 0.4, 0.1, -1),
        (Metric.LOSS, 0.0, 0.1, 1),
        (Metric.THROUGHPUT, 100.0, 20.0, 1),
        (Metric.THROUGHPUT, 100.0, 300.0, -1),
        (Metric.BATTERY, 1.0, 0.7, 1),
        (Metric.ADJACENCIES, 4, 3, 1),
    ],
)
def test_scores_are_positive_where_the_change_is_trouble(
    metric: Metric, before: float, after: float, sign: int
) -> None:
    anomaly = only(picture(("x", metric, steps(before, after))).anomalies)
    assert np.sign(anomaly.score) == sign
    assert abs(anomaly.score) > 3
    assert (anomaly.value, anomaly.usual) == (after, before)


def test_one_wild_sample_of_a_continuous_metric_is_no_anomaly() -> None:
    seen = picture(("x", Metric.UTILISATION, lambda t: 0.99 if t == 62.5 else 0.4))
    assert seen.anomalies == ()


def test_counters_say_nothing_by_themselves() -> None:
    seen = picture(("tp:1", Metric.OCTETS, lambda t: 1e6 * t**3), ("tp:1", Metric.OPER_UP, steps(1, 1)))
    assert (seen.anomalies, seen.healthy) == ((), frozenset({"tp:1"}))


def test_a_restart_shows_as_an_uptime_that_fell_back() -> None:
    seen = picture(("node:1", Metric.PROCESS_UPTIME, lambda t: 5000 + t if t < 60 else t - 60))
    anomaly = only(seen.anomalies)
    assert (anomaly.metric, anomaly.score, anomaly.value) == (Metric.PROCESS_UPTIME, 50.0, 2.5)


def test_an_uptime_that_grows_is_healthy() -> None:
    assert picture(("node:1", Metric.PROCESS_UPTIME, lambda t: 5000 + t)).healthy == {"node:1"}


def test_a_blackout_in_the_middle_of_a_fault_is_silence_and_never_health() -> None:
    seen = picture(
        ("tp:1", Metric.OPER_UP, lambda t: 1 if t < 50 else (0 if t < 55 else None)),
        ("tp:2", Metric.OPER_UP, steps(1, None, when=58)),
        ("tp:3", Metric.OPER_UP, steps(1, 1)),
    )
    assert seen.silent == {"tp:1", "tp:2"}
    assert seen.healthy == {"tp:3"}
    assert seen.fresh_share == pytest.approx(1 / 3)


def test_zero_is_a_value_and_no_gap() -> None:
    seen = picture(("cell:1", Metric.THROUGHPUT, steps(50, 0)))
    assert (only(seen.anomalies).value, seen.silent) == (0.0, frozenset())


def test_an_element_of_which_a_part_is_silent_is_neither_healthy_nor_silent() -> None:
    seen = picture(("tp:1", Metric.OPER_UP, steps(1, 1)), ("tp:1", Metric.UTILISATION, steps(0.4, None, when=55)))
    assert (seen.healthy, seen.silent, seen.anomalies) == (frozenset(), frozenset(), ())


def test_a_series_that_never_had_a_value_says_nothing() -> None:
    seen = picture(("tp:1", Metric.OPER_UP, steps(1, 1)), ("tp:1", Metric.UTILISATION, steps(None, None)))
    assert (seen.healthy, seen.fresh_share) == (frozenset({"tp:1"}), 1.0)


@pytest.mark.parametrize(("metric", "value"), [(Metric.OPER_UP, 0.0), (Metric.LOSS, 0.5), (Metric.UTILISATION, 1.2)])
def test_what_has_always_been_bad_is_no_news_and_not_healthy(metric: Metric, value: float) -> None:
    seen = picture(("x", metric, steps(value, value)))
    assert (seen.anomalies, seen.healthy, seen.silent) == ((), frozenset(), frozenset())


def test_an_element_without_a_past_is_not_judged() -> None:
    history = History(PERIOD)
    history.add([Reading(element="new", metric=Metric.OPER_UP, value=1, event_time=at(0))], "pm-1")
    seen = history.picture(at(0.1))
    assert (seen.healthy, seen.silent, seen.anomalies) == (frozenset(), frozenset(), ())


def test_a_source_that_stopped_is_named_and_the_others_are_not() -> None:
    history = History(PERIOD)
    feed(history, "tp:1", Metric.OPER_UP, steps(1, 1), until=50, source="pm-1")
    feed(history, "tp:2", Metric.OPER_UP, steps(1, 1), source="pm-2")
    seen = history.picture(at(62.9))
    assert (seen.silent_sources, seen.silent, seen.healthy) == (("pm-1",), frozenset({"tp:1"}), frozenset({"tp:2"}))
    assert history.sources() == {"pm-1": at(49.5), "pm-2": at(62.5)}
    assert history.picture(at(62.9), ["tp:2"]).silent_sources == ()


def test_only_the_elements_asked_for_are_shown() -> None:
    history = History(PERIOD)
    for element in ("tp:1", "tp:2"):
        feed(history, element, Metric.OPER_UP, steps(1, 0))
    seen = history.picture(at(62.9), ["tp:2", "nobody", "tp:2"])
    assert [anomaly.element for anomaly in seen.anomalies] == ["tp:2"]


def test_a_picture_of_the_past_does_not_look_ahead() -> None:
    history = History(PERIOD)
    feed(history, "tp:1", Metric.OPER_UP, steps(1, 0))
    assert history.picture(at(59.9)).healthy == {"tp:1"}


def test_a_sample_of_a_moment_later_is_not_looked_at() -> None:
    history = History(PERIOD)
    feed(history, "tp:1", Metric.OPER_UP, steps(1, 1), until=62.5)
    history.add([Reading(element="tp:1", metric=Metric.OPER_UP, value=0, event_time=at(62.8))], "pm-1")
    assert history.picture(at(62.7)).healthy == {"tp:1"}
    assert len(history.picture(at(62.8)).anomalies) == 1


def test_a_long_trouble_stays_unusual_when_its_onset_is_known() -> None:
    history = History(PERIOD)
    feed(history, "tp:1", Metric.LOSS, steps(0.0, 0.3), until=1000)
    assert history.picture(at(999.9)).anomalies == ()
    anomaly = only(history.picture(at(999.9), onset=at(60)).anomalies)
    assert (anomaly.usual, anomaly.value) == (0.0, 0.3)


def test_a_backfill_in_any_order_gives_the_same_picture() -> None:
    readings = [
        Reading(element="x", metric=Metric.CPU, value=0.2 + 0.001 * (k % 7), event_time=at(k / 2)) for k in range(130)
    ]
    forwards, backwards = History(PERIOD), History(PERIOD)
    forwards.add(readings, "s")
    backwards.add(readings[::-1], "s")
    assert forwards.picture(at(64.9)) == backwards.picture(at(64.9))


def test_a_wrong_clock_harms_only_its_own_series() -> None:
    history, clean = History(PERIOD), History(PERIOD)
    for each in (history, clean):
        feed(each, "tp:1", Metric.OPER_UP, steps(1, 0))
    ahead = [Reading(element="tp:9", metric=Metric.OPER_UP, value=1, event_time=at(62 + 0.5 * k)) for k in range(2000)]
    history.add(ahead, "liar")
    assert history.picture(at(62.9), ["tp:1"]) == clean.picture(at(62.9), ["tp:1"])


def test_an_empty_history_has_an_empty_picture() -> None:
    seen = History(PERIOD).picture(START)
    assert seen == Picture(at=START)


def test_series_are_slots_by_pairs_with_gaps_where_nothing_is_known() -> None:
    history = History(PERIOD)
    feed(history, "tp:1", Metric.CPU, lambda t: None if t == 1.0 else t / 10, until=2)
    found = history.series([("tp:1", Metric.CPU), ("nobody", Metric.CPU)], at(0.5), at(2.5))
    assert found.shape == (5, 2)
    assert found[:, 0].tolist()[::2] == [0.05, 0.15, pytest.approx(np.nan, nan_ok=True)]
    assert np.isnan(found[1, 0])
    assert np.isnan(found[:, 1]).all()


def test_series_reach_back_no_farther_than_is_remembered() -> None:
    history = History(PERIOD, slots=10)
    feed(history, "tp:1", Metric.CPU, lambda t: 0.5, until=20)
    assert history.series([("tp:1", Metric.CPU)], at(-1e6), at(19.5)).tolist() == [[0.5]] * 10


def test_series_that_run_backwards_are_refused() -> None:
    with pytest.raises(BadInput, match="swap the two"):
        History(PERIOD).series([], at(1), at(0))


def test_an_impossible_history_is_refused() -> None:
    with pytest.raises(BadInput, match="give positive numbers"):
        History(0)


def test_many_threads_may_report_and_look_at_once() -> None:
    history, alone = History(PERIOD), History(PERIOD)
    elements = [f"tp:{k}" for k in range(4)]

    def report(element: str) -> None:
        for until in range(1, 64):
            feed(history, element, Metric.OPER_UP, steps(1, 0), until=until, source=element)
            history.picture(at(until), [element])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(report, elements))
    for element in elements:
        feed(alone, element, Metric.OPER_UP, steps(1, 0), source=element)
    assert history.picture(at(62.9)) == alone.picture(at(62.9))
