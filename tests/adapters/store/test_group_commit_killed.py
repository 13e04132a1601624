"""A process that is killed while many write at once: every answered change is there whole, and nothing else."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.store.ledger import SqlLedger
from domain.chains import first_break
from domain.clock import ManualClock
from tests.postgresql import fresh_store

_WRITERS = """
import sys, threading
from itertools import count
from adapters.store.ledger import SqlLedger
from control_plane.ports import Written
from control_plane.tables import Message
from domain.bookkeeping import Cursor
from domain.clock import SystemClock
from domain.errors import Conflict
from domain.records import Entry

clock = SystemClock()
ledger = SqlLedger(sys.argv[1], clock)

def write(writer):
    for turn in count():
        id = f"{writer}-{turn}"
        def change(tables):
            tables.cursors.add(Cursor(id=id, position=turn))
            if turn % 10 == 9:
                raise Conflict(id)
            entry = Entry(kind="test.cursor.added", actor="writer", refs=(id,), event_time=clock.now())
            return Written(None, (entry,), (Message(id=id, topic="t", ref=id, due_at=clock.now()),))
        try:
            ledger.do(change)
            sys.stdout.write(f"kept {id}\\n")
        except Conflict:
            sys.stdout.write(f"refused {id}\\n")
        sys.stdout.flush()

for writer in range(16):
    threading.Thread(target=write, args=(writer,)).start()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "nocturne.db")
        return
    with fresh_store() as address:
        yield address


def test_a_killed_process_leaves_every_answered_change_and_no_refused_one(where: str, clock: ManualClock) -> None:
    told = write_and_be_killed(where, answered=300)

    ledger = SqlLedger(where, clock)
    cursors = {cursor.id for cursor in ledger.read(lambda tables: tables.cursors.find())}
    records = ledger.records()
    messages = ledger.due(ManualClock(records[-1].known_time).now(), limit=100_000)
    ledger.close()

    assert {id for answer, id in told if answer == "kept"} <= cursors
    assert not cursors.intersection(id for answer, id in told if answer == "refused")
    assert cursors == {record.refs[0] for record in records} == {message.ref for message in messages}
    assert len(records) == len(cursors)
    assert first_break(records) is None


def write_and_be_killed(where: str, answered: int) -> list[tuple[str, str]]:
    """Run sixteen writers, kill them after so many answers; return the answers that were given whole."""
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", _WRITERS, where], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(answered)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    assert len(told) >= answered
    return [(answer, id) for answer, id in (line.split() for line in told if line.endswith("\n"))]
