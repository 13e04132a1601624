"""What every step of the road is given: the ports, what is known live, and the settings.

Built once, by `api.bootstrap`.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from control_plane.accounts.ports import Doorkeeper
from control_plane.audit.ports import Vault
from control_plane.live import Live
from control_plane.ports import Diagnostician, Hands, Ledger, Messenger, Models, Network, Past, Planner, Written
from control_plane.tables import Message
from domain.actions import Action, ActionClass
from domain.clock import Clock
from domain.errors import BadInput
from domain.ids import new_id
from domain.incidents import Incident, IncidentClass
from policies.chain_files import Chains
from policies.engine import Book
from twin.blast.calibration import Calibration


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
    model_run_length: float = 1000.0  # outcomes between two false alarms about a model that is well
    proposal_s: float = 1800.0  # a held proposal expires
    warn_share: float = 0.2  # of that time is left when people are warned
    fresh_s: float = 300.0  # how long ago a person who breaks the glass may have proved who it is
    recheck_from: int = 2  # needed signatures from which each signer is asked for anew where accounts are kept
    grant_s: float = 600.0  # a grant expires
    defer_most_s: float = 24 * 3600.0
    alarm_lateness_s: float = 24 * 3600.0
    reading_lateness_s: float = 60.0
    reading_retention_s: float = 900.0
    measurement_age_s: float = 900.0  # a proposal that waits may rest on readings as old as this
    budget_window_s: float = 3600.0  # what one requester may use is counted over this time
    plans_most: int = 500
    steps_most: int = 2000
    spend_most_eur: float = 10_000.0
    plan_steps_most: int = 64  # the longest plan
    drafts_most: int = 12  # plans of one requester for one incident and window
    breaker_of: int = 5  # of so many last outcomes of a requester's kind of action
    breaker_failures: int = 3  # so many bad ones open the breaker
    breaker_rest_s: float = 900.0  # then one may try again
    flaps_most: int = 3  # an attribute is set back and forth so often, then people decide
    guard_round_s: float = 5.0  # between two looks at what waits
    policies: str = ""  # the folder of the policy book; empty: the one that ships
    reconcile_s: float = 600.0  # between two comparisons of executor and record
    escalate_share: float = 0.25  # of the time of a matter passes before the next rung is asked
    roster_ahead_s: float = 24 * 3600.0  # how far ahead the roster is looked through for gaps
    seeded_share: float = 0.0  # of held proposals that bring a card that tests attention; 0: none
    miss_limit: float = 0.1  # a person who surely misses more of these needs a second signature
    order_full: float = 0.8  # no link is filled further by an ordered circuit
    order_full_failed: float = 0.95  # nor, by a protected one, when any one link fails
    batch_most: int = 10  # proposals that can be approved with one reason


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
    doorkeeper: Doorkeeper | None = None
    vault: Vault | None = None
    chains: Chains = field(default_factory=Chains.load)
    messenger: Messenger | None = None
    calibration: Calibration = field(default_factory=Calibration.none)
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
