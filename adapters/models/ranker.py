"""Asking trained rankers: any registered version of a pinned case, and the serving one in the midst of a diagnosis.

A version is loaded when it is first asked, out of the store and so verified, and stays. The first load imports torch,
which takes seconds: who cannot wait has it done in the background.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

from adapters.models import tensors
from control_plane.ports import Ledger, ModelStore, Ranking
from domain.errors import BadInput, NocturneError, Unavailable
from domain.models import DIAGNOSIS_SLOT, ModelStatus, Sight
from domain.network import Inventory
from twin import gnn
from twin.graph import element_graph
from twin.snapshot import Snapshot

_LOADED = 4


class SlotRankers:
    """The `Rankers` port over a model store and the network at hand. Safe to use from several threads."""

    def __init__(self, store: ModelStore, network: Callable[[], Snapshot]) -> None:
        """Ask versions of `store` about cases of the network whose newest snapshot `network` returns."""
        self._store, self._network = store, network
        self._loaded: OrderedDict[str, gnn.Ranker] = OrderedDict()
        self._grid: tuple[Inventory, gnn.Grid] | None = None
        self._lock = threading.Lock()

    def ask(self, version: str, sight: Sight) -> Ranking:
        snapshot = self._network()
        if sight.inventory_digest != snapshot.topology.digest:
            raise BadInput("the case is of another network than the one at hand; ask where it was seen")
        ranker, on = self._ready(version, snapshot.inventory)
        return Ranking(version, ranker.scores(on, sight))

    def is_loaded(self, version: str) -> bool:
        """Say whether asking this version would neither read nor import anything."""
        with self._lock:
            return version in self._loaded and self._grid is not None

    def load(self, version: str) -> None:
        """Make a version ready to be asked. Raises what `ask` raises."""
        self._ready(version, self._network().inventory)

    def _ready(self, version: str, inventory: Inventory) -> tuple[gnn.Ranker, gnn.Grid]:
        with self._lock:  # two who ask at once wait for one load
            if version not in self._loaded:
                self._loaded[version] = gnn.Ranker(tensors.read(self._store.get(version).artefact))
                while len(self._loaded) > _LOADED:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(version)
            if self._grid is None or self._grid[0] is not inventory:
                self._grid = (inventory, gnn.grid(element_graph(inventory)))
            return self._loaded[version], self._grid[1]


class ServingRanker:
    """The `ranker` tool of agents: what the version that the slot serves says of a case."""

    def __init__(self, ledger: Ledger, rankers: SlotRankers, slot: str = DIAGNOSIS_SLOT) -> None:
        self._ledger, self._rankers, self._slot = ledger, rankers, slot
        self._loading = threading.Lock()

    def opine(self, sight: Sight, *, wait: bool) -> Ranking | None:
        version = self._serving()
        if version is None:
            return None
        if not wait and not self._rankers.is_loaded(version):
            self._begin_loading(version)
            raise Unavailable("it is being loaded; it is heard with the settled diagnosis")
        return self._rankers.ask(version, sight)

    def _serving(self) -> str | None:
        found = self._ledger.read(
            lambda tables: tables.model_versions.find(slot=self._slot, status=ModelStatus.PRODUCTION)
        )
        return found[0].id if found else None

    def _begin_loading(self, version: str) -> None:
        if self._loading.acquire(blocking=False):
            threading.Thread(target=self._load, args=(version,), name="ranker-loading", daemon=True).start()

    def _load(self, version: str) -> None:
        try:
            self._rankers.load(version)
        except NocturneError:
            pass  # whoever waits for an answer meets it again, and says it
        finally:
            self._loading.release()


class NoRanker:
    """The `ranker` tool where no slot serves anything."""

    def opine(self, sight: Sight, *, wait: bool) -> Ranking | None:  # noqa: ARG002  # the port's names
        return None
