"""What interfaces carry: by their utilisation or their octets, as long as it is fresh."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.measurements import Batch, Metric, Reading
from twin.estimating.readings import Newest

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
MEGA = 125_000.0  # octets of one Mbit


def told(*rows: tuple[Metric, float | None, float], newest: Newest | None = None) -> Newest:
    """Tell what the point `p` reports, as (metric, value, seconds after noon)."""
    newest = newest or Newest(60.0)
    for metric, value, seconds in rows:
        at = NOON + timedelta(seconds=seconds)
        batch = Batch(id="b", source="pm", known_time=at, first_event_time=at, last_event_time=at, readings=())
        newest.take(batch.but(readings=(Reading("p", metric, value, at),)))
    return newest


def test_utilisation_is_a_share_of_the_capacity_and_never_above_it() -> None:
    assert told((Metric.UTILISATION, 0.5, 0)).carried("p", 200.0) == (100.0, 0.0)
    assert told((Metric.UTILISATION, 1.3, 0)).carried("p", 200.0) == (200.0, 0.0)


def test_two_readings_of_octets_make_a_rate() -> None:
    newest = told((Metric.OCTETS, 5e9, 0), (Metric.OCTETS, 5e9 + 300 * MEGA, 10), (Metric.OPER_UP, 1.0, 14))
    assert newest.carried("p", 100.0) == (pytest.approx(30.0), 4.0)


def test_one_reading_of_octets_makes_none() -> None:
    assert told((Metric.OCTETS, 5e9, 0)).carried("p", 100.0) is None


def test_a_counter_that_went_backwards_says_nothing_until_it_has_moved_on() -> None:
    newest = told((Metric.OCTETS, 5e9, 0), (Metric.OCTETS, 6e9, 10), (Metric.OCTETS, 0.0, 20))
    assert newest.carried("p", 100.0) is None
    assert told((Metric.OCTETS, 100 * MEGA, 30), newest=newest).carried("p", 100.0) == (pytest.approx(10.0), 0.0)


def test_a_late_reading_of_octets_alters_no_rate() -> None:
    newest = told((Metric.OCTETS, 0.0, 0), (Metric.OCTETS, 100 * MEGA, 10), (Metric.OCTETS, 99 * MEGA, 9))
    assert newest.carried("p", 100.0) == (pytest.approx(10.0), 0.0)


def test_utilisation_is_preferred_while_it_is_fresh() -> None:
    rows = ((Metric.OCTETS, 0.0, 0), (Metric.UTILISATION, 0.5, 0), (Metric.OCTETS, 100 * MEGA, 10))
    assert told(*rows).carried("p", 100.0) == (50.0, 10.0)
    later = told((Metric.OCTETS, 1000 * MEGA, 100), newest=told(*rows))
    assert later.carried("p", 100.0) == (pytest.approx(10.0), 0.0)


def test_what_is_stale_or_a_gap_is_not_present_and_still_has_an_age() -> None:
    newest = told((Metric.UTILISATION, 0.5, 0), (Metric.UTILISATION, None, 30), (Metric.CPU, 0.1, 61))
    assert newest.present("p", Metric.UTILISATION) is None
    assert newest.carried("p", 100.0) is None
    assert newest.age_s("p", Metric.UTILISATION) == 61.0
    assert newest.observed("p", Metric.UTILISATION) == (0.5, NOON)
