"""Samples the routers and the probes, period by period, and says what there is to say.

Everything said gets a position. What was sampled before anybody asked is history: the feed begins with the first
question, and what holds at that moment is told again there.
"""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from adapters.network.emulated.feed import Buffer
from adapters.network.routers import items
from adapters.network.routers.conditions import Condition, Conditions
from adapters.network.routers.discovery import Topology
from adapters.network.routers.observation import Heard, Observation, look_at
from adapters.network.routers.probes import Way
from adapters.network.routers.rates import Rates
from adapters.network.routers.vty import Run, Vty
from domain.clock import Clock

_LOG = logging.getLogger(__name__)
_MOST_HISTORY = 4_000
_END_S = 15.0


class Collector:
    """A thread that samples. `odd` counts, per router, the looks that brought nothing whole."""

    def __init__(
        self,
        vtys: Sequence[Vty],
        ways: Mapping[str, Way],
        topology: Topology,
        *,
        period_s: float,
        run: Run,
        clock: Clock,
    ) -> None:
        self._vtys, self._ways, self._topology, self._run = tuple(vtys), dict(ways), topology, run
        self._period_s, self._clock = period_s, clock
        self._conditions = Conditions(topology)
        self._told: dict[Condition, dict[str, Any]] = {}
        self._shown = _declared(topology)
        self._rates = Rates(topology)
        self._changed = threading.Condition()
        self._history: list[dict[str, Any]] = []
        self._feed = Buffer()
        # a later collector of the same network goes on behind this one, whoever remembers a position
        self._feed.position = self._first = int(clock.now().timestamp() * 1000)
        self._began = False
        self._samples = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._collect, name="collector", daemon=True)
        self._deaf = False
        self._heard: dict[str, Heard] = {}  # by router, the last time
        self.odd: Counter[str] = Counter()

    @property
    def deaf(self) -> bool:
        """Say whether no router answered lately, or nobody listens any more."""
        return self._deaf or not self._thread.is_alive()

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def close(self) -> None:
        """Stop sampling."""
        self._over.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(_END_S)

    def wait_for(self, samples: int, within_s: float) -> bool:
        """Wait until so many samples were taken; say whether they were."""
        with self._changed:
            return self._changed.wait_for(lambda: self._samples >= samples, within_s)

    def history(self) -> list[dict[str, Any]]:
        """Return the readings of before the feed, which begins now if it has not begun."""
        with self._changed:
            self._begin()
            return list(self._history)

    def after(self, position: int, wait_s: float) -> tuple[list[dict[str, Any]], int]:
        """Return what was said behind a position, waiting a while for something, and the position of the last of it."""
        with self._changed:
            self._begin()
            position = max(position, self._first)
            self._changed.wait_for(lambda: self._feed.position > position or self._over.is_set(), wait_s)
            texts, position = self._feed.after(position)
        return [json.loads(text) for text in texts], position

    def _begin(self) -> None:
        if not self._began:
            self._began = True
            for item in self._told.values():
                self._feed.add(item)
            for (element, attribute), value in self._shown.items():
                if _declared(self._topology).get((element, attribute), value) != value:
                    self._feed.add(items.notice(element, attribute, value, self._now()))

    def _collect(self) -> None:
        """Sample, period by period. A router that takes longer comes later, and keeps nobody waiting."""
        with ThreadPoolExecutor(len(self._vtys), thread_name_prefix="look") as pool:
            looking: dict[Future[Observation], Vty] = {}
            due = time.monotonic()
            while not self._over.wait(max(0.0, due - time.monotonic())):
                idle = [vty for vty in self._vtys if vty not in looking.values()]
                looking |= {pool.submit(look_at, vty, self._run, self._clock): vty for vty in idle}
                done = wait(looking, timeout=self._period_s).done
                if done:
                    self._take_in([each.result() for each in looking if each in done])
                looking = {each: vty for each, vty in looking.items() if each not in done}
                due = max(due + self._period_s, time.monotonic())

    def _take_in(self, seen: Sequence[Observation]) -> None:
        """Turn one sample into what is said of it, all at once."""
        now = self._now()
        for observation in seen:
            self._report(observation)
            self._heard[observation.access.name] = observation.heard
        deaf = len(self._heard) == len(self._vtys) and set(self._heard.values()) == {Heard.NOTHING}
        with self._changed:
            self._deaf = deaf
            # when nobody answers it is us who cannot hear: nothing is said of them
            for item in () if deaf else self._said(seen, now):
                self._keep(item)
            self._samples += 1
            self._changed.notify_all()

    def _said(self, seen: Sequence[Observation], now: float) -> list[dict[str, Any]]:
        rates = self._rates.update(seen)
        at = min(observation.at for observation in seen)
        said = [items.readings(items.PM, at, items.rows_of(seen, rates, self._topology))]
        probed = items.probe_rows({demand: way.measured() for demand, way in self._ways.items()})
        said.append(items.readings(items.PROBES, now, probed))
        said += self._notices(seen, now)
        return [*said, *self._alarms(self._conditions.update(seen, rates), now)]

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _keep(self, item: dict[str, Any]) -> None:
        if self._began:
            self._feed.add(item)
        elif item["type"] == "readings" and item["rows"]:
            self._history.append(item)
            del self._history[:-_MOST_HISTORY]

    def _report(self, observation: Observation) -> None:
        if observation.heard is not Heard.WHOLE:
            self.odd[observation.access.name] += 1
            _LOG.warning("%s was not heard whole: %s", observation.access.name, observation.reason)

    def _alarms(self, standing: frozenset[Condition], now: float) -> list[dict[str, Any]]:
        """Return alarms for what holds newly, and clears for what holds no longer."""
        said = []
        for condition in sorted(standing - self._told.keys(), key=str):
            id = f"frr-{int(now * 1e6):x}-{len(self._told)}"
            self._told[condition] = items.alarm(condition, id, now, cleared=False)
            said.append(self._told[condition])
        over = [self._told.pop(condition) for condition in sorted(self._told.keys() - standing, key=str)]
        return said + [item | {"cleared": True, "time": items.iso(now)} for item in over]

    def _notices(self, seen: Sequence[Observation], now: float) -> list[dict[str, Any]]:
        shown = items.configured(seen, self._topology)
        changed = {key: value for key, value in shown.items() if self._shown.get(key) != value}
        self._shown |= shown
        return [items.notice(element, attribute, value, now) for (element, attribute), value in changed.items()]


def _declared(topology: Topology) -> dict[tuple[str, str], str]:
    """Return the configured state that the inventory was made with."""
    inventory = topology.inventory
    points = {(point.id, "administrative"): str(point.administrative) for point in inventory.termination_points}
    metrics = {(link.id, "metric"): str(link.metric) for link in inventory.links}
    return points | metrics | {(demand.id, "via"): demand.via or "" for demand in inventory.demands}
