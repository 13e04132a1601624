"""How a predicted blast radius turned out: each quantity as it was measured after the plan, and whether it held."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from control_plane.executor import Matter
from control_plane.road import Road
from control_plane.suffering import Sufferers
from domain.alarms import Alarm
from domain.blast import BlastRadius, BlastScore, Measured, Quantity
from domain.gate import RightKind
from domain.measurements import Metric
from domain.network import Administrative
from domain.rehearsal import Impact
from twin.blast.spread import CIRCUIT_LOSS

#: Readings of loss are believed to this share of what is offered.
NOISE = 0.01
#: Whether something was heard before a plan is looked up in so many sampling periods.
_BEFORE = 10


def scored(road: Road, matter: Matter, now: Sufferers, *, recovered: bool) -> BlastScore | None:
    """Return how the blast radius of a plan turned out; None where none was rehearsed.

    Counts are held against their spans as they are, lost traffic with the noise of what the hit demands offer, and the
    recovery with one sampling period, which is how late it is seen.
    """
    predicted = matter.rehearsal.blast
    if predicted is None:
        return None
    seen = now.counted()
    counts = (
        _entry(predicted, Quantity.CELLS, seen.cells),
        _entry(predicted, Quantity.CIRCUITS, seen.circuits),
        _entry(predicted, Quantity.CUSTOMERS, seen.customers),
        _entry(predicted, Quantity.LOST, seen.lost_mbps, NOISE * now.offered_mbps),
        _entry(predicted, Quantity.RECOVERY, _took_s(road, matter) if recovered else None, road.live.period_s),
    )
    return BlastScore(predicted=predicted, measured=tuple(entry for entry in counts if entry is not None))


def unseen(matter: Matter, now: Sufferers) -> list[str]:
    """Return the demands and cells that the rehearsal named and that say nothing now, sorted."""
    return sorted(named(matter) & now.unseen)


def gone_silent(road: Road, matter: Matter, now: Sufferers) -> list[str]:
    """Return what says nothing now and did before the plan, sorted: to count it as well would flatter the forecast.

    A circuit that is out of service is not probed, and is left out.
    """
    snapshot = road.live.snapshot()
    off = {name for name in road.live.circuits if snapshot.value(name, "administrative") == Administrative.LOCKED}
    silent = sorted(now.unseen - off)
    began, period = matter.execution.started_at, timedelta(seconds=road.live.period_s)
    said = [
        road.live.history.series([(name, metric) for name in silent], began - _BEFORE * period, began)
        for metric in (Metric.LOSS, Metric.OPER_UP, Metric.THROUGHPUT)
    ]
    heard = np.any([~np.isnan(samples).all(axis=0) for samples in said], axis=0)
    return [silent[place] for place in np.flatnonzero(heard)]


def named(matter: Matter) -> frozenset[str]:
    """Return the demands and cells that suffer in the rehearsal, with or without the plan."""
    return _suffering(matter.rehearsal.nothing.expected) | _suffering(matter.rehearsal.plan.expected)


def _suffering(impact: Impact) -> frozenset[str]:
    return frozenset((*impact.demands_hit, *impact.cells_down))


def _entry(predicted: BlastRadius, quantity: Quantity, seen: float | None, slack: float = 0.0) -> Measured | None:
    span = predicted.of(quantity)
    return None if span is None else Measured(quantity=quantity, seen=seen, inside=span.holds(seen, slack))


def _took_s(road: Road, matter: Matter) -> float:
    """Return the seconds from the first step's intent until nothing that the rehearsal named suffered any more."""
    began = min(
        (step.intended_at for step in matter.steps.values() if step.kind is RightKind.STEP),
        default=matter.execution.started_at,
    )
    ended = _last_ill(road, matter, began) or _last_cleared(road, matter) or matter.execution.acted_at or began
    return max(0.0, (ended - began).total_seconds())


def _last_ill(road: Road, matter: Matter, since: datetime) -> datetime | None:
    """Return the end of the last sample since then in which something named suffered; None when no sample shows it."""
    names, now = sorted(named(matter)), road.clock.now()
    if not names:
        return None
    lost = road.live.history.series([(name, Metric.LOSS) for name in names], since, now)
    up = road.live.history.series([(name, Metric.OPER_UP) for name in names], since, now)
    ill = np.flatnonzero(((lost > CIRCUIT_LOSS) | (up == 0.0)).any(axis=1))
    if not len(ill):
        return None
    ago = len(lost) - 1 - int(ill[-1])
    return now - timedelta(seconds=max(0, ago - 1) * road.live.period_s)


def _last_cleared(road: Road, matter: Matter) -> datetime | None:
    """Return when the last alarm of the incident cleared; None where none has."""
    incident_id = matter.execution.incident_id
    return _latest(road.ledger.read(lambda tables: tables.alarms.find(incident_id=incident_id)))


def _latest(alarms: Iterable[Alarm]) -> datetime | None:
    return max((alarm.cleared_time for alarm in alarms if alarm.cleared_time is not None), default=None)
