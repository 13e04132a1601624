"""The ingest bench as a whole, in its small version: real servers, a real store, every alarm accounted for."""

import json
from datetime import UTC, datetime

import pytest

from benchmarks.ingest import run
from benchmarks.ingest_alarms import Alarms, batches
from telemetry.intake import Intake, read_alertmanager, read_plant_alarms, read_tmf642

NEEDED = {"stream_per_s", "http_per_s", "http_single_per_s", "p99_visible_s", "lost"}
NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    return run(True, tmp_path_factory.mktemp("bench"), lambda text: None)


@pytest.mark.slow
def test_the_ingest_bench_and_its_baseline_have_the_keys_of_the_specification(measured):
    assert set(measured["figures"]) == set(measured["baselines"]["no_durability"]) >= NEEDED
    assert measured["conditions"]["n"] > 0


@pytest.mark.slow
def test_no_alarm_that_was_acknowledged_is_lost(measured):
    assert measured["figures"]["lost"] == 0
    assert measured["baselines"]["no_durability"]["lost"] == 0


@pytest.mark.slow
def test_every_rate_was_measured(measured):
    for table in (measured["figures"], measured["baselines"]["no_durability"]):
        assert all(table[name] > 0 for name in NEEDED - {"lost"})


def test_batches_hold_every_number_once():
    assert [number for batch in batches(7, 3) for number in batch] == list(range(7))
    assert [len(batch) for batch in batches(7, 3)] == [3, 3, 1]


def test_the_alarms_of_the_bench_are_all_taken_and_all_different():
    alarms = Alarms(("tp:a", "tp:b"), NOON)
    intake = Intake(now=NOON, known=frozenset({"tp:a", "tp:b"}))
    taken = (
        read_alertmanager(json.loads(alarms.alertmanager(range(5))), intake),
        read_plant_alarms(alarms.feed(range(5)), intake),
        read_tmf642(json.loads(alarms.tmf642(3)), intake),
    )
    assert [(len(sorted_.kept), len(sorted_.rejected)) for sorted_ in taken] == [(5, 0), (5, 0), (1, 0)]
    assert len({str(report.key) for sorted_ in taken for report in sorted_.kept}) == 11
