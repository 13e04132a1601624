"""What interfaces sent, hour by hour: summed from the feed, kept over restarts, read back as a history of loads."""

from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import pytest

from adapters.memory import MemoryLedger
from control_plane.horizon import Horizon
from control_plane.hours import Hours, Remembered, Sums, at_hour, remembered, shelve
from control_plane.ports import Ledger, Written
from control_plane.state import state
from control_plane.tables import Tables
from domain.clock import ManualClock
from domain.measurements import WEEKS_KEPT, HourlyLoad, Metric, Reading
from domain.records import Entry
from tests.stage import Stage, make_stage, ring

TEN = datetime(2026, 1, 12, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
POINTS = frozenset(point.id for point in ring().termination_points)


def kept(ledger: Ledger, sums: Sums) -> None:
    entry = Entry(kind="test.hours.kept", actor="test", event_time=TEN)

    def change(tables: Tables) -> Written[None]:
        shelve(tables, sums)
        return Written(None, (entry,))

    ledger.do(change)


def hours(period_s: float = 60.0) -> Hours:
    return Hours(ring(), dict.fromkeys(POINTS, "north"), period_s)


def reading(share: float | None, at: datetime, point: str = "tp:a-b", metric: Metric = Metric.UTILISATION) -> Reading:
    return Reading(point, metric, share, at)


def back(ledger: MemoryLedger, now: datetime) -> Remembered:
    return ledger.read(lambda tables: remembered(tables, now, POINTS))


@pytest.fixture
def ledger(clock: ManualClock) -> MemoryLedger:
    return MemoryLedger(clock)


def test_an_hour_is_the_mean_of_what_was_measured_in_it(ledger: MemoryLedger) -> None:
    summing = hours()
    summing.add([reading(0.2 if minute < 20 else 0.4, TEN + timedelta(minutes=minute)) for minute in range(40)], TEN)
    kept(ledger, summing.due(TEN + HOUR))

    found = back(ledger, TEN + HOUR)

    assert found.elements == ("tp:a-b",)
    assert found.mbps.tolist() == [[pytest.approx(30.0)]]  # of 100 Mbit/s
    assert (found.ends, found.measured) == (TEN + HOUR, 1.0)


def test_what_says_nothing_of_load_is_left_out(ledger: MemoryLedger) -> None:
    summing = hours()
    odd = [reading(None, TEN), reading(0.5, TEN, "node:a"), reading(1.0, TEN, metric=Metric.OPER_UP)]
    summing.add(odd, TEN)

    assert summing.due(TEN + HOUR) == {}


def test_more_than_a_link_carries_is_not_sent() -> None:
    summing = hours()
    summing.add([reading(1.7, TEN)], TEN)

    assert summing.due(TEN + HOUR)["north", TEN]["tp:a-b"] == (6000.0, 60.0)


def test_sums_go_to_the_shelf_once_a_minute_and_once_only() -> None:
    summing = hours()
    summing.add([reading(0.2, TEN)], TEN)
    assert summing.due(TEN + timedelta(seconds=59)) == {}
    assert summing.due(TEN + timedelta(seconds=60)) != {}

    summing.stored(TEN + timedelta(seconds=60))

    assert summing.due(TEN + HOUR) == {}


def test_a_clock_that_was_set_back_keeps_nothing_from_the_shelf() -> None:
    summing = hours()
    summing.add([reading(0.2, TEN)], TEN)

    assert summing.due(TEN - timedelta(seconds=59)) == {}
    assert summing.due(TEN - HOUR) != {}


def test_what_two_processes_heard_is_added_up(ledger: MemoryLedger) -> None:
    for share in (0.2, 0.6):
        summing = hours()
        summing.add([reading(share, TEN + timedelta(minutes=minute)) for minute in range(20)], TEN)
        kept(ledger, summing.due(TEN + HOUR))

    assert back(ledger, TEN + HOUR).mbps.tolist() == [[pytest.approx(40.0)]]


def test_gaps_are_gaps_and_the_hour_that_runs_is_not_told(ledger: MemoryLedger) -> None:
    summing = hours()
    for start, minutes in ((TEN, 40), (TEN + HOUR, 20), (TEN + 2 * HOUR, 40), (TEN + 3 * HOUR, 40)):
        summing.add([reading(0.5, start + timedelta(minutes=minute)) for minute in range(minutes)], TEN)
    kept(ledger, summing.due(TEN + 4 * HOUR))

    found = back(ledger, TEN + 3 * HOUR + timedelta(minutes=50))

    np.testing.assert_allclose(found.mbps, [[50.0, np.nan, 50.0]])
    assert found.measured == pytest.approx(2 / 3)


def test_a_long_history_is_read_a_few_rows_at_a_time_and_over_all_regions(ledger: MemoryLedger) -> None:
    sums: Sums = {
        (region, TEN + hour * HOUR): {point: (3600.0 * hour, 3600.0)}
        for hour in range(60)
        for region, point in (("north", "tp:a-b"), ("south", "tp:c-d"))
    }
    kept(ledger, sums)

    class Shelf:
        def __init__(self, tables: Tables) -> None:
            self._hourly = tables.hourly_loads
            self.hourly_loads = self

        def find(self, *, limit: int, after: str | None) -> list[HourlyLoad]:
            assert limit < 120
            return self._hourly.find(limit=limit, after=after)

    found = ledger.read(lambda tables: remembered(cast("Tables", Shelf(tables)), TEN + 60 * HOUR, POINTS))

    assert found.elements == ("tp:a-b", "tp:c-d")
    assert found.mbps.tolist() == [[float(hour) for hour in range(60)]] * 2


def test_nothing_measured_is_an_empty_history(ledger: MemoryLedger) -> None:
    found = back(ledger, TEN)
    assert (found.elements, found.mbps.shape, found.measured) == ((), (0, 0), 0.0)


def test_the_row_of_an_hour_is_written_anew_after_the_weeks_that_are_kept(ledger: MemoryLedger) -> None:
    later = TEN + timedelta(weeks=WEEKS_KEPT)
    assert HourlyLoad.id_of("north", TEN) == HourlyLoad.id_of("north", later)
    assert len({HourlyLoad.id_of("north", TEN + hour * HOUR) for hour in range(WEEKS_KEPT * 168)}) == WEEKS_KEPT * 168

    for start, share in ((TEN, 0.2), (later, 0.7), (TEN, 0.9)):  # a straggler of the old hour changes nothing
        summing = hours()
        summing.add([reading(share, start + timedelta(minutes=minute)) for minute in range(40)], start)
        kept(ledger, summing.due(start + HOUR))

    assert back(ledger, later + HOUR).mbps[:, -1].tolist() == [pytest.approx(70.0)]
    assert ledger.read(lambda tables: at_hour(tables, ["north"], TEN)) == {}


def test_a_row_reads_back_as_it_was_written() -> None:
    row = HourlyLoad(id="hour_1", region="north", starts=TEN, sent={"tp:ü": (1.5, 60.0)})
    assert HourlyLoad.model_validate_json(row.model_dump_json()) == row


def test_the_feed_fills_the_hours_and_a_past_state_shows_their_loads(clock: ManualClock) -> None:
    stage: Stage = make_stage(clock)
    road = stage.road
    began = clock.now()
    for _ in range(3):
        stage.say_readings(up=True)
        clock.advance(61.0)
    stage.say_readings(up=True)
    (row,) = road.ledger.read(lambda tables: tables.hourly_loads.find())
    assert row.sent["tp:a-b"] == (pytest.approx(3 * 20.0 * road.live.period_s), pytest.approx(3 * road.live.period_s))

    measured = {"tp:a-b": (20.0 * 3600, 3600.0)}
    kept(stage.ledger, {(row.region, row.starts): measured})
    shown = state(road, Horizon(road.live, stage.one), began)["measured_loads"]

    assert shown == {"tp:a-b": {"utilisation": pytest.approx(0.2), "mean_of_hour": row.starts.isoformat()}}
