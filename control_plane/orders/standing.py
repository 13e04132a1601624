"""Where an order stands: it follows from its plans, and nobody sets it."""

from collections.abc import Sequence
from typing import NamedTuple

from control_plane.executor import execution_id_of
from control_plane.tables import Tables
from domain.execution import Execution
from domain.incidents import Incident, IncidentClass, Resolution
from domain.orders import OrderState, ServiceOrder
from domain.proposals import Proposal, ProposalState

_HELD = frozenset({ProposalState.HELD, ProposalState.DEFERRED})
_RUNNING = frozenset({ProposalState.GRANTED, ProposalState.EXECUTING})


class Standing(NamedTuple):
    """A state, in words why, and the plan that it follows from (if there is one)."""

    state: OrderState
    because: str
    proposal: Proposal | None = None


def standing_of(tables: Tables, order: ServiceOrder) -> Standing:
    """Return where an order stands."""
    if order.rejected:
        return Standing(OrderState.REJECTED, order.rejected)
    if order.cancelled_at is not None and not order.cancel_id:
        return Standing(OrderState.CANCELLED, "it was cancelled before anything was done")
    wanted = _of(tables, order.incident_id, OrderState.COMPLETED)
    if not order.cancel_id:
        return wanted
    taken_back = _of(tables, order.cancel_id, OrderState.CANCELLED)
    if taken_back.state in {OrderState.FAILED, OrderState.REJECTED}:  # it stands as before
        return Standing(wanted.state, f"it was not taken back: {taken_back.because}", taken_back.proposal)
    return taken_back


def _of(tables: Tables, incident_id: str, good: OrderState) -> Standing:
    """Return where the matter of an order stands; `good` is the state once its plan brought what it was to bring."""
    incident = tables.incidents.get(incident_id)
    plans = tables.proposals.find(incident_id=incident_id)
    if not plans:
        over = incident is not None and incident.closed_at is not None
        said = incident.closed_because if incident and over else "its plan is being made"
        ended = OrderState.REJECTED if good is OrderState.COMPLETED else OrderState.FAILED
        return Standing(ended if over else OrderState.ACKNOWLEDGED, said)
    plan = _telling(plans)
    if plan.state in _HELD:
        return Standing(OrderState.HELD, "its plan waits for people", plan)
    if plan.state in _RUNNING:
        return Standing(OrderState.IN_PROGRESS, "its plan is being carried out, or measured", plan)
    if plan.state is ProposalState.SETTLED:
        return _settled(plan, tables.executions.get(execution_id_of(plan.id)), good)
    if plan.live or (incident is not None and incident.closed_at is None):
        return Standing(OrderState.ACKNOWLEDGED, "its plan is being made", plan)
    return Standing(OrderState.REJECTED, f"its plan was {plan.state}: {_why_not(tables, plan)}", plan)


def _why_not(tables: Tables, plan: Proposal) -> str:
    """Return why a plan came to nothing; of one that the rules deny for its rehearsal, what was found there."""
    rehearsal = tables.rehearsals.get(plan.rehearsal_id or "")
    if plan.state is ProposalState.DENIED and rehearsal is not None and not rehearsal.sound:
        return "; ".join(rehearsal.reasons[:3])
    return plan.state_reason


def _telling(plans: Sequence[Proposal]) -> Proposal:
    """Return the plan that tells where its matter stands: people may ask for other ones, which come to nothing."""
    for states in (_RUNNING, frozenset({ProposalState.SETTLED}), _HELD):
        if found := [plan for plan in plans if plan.state in states]:
            return found[-1]
    return next((plan for plan in reversed(plans) if plan.live), plans[-1])


def _settled(plan: Proposal, execution: Execution | None, good: OrderState) -> Standing:
    outcome = execution.outcome if execution else None
    if outcome is None:
        return Standing(OrderState.IN_PROGRESS, "its plan is being settled", plan)
    state = good if outcome.resolution is Resolution.RESTORED else OrderState.FAILED
    return Standing(state, outcome.because, plan)


def ended(tables: Tables, incident: Incident) -> tuple[Resolution, str] | None:
    """Return how the matter of an order ended, or None while something can still come of it.

    It ends with its plan: nobody goes on looking for another way to grant a wish.
    """
    diagnosis = tables.diagnoses.get(incident.diagnosis_id or "")
    asked = diagnosis is not None and incident.proposed_for == diagnosis.id and diagnosis.revision >= incident.revision
    plans = tables.proposals.find(incident_id=incident.id)
    if incident.about is not IncidentClass.SERVICE_ORDER or not asked or any(plan.live for plan in plans):
        return None
    if not plans:
        why = "; ".join(diagnosis.not_checked) if diagnosis else ""
        return Resolution.RECORDED, why or "there is nothing to be done about this order any more"
    plan = _telling(plans)
    execution = tables.executions.get(execution_id_of(plan.id))
    if plan.state is ProposalState.SETTLED and execution is not None and execution.outcome is not None:
        return execution.outcome.resolution, execution.outcome.because
    return Resolution.RECORDED, f"the plan was {plan.state}: {_why_not(tables, plan)}"
