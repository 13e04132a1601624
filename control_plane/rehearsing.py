"""The rehearsal of a proposal: the twin under each hypothesis of its diagnosis."""

from collections.abc import Iterable

from control_plane.road import Road
from domain.actions import RetireModel, SetAutonomy, SwitchModel, TrainModel
from domain.changes import Change, SetOperational
from domain.diagnosis import Diagnosis
from domain.errors import BadInput, NotFound
from domain.network import Operational
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
        hypotheses=hypotheses_of(diagnosis),
        observed=road.live.observed,
        twin_error=road.live.twin.fidelity(),
        self_heal=self_heal(road, diagnosis),
        now=road.clock.now(),
        new_id=road.id,
    ).but(seen_down=road.live.twin.down(), fidelity=road.live.fidelity())


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
    if any(isinstance(step, TrainModel | RetireModel | SwitchModel) for step in plan.steps):
        raise BadInput("this incident is about the network, and a step of the plan is about a model; leave it out")


def self_heal(road: Road, diagnosis: Diagnosis) -> float:
    """Return the chance that the diagnosed fault heals by itself while a plan is verified."""
    return road.past.self_heal(diagnosis.top.fault) if diagnosis.top else 0.0
