"""What is known right now: recent readings, the twin that follows them, and how far elements are from each other.

Everything here can be thrown away and is rebuilt from the store (`Live.restore`); it is never the authority.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from control_plane.hours import Hours
from domain.clock import Clock
from domain.measurements import METRICS, Batch, Metric
from domain.network import Administrative, Inventory
from domain.observations import Picture
from domain.rehearsal import TwinFidelity
from telemetry.history import History
from telemetry.intake import Counters
from telemetry.windows import Window, Windows
from twin.graph import Proximity, element_graph
from twin.live import LiveTwin
from twin.snapshot import Snapshot
from twin.topology import Topology

#: Samples of each series at hand; older ones are kept coarser. At 4,000 series each hundred costs 6 MB.
_SAMPLES_KEPT = 400
_CONFIGURED = frozenset({"administrative", "metric", "via"})


class Live:
    """The present, as far as it is known."""

    def __init__(self, inventory: Inventory, clock: Clock, *, period_s: float, lateness_s: float) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self.period_s = period_s
        self._extending = threading.Lock()
        self._earlier: dict[str, Inventory] = {}  # by digest: what was declared before circuits were ordered
        self._between: list[Callable[[], Iterable[Inventory]]] = []
        self._read(inventory)
        self.history = History(period_s, slots=_SAMPLES_KEPT)
        self.hours = Hours(inventory, self.regions, period_s)
        self.windows = Windows(width_s=10 * period_s, lateness_s=lateness_s)
        self.late_readings = 0
        self.counters = Counters()
        self._closed: deque[Window] = deque(maxlen=40_000)
        self.twin = LiveTwin(inventory)

    def _read(self, inventory: Inventory) -> None:
        """Work out what follows from what is declared."""
        self.graph = element_graph(inventory)
        self.near = Proximity(self.graph)
        self.regions = _regions(inventory)
        self._ends = {link.id: (link.source, link.destination) for link in inventory.links} | {
            demand.id: (demand.source, demand.destination) for demand in inventory.demands
        }
        self.link_of = {point: link.id for link in inventory.links for point in (link.source, link.destination)}
        bounds = {item.id: item.max_delay_ms for item in inventory.slices}
        self.promised_delay_ms = {d.id: bounds[d.slice_id] for d in inventory.demands if d.slice_id in bounds}
        self.circuits = frozenset(d.id for d in inventory.demands if d.administrative is Administrative.LOCKED)
        self.elements = frozenset(self.graph.nodes)
        self.inventory = inventory

    def extend(
        self, more: Callable[[Inventory], Inventory], between: Callable[[], Iterable[Inventory]] | None = None
    ) -> None:
        """Go on with an inventory that declares more demands than now, and what belongs to them; nothing is forgotten.

        Args:
            more: returns it, given the one that is declared now; one at a time, so that two that grow do not part.
            between: yields what was declared from then to now, for snapshots of that time; made when one is asked for.

        Raises:
            BadInput: it contradicts itself, or lacks what is declared now.
        """
        with self._extending:
            inventory = more(self.inventory)
            if inventory is self.inventory:
                return
            earlier = self.twin.declared
            self.twin.extend(inventory)
            self._earlier[earlier.topology.digest] = earlier.inventory
            self._between += [between] if between else []
            self._read(inventory)

    def past(self, body: str, inventory_digest: str) -> Snapshot:
        """Return a snapshot that was stored, of the present inventory or of one that it grew from. Raises BadInput."""
        known = self._earlier.get(inventory_digest) or self._between_orders(inventory_digest)
        return Snapshot.load(body, known or self.inventory)

    def _between_orders(self, inventory_digest: str) -> Inventory | None:
        """Return what was declared at some time before this process began, or None; remembered once it was found."""
        if inventory_digest == self.twin.declared.topology.digest:
            return None
        for inventory in (each for between in self._between for each in between()):
            if Topology.of(inventory).digest == inventory_digest:
                self._earlier[inventory_digest] = inventory
                return inventory
        return None

    def apply(self, batch: Batch) -> None:
        """Take in readings that are durable already; those too late for their window are counted."""
        with self._lock:
            self.late_readings += len(self.windows.add(batch.readings, batch.source))
            self._closed.extend(self.windows.closed())
        self.history.add(batch.readings, batch.source)
        self.twin.readings(batch)

    def kpis(self, at: datetime) -> dict[str, float]:
        """Return the mean of each metric over the network in the closed window around `at`; empty when unknown."""
        with self._lock:
            around = [w for w in self._closed if w.start <= at < w.start + timedelta(seconds=self.windows.width_s)]
        totals: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
        for window in around:
            total, count = totals[window.metric]
            totals[window.metric] = (total + window.total, count + window.count)
        return {str(metric): total / count for metric, (total, count) in totals.items() if count}

    def backfill(self, batches: Iterable[Batch]) -> None:
        """Take in readings of the past, for baselines; the twin follows them, as it follows those of the present."""
        for batch in batches:
            self.history.add(batch.readings, batch.source)
            self.twin.readings(batch)

    def residency(self, elements: Iterable[str]) -> str:
        """Return where data about these elements belongs: their region, or all of theirs in order, joined by `+`."""
        return "+".join(sorted({self.regions.get(element, "default") for element in elements})) or "default"

    def regions_of(self, element: str) -> frozenset[str]:
        """Return every region that an element lies in: a link and a demand lie where either end does.

        Empty for what is no element, or stands nowhere.
        """
        places = (element, *self._ends.get(element, ()))
        return frozenset(self.regions[place] for place in places if place in self.regions)

    def snapshot(self) -> Snapshot:
        """Return the twin as it stands."""
        return self.twin.snapshot()

    def fidelity(self) -> TwinFidelity:
        """Return how far the twin is off per KPI, by how much evidence and how old: shown beside all that it answers.

        Verdicts rest on its loads: where they are off beyond their bound, or not measured, the twin is not fit.
        """
        return self.twin.measured_fidelity(self.clock.now())

    def picture(self, at: datetime, elements: Sequence[str] | None = None, *, onset: datetime | None = None) -> Picture:
        """Return what is anomalous, healthy and silent at `at`, against what was usual before `onset`."""
        found = self.history.picture(at, elements, onset=onset)
        snapshot = self.twin.snapshot() if self.circuits & found.silent else None
        if snapshot is None:
            return found
        off = {name for name in self.circuits & found.silent if snapshot.value(name, "administrative") == "locked"}
        return found.but(silent=found.silent - off)  # nobody probes a circuit that is out of service

    def observed(self, element: str, attribute: str) -> str | float | None:
        """Return the present value of what a rehearsal's fact is about; None when unknown or stale."""
        if attribute in _CONFIGURED:
            value = self.twin.snapshot().value(element, attribute)
            return None if value is None else str(value)
        seen = self.twin.observed(element, Metric(attribute))
        if seen is None or seen[0] is None or self.clock.now() - seen[1] > self.stale_after:
            return None
        discrete = METRICS[Metric(attribute)].high == 1 and attribute == Metric.OPER_UP
        return f"{seen[0]:g}" if discrete else seen[0]

    @property
    def stale_after(self) -> timedelta:
        """After this time a reading is no longer the present."""
        return timedelta(seconds=10 * self.period_s)


def _regions(inventory: Inventory) -> dict[str, str]:
    """Return the region of each element that stands somewhere: nodes, and what hangs on them."""
    of_node = {node.id: node.region for node in inventory.nodes}
    of_point = {point.id: of_node[point.node] for point in inventory.termination_points}
    of_link = {link.id: of_point[link.source] for link in inventory.links}
    of_demand = {demand.id: of_node[demand.source] for demand in inventory.demands}
    return of_node | of_point | of_link | of_demand
