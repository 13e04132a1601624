"""The one place that knows every concrete class and introduces them to each other."""

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from adapters.identity.local import LocalIssuer
from adapters.store.checkpoints import MemoryWakes, SqliteWakes
from adapters.store.ledger import SqlLedger
from adapters.store.lock import FolderLock
from adapters.tickets.desk import TicketDesk
from agents.cards import CARDS
from agents.diagnostics import Diagnostics
from agents.narrator import answer
from agents.provisioning import Provisioning
from agents.ticketing import Ticketing
from api.settings import Settings
from control_plane import flow, receiving
from control_plane.commands import Commands
from control_plane.facts import RecordedFacts
from control_plane.live import Live
from control_plane.past import RecordedPast
from control_plane.ports import Ledger, Network, Wakes
from control_plane.queries import Queries
from control_plane.road import Road, RoadSettings
from control_plane.toolbox import Toolbox
from control_plane.worker import Worker
from domain.clock import Clock, SystemClock
from domain.ids import new_id
from policies.engine import Book

_KEEP_HISTORY_S = 300.0


@dataclass
class House:
    """Everything that runs, introduced to each other. `start` wakes it, `close` lets it rest."""

    commands: Commands
    queries: Queries
    issuer: LocalIssuer
    clock: Clock
    road: Road
    graph: flow.Graph
    worker: Worker
    _closers: tuple[Callable[[], None], ...] = ()

    def start(self) -> None:
        """Restore what is known live, and begin to walk every open matter."""
        restore(self.road)
        self.worker.start()

    def close(self) -> None:
        """Stop the worker, then let go of store, checkpoints and the folder's lock."""
        self.worker.close()
        for closer in self._closers:
            closer()


def build(settings: Settings, network: Network, *, clock: Clock | None = None, ledger: Ledger | None = None) -> House:
    """Build a house over a network, in the data folder of the settings (or in memory, with a ledger given).

    Raises:
        Conflict: another process serves the same data folder.
        Unavailable: store or network cannot be reached.
    """
    clock = clock or SystemClock()
    closers: list[Callable[[], None]] = []
    wakes: Wakes = MemoryWakes()
    if ledger is None:
        settings.data.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(settings.data)
        ledger = SqlLedger(settings.data / "nocturne.db", clock)
        wakes = SqliteWakes(settings.data / "wakes.db")
        closers = [wakes.close, ledger.close, lock.release]
    road = _road(settings, network, clock, ledger)
    graph = flow.build(road, wakes.saver())
    issuer = LocalIssuer(ledger, clock)
    narrator = _tools("narrator", ledger, clock, {"facts": RecordedFacts(ledger)})
    return House(
        commands=Commands(road),
        queries=Queries(road, lambda question: answer(question, narrator.facts)),
        issuer=issuer,
        clock=clock,
        road=road,
        graph=graph,
        worker=Worker(road, graph, feed="network"),
        _closers=tuple(closers),
    )


def _road(settings: Settings, network: Network, clock: Clock, ledger: Ledger) -> Road:
    live = Live(network.inventory(), clock, period_s=settings.sampling_period_s, lateness_s=settings.reading_lateness_s)
    past = RecordedPast(ledger)
    tools = {"telemetry": live.history, "twin": live, "past": past}
    return Road(
        ledger=ledger,
        clock=clock,
        network=network,
        hands=(TicketDesk(ledger, clock), network),
        live=live,
        book=Book.load(),
        diagnostician=Diagnostics(_tools("diagnostics", ledger, clock, tools)),
        planners=(
            Provisioning(_tools("provisioning", ledger, clock, tools)),
            Ticketing(_tools("ticketing", ledger, clock, tools)),
        ),
        past=past,
        settings=_road_settings(settings),
        worker=new_id(f"worker-{os.getpid()}", clock.now()),
    )


def _tools(agent: str, ledger: Ledger, clock: Clock, tools: dict[str, Any]) -> Any:
    return Toolbox(CARDS[agent], tools, ledger, clock)


def _road_settings(settings: Settings) -> RoadSettings:
    """Carry over the settings that the road knows, by their names."""
    names = {field.name for field in fields(RoadSettings)}
    given = {name: value for name, value in settings.model_dump().items() if name in names}
    return RoadSettings(**given)


def restore(road: Road) -> None:
    """Rebuild what is known live: baselines from the network's history, then the readings stored last."""
    since = road.clock.now() - timedelta(seconds=_KEEP_HISTORY_S)
    rules = receiving.intake(road, readings_of_s=_KEEP_HISTORY_S)
    road.live.backfill(receiving.history_batches(road, rules))
    stored = road.ledger.read(lambda tables: tables.batches.find(newest=True, limit=400))
    for batch in sorted(stored, key=lambda batch: batch.last_event_time):
        if batch.last_event_time >= since:
            road.live.apply(batch)
