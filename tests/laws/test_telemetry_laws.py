"""Laws of telemetry: nothing is lost, order does not matter, one source's poison stays its own."""

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.alarms import Alarm, AlarmKey, AlarmReport, AlarmType, Severity
from domain.measurements import Metric, Reading
from telemetry.correlate import CorrelationSettings, Standing, assign
from telemetry.dedup import Folded, fold
from telemetry.history import History
from telemetry.intake import (
    Intake,
    Sorted,
    read_alertmanager,
    read_plant_alarms,
    read_plant_readings,
    read_plant_states,
    read_tmf642,
)
from telemetry.windows import Windows

NOW = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
KNOWN = {f"e{i}" for i in range(6)}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8)
words = st.sampled_from(
    [
        *("alba", "IF_DOWN", "CRIT", "loss", "octets", "throughput", "firing", "resolved", "raised", "minor", "locked"),
        *(NOW.isoformat(), "1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "2026-01-12T11:00:00Z", "\ud800"),
        *sorted(KNOWN),
    ]
)
names = st.sampled_from(
    [
        *("type", "vendor", "resource", "name", "severity", "cleared", "time", "source", "text", "rows", "element"),
        *("attribute", "value", "labels", "alertname", "status", "startsAt", "endsAt", "alarmType", "alarmedObject"),
        *("perceivedSeverity", "probableCause", "sourceSystemId", "state", "alarmRaisedTime", "id", "annotations"),
    ]
)
json_like = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=3), inner, max_size=8),
    max_leaves=25,
)
rows = st.lists(
    st.tuples(
        st.sampled_from([*sorted(KNOWN), "stranger"]),
        st.sampled_from([*Metric, "bogus"]),
        st.none() | st.floats() | st.floats(0, 1) | st.booleans(),
    ).map(list)
    | json_like,
    max_size=12,
)


def adds_up(read: Sorted[Any], received: int) -> None:
    assert read.received == len(read.kept) + len(read.late) + len(read.rejected) == received
    for rejected in read.rejected:
        assert rejected.rule
        assert rejected.reason
        assert len(rejected.payload) <= 2000
        assert rejected.payload.isascii()


@given(st.lists(json_like, max_size=5))
def test_whatever_comes_in_is_kept_late_or_rejected_and_nothing_raises(items: list[Any]) -> None:
    intake = Intake(now=NOW, known=KNOWN)
    adds_up(read_alertmanager({"alerts": items}, intake), len(items))
    adds_up(read_plant_alarms(items, intake), len(items))
    adds_up(read_plant_states(items, intake), len(items))
    for item in items:
        adds_up(read_tmf642(item, intake), 1)


@given(rows, st.sampled_from([NOW.isoformat(), "2026-01-12T10:00:00Z", "never", None]))
def test_every_row_is_counted_and_what_is_kept_is_sound(rows: list[Any], time: str | None) -> None:
    read = read_plant_readings([{"source": "s", "time": time, "rows": rows}], Intake(now=NOW, known=KNOWN))
    adds_up(read, len(rows))
    for reading in read.kept:
        assert TypeAdapter(Reading).validate_python(reading) == reading
        assert reading.element in KNOWN


@given(rows)
def test_a_poisoned_source_changes_no_reading_of_another(poison: list[Any]) -> None:
    clean = {"source": "clean", "time": NOW.isoformat(), "rows": [["e0", "loss", 0.5], ["e0", "octets", 7]]}
    dirty = {"source": "dirty", "time": NOW.isoformat(), "rows": [r for r in poison if not mentions(r, "e0")]}
    alone = read_plant_readings([clean], Intake(now=NOW, known=KNOWN)).kept
    together = read_plant_readings([dirty, clean], Intake(now=NOW, known=KNOWN)).kept
    assert tuple(reading for reading in together if reading.element == "e0") == alone


def mentions(row: Any, element: str) -> bool:
    return isinstance(row, list) and bool(row) and row[0] == element


# --- deduplication ----------------------------------------------------------------------------------------------

reports = st.lists(
    st.builds(
        lambda resource, cleared, severity, at: AlarmReport(
            key=AlarmKey(resource=f"e{resource}", type=AlarmType.LINK_DOWN),
            severity=severity,
            cleared=cleared,
            event_time=NOW + timedelta(seconds=at),
            source="s",
        ),
        st.integers(0, 2),
        st.booleans(),
        st.sampled_from(Severity),
        st.integers(0, 1000),
    ),
    max_size=12,
    unique_by=lambda report: report.event_time,
)


def folded(reports: list[AlarmReport], standing: list[Alarm]) -> Folded:
    numbers = count(len(standing))
    return fold(
        reports, {alarm.identity: alarm for alarm in standing}, NOW, lambda prefix: f"{prefix}_{next(numbers):04}"
    )


@given(reports, reports, st.randoms(use_true_random=False))
def test_the_order_of_a_batch_changes_no_alarm(
    first: list[AlarmReport], batch: list[AlarmReport], rng: random.Random
) -> None:
    standing = list(folded(first, []).new)
    shuffled = batch.copy()
    rng.shuffle(shuffled)
    assert folded(batch, standing) == folded(shuffled, standing)


@given(reports, reports)
def test_every_report_opens_ends_or_repeats(first: list[AlarmReport], batch: list[AlarmReport]) -> None:
    result = folded(batch, list(folded(first, []).new))
    ended_old = sum(new.cleared and not old.cleared for old, new in result.changed)
    orphans = sum(alarm.cleared and alarm.cleared_time == alarm.event_time for alarm in result.new)
    ended_new = sum(alarm.cleared for alarm in result.new) - orphans
    assert len(batch) == len(result.new) + ended_old + ended_new + result.repeats


@given(reports)
def test_one_batch_leaves_what_report_by_report_in_order_leaves(batch: list[AlarmReport]) -> None:
    at_once = folded(batch, []).new
    one_by_one: dict[str, Alarm] = {}
    for report in sorted(batch, key=lambda report: report.event_time):
        step = folded([report], list({alarm.identity: alarm for alarm in one_by_one.values()}.values()))
        numbered = [alarm.but(id=f"n{len(one_by_one)}") for alarm in step.new]
        one_by_one |= {alarm.id: alarm for alarm in (*numbered, *(new for _, new in step.changed))}
    assert sorted(map(nameless, at_once)) == sorted(map(nameless, one_by_one.values()))


def nameless(alarm: Alarm) -> str:
    return alarm.but(id="").model_dump_json()


# --- windows ----------------------------------------------------------------------------------------------------

samples = st.lists(
    st.tuples(
        st.integers(0, 240),
        st.sampled_from(["e0", "e1"]),
        st.none() | st.floats(0, 1),
    ),
    max_size=60,
)


def stream(samples: Sequence[tuple[int, str, float | None]]) -> list[Reading]:
    return [
        Reading(element=e, metric=Metric.LOSS, value=v, event_time=NOW + timedelta(seconds=s / 2))
        for s, e, v in samples
    ]


@given(samples, st.randoms(use_true_random=False), st.integers(1, 7))
def test_shuffled_within_the_bound_gives_the_same_bytes(
    samples: list[tuple[int, str, float | None]], rng: random.Random, chunk: int
) -> None:
    ordered = sorted(stream(samples), key=lambda reading: reading.event_time)
    delayed = sorted(ordered, key=lambda reading: reading.event_time.timestamp() + rng.uniform(0, 20))
    results = []
    for readings in (ordered, delayed):
        windows = Windows(width_s=5, lateness_s=20)
        late = [r for k in range(0, len(readings), chunk) for r in windows.add(readings[k : k + chunk], "s")]
        assert late == []
        results.append(repr(windows.closed() + windows.flush()))
    assert results[0] == results[1]


@given(samples, st.integers(1, 7), st.integers(0, 10))
def test_what_comes_in_is_windowed_or_late(
    samples: list[tuple[int, str, float | None]], chunk: int, lateness: int
) -> None:
    readings = stream(samples)
    windows = Windows(width_s=5, lateness_s=lateness)
    late = [r for k in range(0, len(readings), chunk) for r in windows.add(readings[k : k + chunk], "s")]
    windowed = sum(window.count + window.missing for window in windows.flush())
    assert len(readings) == windowed + len(late)


# --- history ----------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(samples, st.integers(-600, 600))
def test_a_liar_changes_no_score_of_another_element(lies: list[tuple[int, str, float | None]], shift: int) -> None:
    pictures = []
    for lying in (False, True):
        history = History(0.5)
        if lying:
            moved = [(s + shift, f"liar-{e}", v) for s, e, v in lies]
            history.add(stream(moved), "liar")
        honest = [(k, "e9", 0.01 * (k % 5) if k < 200 else 0.5) for k in range(210)]
        history.add(stream(honest), "honest")
        pictures.append(history.picture(NOW + timedelta(seconds=104.9), ["e9"]))
    assert pictures[0] == pictures[1]


@settings(max_examples=25)
@given(samples, st.integers(0, 260))
def test_healthy_silent_and_troubled_never_overlap(samples: list[tuple[int, str, float | None]], at: int) -> None:
    history = History(0.5)
    history.add(stream(samples), "s")
    seen = history.picture(NOW + timedelta(seconds=at / 2))
    unusual = {anomaly.element for anomaly in seen.anomalies}
    assert not seen.healthy & seen.silent
    assert not unusual & (seen.healthy | seen.silent)
    assert 0 <= seen.fresh_share <= 1
    assert all(math.isfinite(anomaly.score) and abs(anomaly.score) <= 50 for anomaly in seen.anomalies)


# --- correlation ------------------------------------------------------------------------------------------------


class Line:
    """Elements e0, e1, … on a line; each element's left neighbour is upstream of it."""

    def distance(self, a: str, b: str) -> int | None:
        return abs(int(a[1:]) - int(b[1:]))

    def upstream(self, a: str) -> frozenset[str]:
        return frozenset({f"e{int(a[1:]) - 1}"})


alarms = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 400)), max_size=15).map(
    lambda places: [
        Alarm(
            id=f"alarm_{number:03}",
            key=AlarmKey(resource=f"e{place}", type=AlarmType.LINK_DOWN),
            severity=Severity.MAJOR,
            highest_severity=Severity.MAJOR,
            event_time=NOW + timedelta(seconds=at),
            last_event_time=NOW + timedelta(seconds=at),
            known_time=NOW,
            source="s",
        )
        for number, (place, at) in enumerate(places)
    ]
)
incidents = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 400)), max_size=4).map(
    lambda places: [
        Standing(f"inc_{n}", frozenset({f"e{p}", f"e{p + 1}"}), NOW + timedelta(seconds=t), NOW + timedelta(seconds=t))
        for n, (p, t) in enumerate(places)
    ]
)


@given(alarms, incidents, st.randoms(use_true_random=False))
def test_the_order_of_alarms_and_incidents_changes_no_group(
    alarms: list[Alarm], incidents: list[Standing], rng: random.Random
) -> None:
    bounds = CorrelationSettings(hops=2, reach=3, gap_s=60)
    groups = assign(alarms, incidents, Line(), bounds)
    rng.shuffle(alarms)
    rng.shuffle(incidents)
    assert assign(alarms, incidents, Line(), bounds) == groups


@given(alarms, incidents)
def test_every_alarm_is_in_exactly_one_group(alarms: list[Alarm], incidents: list[Standing]) -> None:
    groups = assign(alarms, incidents, Line(), CorrelationSettings(hops=2, reach=3, gap_s=60))
    assert sorted(id for group in groups for id in group.alarm_ids) == sorted(alarm.id for alarm in alarms)
    opened = [group.incident_id for group in groups if group.incident_id]
    assert len(opened) == len(set(opened))
