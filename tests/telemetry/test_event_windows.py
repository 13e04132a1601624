"""Event-time windows."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import BadInput
from domain.measurements import Metric, Reading
from telemetry.windows import Windows

START = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)


def reading(at: float, value: float | None, element: str = "tp:1") -> Reading:
    return Reading(element=element, metric=Metric.LOSS, value=value, event_time=START + timedelta(seconds=at))


def test_readings_fall_into_the_window_of_their_event_time() -> None:
    windows = Windows(width_s=5, lateness_s=10)
    windows.add([reading(0, 0.25), reading(4.9, 0.75), reading(5, 1.0)])
    first, second = windows.flush()
    assert (first.start, first.count, first.total, first.low, first.high) == (START, 2, 1.0, 0.25, 0.75)
    assert (second.start, second.count) == (START + timedelta(seconds=5), 1)


def test_a_gap_is_counted_and_is_not_zero() -> None:
    windows = Windows(width_s=5, lateness_s=0)
    windows.add([reading(0, None), reading(1, None)])
    (window,) = windows.flush()
    assert (window.count, window.missing, window.total, window.low, window.high) == (0, 2, 0.0, None, None)


def test_a_window_closes_when_the_watermark_passes_its_end() -> None:
    windows = Windows(width_s=5, lateness_s=10)
    windows.add([reading(0, 0.5), reading(14.9, 0.5)])
    assert windows.closed() == ()
    windows.add([reading(15, 0.5)])
    assert [window.start for window in windows.closed()] == [START]
    assert windows.closed() == ()


def test_what_comes_after_its_window_closed_is_handed_back() -> None:
    windows = Windows(width_s=5, lateness_s=10)
    windows.add([reading(15, 0.5)])
    late = reading(4, 0.5)
    assert windows.add([late, reading(5, 0.5)]) == (late,)
    assert sum(window.count for window in windows.flush()) == 2


def test_each_source_has_a_watermark_of_its_own() -> None:
    windows = Windows(width_s=5, lateness_s=0)
    windows.add([reading(1000, 0.5)], "fast")
    assert windows.add([reading(0, 0.5)], "slow") == ()


def test_sums_do_not_depend_on_order() -> None:
    values = [0.1, 1e-17, 0.3, 1e-17, 0.7, -0.0]
    totals = set()
    for order in (values, values[::-1], sorted(values)):
        windows = Windows(width_s=5, lateness_s=0)
        windows.add([reading(1, value) for value in order])
        (window,) = windows.flush()
        totals.add((window.total, str(window.low)))
    assert totals == {(math.fsum(values), "0.0")}


def test_windows_that_nobody_takes_are_forgotten_and_counted() -> None:
    windows = Windows(width_s=5, lateness_s=0, keep=2)
    windows.add([reading(5 * k, 0.5) for k in range(5)])
    assert [window.start for window in windows.flush()] == [START + timedelta(seconds=s) for s in (15, 20)]
    assert windows.forgotten == 3


@pytest.mark.parametrize(("width", "lateness"), [(0, 1), (-1, 1), (math.inf, 1), (5, -1), (math.nan, 0)])
def test_impossible_windows_are_refused(width: float, lateness: float) -> None:
    with pytest.raises(BadInput, match="give positive numbers"):
        Windows(width_s=width, lateness_s=lateness)
