"""The twin that follows the network: newest readings, configured state, and believed demands that keep up with load.

What is configured goes into the snapshot; what is observed stays an observation with its age. Believed demands are
the inventory's, times one factor per region of origin: the weighted median of observed over predicted link load, so
that one surging demand or one failed link moves nothing. A factor moves only when it is clearly off. On top of that
each demand has a slow correction of its own, from the counters of all links (`twin.estimating.beliefs`).

Delays are foreseen with queues as bursty as measured delays show (`delays`; `twin.estimating.bursts`).

How far what is believed is from what is observed is kept per KPI: `fidelity` now, `measured_fidelity` over a window.
"""

import threading
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.changes import Change, ScaleDemand, SetAdministrative, SetMetric, SetOperational, SetVia
from domain.errors import BadInput
from domain.measurements import Batch, Metric
from domain.network import Administrative, Inventory, Operational
from domain.rehearsal import TwinFidelity
from domain.waypoints import policy_of
from twin.estimating.beliefs import MEMORY_S, PACE_S, Beliefs, Believed, Look
from twin.estimating.bursts import Bursts
from twin.estimating.fidelity import Comparison
from twin.estimating.readings import Newest
from twin.evaluate import Prediction, evaluate
from twin.physics.overlay import offered
from twin.rehearsal import LARGEST_ERROR
from twin.routing import Ask, Routing, route
from twin.snapshot import Snapshot
from twin.topology import Flags, Floats

_DEADBAND = 0.05
_LOWEST, _HIGHEST = 0.2, 5.0
#: Below this share of what is predicted to flow, observations say nothing about the whole.
_ENOUGH = 0.5
#: An interface that carries this share of its capacity may be offered any amount: its counter says "at least".
_FULL = 0.98
#: What a probe delivers tells what is offered, as long as no more than this share is lost.
_LOSSY = 0.5
#: wMAPE of delays beyond which delays are not to be believed; verdicts do not rest on them.
LARGEST_DELAY_ERROR = 0.35


class LiveTwin:
    """See the module. All methods may be called from several threads."""

    def __init__(self, inventory: Inventory, *, fresh_s: float = 60.0) -> None:
        """Start from what is declared; readings older than the newest one by `fresh_s` no longer count as present."""
        self._declared = Snapshot.of(inventory)
        self._readings = Newest(fresh_s)
        self._configured: dict[tuple[str, str], tuple[Change, datetime]] = {}
        self._snapshot: Snapshot | None = self._declared
        self._unscaled: Snapshot | None = self._declared
        self._parts: tuple[Routing, Floats] | None = None
        self._unread = False
        self._origin, self._regions = _origins(self._declared)
        self._factors = dict.fromkeys(self._regions, 1.0)
        self._beliefs = Beliefs(self._declared.topology)
        self._bursts = Bursts(PACE_S, MEMORY_S)
        self._loads_compared = Comparison("load", "Mbit/s", LARGEST_ERROR, decides=True)
        self._delays_compared = Comparison("delay", "ms", LARGEST_DELAY_ERROR, decides=False)
        self._lock = threading.RLock()

    def extend(self, inventory: Inventory) -> None:
        """Go on with an inventory that declares more demands; what was read, configured and believed is kept.

        Raises:
            BadInput: it contradicts itself, or lacks a demand that is believed in.
        """
        declared = Snapshot.of(inventory)
        with self._lock:
            if missing := sorted(set(self._declared.topology.demands) - set(declared.topology.demands)):
                raise BadInput(f"the new inventory lacks the demand `{missing[0]}`; an inventory only grows here")
            self._declared = declared
            self._origin, self._regions = _origins(declared)
            self._factors = {region: self._factors.get(region, 1.0) for region in self._regions}
            self._beliefs = self._beliefs.moved_to(declared.topology)
            self._parts = self._snapshot = self._unscaled = None

    @property
    def declared(self) -> Snapshot:
        """The network as it is declared now."""
        return self._declared

    def readings(self, batch: Batch) -> None:
        """Take in readings: the newest value of each metric counts. A missing value replaces nothing; it only ages."""
        with self._lock:
            self._readings.take(batch)
            self._unread = True

    def configured(self, element: str, attribute: str, value: str, at: datetime) -> None:
        """Take in what an element is configured to: `administrative`, `metric`, or `via` (see `domain.waypoints`).

        Raises:
            BadInput: no such element, attribute or value.
        """
        change = _configuration(element, attribute, value, self._declared.topology.node_at)
        with self._lock:
            self._declared.with_changes([change])
            held = self._configured.get((element, attribute))
            if held is not None and held[1] > at:
                return
            self._configured[element, attribute] = (change, at)
            if held is None or held[0] != change:
                self._snapshot = self._unscaled = None

    def configured_at(self, element: str, attribute: str) -> datetime | None:
        """Return when an element was last heard to be configured so, or None when it never was."""
        with self._lock:
            held = self._configured.get((element, attribute))
        return None if held is None else held[1]

    def snapshot(self) -> Snapshot:
        """Return the network as believed now; the same object until something changes."""
        with self._lock:
            if self._unread:
                self._unread = False
                self._follow()
                self._compare()
            return self._believed()

    def observed(self, element: str, metric: Metric) -> tuple[float | None, datetime] | None:
        """Return the newest value and its event time; (None, time) if only gaps were reported; None if nothing was."""
        with self._lock:
            return self._readings.observed(element, metric)

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
            seen, load, _ = self._loads(predicted.capacity)
        fits = np.minimum(predicted.arc_load, predicted.capacity)
        if not _covered(fits, seen) or not load[seen].sum():
            return None
        return float(np.abs(fits[seen] - load[seen]).sum() / load[seen].sum())

    def measured_fidelity(self, now: datetime) -> TwinFidelity:
        """Return the error per KPI over the quarter of an hour before `now`.

        Each reading is compared with what was believed when it came, before single demands were corrected by it.
        """
        with self._lock:
            self.snapshot()
            compared = (self._loads_compared, self._delays_compared)
            return TwinFidelity(kpis=tuple(kpi.measured(now) for kpi in compared))

    def demands(self) -> tuple[Believed, ...]:
        """Return what each demand is believed to be now, by what and since when, sorted by id."""
        with self._lock:
            return self._beliefs.believed(evaluate(self.snapshot()).demand_mbps)

    def delays(self, predicted: Prediction) -> Floats:
        """Return the mean delay of each demand in ms in any predicted state of this network, shape (demands,).

        Queues are as bursty as measured delays have shown the links to be; infinite where there is no path.
        """
        with self._lock:
            return self._bursts.delays(predicted)

    def as_bursty(self, predicted: Prediction) -> Prediction:
        """Return any predicted state of this network with queues as bursty as measured delays have shown."""
        with self._lock:
            return replace(predicted, burst=self._bursts.per_arc)

    def _believed(self) -> Snapshot:
        if self._snapshot is None:
            self._snapshot = self._as_configured().with_changes(self._scaling())
        return self._snapshot

    def _as_configured(self) -> Snapshot:
        if self._unscaled is None:
            self._unscaled = self._declared.with_changes([change for change, _ in self._configured.values()])
        return self._unscaled

    def _scaling(self) -> Sequence[Change]:
        active = self._as_declared() > 0  # a planned circuit is believed to ask for what was ordered
        factors = np.where(active, self._by_region() * self._beliefs.factors, 1.0)
        pairs = zip(self._declared.topology.demands, factors.round(4).tolist(), strict=True)
        return [ScaleDemand(demand=demand, factor=factor) for demand, factor in pairs if factor != 1.0]

    def _by_region(self) -> Floats:
        return np.array([self._factors[region] for region in self._origin], np.float64)

    def _seen_down(self, snapshot: Snapshot) -> Sequence[SetOperational]:
        """Return the overlay of the nodes and termination points that say they are down."""
        topology = snapshot.topology
        names = (*topology.points, *(topology.nodes[place] for place in topology.routers))
        down = [name for name in names if self._readings.present(name, Metric.OPER_UP) == 0.0]
        return [SetOperational(element=name, state=Operational.DISABLED) for name in down]

    def _loads(self, capacity: Floats) -> tuple[Flags, Floats, Floats]:
        """Return which arcs are measured, their load in Mbit/s (at most their capacity), and its age in seconds."""
        topology = self._declared.topology
        load, age = np.zeros(len(topology.tail)), np.zeros(len(topology.tail))
        seen = np.zeros(len(topology.tail), np.bool_)
        for point, arc in zip(topology.points, topology.point_arc.tolist(), strict=True):
            carried = self._readings.carried(point, float(capacity[arc])) if arc >= 0 else None
            if carried is not None:
                seen[arc], (load[arc], age[arc]) = True, carried
        return seen, load, age

    def _of_demands(self, metric: Metric) -> Floats:
        """Return the present value of a metric per demand, NaN where there is none."""
        values = (self._readings.present(demand, metric) for demand in self._declared.topology.demands)
        return np.array([np.nan if value is None else value for value in values], np.float64)

    def _follow(self) -> None:
        """Let the factors of the regions follow the observed loads."""
        configured = self._as_configured()
        predicted = evaluate(configured, self._seen_down(configured))
        seen, load, _ = self._loads(predicted.capacity)
        if not seen.any():
            return
        parts = self._parts_of(predicted)
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

    def _parts_of(self, predicted: Prediction) -> Floats:
        """Return the load that demands from each region make, shape (regions, arcs); paths that stand are kept."""
        if self._parts is None or self._parts[0] is not predicted.routing:
            parts = np.array([self._part(predicted, region) for region in self._regions], np.float64)
            self._parts = (predicted.routing, parts.reshape(len(self._regions), len(predicted.capacity)))
        return self._parts[1]

    def _part(self, predicted: Prediction, region: str) -> Floats:
        """Return the load per arc that demands from one region make, as the inventory believes them."""
        ask = predicted.routing.ask
        own = np.where(self._origin == region, self._as_declared(), 0.0)
        only = Ask(usable=ask.usable, metric=ask.metric, mbps=own, via=ask.via, share=ask.share)
        return route(predicted.topology, only).arc_load

    def _as_declared(self) -> Floats:
        """Return what each demand offers by the inventory's word; locked ones offer nothing."""
        return offered(self._declared.topology, self._as_configured().state)

    def _compare(self) -> None:
        """Hold what is predicted against what is observed, per KPI; then let single demands be corrected by it."""
        at, snapshot = self._readings.at, self._believed()
        if at is None:
            return
        predicted = evaluate(snapshot, self._seen_down(snapshot))
        seen, load, age = self._loads(predicted.capacity)
        fits = np.minimum(predicted.arc_load, predicted.capacity)
        if _covered(fits, seen):
            self._loads_compared.add(at, fits[seen], load[seen])
        delay = self._of_demands(Metric.DELAY)
        self._delays_compared.add(at, self._bursts.delays(predicted), delay)
        if self._beliefs.due(at) and seen.any():
            with suppress(BadInput):  # no demand is probed whose path has room
                self._bursts.look(predicted, delay)
            full = (load >= _FULL * predicted.capacity) & (predicted.arc_load >= load)
            self._correct(at, predicted, np.where(seen & ~full, load, np.nan), age)

    def _correct(self, at: datetime, predicted: Prediction, arcs: Floats, age: Floats) -> None:
        """Let the demands' own corrections follow what links and probes count."""
        delivered, loss = self._of_demands(Metric.THROUGHPUT), np.nan_to_num(self._of_demands(Metric.LOSS))
        offered = np.where(loss <= _LOSSY, delivered / (1.0 - np.minimum(loss, _LOSSY)), np.nan)
        demands = self._declared.topology.demands
        probe_age = np.array([self._readings.age_s(demand, Metric.THROUGHPUT) for demand in demands], np.float64)
        look = Look(at=at, arcs=arcs, arc_age=age, probes=offered, probe_age=probe_age)
        if self._beliefs.look(look, predicted.routing, self._as_declared() * self._by_region()):
            self._snapshot = None


def _origins(declared: Snapshot) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    """Return the region that each demand starts in, aligned with the topology, and all of these regions."""
    region = {node.id: node.region for node in declared.inventory.nodes}
    origin = {demand.id: region[demand.source] for demand in declared.inventory.demands}
    return np.array([origin[demand] for demand in declared.topology.demands], np.str_), tuple(
        sorted(set(origin.values()))
    )


def _covered(load: Floats, seen: Flags) -> bool:
    return bool(load[seen].sum() > _ENOUGH * load.sum())


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(passed, passed[-1] / 2)]])


def _configuration(element: str, attribute: str, value: str, nodes: Container[str]) -> Change:
    try:
        match attribute:
            case "administrative":
                return SetAdministrative(element=element, state=Administrative(value))
            case "metric":
                return SetMetric(link=element, metric=int(value))
            case "via":
                via, share = policy_of(value, nodes)
                return SetVia(demand=element, via=via, share=share)
    except ValueError as error:
        raise BadInput(f"`{value[:80]}` is no `{attribute}` that `{element[:80]}` can have; correct it") from error
    raise BadInput(f"`{attribute[:80]}` is no configured attribute; use `administrative`, `metric` or `via`")
