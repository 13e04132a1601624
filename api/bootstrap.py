"""The one place that knows every concrete class and introduces them to each other."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from adapters.identity.local import LocalIssuer
from adapters.models.opening import first_served, open_store
from adapters.models.ranker import ServingRanker, SlotRankers
from adapters.store.checkpoints import MemoryWakes, open_wakes
from adapters.store.ledger import SqlLedger
from adapters.store.lock import FolderLock
from adapters.tickets.desk import TicketDesk
from agents.cards import CARDS
from agents.diagnostics import Diagnostics
from agents.narrator import answer
from agents.provisioning import Provisioning
from agents.ticketing import Ticketing
from api.model_room import ModelRoom, model_room
from api.settings import Settings
from control_plane import flow, receiving
from control_plane.commands import Commands
from control_plane.facts import RecordedFacts
from control_plane.live import Live
from control_plane.past import RecordedPast
from control_plane.ports import Ledger, ModelStore, Network, Wakes
from control_plane.queries import Queries
from control_plane.road import Road, RoadSettings
from control_plane.toolbox import Toolbox
from control_plane.worker import Worker
from domain.clock import Clock, SystemClock
from domain.ids import new_id
from domain.incidents import IncidentClass
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
    models: ModelRoom
    prepare: Callable[[], None]
    opened: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Restore what is known live, and begin to walk every open matter."""
        restore(self.road)
        self.prepare()
        self.worker.start()

    def close(self) -> None:
        """End what is being trained, stop the worker, then let go of store, checkpoints and the folder's lock."""
        self.models.slots.close()
        self.worker.close()
        self.opened.close()


def build(settings: Settings, network: Network, *, clock: Clock | None = None, ledger: Ledger | None = None) -> House:
    """Build a house over a network, in the data folder of the settings (or in memory, with a ledger given).

    Raises:
        Conflict: another process serves the same data folder.
        Unavailable: store or network cannot be reached.
    """
    clock = clock or SystemClock()
    with ExitStack() as opened:  # what was opened is closed again, should anything below fail
        wakes: Wakes = MemoryWakes()
        data = None
        if ledger is None:
            ledger, wakes = _store(settings, clock, opened)
            data = settings.data
        house = _house(settings, network, clock, ledger, wakes, open_store(data))
        house.opened = opened.pop_all()
    return house


def _store(settings: Settings, clock: Clock, opened: ExitStack) -> tuple[Ledger, Wakes]:
    """Open what lasts: the data folder with its lock, the ledger and the checkpoints, here or on a server."""
    settings.data.mkdir(parents=True, exist_ok=True)
    opened.callback(FolderLock(settings.data).release)
    ledger = SqlLedger(settings.database or settings.data / "nocturne.db", clock)
    opened.callback(ledger.close)
    wakes = open_wakes(settings.database, settings.data)
    opened.callback(wakes.close)
    return ledger, wakes


def _house(
    settings: Settings, network: Network, clock: Clock, ledger: Ledger, wakes: Wakes, store: ModelStore
) -> House:
    """Introduce everybody to everybody."""
    past = RecordedPast(ledger)
    live = Live(network.inventory(), clock, period_s=settings.sampling_period_s, lateness_s=settings.reading_lateness_s)
    first_served(ledger, store, clock)
    rankers = SlotRankers(store, live.snapshot)
    tools = {"telemetry": live.history, "twin": live, "past": past, "ranker": ServingRanker(ledger, rankers)}
    diagnostics = Diagnostics(_tools("diagnostics", ledger, clock, tools))
    models = model_room(
        ledger,
        clock,
        store,
        rankers,
        lambda agent, tools: _tools(agent, ledger, clock, tools),
        inventory=live.inventory,
        folder=settings.data / "training",
        run_length=settings.model_run_length,
    )
    road = Road(
        ledger=ledger,
        clock=clock,
        network=network,
        hands=(TicketDesk(ledger, clock), models.slots, network),
        live=live,
        book=Book.load(),
        diagnosticians={IncidentClass.NETWORK: diagnostics, IncidentClass.AI_MODEL: models.drift},
        planners=(
            Provisioning(_tools("provisioning", ledger, clock, tools)),
            Ticketing(_tools("ticketing", ledger, clock, tools)),
            models.retraining,
        ),
        models=models.models,
        past=past,
        settings=_road_settings(settings),
        worker=new_id(f"worker-{os.getpid()}", clock.now()),
    )
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
        models=models,
        prepare=diagnostics.prepare,
    )


def _tools(agent: str, ledger: Ledger, clock: Clock, tools: dict[str, Any]) -> Any:
    return Toolbox(CARDS[agent], tools, ledger, clock)


def _road_settings(settings: Settings) -> RoadSettings:
    """Carry over the settings that the road knows, by their names."""
    names = {each.name for each in fields(RoadSettings)}
    given = {name: value for name, value in settings.model_dump().items() if name in names}
    return RoadSettings(**given)


def restore(road: Road) -> None:
    """Rebuild what is known live: configured state, baselines from the network's history, the readings stored last."""
    for held in road.ledger.read(lambda tables: tables.configured.find()):
        if held.element in road.live.elements:
            road.live.twin.configured(held.element, held.attribute, held.value, held.event_time)
    since = road.clock.now() - timedelta(seconds=_KEEP_HISTORY_S)
    rules = receiving.intake(road, readings_of_s=_KEEP_HISTORY_S)
    road.live.backfill(receiving.history_batches(road, rules))
    stored = road.ledger.read(lambda tables: tables.batches.find(newest=True, limit=400))
    for batch in sorted(stored, key=lambda batch: batch.last_event_time):
        if batch.last_event_time >= since:
            road.live.apply(batch)
