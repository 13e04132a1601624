"""How fast the gate decides, and how many decisions a second become durable, recorded and chained.

A *recorded change* is what the gate does with one proposal, through the real ledger: it is read, the policy book is
asked, it is swapped for its next state, one record is chained and one message put out; the caller is answered after
the commit. On SQLite and on PostgreSQL, by 1, 8 and 64 threads; the headline is that of 8.

Baselines: `no_policy` records the same changes without asking the book, `no_audit` asks and stores and writes no
record, `one_by_one` commits each change by itself.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from adapters.memory import MemoryLedger
from adapters.network.in_memory import InMemoryNetwork
from adapters.store.ledger import SqlLedger
from api.networks import inventory_of
from benchmarks.gate_changes import Asked, Judge, by_the_book, decided, mix, put_up, without_asking
from benchmarks.gate_ledgers import OneByOne, Unrecorded
from benchmarks.postgresql import ask, new_database, server
from benchmarks.processes import folder_in
from benchmarks.report import Figures, fsync_ms, quantile, result
from control_plane.live import Live
from control_plane.past import RecordedPast
from control_plane.ports import Change
from control_plane.road import Road, RoadSettings
from domain.chains import first_break
from domain.clock import Clock, SystemClock
from domain.decisions import Ruling
from domain.errors import Unavailable
from policies.engine import Book

Progress = Callable[[str], None]
Opener = Callable[[str, Clock], SqlLedger]

_NETWORK, _SEED = "generated:60", 1
_WRITERS = 8
_THREADS = (1, _WRITERS, 64)
_PORTION = {1: 0.25, _WRITERS: 1.0, 64: 1.0}  # one thread needs fewer changes to say as much
_FULL, _QUICK = 4_000, 300


class Case(NamedTuple):
    """One line of the table: which ledger, and who decides."""

    open: Opener
    asks: bool = True
    recorded: bool = True


_CASES: dict[str, Case] = {
    "figures": Case(SqlLedger),
    "no_policy": Case(SqlLedger, asks=False),
    "no_audit": Case(Unrecorded, recorded=False),
    "one_by_one": Case(OneByOne),
}


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Measure all cases on both databases and return the object of the bench.

    Raises:
        Unavailable: there is no PostgreSQL, a store could not be written, or a chain does not verify afterwards.
    """
    started, count = perf_counter(), _QUICK if quick else _FULL
    found = server()
    with folder_in(data) as folder:
        disk_ms = fsync_ms(folder)
        road = _road()
        tables = {}
        for name, case in _CASES.items():
            judge = by_the_book(road.book) if case.asks else without_asking
            tables[name] = _table(road, case, judge, folder / f"{name}.db", found.address, count)
            progress(f"{name}: {_told(tables[name])}")
    figures = tables.pop("figures")
    conditions = {
        "seed": _SEED,
        "n": count,
        "threads": list(_THREADS),
        "questions": len(mix()),
        "fsync_p50_ms": disk_ms,
        "postgresql": ask(found.address, "SHOW server_version")[0][0],
        "postgresql_server": found.origin,
    }
    return result("gate", figures, tables, conditions, started)


def _table(road: Road, case: Case, judge: Judge, file: Path, server_address: str, count: int) -> Figures:
    figures: Figures = _decisions(judge, mix(), count)
    threads: dict[str, Figures] = {str(many): {} for many in _THREADS}
    for store, place in (("sqlite", nullcontext(str(file))), ("postgresql", new_database(server_address))):
        with place as where, closing(case.open(where, road.clock)) as ledger:
            for many in _THREADS:
                threads[str(many)] |= _recorded(road, case, judge, ledger, many, int(count * _PORTION[many]), store)
    main = threads[str(_WRITERS)]
    worst = max(main["recorded_p99_ms_sqlite"], main["recorded_p99_ms_postgresql"])
    return figures | main | {"recorded_p99_ms": worst, "by_threads": threads}


def _decisions(judge: Judge, asked: Sequence[Asked], count: int) -> Figures:
    """Ask one question after the other in one thread."""
    took = []
    for number in range(count):
        one = asked[number % len(asked)]
        started = perf_counter()
        judge(one)
        took.append(1e6 * (perf_counter() - started))
    return {"decision_p50_us": quantile(took, 0.5), "decision_p99_us": quantile(took, 0.99)}


def _recorded(road: Road, case: Case, judge: Judge, ledger: SqlLedger, threads: int, count: int, store: str) -> Figures:
    """Let so many threads decide on proposals of their own; check that all of it is there, and the chain whole."""
    asked = mix()
    ids = put_up(road, ledger, asked, count)
    changes = [decided(road, judge, asked[number % len(asked)], id) for number, id in enumerate(ids)]
    recorded = _last_sequence(ledger)
    seconds, took = _together(ledger, changes, threads)
    if case.recorded:
        _require_recorded(ledger, recorded, count)
    return {f"recorded_per_s_{store}": round(count / seconds, 1), f"recorded_p99_ms_{store}": quantile(took, 0.99)}


def _together(ledger: SqlLedger, changes: Sequence[Change[Ruling]], threads: int) -> tuple[float, list[float]]:
    """Carry out the changes, each thread its share; return the seconds of all and the milliseconds of each."""
    start = threading.Barrier(threads + 1)

    def work(share: Sequence[Change[Ruling]]) -> list[float]:
        took = []
        start.wait()
        for change in share:
            asked_at = perf_counter()
            ledger.do(change)
            took.append(1e3 * (perf_counter() - asked_at))
        return took

    with ThreadPoolExecutor(threads) as pool:
        shares = [pool.submit(work, changes[first::threads]) for first in range(threads)]
        start.wait()
        started = perf_counter()
        took = [one for share in shares for one in share.result()]
        return perf_counter() - started, took


def _last_sequence(ledger: SqlLedger) -> int:
    return max((record.sequence for record in ledger.records()), default=0)


def _require_recorded(ledger: SqlLedger, before: int, count: int) -> None:
    """Raise Unavailable unless every answered change has its record in a chain that verifies."""
    records = ledger.records()
    broken, found = first_break(records), len(records) - before
    if broken or found != count:
        raise Unavailable(f"of {count} recorded changes {found} are in the chain; broken at: {broken}", code="lost")


def _road() -> Road:
    """Return a road without agents: only its clock, its ids and its policy book are needed."""
    clock = SystemClock()
    inventory, ledger = inventory_of(_NETWORK, _SEED), MemoryLedger(clock)
    network = InMemoryNetwork(inventory, clock)
    return Road(
        ledger=ledger,
        clock=clock,
        network=network,
        hands=(network,),
        live=Live(inventory, clock, period_s=1.0, lateness_s=60.0),
        book=Book.load(),
        diagnosticians={},
        planners=(),
        past=RecordedPast(ledger),
        settings=RoadSettings(),
        worker="bench",
    )


def _told(table: Figures) -> str:
    rates = {store: table[f"recorded_per_s_{store}"] for store in ("sqlite", "postgresql")}
    return f"recorded per second by {_WRITERS} writers: {rates}; p99 {table['recorded_p99_ms']:.1f} ms"
