"""The stage on which autonomy is earned: in memory, and on every store that we ship."""

import pytest

from control_plane.ports import Ledger
from domain.clock import ManualClock
from tests.control_plane.autonomy.earning import Earning, make_earning


@pytest.fixture
def earning(clock: ManualClock) -> Earning:
    return make_earning(clock)


@pytest.fixture
def earning_anywhere(clock: ManualClock, ledger: Ledger) -> Earning:
    return make_earning(clock, ledger=ledger)
