"""What is known to go wrong in others of our kind, tried on the ring: the house over HTTP, and the bare road."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.clock import ManualClock
from tests.attacks.ring_house import RingHouse, ring_house
from tests.stage import Stage, make_stage


@pytest.fixture
def ring(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    """A house in which nothing is wrong yet."""
    house = ring_house(clock, tmp_path)
    yield house
    house.close()


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    return make_stage(clock)
