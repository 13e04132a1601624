"""Was the ranker right? A repair that restored the network proves a cause, and the opinion is held against it.

A cause counts as proven when a step of the repair acted on the very element that was diagnosed. Leading traffic
around trouble proves nothing. What was never repaired has no outcome: a model is judged on what was found out.
"""

from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.actions import ActionClass
from domain.execution import Execution
from domain.incidents import Resolution
from domain.models import ModelOutcome
from domain.proposals import Proposal
from domain.records import Entry

#: Steps that lead around trouble, and steps that concern no element of the network.
_PROVES_NOTHING = frozenset({ActionClass.DRAIN_LINK, ActionClass.UNDRAIN_LINK, ActionClass.STEER_DEMAND})


def asks(road: Road, tables: Tables, execution: Execution) -> tuple[Message, ...]:
    """Return the message that has a settled execution scored, where an opinion can be held against it."""
    return (message(road, "score", execution.id),) if _outcome(road, tables, execution) else ()


def score(road: Road, execution_id: str) -> None:
    """Keep the outcome of an execution's opinion; asked twice, it counts once. Then the slot is looked at."""

    def change(tables: Tables) -> Written[str | None]:
        execution = tables.executions.get(execution_id)
        outcome = _outcome(road, tables, execution) if execution else None
        if outcome is None or tables.model_outcomes.get(outcome.id):
            return Written(None)
        tables.model_outcomes.add(outcome)
        incident = tables.incidents.get(outcome.incident_id)
        assert incident is not None
        entry = Entry(
            kind="verify.model.scored",
            actor="plane",
            refs=(outcome.id, outcome.incident_id, outcome.diagnosis_id, outcome.version),
            event_time=outcome.known_time,
            tenant=incident.tenant,
            residency=incident.region,
            fields={name: getattr(outcome, name) for name in ("slot", "version", "predicted", "confirmed", "right")},
        )
        return Written(outcome.slot, (entry,), (message(road, "watch", outcome.slot),))

    if road.ledger.do(change):
        road.notice("scored", execution_id)


def message(road: Road, topic: str, ref: str) -> Message:
    """Return an outbox message of this moment."""
    return Message(id=road.id("msg"), topic=topic, ref=ref, due_at=road.clock.now())


def _outcome(road: Road, tables: Tables, execution: Execution) -> ModelOutcome | None:
    """Return what the execution says of its diagnosis' opinion, or None when it says nothing."""
    proposal = tables.proposals.get(execution.proposal_id)
    diagnosis = tables.diagnoses.get(proposal.diagnosis_id) if proposal else None
    if proposal is None or diagnosis is None or diagnosis.opinion is None or not diagnosis.opinion.ranked:
        return None
    restored = execution.outcome is not None and execution.outcome.resolution is Resolution.RESTORED
    confirmed = proven(proposal) if restored else ""
    if not confirmed:
        return None
    predicted = diagnosis.opinion.ranked[0]
    return ModelOutcome(
        id=execution.id,
        slot=diagnosis.opinion.slot,
        version=diagnosis.opinion.version,
        incident_id=execution.incident_id,
        diagnosis_id=diagnosis.id,
        predicted=predicted,
        confirmed=confirmed,
        right=predicted == confirmed,
        sight=diagnosis.opinion.sight,
        known_time=road.clock.now(),
    )


def proven(proposal: Proposal) -> str:
    """Return the element whose fault a restoring repair has proven, or nothing."""
    mended = {step.target for step in proposal.plan.steps if step.kind not in _PROVES_NOTHING}
    return proposal.cause_element if proposal.cause_element in mended else ""
