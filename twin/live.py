"""The twin that follows the network: newest readings, configured state, and believed demands that keep up with load.

What is configured goes into the snapshot; what is observed stays an observation with its age. Believed demands are
the inventory's, times one factor per region of origin: the weighted median of observed over predicted link load, so
that one surging demand or one failed link moves nothing. A factor moves only when it is clearly off.
"""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from domain.changes import Change, ScaleDemand, SetAdministrative, SetMetric, SetOperational, SetVia
from domain.errors import BadInput
from domain.measurements import Batch, Metric
from domain.network import Administrative, Inventory, Operational
from twin.evaluate import Prediction, evaluate
from twin.routing import Ask, route
from twin.snapshot import Snapshot
from twin.topology import Flags, Floats

_DEADBAND = 0.05
_LOWEST, _HIGHEST = 0.2, 5.0
#: Below this share of what is predicted to flow, observations say nothing about the whole.
_ENOUGH = 0.5


class LiveTwin:
    """See the module. All methods may be called from several threads."""

    def __init__(self, inventory: Inventory, *, fresh_s: float = 60.0) -> None:
        """Start from what is declared; readings older than the newest one by `fresh_s` no longer count as present."""
        self._declared = Snapshot.of(inventory)
        self._fresh = timedelta(seconds=fresh_s)
        self._values: dict[tuple[str, str], tuple[float, datetime]] = {}
        self._asked: dict[tuple[str, str], datetime] = {}
        self._newest: datetime | None = None
        self._configured: dict[tuple[str, str], tuple[Change, datetime]] = {}
        self._snapshot: Snapshot | None = self._declared
        self._unread = False
        region = {node.id: node.region for node in inventory.nodes}
        origin = {demand.id: region[demand.source] for demand in inventory.demands}
        self._origin = np.array([origin[demand] for demand in self._declared.topology.demands], np.str_)
        self._regions = tuple(sorted(set(origin.values())))
        self._factors = dict.fromkeys(self._regions, 1.0)
        self._lock = threading.RLock()

    def readings(self, batch: Batch) -> None:
        """Take in readings: the newest value of each metric counts. A missing value replaces nothing; it only ages."""
        with self._lock:
            for reading in batch.readings:
                key, at = (reading.element, reading.metric.value), reading.event_time
                if reading.value is None:
                    self._asked[key] = max(at, self._asked.get(key, at))
                    continue
                held = self._values.get(key)
                if held is None or held[1] <= at:
                    self._values[key] = (reading.value, at)
                if self._newest is None or at > self._newest:
                    self._newest = at
            self._unread = True

    def configured(self, element: str, attribute: str, value: str, at: datetime) -> None:
        """Take in what an element is configured to: `administrative`, `metric`, or `via` ("" for none).

        Raises:
            BadInput: no such element, attribute or value.
        """
        change = _configuration(element, attribute, value)
        self._declared.with_changes([change])
        with self._lock:
            held = self._configured.get((element, attribute))
            if held is not None and held[1] > at:
                return
            self._configured[element, attribute] = (change, at)
            if held is None or held[0] != change:
                self._snapshot = None

    def snapshot(self) -> Snapshot:
        """Return the network as believed now; the same object until something changes."""
        with self._lock:
            if self._unread:
                self._unread = False
                self._follow()
            if self._snapshot is None:
                self._snapshot = self._as_configured().with_changes(self._scaling())
            return self._snapshot

    def observed(self, element: str, metric: Metric) -> tuple[float | None, datetime] | None:
        """Return the newest value and its event time; (None, time) if only gaps were reported; None if nothing was."""
        with self._lock:
            key = (element, metric.value)
            if key in self._values:
                return self._values[key]
            return (None, self._asked[key]) if key in self._asked else None

    def down(self) -> tuple[str, ...]:
        """Return the routing nodes and termination points that say now that they are down, sorted."""
        with self._lock:
            return tuple(sorted(change.element for change in self._seen_down(self._declared)))

    def fidelity(self) -> float | None:
        """Return the wMAPE of predicted against observed link loads; None when too little is measured.

        What is observed to be down is down in the prediction, too: this judges loads and paths, not whether there
        is a fault.
        """
        with self._lock:
            predicted = evaluate(self.snapshot(), self._seen_down(self.snapshot()))
            seen, load = self._loads(predicted.capacity)
        fits = np.minimum(predicted.arc_load, predicted.capacity)
        if not _covered(fits, seen) or not load[seen].sum():
            return None
        return float(np.abs(fits[seen] - load[seen]).sum() / load[seen].sum())

    def _as_configured(self) -> Snapshot:
        return self._declared.with_changes([change for change, _ in self._configured.values()])

    def _scaling(self) -> Sequence[Change]:
        factors = [self._factors[region] for region in self._origin]
        pairs = zip(self._declared.topology.demands, factors, strict=True)
        return [ScaleDemand(demand=demand, factor=factor) for demand, factor in pairs if factor != 1.0]

    def _seen_down(self, snapshot: Snapshot) -> Sequence[SetOperational]:
        """Return the overlay of the nodes and termination points that say they are down."""
        topology = snapshot.topology
        names = (*topology.points, *(topology.nodes[place] for place in topology.routers))
        down = [name for name in names if self._present(name, Metric.OPER_UP) == 0.0]
        return [SetOperational(element=name, state=Operational.DISABLED) for name in down]

    def _present(self, element: str, metric: Metric) -> float | None:
        held = self._values.get((element, metric.value))
        if held is None or self._newest is None or self._newest - held[1] > self._fresh:
            return None
        return held[0]

    def _loads(self, capacity: Floats) -> tuple[Flags, Floats]:
        """Return which arcs are measured, and their observed load in Mbit/s (at most their capacity)."""
        topology = self._declared.topology
        load = np.zeros(len(topology.tail))
        seen = np.zeros(len(topology.tail), np.bool_)
        for point, arc in zip(topology.points, topology.point_arc.tolist(), strict=True):
            value = self._present(point, Metric.UTILISATION) if arc >= 0 else None
            if value is not None:
                seen[arc], load[arc] = True, min(value, 1.0) * capacity[arc]
        return seen, load

    def _follow(self) -> None:
        """Let the factors of the regions follow the observed loads."""
        configured = self._as_configured()
        predicted = evaluate(configured, self._seen_down(configured))
        seen, load = self._loads(predicted.capacity)
        if not seen.any():
            return
        parts = np.array([self._part(predicted, region) for region in self._regions]).reshape(-1, len(load))
        present = np.array([self._factors[region] for region in self._regions])
        total = present @ parts
        for region, part in zip(self._regions, parts, strict=True):
            usable = seen & (part > 0)
            if not _covered(part, usable):
                continue
            drift = _weighted_median(load[usable] / total[usable], part[usable] ** 2 / total[usable])
            self._settle(region, self._factors[region] * drift)

    def _settle(self, region: str, factor: float) -> None:
        wanted = round(float(np.clip(factor, _LOWEST, _HIGHEST)), 2)
        if abs(wanted - self._factors[region]) > _DEADBAND * self._factors[region]:
            self._factors[region] = wanted
            self._snapshot = None

    def _part(self, predicted: Prediction, region: str) -> Floats:
        """Return the load per arc that demands from one region make, as the inventory believes them."""
        ask = predicted.routing.ask
        own = np.where(self._origin == region, self._declared.topology.mbps, 0.0)
        only = Ask(usable=ask.usable, metric=ask.metric, mbps=own, via=ask.via)
        return route(predicted.topology, only).arc_load


def _covered(load: Floats, seen: Flags) -> bool:
    return bool(load[seen].sum() > _ENOUGH * load.sum())


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(passed, passed[-1] / 2)]])


def _configuration(element: str, attribute: str, value: str) -> Change:
    try:
        match attribute:
            case "administrative":
                return SetAdministrative(element=element, state=Administrative(value))
            case "metric":
                return SetMetric(link=element, metric=int(value))
            case "via":
                return SetVia(demand=element, via=value or None)
    except ValueError as error:
        raise BadInput(f"`{value[:80]}` is no `{attribute}` that `{element[:80]}` can have; correct it") from error
    raise BadInput(f"`{attribute[:80]}` is no configured attribute; use `administrative`, `metric` or `via`")
