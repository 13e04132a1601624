"""A ring keeps the newest sample of each cell and never shows one of an earlier turn."""

import numpy as np

from telemetry.rings import Ring


def ring(*samples: tuple[float, float]) -> Ring:
    kept = Ring(period_s=1.0, slots=10)
    kept.reserve(1)
    for time, value in samples:
        kept.put(np.array([0]), np.array([time]), np.array([value]))
    return kept


def shown(kept: Ring, last: int, count: int) -> list[float]:
    values, _ = kept.window(np.array([0]), last, count)
    return [float(value) for value in np.nan_to_num(values[0], nan=-1.0)]


def test_samples_stand_in_the_slot_of_their_time() -> None:
    assert shown(ring((3.2, 7.0), (5.9, 8.0)), last=6, count=4) == [7.0, -1.0, 8.0, -1.0]


def test_of_one_slot_the_newest_sample_is_kept_whatever_came_first() -> None:
    assert shown(ring((3.8, 2.0), (3.1, 1.0)), last=3, count=1) == [2.0]


def test_of_one_slot_in_one_call_the_newest_sample_is_kept() -> None:
    kept = ring()
    kept.put(np.array([0, 0]), np.array([3.1, 3.8]), np.array([1.0, 2.0]))
    assert shown(kept, last=3, count=1) == [2.0]


def test_a_sample_of_an_earlier_turn_does_not_show() -> None:
    kept = ring((3.0, 7.0))
    assert shown(kept, last=13, count=1) == [-1.0]
    assert shown(kept, last=3, count=1) == [7.0]


def test_a_late_sample_of_an_earlier_turn_replaces_nothing() -> None:
    assert shown(ring((13.0, 9.0), (3.0, 7.0)), last=13, count=1) == [9.0]


def test_growing_keeps_what_was_known() -> None:
    kept = ring((3.0, 7.0))
    kept.reserve(50)
    assert shown(kept, last=3, count=1) == [7.0]
