"""What every step of the road is given: the ports, what is known live, and the settings.

Built once, by `api.bootstrap`.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from control_plane.live import Live
from control_plane.ports import Diagnostician, Hands, Ledger, Models, Network, Past, Planner, Written
from control_plane.tables import Message
from domain.actions import Action, ActionClass
from domain.clock import Clock
from domain.errors import BadInput
from domain.ids import new_id
from domain.incidents import Incident, IncidentClass
from policies.engine import Book


@dataclass(frozen=True)
class RoadSettings:
    """Times in seconds."""

    settle_s: float = 2.0  # after the last alarm, a diagnosis is no longer provisional
    verify_s: float = 12.0  # how long an action has to show that it worked
    crew_s: float = 6 * 3600.0  # how long people have, where they have to travel
    steady_s: float = 1.2  # how long recovery must last before it is believed
    reaction_s: float = 4.0  # a recovery later than this after our effect is not credited to it
    step_timeout_s: float = 20.0  # how long a device may take for one action
    train_s: float = 900.0  # how long a training may take
    proposal_s: float = 1800.0  # a held proposal expires
    grant_s: float = 600.0  # a grant expires
    defer_most_s: float = 24 * 3600.0
    alarm_lateness_s: float = 24 * 3600.0
    reading_lateness_s: float = 60.0
    reading_retention_s: float = 900.0


#: Told of each point that the road passes: its name and what it is about.
Watcher = Callable[[str, str], None]


@dataclass
class Road:
    ledger: Ledger
    clock: Clock
    network: Network
    hands: tuple[Hands, ...]
    live: Live
    book: Book
    diagnosticians: dict[IncidentClass, Diagnostician]
    planners: tuple[Planner, ...]
    past: Past
    settings: RoadSettings
    worker: str
    models: Models | None = None
    watchers: list[Watcher] = field(default_factory=list)
    bell: threading.Event = field(default_factory=threading.Event)
    _turns: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _turns_lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def turn(self, incident_id: str) -> Iterator[None]:
        """Let one thread of this process at a time walk the road of one incident.

        Between processes the conditional updates of the ledger decide; this only spares useless work.
        """
        with self._turns_lock:
            lock = self._turns[incident_id]
        with lock:
            yield

    def notice(self, point: str, ref: str) -> None:
        """Tell the watchers (progress, metrics) that the road passed a point. They see; they cannot change."""
        for watcher in self.watchers:
            watcher(point, ref)

    def diagnostician_for(self, incident: Incident) -> Diagnostician:
        """Return the agent that says what is wrong in incidents of this class. Raises BadInput when there is none."""
        found = self.diagnosticians.get(incident.about)
        if found is None:
            raise BadInput(f"nobody here diagnoses incidents about `{incident.about}`; connect an agent that does")
        return found

    def hands_for(self, action: Action) -> Hands:
        """Return the hands that carry out this action. Raises BadInput when there are none."""
        for hands in self.hands:
            if hands.takes(action):
                return hands
        raise BadInput(f"nothing here carries out `{action.kind}`; connect an adapter that takes it")

    def patience_s(self, action: Action) -> float:
        """Return how long the action may take, in seconds."""
        return self.settings.train_s if action.kind is ActionClass.TRAIN_MODEL else self.settings.step_timeout_s

    def known_models(self) -> Models:
        """Return the hands and eyes on models. Raises BadInput when none are connected."""
        if self.models is None:
            raise BadInput("no model store is connected here; nothing about a model can be rehearsed or done")
        return self.models

    def id(self, prefix: str) -> str:
        """Return a new identifier of the present moment."""
        return new_id(prefix, self.clock.now())

    def come_back(self, incident_id: str, after_s: float) -> None:
        """Have the road of an incident walked again after a while."""
        message = self.wake(incident_id, after_s)
        self.ledger.do(lambda _: Written(None, (), (message,)))

    def wake(self, incident_id: str, after_s: float = 0.0) -> Message:
        """Return an outbox message that has the road of an incident walked again after `after_s` seconds."""
        due_at = self.clock.now() + timedelta(seconds=after_s)
        return Message(id=self.id("msg"), topic="wake", ref=incident_id, due_at=due_at)
