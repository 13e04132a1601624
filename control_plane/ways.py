"""The steps of the road that depend on what an incident is about. Everything else is the same for all.

An incident is about the network, about a model that watches it, or about what is wished of either: more autonomy, a
new circuit. What is gathered of it, how a plan is rehearsed and how one sees that it worked differ; hand-offs, rules,
gate, rights, execution and record do not.
"""

from collections.abc import Callable
from dataclasses import dataclass

from control_plane import gathering, model_cases, model_verification, rehearsing, trials, verification
from control_plane.autonomy import promotion
from control_plane.executor import Matter, settle
from control_plane.orders import verifying as order_verifying
from control_plane.orders import way as order_way
from control_plane.proposing import recovers_nothing
from control_plane.road import Road
from domain.agents import Case
from domain.errors import NotFound
from domain.execution import Outcome
from domain.incidents import Incident, IncidentClass, Resolution
from domain.proposals import Plan, Proposal
from domain.rehearsal import Rehearsal
from twin.snapshot import Snapshot


@dataclass(frozen=True)
class Way:
    """`verify` returns seconds until it is worth measuring again, or None; `check` raises BadInput."""

    about: IncidentClass
    gather: Callable[[Road, Incident], Case]
    check: Callable[[Road, Plan], None]
    rehearse: Callable[[Road, Proposal, Snapshot], Rehearsal]
    verify: Callable[[Road, Matter], float | None]


WAYS: dict[IncidentClass, Way] = {
    IncidentClass.NETWORK: Way(
        IncidentClass.NETWORK, gathering.gather, rehearsing.check, rehearsing.rehearsal_of, verification.verify
    ),
    IncidentClass.AI_MODEL: Way(
        IncidentClass.AI_MODEL, model_cases.gather, trials.check, trials.rehearse, model_verification.verify
    ),
    IncidentClass.AUTONOMY: Way(
        IncidentClass.AUTONOMY, promotion.gather, promotion.check, promotion.rehearse, promotion.verify
    ),
    IncidentClass.SERVICE_ORDER: Way(
        IncidentClass.SERVICE_ORDER, order_way.gather, order_way.check, order_way.rehearse, order_verifying.verify
    ),
}


def way_of(road: Road, incident_id: str) -> Way:
    """Return the way of an incident. Raises NotFound."""
    incident = road.ledger.read(lambda tables: tables.incidents.get(incident_id))
    if incident is None:
        raise NotFound(f"there is no incident `{incident_id}`; `nocturne incidents` lists them")
    return WAYS[incident.about]


def rehearse(road: Road, proposal: Proposal, snapshot: Snapshot) -> Rehearsal:
    """Rehearse a proposal's plan, its inverse and doing nothing. Raises BadInput when the plan does not fit."""
    return way_of(road, proposal.incident_id).rehearse(road, proposal, snapshot)


def verify(road: Road, matter: Matter) -> float | None:
    """Measure what a plan brought. Returns seconds until it is worth measuring again, or None."""
    if recovers_nothing(matter.proposal):
        _settle_by_read_back(road, matter)
        return None
    return way_of(road, matter.execution.incident_id).verify(road, matter)


def _settle_by_read_back(road: Road, matter: Matter) -> None:
    """A plan that was to recover nothing (a ticket, a training) is done when what it wrote can be read back."""
    check = verification.effect(road, matter)
    resolution = Resolution.RECORDED if check.passed else Resolution.UNRESOLVED
    because = f"nothing that is in trouble was to change; {check.detail}"
    outcome = Outcome(resolution=resolution, checks=(check,), because=because, measured_at=road.clock.now())
    settle(road, matter.execution, outcome)
