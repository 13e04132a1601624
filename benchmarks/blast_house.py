"""A whole house over a driven plant: its clock and the plant's move together, and nothing runs in the background.

What the threads of a worker do is done here in turn, so a case takes as long as the work in it and no longer, and the
same seed gives the same faults, readings and alarms.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from adapters.memory import MemoryLedger
from adapters.network.emulated.launcher import start_plant
from adapters.network.emulated.times import DRIVEN_FROM
from adapters.network.emulated.umpire import Umpire
from api import settings as house_settings
from api.bootstrap import House, build, restore
from api.networks import inventory_of
from control_plane import flow, receiving
from control_plane.errands import ERRANDS
from control_plane.policy import activation
from control_plane.ports import Written
from control_plane.tables import Message
from domain.clock import ManualClock
from domain.errors import Conflict, Unavailable

#: Seconds of the house's clock: between two samples, and for which it remembers readings.
PERIOD_S = 0.5
_KEPT_S = 300.0
_AGAIN_S = 1.0
_PAGE = 512
_MOST_ROUNDS = 4
#: A campaign breaks more in an hour than a network in a year: what counts by the hour must not bar its plans.
_UNBARRED = {"plans_most": 10**6, "steps_most": 10**6, "flaps_most": 10**6, "breaker_of": 50, "breaker_failures": 50}


class PlantClock(ManualClock):
    """A clock that takes a driven plant along; whoever watches is called after each move."""

    def __init__(self, umpire: Umpire) -> None:
        super().__init__(DRIVEN_FROM)
        self._umpire = umpire
        self.watcher: Callable[[], None] | None = None

    def advance(self, seconds: float) -> None:
        self._umpire.advance(seconds)
        super().advance(seconds)
        if self.watcher is not None:
            self.watcher()


class DrivenHouse:
    """A house that does what is due when it is told to look."""

    def __init__(self, house: House, umpire: Umpire, clock: PlantClock) -> None:
        self.house, self.umpire, self.clock = house, umpire, clock
        self._tidy_at = clock.monotonic()

    def live(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass, a sample at a time, and do all that falls due; say whether `until` came true meanwhile."""
        for _ in range(round(seconds / PERIOD_S)):
            self.clock.advance(PERIOD_S)
            self._look()
            if until():
                return True
        return False

    def _look(self) -> None:
        """Take in what the network has said, then walk what is due; what follows from it at once is walked, too.

        Each walk takes time in earnest: what would be walked again and again in this moment waits for the next one.
        """
        road = self.house.road
        while receiving.receive_feed(road, "network", 0.0) >= _PAGE:
            pass
        for _ in range(_MOST_ROUNDS):
            messages = road.ledger.due(road.clock.now())
            if not messages:
                break
            self._handle(messages)
            road.ledger.done(messages)
        self._tidy()

    def _handle(self, messages: Iterable[Message]) -> None:
        house, topics = self.house, dict[str, set[str]]()
        for message in messages:
            topics.setdefault(message.topic, set()).add(message.ref)
        for topic, errand in ERRANDS.items():
            for ref in sorted(topics.get(topic, ())):
                self._safely(topic, ref, partial(errand, house.road, ref))
        if topics.keys() & {"correlate", "work_over"}:
            self._safely("correlate", "", partial(flow.correlate, house.road))
        for ref in sorted(topics.get("wake", ())):
            self._safely("wake", ref, partial(flow.walk, house.road, house.graph, ref))

    def _safely(self, topic: str, ref: str, step: Callable[[], object]) -> None:
        """What is refused for now is tried again later, as the worker does; a defect ends the campaign."""
        try:
            step()
        except (Unavailable, Conflict):
            later = self.house.road.wake(ref, _AGAIN_S).but(topic=topic)
            self.house.road.ledger.do(lambda _: Written(None, (), (later,)))

    def _tidy(self) -> None:
        if self.clock.monotonic() >= self._tidy_at:
            self._tidy_at = self.clock.monotonic() + _KEPT_S / 10
            self.house.road.ledger.forget_readings(self.clock.now() - timedelta(seconds=_KEPT_S))


@contextmanager
def driven_house(folder: Path, network: str, seed: int, crew_s: float, patience_s: float) -> Iterator[DrivenHouse]:
    """Start a driven plant and a house over it that lives in memory; end both.

    Args:
        folder: for what the plant writes.
        network: which network, as `api.networks` reads it.
        seed: of the network and of everything that the plant draws.
        crew_s: how long a crew travels.
        patience_s: how long the house waits for what a crew does.
    """
    settings = house_settings.load(
        data=folder, database="", network=network, seed=seed, sampling_period_s=PERIOD_S, crew_s=patience_s, **_UNBARRED
    )
    inventory = inventory_of(network, seed)
    with start_plant(inventory, seed, folder, period_s=PERIOD_S, crew_s=crew_s, driven=True) as plant:
        umpire = plant.umpire()
        clock = PlantClock(umpire)
        house = build(settings, plant.network(), clock=clock, ledger=MemoryLedger(clock))
        try:
            restore(house.road)
            activation.adopt(house.road)
            house.prepare()
            yield DrivenHouse(house, umpire, clock)
        finally:
            house.close()
