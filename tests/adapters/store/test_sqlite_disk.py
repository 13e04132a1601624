"""A real disk that is full or read-only under a SQLite store: a small file system of its own, where one may be made."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.store.ledger import SqlLedger
from control_plane.ports import Ledger, Written
from control_plane.tables import Tables
from domain.bookkeeping import TwinState
from domain.chains import first_break
from domain.clock import ManualClock
from domain.errors import Unavailable
from domain.records import Entry


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB; skipped without the right to make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted("-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk))
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture
def read_only(small_disk: Path, tmp_path: Path) -> Iterator[Path]:
    """The small disk once more, at a place where nothing can be written."""
    place = tmp_path / "read_only"
    place.mkdir()
    mounted("--bind", str(small_disk), str(place))
    mounted("-o", "remount,ro,bind", str(place))
    yield place
    subprocess.run(["umount", place], check=True)


def mounted(*words: str) -> None:
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may make a disk to fill")
    done = subprocess.run(["mount", *words], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk can be made to fill: {done.stderr.strip()}")


def grow(ledger: Ledger, clock: ManualClock, id: str) -> None:
    """Write 300 kB and its record."""

    def change(tables: Tables) -> Written[None]:
        tables.twin_states.add(TwinState(id=id, inventory_digest="", body="x" * 300_000, made_at=clock.now()))
        return Written(None, (Entry(kind="test.it.grew", actor="tester", refs=(id,), event_time=clock.now()),))

    ledger.do(change)


def kept(ledger: Ledger) -> list[str]:
    """Return what is there; it is what the chain says, and the chain holds."""
    ids = [state.id for state in ledger.read(lambda tables: tables.twin_states.find())]
    records = ledger.records()
    assert [record.refs[0] for record in records] == ids
    assert first_break(records) is None
    return ids


def test_a_disk_that_fills_up_keeps_what_was_confirmed_and_is_used_again(small_disk: Path, clock: ManualClock) -> None:
    ledger = SqlLedger(small_disk / "nocturne.db", clock)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_500_000)
    written: list[str] = []

    def fill() -> None:
        for number in range(20):
            grow(ledger, clock, f"state_{number:02}")
            written.append(f"state_{number:02}")

    with pytest.raises(Unavailable, match="the disk is full; make room"):
        fill()
    assert kept(ledger) == written
    ballast.unlink()
    grow(ledger, clock, "state_99")

    assert kept(ledger) == [*written, "state_99"]
    ledger.close()


def test_a_store_on_a_read_only_disk_is_read_and_not_written(
    small_disk: Path, read_only: Path, clock: ManualClock
) -> None:
    writer = SqlLedger(small_disk / "nocturne.db", clock)
    grow(writer, clock, "state_1")
    reader = SqlLedger(read_only / "nocturne.db", clock)

    with pytest.raises(Unavailable, match="it is read-only; give this user the right"):
        grow(reader, clock, "state_2")

    assert kept(reader) == ["state_1"]
    reader.close()
    writer.close()


def test_no_store_can_be_made_on_a_read_only_disk(read_only: Path, clock: ManualClock) -> None:
    with pytest.raises(Unavailable, match="who may write it"):
        SqlLedger(read_only / "nocturne.db", clock)
