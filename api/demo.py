"""The whole story in one run: a fault on the emulated network, and the road from its first alarm to the end.

The demo is an outsider: it injects a fault, plays the people at the gate, and watches. Only after the end
does it ask the plant what was really wrong (`injected`), so nothing it reports can have leaked into a decision.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adapters.network.emulated.launcher import RunningPlant, start_plant
from api import settings as house_settings
from api.bootstrap import House, build
from api.networks import inventory_of
from api.performance import Performance, Tell
from api.settings import Settings
from domain.errors import BadInput
from domain.network import Inventory

STORIES = ("honest", "lying", "self-healing")
_STORY_WEIGHTS = (0.6, 0.2, 0.2)
_ROWS_PER_S = 12_000
_CREW_S = 20.0  # the emulated crew travels for seconds


@dataclass(frozen=True)
class Story:
    """What kind of world the fault happens in. `heals_after_s` is None unless it heals by itself."""

    name: str
    heals_after_s: float | None
    executor: str


def story_of(seed: int, name: str = "any") -> Story:
    """Return the story of a seed, or the named one. Raises BadInput for a name that is no story."""
    if name not in {*STORIES, "any"}:
        raise BadInput(f"there is no story `{name}`; the stories are {', '.join(STORIES)} and any")
    rng = np.random.default_rng([seed, 0x57])
    chosen = str(rng.choice(STORIES, p=_STORY_WEIGHTS)) if name == "any" else name
    heals = float(rng.uniform(2.0, 3.0)) if chosen == "self-healing" else None
    return Story(chosen, heals, "lying" if chosen == "lying" else "honest")


def run(
    *, network: str | None = None, seed: int = 1, story: str = "any", tell: Tell | None = None, limit_s: float = 90.0
) -> dict[str, Any]:
    """Play one story to its end and return the report.

    Args:
        network: a network specification (`generated:200`, `topohub:topozoo/Abilene`, …).
        seed: of the network, the plant and the story.
        story: `honest`, `lying`, `self-healing`, or `any` to draw one from the seed.
        tell: told of each step (its name, what happened), for progress.
        limit_s: after this time the run is given up as `unresolved`.

    Returns:
        One object: `incident`, `injected`, `diagnosis`, `proposal`, `decision`, `approvals`, `execution`,
        `outcome`, `audit`, `seconds`, and what else helps to read it.
    """
    tell = tell or (lambda _step, _text: None)
    told = story_of(seed, story)
    with tempfile.TemporaryDirectory(prefix="nocturne-demo-") as folder:
        settings = house_settings.load(data=Path(folder), database="", seed=seed, network=network, crew_s=_CREW_S)
        with stage(settings) as (house, plant):
            about = {"network": settings.network, "seed": settings.seed, "story": told.name}
            play = Performance(house, about, lambda: _inject(plant, settings.seed, told), tell, limit_s)
            return play.perform() | {"injected": plant.umpire().truth()}


@contextmanager
def stage(
    settings: Settings, before_start: Callable[[House], None] | None = None
) -> Iterator[tuple[House, RunningPlant]]:
    """Start a plant and a house over it; end both. What is to be prepared in the house is done before it wakes."""
    inventory = inventory_of(settings.network, settings.seed)
    settings = settings.model_copy(update={"sampling_period_s": paced(settings.sampling_period_s, inventory)})
    with start_plant(inventory, settings.seed, settings.data, period_s=settings.sampling_period_s) as plant:
        house = build(settings, plant.network())
        try:
            if before_start is not None:
                before_start(house)
            house.start()
            yield house, plant
        finally:
            house.close()


def paced(period_s: float, inventory: Inventory) -> float:
    """Return the sampling period: the asked one, or what keeps a large network within one core of two."""
    rows = 4 * len(inventory.termination_points) + 3 * len(inventory.demands) + 4 * len(inventory.nodes)
    return max(period_s, round(rows / _ROWS_PER_S, 1))


def _inject(plant: RunningPlant, seed: int, story: Story) -> None:
    umpire = plant.umpire()
    kind, element = umpire.choose_fault(seed)
    umpire.inject(kind, element, self_heals_after=story.heals_after_s, executor=story.executor)
