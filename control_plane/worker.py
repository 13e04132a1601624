"""What drives the road when nobody calls: the feed reader, the dispatcher of due messages, and recovery at start.

Messages are taken from the outbox at least once; every step they lead to is safe to enter twice. An incident's
road is walked by one thread of the pool at a time, so a plan that waits for a device holds up no other incident.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import structlog

from control_plane import flow, monitoring, outcomes, receiving
from control_plane.errands import ERRANDS
from control_plane.guards.rounds import Rounds
from control_plane.policy.watching import PolicyWatch
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.errors import NocturneError, Unavailable
from domain.incidents import IncidentState
from domain.proposals import ProposalState

_FEED_WAIT_S = 0.5
_IDLE_S = 0.05
_FORGET_EVERY_S = 60.0
_SET_BACK_S = 2.0
_WORTH_PACING_S, _LONGEST_PAUSE_S = 0.25, 1.0
_BACKOFF_S = (0.2, 1.0, 5.0, 30.0, 120.0, 600.0)

log = structlog.get_logger("worker")


class Worker:
    """Runs the road in background threads between `start` and `close`."""

    def __init__(self, road: Road, graph: flow.Graph, *, feed: str, walkers: int = 4) -> None:
        self._road, self._graph, self._feed = road, graph, feed
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=walkers, thread_name_prefix="walker")
        self._threads: list[threading.Thread] = []
        self._walking: set[str] = set()
        self._again: set[str] = set()
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._forget_at = road.clock.now()
        self._rounds = Rounds(road)
        self._policy = PolicyWatch(road)
        self._seen_at = (road.clock.now(), road.clock.monotonic())

    def start(self) -> None:
        """Wake everything that was open when the last process ended, then begin to read and to dispatch."""
        recover(self._road)
        for name, run in (("feed", self._read_feed), ("dispatcher", self._dispatch)):
            thread = threading.Thread(target=run, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Stop reading and dispatching, and wait for what is being walked."""
        self._stop.set()
        self._road.bell.set()
        for thread in self._threads:
            thread.join()
        self._pool.shutdown(wait=True)

    def _read_feed(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                receiving.receive_feed(self._road, self._feed, _FEED_WAIT_S)
                failures = 0
                continue
            except NocturneError as error:
                log.warning("feed_unread", source=self._feed, code=error.error_code, reason=error.reason)
            except Exception:  # a reader that ends by a defect would look like a silent network, for ever
                log.exception("feed_unread", source=self._feed)
            self._stop.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
            failures += 1

    def _dispatch(self) -> None:
        while not self._stop.is_set():
            self._road.bell.clear()
            try:
                self._mind_the_clock()
                self._make_rounds()
                messages = self._road.ledger.due(self._road.clock.now())
                self._handle(messages)
                self._road.ledger.done(messages)
            except Unavailable as error:
                log.warning("store_unavailable", reason=error.reason)
                self._stop.wait(_BACKOFF_S[1])
                continue
            except Exception:  # a dispatcher that ends by a defect would leave every incident lying
                log.exception("dispatch_failed")
                self._stop.wait(_BACKOFF_S[1])
                continue
            if not messages:
                self._forget_old_readings()
                self._road.bell.wait(_IDLE_S)

    def _make_rounds(self) -> None:
        """What the guards or the watch of the policy book find, or fail at, holds up no incident."""
        try:
            self._policy.look()
            self._rounds.tick()
        except Exception:  # it is tried again in the next round
            log.exception("guards_failed")

    def _mind_the_clock(self) -> None:
        """Where somebody set the clock back, what was to come soon would lie until then: wake everything now."""
        (then, before), self._seen_at = self._seen_at, (self._road.clock.now(), self._road.clock.monotonic())
        now, after = self._seen_at
        if (now - then).total_seconds() < after - before - _SET_BACK_S:
            log.warning("clock_set_back", seconds=round((then - now).total_seconds(), 1))
            recover(self._road)

    def _forget_old_readings(self) -> None:
        """Now and then, when idle, drop readings that are older than they are kept for."""
        now = self._road.clock.now()
        if now < self._forget_at:
            return
        self._forget_at = now + timedelta(seconds=_FORGET_EVERY_S)
        self._road.ledger.forget_readings(now - timedelta(seconds=self._road.settings.reading_retention_s))

    def _handle(self, messages: Iterable[Message]) -> None:
        topics: dict[str, set[str]] = {}
        for message in messages:
            topics.setdefault(message.topic, set()).add(message.ref)
        for topic, errand in ERRANDS.items():
            for ref in topics.get(topic, ()):
                self._safely(ref, partial(errand, self._road, ref), topic=topic)
        if topics.keys() & {"correlate", "work_over"}:
            self._paced(lambda: self._safely("", lambda: flow.correlate(self._road), topic="correlate"))
        for incident_id in topics.get("wake", ()):
            self._walk_soon(incident_id)

    def _walk_soon(self, incident_id: str) -> None:
        """Have an incident walked; one that is being walked is walked once more afterwards."""
        with self._lock:
            if incident_id in self._walking:
                self._again.add(incident_id)
                return
            self._walking.add(incident_id)
        self._pool.submit(self._walk, incident_id)

    def _walk(self, incident_id: str) -> None:
        while True:
            self._paced(
                lambda: self._safely(incident_id, lambda: flow.walk(self._road, self._graph, incident_id), topic="wake")
            )
            with self._lock:
                if incident_id not in self._again or self._stop.is_set():
                    self._walking.discard(incident_id)
                    self._again.discard(incident_id)
                    return
                self._again.discard(incident_id)

    def _paced(self, work: Callable[[], None]) -> None:
        """Do the work, then leave the doors as much time as it took: what comes meanwhile is dealt with together."""
        began = time.monotonic()
        work()
        took_s = time.monotonic() - began
        if took_s > _WORTH_PACING_S:
            self._stop.wait(min(took_s, _LONGEST_PAUSE_S))

    def _safely(self, ref: str, step: Callable[[], object], *, topic: str) -> None:
        """A step that fails is logged and tried again later; it never takes the others down with it."""
        try:
            step()
            self._failures.pop(ref, None)
        except Exception:  # whatever it is, the other incidents must go on
            failures = self._failures[ref] = self._failures.get(ref, 0) + 1
            log.exception("step_failed", topic=topic, ref=ref, failures=failures)
            delay = _BACKOFF_S[min(failures, len(_BACKOFF_S)) - 1]
            due_at = self._road.clock.now() + timedelta(seconds=delay)
            self._send(Message(id=self._road.id("msg"), topic=topic, ref=ref, due_at=due_at))

    def _send(self, message: Message) -> None:
        """Put a message into the outbox, however long the store cannot be written: else nobody would come back."""
        while not self._stop.is_set():
            try:
                self._road.ledger.do(lambda _: Written(None, (), (message,)))
            except Unavailable as error:
                log.warning("store_unavailable", reason=error.reason)
                self._stop.wait(_BACKOFF_S[1])
            else:
                return


def recover(road: Road) -> int:
    """Have every open incident walked, and uncorrelated alarms correlated: whatever a crash left, the ledger knows.

    Returns:
        How many incidents were woken.
    """
    unfinished = (ProposalState.GRANTED, ProposalState.EXECUTING)

    def read(tables: Tables) -> tuple[set[str], set[str]]:
        proposals = tables.proposals.find(state=unfinished)  # of closed incidents, too: a ticket may be on its way
        open_incidents = tables.incidents.find(state=IncidentState.OPEN)
        matters = {incident.id for incident in open_incidents} | {proposal.incident_id for proposal in proposals}
        return matters, monitoring.slots(tables)

    matters, slots = road.ledger.read(read)
    wakes = [road.wake(incident_id) for incident_id in sorted(matters)]
    looks = [outcomes.message(road, "watch", slot) for slot in sorted(slots)]
    road.ledger.do(lambda _: Written(None, (), (*wakes, *looks, outcomes.message(road, "correlate", ""))))
    return len(wakes)
