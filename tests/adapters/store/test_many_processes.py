"""Several processes write one store at once: each waits for its turn, and none is refused because another was first."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.store.ledger import SqlLedger
from domain.bookkeeping import Cursor
from domain.chains import first_break
from domain.clock import ManualClock
from tests.postgresql import fresh_store

ROOT = Path(__file__).parents[3]
PROCESSES, THREADS, TURNS = 3, 4, 10

#: Imports once, then forks: importing takes longer than all that is looked at here.
WRITERS = """
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from adapters.store.ledger import SqlLedger
from control_plane.ports import Written
from domain.bookkeeping import Cursor
from domain.clock import SystemClock
from domain.records import Entry

where = sys.argv[1]
processes, threads, turns = map(int, sys.argv[2:])
children = []
for _ in range(processes - 1):
    child = os.fork()
    if not child:
        children = []
        break
    children.append(child)
ledger = SqlLedger(where, SystemClock())

def step(tables):
    old = tables.cursors.get("sum")  # read first, then written: what a deferred transaction would be refused for
    entry = Entry(kind="test.cursor.moved", actor="writer", event_time=SystemClock().now())
    if old is None:
        tables.cursors.add(Cursor(id="sum", position=1))
        return Written(True, (entry,))
    return Written(tables.cursors.swap(old, old.but(position=old.position + 1)), (entry,))

def write(_):
    for _ in range(turns):
        assert ledger.do(step)

with ThreadPoolExecutor(threads) as pool:
    list(pool.map(write, range(threads)))
for child in children:
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "nocturne.db")
    else:
        with fresh_store() as address:
            yield address


def test_none_of_many_writers_in_several_processes_is_refused(where: str, clock: ManualClock) -> None:
    command = [sys.executable, "-c", WRITERS, where, str(PROCESSES), str(THREADS), str(TURNS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    ledger = SqlLedger(where, clock)
    assert ledger.read(lambda tables: tables.cursors.get("sum")) == Cursor(
        id="sum", position=PROCESSES * THREADS * TURNS
    )
    assert len(ledger.records()) == PROCESSES * THREADS * TURNS
    assert first_break(ledger.records()) is None
    ledger.close()
