"""What is known right now: recent readings, the twin that follows them, and how far elements are from each other.

Everything here can be thrown away and is rebuilt from the store (`Live.restore`); it is never the authority.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.clock import Clock
from domain.measurements import METRICS, Batch, Metric, Reading
from domain.network import Inventory
from domain.observations import Picture
from telemetry.history import History
from telemetry.windows import Windows
from twin.graph import Proximity, element_graph
from twin.live import LiveTwin
from twin.snapshot import Snapshot

_CONFIGURED = frozenset({"administrative", "metric", "via"})


class Live:
    """The present, as far as it is known."""

    def __init__(self, inventory: Inventory, clock: Clock, *, period_s: float, lateness_s: float) -> None:
        self.inventory = inventory
        self.clock = clock
        self.period_s = period_s
        self.graph = element_graph(inventory)
        self.elements = frozenset(self.graph.nodes)
        self.near = Proximity(self.graph)
        self.history = History(period_s)
        self.windows = Windows(width_s=10 * period_s, lateness_s=lateness_s)
        self.twin = LiveTwin(inventory)

    def apply(self, batch: Batch) -> tuple[Reading, ...]:
        """Take in readings that are durable already; return those too late for their window."""
        late = self.windows.add(batch.readings)
        self.history.add(batch.readings, batch.source)
        self.twin.readings(batch)
        return late

    def backfill(self, batches: Sequence[Batch]) -> None:
        """Take in readings of the past, for baselines."""
        for batch in batches:
            self.history.add(batch.readings, batch.source)
        if batches:
            self.twin.readings(batches[-1])

    def snapshot(self) -> Snapshot:
        """Return the twin as it stands."""
        return self.twin.snapshot()

    def picture(self, at: datetime, elements: Sequence[str] | None = None) -> Picture:
        """Return what is anomalous, healthy and silent at `at`."""
        return self.history.picture(at, elements)

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
