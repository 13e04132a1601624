"""The rehearsal of a proposal: the twin under each hypothesis of its diagnosis."""

from collections.abc import Iterable
from typing import Any

from control_plane.gathering import ONSET_SLACK
from control_plane.replay.tape import heard
from control_plane.road import Road
from control_plane.suffering import suffering_now
from domain.actions import (
    ActionClass,
    ActivateCircuit,
    DeactivateCircuit,
    RetireModel,
    SetAutonomy,
    SwitchModel,
    TrainModel,
)
from domain.blast import BlastRadius
from domain.changes import Change, SetOperational
from domain.diagnosis import Diagnosis
from domain.errors import BadInput, NotFound
from domain.network import Operational
from domain.proposals import Plan, Proposal
from domain.rehearsal import Rehearsal
from twin.blast.calibration import Correction, is_sure
from twin.blast.classes import class_of
from twin.blast.recovery import Recovery, prior, recovery_of
from twin.blast.spread import Suffering
from twin.rehearsal import rehearse
from twin.snapshot import Snapshot
from twin.steps import check_steps, run

#: Candidates below this confidence do not get a run of their own; their mass counts as "something else".
_LEAST_CONFIDENCE = 0.03


def rehearsal_of(road: Road, proposal: Proposal, snapshot: Snapshot) -> Rehearsal:
    """Rehearse a proposal's plan, its inverse and doing nothing on `snapshot`.

    Raises:
        BadInput: the plan names what is not there, or does to a thing what cannot be done to it.
        NotFound: the proposal's diagnosis is not stored.
    """
    _refuse_models(proposal.plan)
    diagnosis = road.ledger.read(lambda tables: tables.diagnoses.get(proposal.diagnosis_id))
    if diagnosis is None:
        raise NotFound(f"the diagnosis of proposal `{proposal.id}` is not stored")
    action_class = class_of(proposal.plan)
    made = rehearse(
        proposal_id=proposal.id,
        plan=proposal.plan,
        snapshot=snapshot,
        hypotheses=hypotheses_of(diagnosis),
        observed=road.live.observed,
        twin_error=road.live.twin.fidelity(),
        self_heal=self_heal(road, diagnosis),
        now=road.clock.now(),
        new_id=road.id,
        recovery=expected_recovery(road, action_class),
        seen=_seen(road, proposal.incident_id),
    )
    blast = made.blast if made.blast is None or not made.sound else _calibrated(road, made.blast, action_class)
    return made.but(seen_down=road.live.twin.down(), fidelity=road.live.fidelity(), blast=blast)


def expected_recovery(road: Road, action_class: ActionClass) -> Recovery:
    """Return how long a plan of this class takes: by this house's own earlier plans, else by its settings."""
    settings = heard("times", lambda: _times(road))
    otherwise = prior(action_class, reaction_s=settings[0], period_s=settings[1], crew_s=settings[2])
    return recovery_of(road.past.recovery(action_class), otherwise)


def _times(road: Road) -> tuple[float, float, float]:
    """Return the times that the prior follows from; they are the house's of then when a rehearsal is made again."""
    return road.settings.reaction_s, road.live.period_s, road.settings.crew_s


def _seen(road: Road, incident_id: str) -> Suffering | None:
    """Return what telemetry says suffers now; None when it says nothing."""

    def ask() -> tuple[float, ...] | None:
        incident = road.ledger.read(lambda tables: tables.incidents.get(incident_id))
        onset = (incident.opened_at if incident else road.clock.now()) - ONSET_SLACK
        now = suffering_now(road.live, onset)
        return tuple(now.counted()) if now.seen else None

    found = heard("suffering", ask)
    return None if found is None else Suffering(*found)


def _calibrated(road: Road, raw: BlastRadius, action_class: ActionClass) -> BlastRadius:
    """Return the spans as the calibration in force corrects them; which that was is on the tape.

    For sound plans only: calibration knows how those end that are carried out.
    """

    def ask() -> dict[str, Any] | None:
        found = road.calibration.of(action_class, sure=is_sure(raw))
        return None if found is None else found.model_dump(mode="json")

    correction = heard("calibration", ask)
    return raw if correction is None else Correction.model_validate(correction).apply(raw)


def hypotheses_of(diagnosis: Diagnosis) -> list[tuple[float, tuple[Change, ...]]]:
    """Return (probability, overlay) of the causes that get a run of their own, as they are ranked."""
    return [(c.confidence, c.hypothesis) for c in diagnosis.causes if c.confidence >= _LEAST_CONFIDENCE]


def since_then(snapshot: Snapshot, granted: Rehearsal, down: Iterable[str]) -> Snapshot:
    """Return the network as believed, without what has gone down since a rehearsal and was not expected to.

    What a fault is believed to break is down in its rehearsal anyway; anything else that stops working later is news,
    and a plan may not rest on it.
    """
    known = {*granted.seen_down, *granted.nothing.expected.unavailable}
    news = sorted(set(down) - known)
    return snapshot.with_changes([SetOperational(element=name, state=Operational.DISABLED) for name in news])


def check(road: Road, plan: Plan) -> None:
    """Refuse a plan that could never be rehearsed. Raises BadInput."""
    _refuse_models(plan)
    snapshot = road.live.snapshot()
    check_steps(snapshot, plan)
    run(snapshot, plan.steps)


def _refuse_models(plan: Plan) -> None:
    if any(isinstance(step, SetAutonomy) for step in plan.steps):
        raise BadInput("this incident is about the network, and a step of the plan sets a level of autonomy; drop it")
    if any(isinstance(step, ActivateCircuit | DeactivateCircuit) for step in plan.steps):
        raise BadInput("a circuit is activated or taken out of service by an order; see `nocturne order --help`")
    if any(isinstance(step, TrainModel | RetireModel | SwitchModel) for step in plan.steps):
        raise BadInput("this incident is about the network, and a step of the plan is about a model; leave it out")


def self_heal(road: Road, diagnosis: Diagnosis) -> float:
    """Return the chance that the diagnosed fault heals by itself while a plan is verified."""
    return road.past.self_heal(diagnosis.top.fault) if diagnosis.top else 0.0
