"""The gate bench: in its small version as a whole, and what it measures: real decisions, really recorded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.store.ledger import SqlLedger
from benchmarks.gate import run
from benchmarks.gate_changes import by_the_book, decided, mix, put_up, without_asking
from benchmarks.gate_ledgers import OneByOne, Unrecorded
from benchmarks.postgresql import NAMED
from control_plane.road import Road
from domain.chains import first_break
from domain.clock import ManualClock
from domain.decisions import Ruling
from domain.errors import Conflict
from tests.postgresql import server_address
from tests.stage import make_stage

NEEDED = {
    "decision_p50_us",
    "decision_p99_us",
    "recorded_per_s_sqlite",
    "recorded_per_s_postgresql",
    "recorded_p99_ms",
    "recorded_p99_ms_sqlite",
    "recorded_p99_ms_postgresql",
}
NOWHERE = "postgresql://postgres@127.0.0.1:9/postgres"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    server_address()  # or skip with the reason
    return run(True, tmp_path_factory.mktemp("bench"), lambda text: None)


@pytest.mark.slow
def test_the_gate_bench_and_its_baselines_have_the_keys_of_the_specification(measured):
    tables = [measured["figures"], *measured["baselines"].values()]

    assert set(measured["baselines"]) == {"no_policy", "no_audit", "one_by_one"}
    assert all(set(table) == NEEDED | {"by_threads"} for table in tables)
    assert all(table[name] > 0 for table in tables for name in NEEDED)
    assert all(set(table["by_threads"]) == {"1", "8", "64"} for table in tables)
    assert measured["conditions"]["postgresql"]


@pytest.mark.slow
def test_the_headline_is_the_worse_of_both_stores(measured):
    for table in (measured["figures"], *measured["baselines"].values()):
        assert table["recorded_p99_ms"] == max(table["recorded_p99_ms_sqlite"], table["recorded_p99_ms_postgresql"])


def test_without_a_postgresql_the_bench_fails_and_says_how_to_give_one() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "api.cli", "bench", "gate", "--json", "--quick"],
        env=os.environ | {NAMED: NOWHERE},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode != 0
    answer = json.loads(told.stdout or told.stderr)
    assert answer["code"] == "no_postgresql"
    assert NAMED in answer["reason"]


@pytest.fixture
def road(clock: ManualClock) -> Road:
    return make_stage(clock).road


def test_the_mix_has_every_ruling_of_the_book_in_it(road: Road) -> None:
    judge = by_the_book(road.book)

    assert {judge(asked).answer for asked in mix()} == set(Ruling)


@pytest.mark.parametrize("open_ledger", [SqlLedger, OneByOne])
def test_a_measured_change_is_read_judged_swapped_recorded_and_put_out(open_ledger, road: Road, tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "nocturne.db"), road.clock)
    (id,) = put_up(road, ledger, mix(), 1)

    answer = ledger.do(decided(road, by_the_book(road.book), mix()[0], id))

    proposal = ledger.read(lambda tables: tables.proposals.get(id))
    record = ledger.records()[-1]
    assert (answer, proposal.state) == (Ruling.HOLD, "held")
    assert record.fields["answer"].value == "hold"
    assert record.fields["rules"].value == ["network-needs-one", "no-approved-change"]
    assert id in record.refs
    assert [message.ref for message in ledger.due(road.clock.now())] == [proposal.incident_id]
    assert first_break(ledger.records()) is None
    ledger.close()


def test_the_baseline_without_audit_does_the_same_but_for_the_record(road: Road, tmp_path: Path) -> None:
    ledger = Unrecorded(str(tmp_path / "nocturne.db"), road.clock)
    (id,) = put_up(road, ledger, mix(), 1)

    ledger.do(decided(road, without_asking, mix()[1], id))
    with pytest.raises(Conflict):  # a swap stays conditional: of a granted proposal nothing is decided anew
        ledger.do(decided(road, without_asking, mix()[1], id))

    assert ledger.read(lambda tables: tables.proposals.get(id)).state == "granted"
    assert ledger.records() == []
    ledger.close()
