"""A stage for scenarios: a plant as a process, and a house over it that ends with the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.network.emulated.launcher import RunningPlant, start_plant
from tests.scenarios.scene import Scene, open_house
from tests.stage import ring
from tests.stores import of_a_house

MakeScene = Callable[..., Scene]


@pytest.fixture
def make_scene(tmp_path: Path) -> Iterator[MakeScene]:
    """Return `make(keyed=True, timeout_s=5.0, start=True, store="sqlite")`: a house over a plant of its own."""
    with ExitStack() as closing:

        def make(*, keyed: bool = True, timeout_s: float = 5.0, start: bool = True, store: str = "sqlite") -> Scene:
            plant: RunningPlant = closing.enter_context(start_plant(ring(), 7, tmp_path / "plant", keyed=keyed))
            kept = closing.enter_context(of_a_house(store))
            house = open_house(tmp_path / "house", plant, timeout_s=timeout_s, **kept)
            closing.callback(house.close)
            if start:
                house.start()
            return Scene(house, plant)

        yield make


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """A running house over a keyed plant."""
    return make_scene()
