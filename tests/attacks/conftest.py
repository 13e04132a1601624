"""The house that is attacked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.clock import ManualClock
from tests.attacks.ring_house import RingHouse, ring_house


@pytest.fixture
def ring(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    """A house in which nothing is wrong yet."""
    house = ring_house(clock, tmp_path)
    yield house
    house.close()
