"""The stores that a test of the road is run on: memory, SQLite, PostgreSQL. What holds on one must hold on all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapters.memory import MemoryLedger
from adapters.store.ledger import SqlLedger
from control_plane.ports import Ledger
from domain.clock import Clock, SystemClock
from tests.postgresql import fresh_store

STORES = ("memory", "sqlite", "postgresql")


@contextmanager
def opened(store: str, folder: Path, clock: Clock) -> Iterator[Ledger]:
    """Yield an empty ledger of this kind; skip when its service cannot be had."""
    match store:
        case "memory":
            yield MemoryLedger(clock)
        case "sqlite":
            yield from _closed_after(SqlLedger(empty_file(folder), clock))
        case _:
            with fresh_store() as address:
                yield from _closed_after(SqlLedger(address, clock))


def empty_file(folder: Path) -> Path:
    """Return the path of a new SQLite store in a folder, its tables made: a copy takes a twentieth of the time."""
    return Path(shutil.copy(_empty_store(), folder / "nocturne.db"))


@contextmanager
def of_a_house(store: str) -> Iterator[dict[str, Any]]:
    """Yield what `built` is to be told, so that a house keeps its matters in this kind of store."""
    match store:
        case "memory":
            yield {"ledger": MemoryLedger(SystemClock())}
        case "sqlite":
            yield {}
        case _:
            with fresh_store() as address:
                yield {"database": address}


@cache
def _empty_store() -> Path:
    """Make a store that is kept until the end of the run."""
    path = Path(_KEPT.name) / "empty.db"
    SqlLedger(path, SystemClock()).close()
    return path


_KEPT = TemporaryDirectory()


def _closed_after(ledger: SqlLedger) -> Iterator[Ledger]:
    try:
        yield ledger
    finally:
        ledger.close()
