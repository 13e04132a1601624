"""Did it work, and was it us? The device's word is not enough, and neither is a recovery.

An action is credited when the device's own state shows the change, the symptoms were still there when it
was made, they went away soon after it, telemetry says so freshly, and the do-nothing forecast did not
promise the same. Recovery without that is `not_ours`; no recovery runs the inverse.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from control_plane.executor import Matter, settle
from control_plane.gathering import ONSET_SLACK
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Tables
from domain.alarms import Alarm
from domain.execution import Check, Execution, ExecutionState, Outcome, StepState
from domain.gate import RightKind
from domain.incidents import Resolution
from domain.measurements import METRICS
from domain.records import Entry

#: A deviation beyond this robust z is still trouble.
_TROUBLE_Z = 6.0
#: Above this chance of healing by itself, a recovery proves nothing about us.
_SELF_HEAL_LIMIT = 0.5


def verify(road: Road, matter: Matter) -> float | None:
    """Measure; settle when the answer is clear. Returns seconds until it is worth measuring again, or None."""
    execution = matter.execution
    if not matter.rehearsal.recovers:
        _settle_by_read_back(road, matter)
        return None
    checks = measure(road, matter)
    recovered = all(check.passed for check in checks if check.name in {"alarms", "kpis"})
    credited = all(check.passed for check in checks)
    now = road.clock.now()
    if recovered and _steady(road, matter, now):
        _settle_recovered(road, execution, checks, credited=credited)
        return None
    if execution.verify_by is not None and now >= execution.verify_by:
        _give_up(road, matter, checks)
        return None
    return road.live.period_s


def measure(road: Road, matter: Matter) -> tuple[Check, ...]:
    """Return what can be seen now: effect, alarms, KPIs, timing, and the forecast for doing nothing."""
    alarms = road.ledger.read(lambda tables: tables.alarms.find(incident_id=matter.execution.incident_id))
    return (
        _effect(matter),
        _alarms(alarms),
        _kpis(road, matter, alarms),
        _timing(road, matter, alarms),
        _forecast(matter),
    )


def _effect(matter: Matter) -> Check:
    steps = [step for step in matter.steps.values() if step.kind is RightKind.STEP]
    silent = [step.action.target for step in steps if not step.took_effect]
    detail = f"no change can be read back on {', '.join(silent)}" if silent else "every change can be read back"
    return Check(name="effect", passed=bool(steps) and not silent, detail=detail)


def _alarms(alarms: Iterable[Alarm]) -> Check:
    standing = [alarm.resource for alarm in alarms if not alarm.cleared]
    detail = f"{len(standing)} still standing, first on {standing[0]}" if standing else "all cleared"
    return Check(name="alarms", passed=not standing, detail=detail)


def _kpis(road: Road, matter: Matter, alarms: Sequence[Alarm]) -> Check:
    """Fresh readings must be back in their usual band; silence is not health."""
    watched = {alarm.resource for alarm in alarms} | {
        element for element in matter.rehearsal.recovers if element in road.live.elements
    }
    onset = min((alarm.event_time for alarm in alarms), default=matter.execution.started_at) - ONSET_SLACK
    picture = road.live.picture(road.clock.now(), sorted(watched), onset=onset)
    bad = [
        a for a in picture.anomalies if a.score > _TROUBLE_Z and METRICS[a.metric].bad and not _restart_only(a.metric)
    ]
    silent = sorted(picture.silent & watched)
    if bad:
        worst = max(bad, key=lambda anomaly: anomaly.score)
        detail = f"{worst.metric} of {worst.element} is {worst.value:.4g}, usually {worst.usual:.4g}"
    else:
        detail = f"no fresh reading from {', '.join(silent[:3])}" if silent else f"{len(watched)} elements as usual"
    return Check(name="kpis", passed=not bad and not silent, detail=detail)


def _restart_only(metric: str) -> bool:
    """A young process is what a restart looks like, not trouble; adjacency and traffic tell whether it serves."""
    return metric == "process_uptime"


def _timing(road: Road, matter: Matter, alarms: Iterable[Alarm]) -> Check:
    """The symptoms were there when we acted, and went soon after: neither before us nor long after."""
    sent = [step.intended_at for step in matter.steps.values() if step.kind is RightKind.STEP]
    settled = [step.settled_at for step in matter.steps.values() if step.settled_at and step.kind is RightKind.STEP]
    cleared = [alarm.cleared_time for alarm in alarms if alarm.cleared_time is not None]
    if not sent or not settled or not cleared:
        return Check(name="timing", passed=False, detail="nothing has cleared yet")
    slack = timedelta(seconds=road.live.period_s)
    last_clear, first_act = max(cleared), min(sent)
    if last_clear < first_act - slack:
        return Check(name="timing", passed=False, detail="everything had cleared before we acted")
    by_people = any(step.by_people for step in matter.proposal.plan.steps)
    reaction_s = road.settings.crew_s if by_people else road.settings.reaction_s
    latest = max(settled) + timedelta(seconds=reaction_s) + slack
    if last_clear > latest:
        late_s = (last_clear - max(settled)).total_seconds()
        return Check(name="timing", passed=False, detail=f"the last symptom went {late_s:.1f} s after our effect")
    return Check(name="timing", passed=True, detail="the symptoms went right after our effect")


def _forecast(matter: Matter) -> Check:
    """Doing nothing must have been forecast to be worse than what the plan brought."""
    chance = matter.rehearsal.self_heal
    detail = f"doing nothing was given {chance:.0%} to heal in this time"
    return Check(name="better_than_nothing", passed=chance < _SELF_HEAL_LIMIT, detail=detail)


def _steady(road: Road, matter: Matter, now: datetime) -> bool:
    """Recovery counts once no alarm of the incident has moved for a while."""
    alarms = road.ledger.read(lambda tables: tables.alarms.find(incident_id=matter.execution.incident_id))
    moves = [alarm.cleared_time or alarm.last_event_time for alarm in alarms]
    since = max([*moves, *([matter.execution.acted_at] if matter.execution.acted_at else [])], default=now)
    return now - since >= timedelta(seconds=road.settings.steady_s)


def _settle_recovered(road: Road, execution: Execution, checks: tuple[Check, ...], *, credited: bool) -> None:
    failed = [check.detail for check in checks if not check.passed]
    resolution = Resolution.RESTORED if credited else Resolution.NOT_OURS
    because = "the network recovered by this action" if credited else f"it recovered, not by us: {'; '.join(failed)}"
    outcome = Outcome(resolution=resolution, checks=checks, because=because, measured_at=road.clock.now())
    settle(road, execution, outcome)


def _settle_by_read_back(road: Road, matter: Matter) -> None:
    """A plan that was to recover nothing (a ticket) is done when what it wrote can be read back."""
    check = _effect(matter)
    resolution = Resolution.RESTORED if check.passed else Resolution.UNRESOLVED
    because = f"nothing in the network was to change; {check.detail}"
    outcome = Outcome(resolution=resolution, checks=(check,), because=because, measured_at=road.clock.now())
    settle(road, matter.execution, outcome)


def _give_up(road: Road, matter: Matter, checks: tuple[Check, ...]) -> None:
    """Time is over and the network has not recovered: undo what took effect (`executor.advance` does it)."""
    execution = matter.execution
    missing = "; ".join(check.detail for check in checks if not check.passed)
    because = f"no recovery within {road.settings.verify_s:g} s: {missing}"
    undo = any(step.state is StepState.DONE and step.took_effect is not False for step in matter.steps.values())

    def change(tables: Tables) -> Written[None]:
        if not tables.executions.swap(
            execution, execution.but(state=ExecutionState.COMPENSATING, note=because, checks=checks)
        ):
            return Written(None)
        entry = Entry(
            kind="verify.execution.failed",
            actor="plane",
            refs=(execution.id, execution.proposal_id, execution.incident_id),
            event_time=road.clock.now(),
            fields={"because": because, "checks": [check.model_dump(mode="json") for check in checks], "undo": undo},
        )
        return Written(None, (entry,), (road.wake(execution.incident_id),))

    road.ledger.do(change)
