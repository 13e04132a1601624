"""Who decides again: the same agents and rankers as in a house, over what is pinned and without a world."""

from collections.abc import Mapping
from typing import Any, TypeVar

from adapters.memory import MemoryLedger
from adapters.models.ranker import ServingRanker, SlotRankers
from agents.cards import CARDS
from agents.diagnostics import Diagnostics
from agents.drift import DriftAgent
from agents.ordering import Ordering
from agents.oversight import Oversight
from agents.provisioning import Provisioning
from agents.retraining import Retraining
from agents.ticketing import Ticketing
from control_plane.live import Live
from control_plane.ports import Diagnostician, Ledger, Models, ModelStore, Planner, Rankers, Ranking
from control_plane.replay.attributing import HeardAttributor
from control_plane.replay.books import kept_books
from control_plane.replay.replaying import Casting, Replayer
from control_plane.road import Road, RoadSettings
from control_plane.toolbox import Toolbox
from domain.clock import SystemClock
from domain.errors import NotFound
from domain.models import Sight
from domain.network import Inventory
from policies.engine import Book
from twin.snapshot import Snapshot

T = TypeVar("T")

#: More hands than any house has: a tape says which of them took an action.
_HANDS = 16


class Silent:
    """A part of the world that nobody asks: every answer is on the tape."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_args, **_named: None


class OtherVersion:
    """Rankers of which one version answers, whichever is asked for."""

    def __init__(self, rankers: Rankers, version: str) -> None:
        self._rankers, self._version = rankers, version

    def ask(self, version: str, sight: Sight) -> Ranking:  # noqa: ARG002  # the port's names
        return self._rankers.ask(self._version, sight)


class Players:
    """The `Cast` over one inventory."""

    def __init__(self, inventory: Inventory, run_length: float, store: ModelStore, *, version: str = "") -> None:
        """Ask the versions of `store`; with `version`, that one instead of whichever served."""
        clock, snapshot = SystemClock(), Snapshot.of(inventory)
        slots: Rankers = SlotRankers(store, lambda: snapshot)
        rankers = OtherVersion(slots, version) if version else slots
        silent: Any = Silent()
        tools = dict.fromkeys(("telemetry", "twin", "past", "models", "trials", "autonomy", "orders"), silent)
        tools["ranker"] = ServingRanker(silent, rankers)

        def toolbox(agent: str) -> Any:
            return Toolbox(CARDS[agent], tools, MemoryLedger(clock), clock)

        self._diagnosticians: dict[str, Diagnostician] = {
            "diagnostics": Diagnostics(toolbox("diagnostics"), HeardAttributor()),
            "drift": DriftAgent(toolbox("drift"), run_length),
            "oversight": (oversight := Oversight(toolbox("oversight"))),
            "ordering": (ordering := Ordering(toolbox("ordering"))),
        }
        self._planners: dict[str, Planner] = {
            "provisioning": Provisioning(toolbox("provisioning")),
            "ticketing": Ticketing(toolbox("ticketing")),
            "retraining": Retraining(toolbox("retraining")),
            "oversight": oversight,
            "ordering": ordering,
        }
        live = Live(inventory, clock, period_s=1.0, lateness_s=60.0)
        self._road = Road(
            ledger=silent,
            clock=silent,
            network=silent,
            hands=(silent,) * _HANDS,
            live=live,
            book=Book.load(),
            diagnosticians={},
            planners=(),
            past=silent,
            settings=RoadSettings(),
            worker="replay",
            models=Models(silent, rankers, silent),
        )

    def diagnostician(self, agent: str) -> Diagnostician:
        return _cast(self._diagnosticians, agent)

    def planner(self, agent: str) -> Planner:
        return _cast(self._planners, agent)

    def road(self) -> Road:
        return self._road


def _cast(known: Mapping[str, T], agent: str) -> T:
    if agent not in known:
        raise NotFound(f"there is no agent `{agent}` any more that could decide again; replay with the program of then")
    return known[agent]


def replayer(ledger: Ledger, store: ModelStore) -> Replayer:
    """Return a replayer over a ledger and a model store."""
    return Replayer(ledger, casting(store), kept_books(ledger))


def casting(store: ModelStore, *, version: str = "") -> Casting:
    """Return what makes a cast; with `version`, one in which that version is asked instead of whichever served."""
    return lambda inventory, run_length: Players(inventory, run_length, store, version=version)
