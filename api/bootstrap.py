"""The one place that knows every concrete class and introduces them to each other."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.autonomy.hands import AutonomyHands
from adapters.identity.issuers import Issuers
from adapters.models.opening import first_served, open_store
from adapters.models.ranker import ServingRanker, SlotRankers
from adapters.notices.log import LogMessenger
from adapters.store.checkpoints import MemoryWakes, open_wakes
from adapters.store.ledger import SqlLedger
from adapters.store.lock import FolderLock
from adapters.tickets.desk import TicketDesk
from agents.cards import CARDS
from agents.diagnostics import Diagnostics
from agents.narrator import answer
from agents.ordering import Ordering
from agents.oversight import Oversight
from agents.provisioning import Provisioning
from agents.ticketing import Ticketing
from api.audit_room import open_vault
from api.model_room import ModelRoom, model_room
from api.settings import Settings, is_loopback
from control_plane import flow, receiving
from control_plane.audit.keeper import Keeper, Pace
from control_plane.audit.ports import Vault
from control_plane.autonomy.claims import RecordedAutonomy
from control_plane.commands import Commands
from control_plane.desks import Desks
from control_plane.facts import RecordedFacts
from control_plane.horizon import Horizon
from control_plane.live import Live
from control_plane.orders import declaring
from control_plane.orders.declaring import before_orders
from control_plane.orders.recorded import RecordedOrders
from control_plane.past import RecordedPast
from control_plane.policy import activation
from control_plane.ports import Ledger, ModelStore, Narrator, Network, Wakes
from control_plane.queries import Queries
from control_plane.replay.attributing import HeardAttributor
from control_plane.road import Road, RoadSettings
from control_plane.toolbox import Toolbox
from control_plane.whatif.planning_desk import CapacityPlanner
from control_plane.worker import Worker
from domain.answers import Answer
from domain.clock import Clock, SystemClock
from domain.ids import new_id
from domain.incidents import IncidentClass
from policies.engine import Book
from twin.blast.calibration import Calibration

_KEEP_HISTORY_S = 300.0


@dataclass
class House:
    """Everything that runs, introduced to each other. `start` wakes it, `close` lets it rest."""

    commands: Commands
    queries: Queries
    desks: Desks
    issuer: Issuers
    clock: Clock
    road: Road
    graph: flow.Graph
    worker: Worker
    models: ModelRoom
    keeper: Keeper
    prepare: Callable[[], None]
    opened: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Restore what is known live, and begin to walk every open matter."""
        restore(self.road)
        activation.adopt(self.road)
        self.prepare()
        self.worker.start()
        self.keeper.start()

    def close(self) -> None:
        """End what is being trained, stop the worker, then let go of store, checkpoints and the folder's lock."""
        self.models.slots.close()
        self.worker.close()
        self.keeper.close()
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
        vault = open_vault(settings, data, opened)
        house = _house(settings, network, clock, ledger, wakes, open_store(data), vault)
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
    settings: Settings,
    network: Network,
    clock: Clock,
    ledger: Ledger,
    wakes: Wakes,
    store: ModelStore,
    vault: Vault,
) -> House:
    """Introduce everybody to everybody."""
    past = RecordedPast(ledger)
    declared = before_orders(ledger, network.inventory())
    live = Live(declared, clock, period_s=settings.sampling_period_s, lateness_s=settings.reading_lateness_s)
    first_served(ledger, store, clock)
    rankers = SlotRankers(store, live.snapshot)
    tools = {"telemetry": live.history, "twin": live, "past": past, "ranker": ServingRanker(ledger, rankers)}
    diagnostics = Diagnostics(_tools("diagnostics", ledger, clock, tools), HeardAttributor())
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
    issuer = Issuers(ledger, clock, trust=settings.oidc, at_home=is_loopback(settings.host))
    oversight = Oversight(_tools("oversight", ledger, clock, {"autonomy": RecordedAutonomy(ledger, clock)}))
    times = _road_settings(settings)
    ordered = {"twin": live, "orders": RecordedOrders(ledger, times.order_full, times.order_full_failed)}
    ordering = Ordering(_tools("ordering", ledger, clock, ordered))
    road = Road(
        ledger=ledger,
        clock=clock,
        network=network,
        hands=(TicketDesk(ledger, clock), models.slots, AutonomyHands(ledger, clock), network),
        live=live,
        book=Book.load(Path(settings.policies) if settings.policies else None),
        diagnosticians={
            IncidentClass.NETWORK: diagnostics,
            IncidentClass.AI_MODEL: models.drift,
            IncidentClass.AUTONOMY: oversight,
            IncidentClass.SERVICE_ORDER: ordering,
        },
        planners=(
            Provisioning(_tools("provisioning", ledger, clock, tools)),
            Ticketing(_tools("ticketing", ledger, clock, tools)),
            models.retraining,
            oversight,
            ordering,
        ),
        models=models.models,
        doorkeeper=issuer,
        vault=vault,
        past=past,
        settings=times,
        messenger=LogMessenger(),
        calibration=Calibration.load(),
        worker=new_id(f"worker-{os.getpid()}", clock.now()),
    )
    graph = flow.build(road, wakes.saver())
    return House(
        commands=Commands(road),
        queries=Queries(road, _narrator(ledger, clock)),
        desks=Desks(road, _narrator(ledger, clock), lambda: _capacity(ledger, clock, live)),
        issuer=issuer,
        clock=clock,
        road=road,
        graph=graph,
        worker=Worker(road, graph, feed="network"),
        models=models,
        keeper=Keeper(ledger, clock, vault, Pace(settings.checkpoint_records, settings.checkpoint_s)),
        prepare=diagnostics.prepare,
    )


def _capacity(ledger: Ledger, clock: Clock, live: Live) -> CapacityPlanner:
    """Return the agent that plans capacity; it is rarely asked, so it is loaded when it is."""
    from agents.capacity import Capacity

    return Capacity(_tools("capacity", ledger, clock, {"twin": live}))


def _narrator(ledger: Ledger, clock: Clock) -> Narrator:
    """Return the narrator: with each question it is given the facts that whoever asks may see."""

    def asked(question: str, horizon: Horizon) -> Answer:
        facts = _tools("narrator", ledger, clock, {"facts": RecordedFacts(ledger, horizon)}).facts
        return answer(question, facts)

    return asked


def _tools(agent: str, ledger: Ledger, clock: Clock, tools: dict[str, Any]) -> Any:
    return Toolbox(CARDS[agent], tools, ledger, clock)


def _road_settings(settings: Settings) -> RoadSettings:
    """Carry over the settings that the road knows, by their names."""
    names = {each.name for each in fields(RoadSettings)}
    given = {name: value for name, value in settings.model_dump().items() if name in names}
    return RoadSettings(**given)


def restore(road: Road) -> None:
    """Rebuild what is known live: configured state, baselines from the network's history, the readings stored last."""
    declaring.restore(road)
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
