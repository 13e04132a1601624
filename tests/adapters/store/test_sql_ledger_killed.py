"""A process that is killed in the middle of writing: what it was told is there, and nothing else."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.store.ledger import SqlLedger
from domain.chains import first_break
from domain.clock import ManualClock
from tests.postgresql import fresh_store

WRITERS = """
import sys, threading
from itertools import count
from adapters.store.ledger import SqlLedger
from control_plane.ports import Written
from control_plane.tables import Message
from domain.bookkeeping import Cursor
from domain.clock import SystemClock
from domain.records import Entry

clock = SystemClock()
ledger = SqlLedger(sys.argv[1], clock)

def write(writer):
    for turn in count():
        id = f"{sys.argv[2]}-{writer}-{turn}"
        def change(tables):
            tables.cursors.add(Cursor(id=id, position=turn))
            entry = Entry(kind="test.cursor.added", actor="writer", refs=(id,), event_time=clock.now())
            return Written(None, (entry,), (Message(id=id, topic="t", ref=id, due_at=clock.now()),))
        ledger.do(change)
        sys.stdout.write(id + "\\n")
        sys.stdout.flush()

for writer in range(6):
    threading.Thread(target=write, args=(writer,)).start()
"""


@pytest.mark.parametrize("acknowledged", [1, 25, 90])
def test_a_killed_writer_leaves_whole_changes_and_a_chain_that_verifies(
    tmp_path: Path, clock: ManualClock, acknowledged: int
) -> None:
    check_what_killed_writers_left(str(tmp_path / "nocturne.db"), clock, acknowledged)


def test_a_killed_writer_leaves_whole_changes_on_a_server_too(clock: ManualClock) -> None:
    with fresh_store() as address:
        check_what_killed_writers_left(address, clock, 25)


def check_what_killed_writers_left(where: str, clock: ManualClock, acknowledged: int) -> None:
    told = write_and_be_killed(where, "first", acknowledged) + write_and_be_killed(where, "second", acknowledged)

    ledger = SqlLedger(where, clock)
    cursors = {cursor.id for cursor in ledger.read(lambda tables: tables.cursors.find())}
    records = ledger.records()
    messages = ledger.due(ManualClock(records[-1].known_time).now(), limit=100_000)
    ledger.close()

    assert len(told) >= 2 * acknowledged
    assert set(told) <= cursors
    assert cursors == {record.refs[0] for record in records} == {message.ref for message in messages}
    assert len(records) == len(cursors)
    assert first_break(records) is None


def write_and_be_killed(where: str, name: str, acknowledged: int) -> list[str]:
    """Run six writers, kill them after so many acknowledged writes; return the acknowledged ids."""
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", WRITERS, where, name], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(acknowledged)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    return [line.strip() for line in told if line.endswith("\n")]
