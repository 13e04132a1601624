"""The guards are tested in memory; that their rows mean the same on every store is for the conformance suite.

What must hold between processes asks for `every_ledger`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.memory import MemoryLedger
from control_plane.ports import Ledger
from domain.clock import ManualClock
from tests.stage import Stage, make_stage
from tests.stores import STORES, opened


@pytest.fixture
def ledger(clock: ManualClock) -> Ledger:
    return MemoryLedger(clock)


@pytest.fixture(params=STORES)
def every_ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Ledger]:
    with opened(request.param, tmp_path, clock) as ledger:
        yield ledger


@pytest.fixture
def stage(clock: ManualClock, ledger: Ledger) -> Stage:
    return make_stage(clock, ledger=ledger)
