"""The ring of `tests/stage.py` on every store that we ship: what the road promises, it promises on each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane.ports import Ledger
from domain.clock import ManualClock
from tests.stage import Stage, make_stage
from tests.stores import STORES, opened


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Ledger]:
    with opened(request.param, tmp_path, clock) as ledger:
        yield ledger


@pytest.fixture
def stage(clock: ManualClock, ledger: Ledger) -> Stage:
    return make_stage(clock, ledger=ledger)
