"""The heart of the plant: one lock around the world, and one loop that wakes when something is due.

`advance` may also be called with made-up moments: then the plant lives as fast as it is driven.
"""

import heapq
import itertools
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from adapters.network.emulated.announcer import Announcer
from adapters.network.emulated.conditions import Conditions
from adapters.network.emulated.devices import Devices, Journal
from adapters.network.emulated.draws import BEFALLS, Draws
from adapters.network.emulated.feed import Buffer, text_of
from adapters.network.emulated.habits import Habits
from adapters.network.emulated.physics import Topology
from adapters.network.emulated.suffering import suffering
from adapters.network.emulated.telemetry import Readings
from adapters.network.emulated.times import iso
from adapters.network.emulated.world import World
from control_plane.ports import Seen
from domain.clock import Clock, ManualClock
from domain.diagnosis import FaultKind
from domain.errors import BadInput, NotFound
from domain.network import Inventory

_log = logging.getLogger(__name__)

#: Samples of before the start, for baselines, and how many rows they may have in all: a huge network has fewer.
HISTORY, HISTORY_ROWS = 120, 160_000
#: Chance that a false alarm elsewhere comes with a fault.
_WOLF = 0.25
_LONGEST_SLEEP_S = 1.0
_LONGEST_DRIVE_S = 3600.0


@dataclass(frozen=True)
class Settings:
    """How a plant is run: `period_s` between samples, `crew_s` that a crew travels, `keyed` executors."""

    seed: int
    journal: Path
    period_s: float = 0.5
    crew_s: float = 3.0
    keyed: bool = True


class Plant:
    """Everything that the process answers. Thread-safe."""

    def __init__(self, inventory: Inventory, settings: Settings, clock: Clock) -> None:
        """Build the world and its past. Nothing moves before `run` or `advance`."""
        self._settings, self._clock = settings, clock
        topology = Topology.of(inventory)
        habits = Habits.drawn(inventory, topology, settings.seed)
        streams = (np.random.default_rng([settings.seed, stream]) for stream in itertools.count(11))
        now = clock.now().timestamp()
        past = now - HISTORY * settings.period_s
        self._world = World(inventory, topology, habits, next(streams), past)
        self._readings = Readings(self._world, next(streams))
        self._announcer = Announcer(self._world, next(streams), now)
        journal = Journal(settings.journal)
        self._devices = Devices(self._world, journal, next(streams), keyed=settings.keyed, crew_s=settings.crew_s)
        self._journal, self._draws = journal, Draws(self._world)
        self._fault_rng, self._jitter_rng = next(streams), next(streams)
        self._conditions = Conditions(self._world)
        self._conditions.take_as_usual(past)
        self._lock = threading.Condition()
        self._buffer = Buffer()
        self._agenda: list[tuple[float, int, dict[str, Any]]] = []
        self._order = itertools.count()
        self._lost_answers = 0
        self._past = self._lived(past)
        self._next_tick = now

    # life

    def run(self) -> None:
        """Live by the clock, for ever. An error in one round is logged; the plant goes on."""
        with self._lock:
            while True:
                now = self._clock.now().timestamp()
                try:
                    self.advance(now)
                except Exception:  # noqa: BLE001  # a plant that stops because of a defect would look like a dead network
                    _log.exception("a round of the plant failed")
                self._lock.wait(min(_LONGEST_SLEEP_S, max(0.001, self._next_wake() - self._clock.now().timestamp())))

    def advance(self, now: float) -> None:
        """Do what is due at `now` (seconds since 1970)."""
        with self._lock:
            changed = self._world.next_change() <= now
            self._world.advance(now)
            changed |= self._devices.work(now)
            if now >= self._next_tick:
                self._next_tick = max(self._next_tick + self._settings.period_s, now)
                self._world.flow(now)
                self._plan(self._readings.sample(now))
                changed = True
            if changed:
                self._observe(now)
            self._publish(now)

    def _next_wake(self) -> float:
        due = self._agenda[0][0] if self._agenda else float("inf")
        return min(self._next_tick, self._world.next_change(), self._devices.next_due(), due)

    def _observe(self, now: float) -> None:
        self._plan(self._announcer.update(self._conditions.standing(now), now))
        for notice in self._world.notices():
            item = {"type": "state", "source": "emulated:config", "element": notice.element}
            item |= {"attribute": notice.attribute, "value": notice.value, "time": iso(now)}
            self._plan([(now + float(self._jitter_rng.uniform(0.0, 0.4)), item)])

    def _plan(self, items: Iterable[tuple[float, dict[str, Any]]]) -> None:
        for due, item in items:
            heapq.heappush(self._agenda, (due, next(self._order), item))

    def _publish(self, now: float) -> None:
        if not self._agenda or self._agenda[0][0] > now:
            return
        while self._agenda and self._agenda[0][0] <= now:
            self._buffer.add(heapq.heappop(self._agenda)[2])
        self._lock.notify_all()

    def _lived(self, past: float) -> list[str]:
        """Live through the time before the start without a fault; return its readings as JSON texts."""
        first = HISTORY - min(HISTORY, max(20, HISTORY_ROWS // max(1, self._readings.rows)))
        texts: list[str] = []
        for sample in range(first, HISTORY):
            now = past + sample * self._settings.period_s
            self._world.flow(now)
            texts += [text_of(item) for _, item in self._readings.sample(now)]
        return texts

    # the front

    def about(self) -> dict[str, Any]:
        """Return what a client needs to know first."""
        return {"keyed": self._settings.keyed, "period_s": self._settings.period_s}

    def inventory(self) -> Inventory:
        """Return what is declared, the circuits that were set up since the start included."""
        with self._lock:
            return self._world.inventory

    def history(self) -> list[str]:
        """Return the readings of before the start, as JSON texts."""
        return self._past

    def feed(self, after: int, wait_s: float) -> tuple[list[str], int]:
        """Return items (JSON texts) behind a position, waiting up to `wait_s` for one, and the last position."""
        with self._lock:
            if not isinstance(self._clock, ManualClock):  # where time stands still, nothing comes by waiting
                self._lock.wait_for(lambda: self._buffer.position > after, timeout=wait_s)
            return self._buffer.after(after)

    def state(self, element: str) -> dict[str, str]:
        """Return an element's state. Raises NotFound."""
        with self._lock:
            try:
                return self._world.state(element)
            except KeyError:
                raise NotFound(f"there is no element `{element}`; look it up in the inventory") from None

    def send(self, key: str, action: dict[str, Any]) -> tuple[Seen, bool]:
        """Accept an action; return what is seen of it, and whether the answer reaches the sender."""
        with self._lock:
            seen = self._devices.take(key, action, self._clock.now().timestamp())
            answered = self._lost_answers == 0
            self._lost_answers = max(0, self._lost_answers - 1)
            self._lock.notify_all()
            return seen, answered

    def look(self, key: str) -> Seen:
        """Return what became of a key."""
        with self._lock:
            return self._devices.look(key)

    def cancel(self, key: str) -> Seen:
        """Drop a pending action; return what is seen of it then."""
        with self._lock:
            return self._devices.cancel(key)

    # the umpire's side

    def inject(
        self,
        kind: str,
        element: str | None = None,
        size: float | None = None,
        self_heals_after: float | None = None,
        executor: str = "honest",
    ) -> None:
        """Let a fault begin now. Raises BadInput and Conflict as `Draws.fault` does."""
        if kind not in list(FaultKind) or executor not in ("honest", "lying"):
            raise BadInput(f"`{kind}` with a `{executor}` executor is nothing that can be made; check both words")
        with self._lock:
            now = self._clock.now().timestamp()
            fault = self._draws.fault(FaultKind(kind), element, size, self._fault_rng, now)
            fault.executor = executor
            fault.ends_at = None if self_heals_after is None else now + self_heals_after
            self._world.break_(fault)
            self._world.flow(now)
            self._observe(now)
            if self._fault_rng.random() < _WOLF:
                self._plan(self._announcer.cry_wolf(now))
            self._lock.notify_all()

    def choose(self, seed: int, kind: str | None = None) -> tuple[FaultKind, str]:
        """Return a fault that can be seen and mostly repaired, drawn by the seed. Raises BadInput as `Draws` does."""
        if kind is not None and kind not in BEFALLS:
            raise BadInput(f"`{kind[:80]}` is nothing that can be made; choose one of {', '.join(BEFALLS)}")
        with self._lock:
            return self._draws.choose(seed, None if kind is None else FaultKind(kind))

    def drive(self, seconds: float) -> None:
        """Let time pass on a clock that is moved by hand, through every due moment in its order.

        Raises:
            BadInput: the clock is the machine's, or `seconds` is no span of up to an hour.
        """
        if not isinstance(self._clock, ManualClock):
            raise BadInput("this plant lives by the machine's clock; start it with `--driven` to let time pass")
        if not 0.0 <= seconds <= _LONGEST_DRIVE_S:
            raise BadInput(f"`seconds` must be between 0 and {_LONGEST_DRIVE_S:g}; ask again for more")
        with self._lock:
            until = self._clock.now() + timedelta(seconds=seconds)
            while (due := self._next_wake()) <= until.timestamp():
                self._clock.advance(max(0.0, due - self._clock.now().timestamp()))
                self.advance(max(due, self._clock.now().timestamp()))
            self._clock.advance((until - self._clock.now()).total_seconds())

    def suffering(self) -> dict[str, Any]:
        """Return what really suffers now; nothing changes by looking."""
        with self._lock:
            return suffering(self._world)

    def truth(self) -> list[dict[str, Any]]:
        """Return every fault there was and is."""
        with self._lock:
            return [
                {
                    "element": fault.element,
                    "fault": str(fault.kind),
                    "at": iso(fault.at),
                    "healed_at": None if fault.healed_at is None else iso(fault.healed_at),
                    "by": fault.healed_by,
                    "size": fault.size,
                    "grey": fault.grey,
                    "executor": fault.executor,
                }
                for fault in self._world.faults
            ]

    def journal(self) -> list[dict[str, Any]]:
        """Return every effect that really happened."""
        with self._lock:
            return self._journal.lines()

    def calm(self) -> None:
        """End every fault now."""
        with self._lock:
            now = self._clock.now().timestamp()
            self._world.calm(now)
            self._observe(now)
            self._lock.notify_all()

    def lose_answers(self, count: int) -> None:
        """Let the answers of the next `count` accepted actions get lost; the actions are done all the same."""
        with self._lock:
            self._lost_answers = count
