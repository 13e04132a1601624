"""Asking trained rankers: any registered version of a pinned case, and the serving one in the midst of a diagnosis.

A version is loaded when it is first asked, out of the store and so verified, and stays. That takes milliseconds: torch
is only for training.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

from adapters.models import tensors
from control_plane.ports import Ledger, ModelStore, Rankers, Ranking
from control_plane.replay.tape import heard
from domain.errors import BadInput, Refused
from domain.models import DIAGNOSIS_SLOT, ModelStatus, Sight
from domain.network import Inventory
from twin.graph import element_graph
from twin.ranker import Grid, Ranker, grid
from twin.snapshot import Snapshot

_LOADED = 4


class SlotRankers:
    """The `Rankers` port over a model store and the network at hand. Safe to use from several threads."""

    def __init__(self, store: ModelStore, network: Callable[[], Snapshot]) -> None:
        """Ask versions of `store` about cases of the network whose newest snapshot `network` returns."""
        self._store, self._network = store, network
        self._loaded: OrderedDict[str, Ranker] = OrderedDict()
        self._grid: tuple[Inventory, Grid] | None = None
        self._lock = threading.Lock()

    def ask(self, version: str, sight: Sight) -> Ranking:
        snapshot = self._network()
        if sight.inventory_digest != snapshot.topology.digest:
            raise BadInput("the case is of another network than the one at hand; ask where it was seen")
        ranker, on = self._ready(version, snapshot.inventory)
        return Ranking(version, ranker.scores(on, sight))

    def _ready(self, version: str, inventory: Inventory) -> tuple[Ranker, Grid]:
        with self._lock:  # two who ask at once wait for one load
            if version not in self._loaded:
                self._loaded[version] = self._load(version)
                while len(self._loaded) > _LOADED:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(version)
            if self._grid is None or self._grid[0] is not inventory:
                self._grid = (inventory, grid(element_graph(inventory)))
            return self._loaded[version], self._grid[1]

    def _load(self, version: str) -> Ranker:
        try:
            return Ranker(tensors.read(self._store.get(version).artefact))
        except BadInput as error:  # of the version, not of the case
            raise Refused(f"`{version}` cannot be asked: {error.reason}") from error


class ServingRanker:
    """The `ranker` tool of agents: what the version that the slot serves says of a case.

    Which version serves is heard; what it says is worked out, so that it can be worked out again.
    """

    self_taped = True

    def __init__(self, ledger: Ledger, rankers: Rankers, slot: str = DIAGNOSIS_SLOT) -> None:
        self._ledger, self._rankers, self._slot = ledger, rankers, slot

    def opine(self, sight: Sight) -> Ranking | None:
        version = heard("ranker.serving", self._serving)
        return None if version is None else self._rankers.ask(version, sight)

    def _serving(self) -> str | None:
        found = self._ledger.read(
            lambda tables: tables.model_versions.find(slot=self._slot, status=ModelStatus.PRODUCTION)
        )
        return found[0].id if found else None


class NoRanker:
    """The `ranker` tool where no slot serves anything."""

    def opine(self, sight: Sight) -> Ranking | None:  # noqa: ARG002  # the port's names
        return None
