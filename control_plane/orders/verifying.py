"""Does a new circuit carry what was ordered, and is nobody worse off? Does one that was taken away carry nothing?

The device must show the change, fresh telemetry must say that the promise is kept, sample after sample, and what shares
a link with the circuit must lose no more than before, or than it was promised. What cannot be seen in time is not
there: the inverse runs, and the order has failed, with the reason.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from control_plane.executor import Matter, settle
from control_plane.relevance import read_state
from control_plane.road import Road
from control_plane.verification import effect, undo
from domain.actions import ActivateCircuit, DeactivateCircuit
from domain.execution import Check, Outcome
from domain.incidents import Resolution
from domain.measurements import Metric
from domain.network import Administrative
from twin.evaluate import evaluate
from twin.graph import demand_paths

#: So many samples in a row must say so.
_SAMPLES = 2
#: Probes of loss are off by this share; a demand loses no more than before when it loses less than that in addition.
_NOISE, _WORSE = 0.002, 0.01
#: How far back others are looked at, in sampling periods: before the plan, and now.
_BEFORE, _RECENT = 10, 3


def verify(road: Road, matter: Matter) -> float | None:
    """Measure; settle when the answer is clear, undo when it is not in time. Returns seconds to come back in."""
    steps = [step for step in matter.proposal.plan.steps if isinstance(step, ActivateCircuit | DeactivateCircuit)]
    shown = effect(road, matter)
    if not shown.passed:
        undo(road, matter, (shown,), shown.detail)
        return None
    _believe(road, steps)
    now, acted_at = road.clock.now(), matter.execution.acted_at or matter.execution.started_at
    checks = (shown, *(_carries(road, step, acted_at) for step in steps), _others(road, steps, matter))
    steady = now - acted_at >= timedelta(seconds=road.settings.steady_s)
    if steady and all(check.passed for check in checks):
        because = "; ".join(check.detail for check in checks[1:])
        outcome = Outcome(resolution=Resolution.RESTORED, checks=checks, because=because, measured_at=now)
        settle(road, matter.execution, outcome)
        return None
    if matter.execution.verify_by is not None and now >= matter.execution.verify_by:
        undo(road, matter, checks, "; ".join(check.detail for check in checks if not check.passed))
        return None
    return road.live.period_s


def _believe(road: Road, steps: Iterable[ActivateCircuit | DeactivateCircuit]) -> None:
    """Let the twin know what the devices show of the circuits, before they say so themselves."""
    for step in steps:
        shown = read_state(road.hands_for(step), step.target, step.absent)
        for attribute in ("administrative", "via"):
            if attribute in shown:
                road.live.twin.configured(step.target, attribute, shown[attribute], road.clock.now())


def _carries(road: Road, step: ActivateCircuit | DeactivateCircuit, acted_at: datetime) -> Check:
    """Say whether a circuit does what it should, by the samples since it was acted on."""
    metrics = (Metric.THROUGHPUT, Metric.LOSS, Metric.DELAY)
    since = acted_at + timedelta(seconds=road.live.period_s)
    seen = road.live.history.series([(step.target, metric) for metric in metrics], *_span(since, road.clock.now()))
    if isinstance(step, DeactivateCircuit):
        return _idle(step.target, seen[-_SAMPLES:, 0])
    told = seen[~np.isnan(seen).any(axis=1)][-_SAMPLES:]
    silent = any(road.live.observed(step.target, metric) is None for metric in metrics)
    if len(told) < _SAMPLES or silent:
        return Check(name="carries", passed=False, detail=f"nobody measures yet what {step.target} carries")
    mbps, loss, delay = float(told[:, 0].min()), float(told[:, 1].max()), float(told[:, 2].max())
    kept = mbps > 0 and loss <= step.max_loss + _NOISE and delay <= step.max_delay_ms
    detail = (
        f"{step.target} carries {mbps:.3g} of {step.mbps:g} Mbit/s, loses {loss:.2%} (promised {step.max_loss:.2%}) "
        f"and takes {delay:.2f} ms (promised {step.max_delay_ms:g})"
    )
    return Check(name="carries", passed=kept, detail=detail)


def _idle(circuit: str, mbps: NDArray[np.float64]) -> Check:
    """Say whether a circuit that its device shows locked is quiet: nobody has to probe what is out of service."""
    if np.isnan(mbps).all():
        return Check(name="carries", passed=True, detail=f"{circuit} is locked, and nobody measures traffic on it")
    flows = bool(np.nan_to_num(mbps).any())
    said = "still carries traffic" if flows else "carries nothing"
    return Check(name="carries", passed=not flows, detail=f"{circuit} {said}")


def _others(road: Road, steps: Sequence[ActivateCircuit | DeactivateCircuit], matter: Matter) -> Check:
    """Say whether what shares a link with the circuits loses no more than before, or than it was promised."""
    beside = _beside(road, {step.target for step in steps})
    began, now = matter.execution.started_at, road.clock.now()
    pairs = [(name, Metric.LOSS) for name in beside]
    history, period = road.live.history, timedelta(seconds=road.live.period_s)
    was = _mean(history.series(pairs, began - _BEFORE * period, began))
    lost = _mean(history.series(pairs, now - _RECENT * period, now))
    topology = road.live.snapshot().topology
    promised = np.array([topology.max_loss[topology.demand_at[name]] for name in beside])
    worse = np.flatnonzero(lost > np.fmax(promised, was) + _WORSE)
    if len(worse):
        name, share = beside[int(worse[0])], float(lost[worse[0]])
        return Check(name="others", passed=False, detail=f"{name} loses {share:.1%}, more than before")
    mute = np.isnan(lost)
    if len(gone := np.flatnonzero(mute & ~np.isnan(was))):
        said = f"{beside[int(gone[0])]} was measured before, and nobody measures it now"
        return Check(name="others", passed=False, detail=said)
    return Check(name="others", passed=True, detail=_told(int((~mute).sum()), int(mute.sum())))


def _told(measured: int, mute: int) -> str:
    """Say of how many others it is known that they are no worse off."""
    if not measured:
        return f"nobody measures the {mute} others on its links" if mute else "nobody else is on its links"
    unknown = f", and nobody measures {mute} more" if mute else ""
    return f"{measured} others on its links lose no more than before{unknown}"


def _beside(road: Road, circuits: set[str]) -> list[str]:
    """Return the demands in service, sorted, that share a link with the circuits in the present state of the twin."""
    snapshot = road.live.snapshot()
    paths: dict[str, dict[str, bool]] | None = snapshot.memo.get("paths")
    if paths is None:
        paths = snapshot.memo["paths"] = demand_paths(evaluate(snapshot))
    mine = {element for name in circuits for element in paths.get(name, ())} & set(snapshot.topology.links)
    beside = sorted(name for name, path in paths.items() if name not in circuits and not mine.isdisjoint(path))
    return [name for name in beside if snapshot.value(name, "administrative") != Administrative.LOCKED]


def _span(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    return min(since, until), until


def _mean(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean per column of what is known, shape (columns,); NaN where nothing is."""
    known = (~np.isnan(samples)).sum(axis=0)
    return np.where(known > 0, np.nan_to_num(samples).sum(axis=0) / np.maximum(known, 1), np.nan)
