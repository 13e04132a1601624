"""Did it help to let another version serve? Asked of the version that the slot really serves, on the recorded cases.

What the slot serves is read back, and that version is asked again. A version that does no better than the one before
goes back at once, by its inverse. The cases are those of the trial and what became known since, so `restored` says
that the better version serves, not yet that it does well on new incidents: those are watched by the drift agent, as
for every version, and what served before stays at hand.
"""

from control_plane.executor import Matter, settle
from control_plane.monitoring import watch
from control_plane.relevance import read_state
from control_plane.road import Road
from control_plane.trials import RecordedTrials
from control_plane.verification import effect, undo
from domain.actions import SwitchModel
from domain.errors import NocturneError
from domain.execution import Check, Outcome
from domain.incidents import Resolution
from lifecycle.trials import told


def verify(road: Road, matter: Matter) -> float | None:
    """Measure; settle or undo. Returns seconds until it is worth measuring again, or None."""
    step = matter.proposal.plan.steps[0]
    assert isinstance(step, SwitchModel)  # the rehearsal let nothing else through that is to recover something
    watch(road, step.target)  # the agent looks at what serves now, and clears what it said of what served before
    checks = (effect(road, matter), _errs_less(road, step), _alarms(road, matter))
    now, execution = road.clock.now(), matter.execution
    failed = [check for check in checks if not check.passed]
    if not failed:
        because = f"the slot serves `{step.version}`: {checks[1].detail}"
        settle(
            road, execution, Outcome(resolution=Resolution.RESTORED, checks=checks, because=because, measured_at=now)
        )
        return None
    only_alarms = [check.name for check in failed] == ["alarms"]
    if only_alarms and execution.verify_by is not None and now < execution.verify_by:
        return 1.0
    undo(road, matter, checks, "; ".join(check.detail for check in failed))
    return None


def _errs_less(road: Road, step: SwitchModel) -> Check:
    """Ask what is served now, and what was before, the recorded cases once more."""
    models = road.known_models()
    serves = read_state(models.slots, step.target).get("version", "")
    try:
        found = RecordedTrials(road.ledger, models.rankers).trial(step.target, step.previous, serves)
    except NocturneError as error:
        return Check(name="errs_less", passed=False, detail=f"what the slot serves cannot be asked: {error.reason}")
    passed = serves == step.version and found.candidate_errors < found.serving_errors
    return Check(name="errs_less", passed=passed, detail=told(found))


def _alarms(road: Road, matter: Matter) -> Check:
    incident_id = matter.execution.incident_id
    standing = road.ledger.read(lambda tables: tables.alarms.find(incident_id=incident_id, cleared=False))
    detail = f"{len(standing)} still standing" if standing else "all cleared"
    return Check(name="alarms", passed=not standing, detail=detail)
