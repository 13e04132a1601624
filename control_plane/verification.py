"""Did it work, and was it us? The device's word is not enough, and neither is a recovery.

An action is credited when the device's own state shows the change, the symptoms were still there when it
was made, they went away soon after it, telemetry says so freshly, and the do-nothing forecast did not
promise the same. Recovery without that is `not_ours`; no recovery runs the inverse.

A plan that only leads traffic around trouble mends nothing: what the drained link says of itself does not count for
or against it, and detours are held against what the service promises, not against the habits of the old way.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from control_plane.autonomy import realised
from control_plane.executor import Matter, settle
from control_plane.gathering import ONSET_SLACK
from control_plane.ports import Written
from control_plane.relevance import read_state
from control_plane.road import Road
from control_plane.tables import Tables
from domain.actions import ActionClass
from domain.alarms import Alarm
from domain.evidence import EvidenceKind
from domain.execution import Check, Execution, ExecutionState, Outcome, Step, StepState
from domain.gate import RightKind
from domain.incidents import Resolution
from domain.measurements import METRICS, Metric
from domain.observations import Anomaly, Picture
from domain.records import Entry

#: A deviation beyond this robust z is still trouble.
_TROUBLE_Z = 6.0
#: Above this chance of healing by itself, a recovery proves nothing about us.
_SELF_HEAL_LIMIT = 0.5
#: Readings of loss are believed to this share.
_NOISE = 0.01


def verify(road: Road, matter: Matter) -> float | None:
    """Measure; settle when the answer is clear. Returns seconds until it is worth measuring again, or None."""
    execution = matter.execution
    checks = measure(road, matter)
    recovered = all(check.passed for check in checks if check.name in {"alarms", "kpis"})
    credited = all(check.passed for check in checks)
    now = road.clock.now()
    if recovered and _steady(road, matter, now):
        realised.score(road, matter, recovered=True)
        _settle_recovered(road, execution, checks, credited=credited)
        return None
    if execution.verify_by is not None and now >= execution.verify_by:
        realised.score(road, matter)
        _give_up(road, matter, checks)
        return None
    return road.live.period_s


def measure(road: Road, matter: Matter) -> tuple[Check, ...]:
    """Return what can be seen now: effect, alarms, KPIs, timing, and the forecast for doing nothing."""
    alarms = _counted(road, matter)
    return (
        effect(road, matter),
        _alarms(alarms),
        _kpis(road, matter, alarms),
        _timing(road, matter, alarms),
        _forecast(road, matter),
    )


def _counted(road: Road, matter: Matter) -> list[Alarm]:
    """Return the incident's alarms but for those of what the plan takes out of use without mending it."""
    drained = _drained(road, matter)
    alarms = road.ledger.read(lambda tables: tables.alarms.find(incident_id=matter.execution.incident_id))
    return [alarm for alarm in alarms if alarm.resource not in drained]


def _drained(road: Road, matter: Matter) -> frozenset[str]:
    """Return the links that the plan drains and sends nobody to, with both ends of each."""
    steps = matter.proposal.plan.steps
    drained = {step.target for step in steps if step.kind is ActionClass.DRAIN_LINK}
    mended = {step.target for step in steps if step.kind is ActionClass.DISPATCH_CREW}
    links = (link for link in road.live.inventory.links if link.id in drained - mended)
    return frozenset(name for link in links for name in (link.id, link.source, link.destination))


def effect(road: Road, matter: Matter) -> Check:
    """Say whether every step shows on its device."""
    steps = [step for step in matter.steps.values() if step.kind is RightKind.STEP]
    silent = [step.action.target for step in steps if not _took_effect(road, step)]
    detail = f"no change can be read back on {', '.join(silent)}" if silent else "every change can be read back"
    return Check(name="effect", passed=bool(steps) and not silent, detail=detail)


def _took_effect(road: Road, step: Step) -> bool:
    """Say whether a step shows on its device; where that was not known when it was settled, look again."""
    if step.took_effect is not None:
        return step.took_effect
    if step.state is not StepState.DONE or not step.before:
        return False
    after = read_state(road.hands_for(step.action), step.action.target, step.action.absent)
    return step.action.took_effect(step.before, after)


def _alarms(alarms: Iterable[Alarm]) -> Check:
    standing = [alarm.resource for alarm in alarms if not alarm.cleared]
    detail = f"{len(standing)} still standing, first on {standing[0]}" if standing else "all cleared"
    return Check(name="alarms", passed=not standing, detail=detail)


def _kpis(road: Road, matter: Matter, alarms: Sequence[Alarm]) -> Check:
    """Fresh readings must be back in their usual band; silence, of an element or of what was ill, is not health."""
    picture = _picture(road, matter, alarms, road.clock.now())
    bad, unseen = _troubles(road, picture), [*sorted(picture.silent), *_unseen(road, matter, alarms)]
    if bad:
        worst = max(bad, key=lambda anomaly: anomaly.score)
        detail = f"{worst.metric} of {worst.element} is {worst.value:.4g}, usually {worst.usual:.4g}"
    else:
        seen = len(_watched(road, matter, alarms))
        detail = f"no fresh reading of {', '.join(unseen[:3])}" if unseen else f"{seen} elements as usual"
    return Check(name="kpis", passed=not bad and not unseen, detail=detail)


def _unseen(road: Road, matter: Matter, alarms: Sequence[Alarm]) -> list[str]:
    """Return what was ill during the incident and says nothing now: nobody knows that it is well."""
    watched = _watched(road, matter, alarms)
    incident_id = matter.execution.incident_id
    evidence = road.ledger.read(lambda tables: tables.evidence.find(incident_id=incident_id))
    ill = {(e.element, e.metric) for e in evidence if e.kind is EvidenceKind.MEASUREMENT and e.element in watched}
    return [f"{metric} of {element}" for element, metric in sorted(ill) if road.live.observed(element, metric) is None]


def _watched(road: Road, matter: Matter, alarms: Sequence[Alarm]) -> set[str]:
    """Return what spoke of the trouble, what the plan is to bring back, and what it touches or puts at risk."""
    rehearsed = {*matter.rehearsal.recovers, *matter.rehearsal.at_risk}
    touched = {step.target for step in matter.proposal.plan.steps}
    known = (rehearsed | touched) & road.live.elements
    return ({alarm.resource for alarm in alarms} | known) - _drained(road, matter)


def _picture(road: Road, matter: Matter, alarms: Sequence[Alarm], at: datetime) -> Picture:
    """Return telemetry of the watched elements at a moment, against what was usual before the incident."""
    incident = road.ledger.read(lambda tables: tables.incidents.get(matter.execution.incident_id))
    began = incident.opened_at if incident else matter.execution.started_at
    return road.live.picture(at, sorted(_watched(road, matter, alarms)), onset=began - ONSET_SLACK)


def _troubles(road: Road, picture: Picture) -> list[Anomaly]:
    return [
        anomaly for anomaly in picture.anomalies if anomaly.score > _TROUBLE_Z and not _within_promise(road, anomaly)
    ]


def _within_promise(road: Road, anomaly: Anomaly) -> bool:
    """Say whether something unusual harms nobody: a repair may leave traffic on another way than before.

    A longer way is fine within the slice's bound (one that the usual way did not keep promises nothing), a fuller
    link is fine below its capacity, a demand may ask for less, and a young process is what a restart looks like: loss,
    adjacency and the throughput of cells tell whether it serves.
    """
    match anomaly.metric:
        case Metric.PROCESS_UPTIME | Metric.CPU:
            return True
        case Metric.UTILISATION:
            return anomaly.value < 1.0
        case Metric.DELAY:
            bound = road.live.promised_delay_ms.get(anomaly.element, 0.0)
            return anomaly.value <= bound or 0.0 < bound < anomaly.usual
        case Metric.THROUGHPUT if anomaly.element in road.live.promised_delay_ms:
            return True
        case _:
            return METRICS[anomaly.metric].bad == 0


def _timing(road: Road, matter: Matter, alarms: Sequence[Alarm]) -> Check:
    """The symptoms were there when we acted, and went soon after: neither before us nor long after."""
    acted = _acted(road, matter)
    if acted is None:
        return Check(name="timing", passed=False, detail="no step has had its effect yet")
    first_act, last_effect = acted
    latest = last_effect + timedelta(seconds=road.settings.reaction_s + road.live.period_s)
    said = _kpi_timing if not alarms else _alarm_timing
    wrong = said(road, matter, alarms, first_act, latest)
    return Check(name="timing", passed=not wrong, detail=wrong or "the symptoms went right after our effect")


def _acted(road: Road, matter: Matter) -> tuple[datetime, datetime] | None:
    """Return when our first and our last effect began; people have theirs when they arrive, not when they are sent."""
    steps = [step for step in matter.steps.values() if step.kind is RightKind.STEP]
    if not steps or any(step.settled_at is None for step in steps):
        return None
    began, ended = [], []
    for step in steps:
        arrived = read_state(road.hands_for(step.action), step.action.target).get("crew_arrived_at")
        if step.action.by_people and arrived is None:
            return None
        moment = datetime.fromisoformat(arrived) if step.action.by_people and arrived else None
        began.append(moment or step.intended_at)
        ended.append(moment or step.settled_at or step.intended_at)
    return min(began), max(ended)


def _alarm_timing(road: Road, _matter: Matter, alarms: Sequence[Alarm], first_act: datetime, latest: datetime) -> str:
    """Return what is wrong with when the alarms cleared, or nothing."""
    cleared = [alarm.cleared_time for alarm in alarms if alarm.cleared_time is not None]
    if not cleared:
        return "nothing has cleared yet"
    before = [at for at in cleared if at < first_act - timedelta(seconds=road.live.period_s)]
    if len(before) * 2 > len(cleared):
        return f"{len(before)} of {len(cleared)} had cleared before we acted"
    late_s = (max(cleared) - latest).total_seconds()
    return f"the last symptom went {late_s:.1f} s too late for our effect" if late_s > 0 else ""


def _kpi_timing(road: Road, matter: Matter, alarms: Sequence[Alarm], first_act: datetime, latest: datetime) -> str:
    """The same where every alarm is of what was taken out of use: then only the traffic tells."""
    if not _troubles(road, _picture(road, matter, alarms, first_act)):
        return "traffic was as usual before we acted"
    if _troubles(road, _picture(road, matter, alarms, min(latest, road.clock.now()))):
        return "traffic did not recover right after our effect"
    return ""


def _forecast(road: Road, matter: Matter) -> Check:
    """What is measured must be better than what doing nothing was forecast to bring by now."""
    nothing, chance = matter.rehearsal.nothing.expected, matter.rehearsal.self_heal
    offered = {demand.id: demand.mbps for demand in road.live.inventory.demands if demand.id in nothing.demands_hit}
    losses = {id: road.live.observed(id, Metric.LOSS) for id in offered}
    unknown = [id for id, loss in losses.items() if loss is None]
    lost = sum(offered[id] * float(loss) for id, loss in losses.items() if loss is not None)
    down = [e for e in nothing.unavailable if road.live.observed(e, Metric.OPER_UP) == "0"]
    no_worse = lost <= nothing.lost_mbps + _NOISE * sum(offered.values()) and len(down) <= len(nothing.unavailable)
    gained = lost < nothing.lost_mbps or len(down) < len(nothing.unavailable)
    better = no_worse and (gained or not (nothing.lost_mbps or nothing.unavailable)) and not unknown
    detail = (
        f"{lost:.0f} Mbit/s lost and {len(down)} down, doing nothing was forecast to leave {nothing.lost_mbps:.0f} and "
        f"{len(nothing.unavailable)}, with a chance of {chance:.0%} to heal in this time"
    )
    detail = f"nobody knows what {', '.join(unknown[:3])} loses" if unknown else detail
    return Check(name="better_than_nothing", passed=better and chance < _SELF_HEAL_LIMIT, detail=detail)


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


def _blind(road: Road, matter: Matter) -> bool:
    """Say whether what should tell says nothing, and what tells is well: undoing then could break what was mended."""
    alarms = _counted(road, matter)
    picture = _picture(road, matter, alarms, road.clock.now())
    return not _troubles(road, picture) and bool(picture.silent or _unseen(road, matter, alarms))


def _give_up(road: Road, matter: Matter, checks: tuple[Check, ...]) -> None:
    """Time is over and the network has not recovered: undo what took effect (`executor.advance` does it)."""
    execution = matter.execution
    missing = "; ".join(check.detail for check in checks if not check.passed)
    if _blind(road, matter):
        because = f"nobody can see whether it recovered, so nothing is undone; a person decides: {missing}"
        now = road.clock.now()
        outcome = Outcome(resolution=Resolution.UNRESOLVED, checks=checks, because=because, measured_at=now)
        settle(road, execution, outcome)
        return
    waited_s = (road.clock.now() - (execution.acted_at or execution.started_at)).total_seconds()
    undo(road, matter, checks, f"no recovery within {waited_s:.0f} s: {missing}")


def undo(road: Road, matter: Matter, checks: tuple[Check, ...], because: str) -> None:
    """Have the executor undo what took effect."""
    execution = matter.execution
    something = any(step.state is StepState.DONE and step.took_effect is not False for step in matter.steps.values())

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
            tenant=matter.proposal.tenant,
            residency=matter.proposal.region,
            fields={
                "because": because,
                "checks": [check.model_dump(mode="json") for check in checks],
                "undo": something,
            },
        )
        return Written(None, (entry,), (road.wake(execution.incident_id),))

    road.ledger.do(change)
