"""Identifiers tell when they were made, and in which order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.ids import lowest_id, new_id

BOUNDS = {"min_value": datetime(1970, 1, 2), "max_value": datetime(9000, 1, 1)}  # noqa: DTZ001  # Hypothesis adds the zone
MOMENTS = st.datetimes(**BOUNDS, timezones=st.just(UTC))
MILLISECOND = timedelta(milliseconds=1)


@given(MOMENTS, st.integers(1, 50))
def test_ids_of_one_millisecond_sort_in_the_order_of_their_making(at: datetime, count: int) -> None:
    made = [new_id("prop", at) for _ in range(count)]
    assert made == sorted(set(made))


@given(MOMENTS, MOMENTS)
def test_ids_sort_by_time_whatever_was_made_first(one: datetime, other: datetime) -> None:
    first, second = new_id("prop", one), new_id("prop", other)
    if abs(one - other) > MILLISECOND:
        assert (first < second) == (one < other)


@given(MOMENTS)
def test_what_is_older_than_a_moment_sorts_before_its_lowest_id(at: datetime) -> None:
    bound = lowest_id("prop", at)
    assert new_id("prop", at) > bound > new_id("prop", at - 2 * MILLISECOND)
