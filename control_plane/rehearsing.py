"""The rehearsal of a proposal: the twin under each hypothesis of its diagnosis."""

from control_plane.road import Road
from domain.actions import RetireModel, SwitchModel, TrainModel
from domain.diagnosis import Diagnosis
from domain.errors import BadInput, NotFound
from domain.proposals import Plan, Proposal
from domain.rehearsal import Rehearsal
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
    return rehearse(
        proposal_id=proposal.id,
        plan=proposal.plan,
        snapshot=snapshot,
        hypotheses=[(c.confidence, c.hypothesis) for c in diagnosis.causes if c.confidence >= _LEAST_CONFIDENCE],
        observed=road.live.observed,
        twin_error=road.live.twin.fidelity(),
        self_heal=self_heal(road, diagnosis),
        now=road.clock.now(),
        new_id=road.id,
    )


def check(road: Road, plan: Plan) -> None:
    """Refuse a plan that could never be rehearsed. Raises BadInput."""
    _refuse_models(plan)
    snapshot = road.live.snapshot()
    check_steps(snapshot, plan)
    run(snapshot, plan.steps)


def _refuse_models(plan: Plan) -> None:
    if any(isinstance(step, TrainModel | RetireModel | SwitchModel) for step in plan.steps):
        raise BadInput("this incident is about the network, and a step of the plan is about a model; leave it out")


def self_heal(road: Road, diagnosis: Diagnosis) -> float:
    """Return the chance that the diagnosed fault heals by itself while a plan is verified."""
    return road.past.self_heal(diagnosis.top.fault) if diagnosis.top else 0.0
