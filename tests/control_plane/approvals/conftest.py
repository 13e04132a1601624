"""The ring in memory: what these tests are about does not depend on the store (races are tested on every one)."""

import pytest

from adapters.memory import MemoryLedger
from control_plane.ports import Ledger
from domain.clock import ManualClock


@pytest.fixture
def ledger(clock: ManualClock) -> Ledger:
    return MemoryLedger(clock)
