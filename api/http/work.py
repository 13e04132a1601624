"""Where people work: what waits for them, what they decide, and what they declare."""

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from api.http.context import Here, Id, Who
from api.http.reply import reply
from api.http.schemas import Approve, Change, DeclareFreeze, DeclarePlannedWork, Defer, Moment, Propose, Reason, Settle
from control_plane.model_record import VersionView
from domain.bookkeeping import Quarantined, Tally
from domain.execution import Step
from domain.incidents import Incident, IncidentState
from domain.planned_work import Freeze, PlannedWork
from domain.proposals import Proposal

router = APIRouter(tags=["work"])

Limit = Annotated[int, Query(ge=1, le=1000)]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=255, pattern="^[!-~]*$")]


@router.get("/inbox")
def inbox(house: Here, who: Who) -> Response:
    """Show what waits for a person, with everything one needs to decide."""
    return reply(house.queries.inbox(who))


@router.post("/proposals", response_model=Proposal, status_code=201)
def propose(house: Here, who: Who, body: Propose) -> Response:
    """Ask for a plan in an incident: it is rehearsed, judged, and signed by others."""
    return reply(house.commands.propose(who, body.incident_id, body.plan, body.because, body.title), 201)


@router.get("/proposals/{id}")
def show_proposal(house: Here, who: Who, id: Id) -> Response:
    """Show one proposal: its incident, diagnosis, rehearsal, rules, approvals and what came of it."""
    card = house.queries.card(who, id)
    if who.person:
        house.desks.attention.opened(who, card.proposal.id)
    return reply(card)


@router.post("/proposals/{id}/approve", response_model=Proposal)
def approve(house: Here, who: Who, id: Id, body: Approve, key: Key = "") -> Response:
    """Say yes to the plan as it stands. Sent again with the same `Idempotency-Key`, it is answered again, done once."""
    return reply(house.commands.approve(who, id, body.because, body.plan_digest, key=key))


@router.post("/proposals/{id}/reject", response_model=Proposal)
def reject(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """Say no."""
    return reply(house.commands.reject(who, id, body.because))


@router.post("/proposals/{id}/change", response_model=Proposal)
def change(house: Here, who: Who, id: Id, body: Change) -> Response:
    """Ask for another plan. The answer is the new proposal, which takes the road from the start."""
    return reply(house.commands.change(who, id, body.plan, body.because))


@router.post("/proposals/{id}/defer", response_model=Proposal)
def defer(house: Here, who: Who, id: Id, body: Defer) -> Response:
    """Decide later."""
    return reply(house.commands.defer(who, id, body.until, body.because))


@router.post("/proposals/{id}/stop", response_model=Proposal)
def stop(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """Stop a plan in flight; what was done is undone."""
    return reply(house.commands.stop(who, id, body.because))


@router.get("/incidents", response_model=list[Incident])
def list_incidents(
    house: Here,
    who: Who,
    state: IncidentState | None = None,
    limit: Limit = 100,
    after: Annotated[str | None, Query(max_length=256)] = None,
) -> Response:
    """Show incidents; `after` continues behind an id."""
    return reply(house.queries.incidents(who, state=state, limit=limit, after=after))


@router.get("/incidents/{id}")
def show_incident(house: Here, who: Who, id: Id) -> Response:
    """Show one incident with its alarms, diagnosis and proposals."""
    return reply(house.queries.incident(who, id))


@router.post("/incidents/{id}/close", response_model=Incident)
def close_incident(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """Close an incident by hand."""
    return reply(house.commands.close_incident(who, id, body.because))


@router.post("/planned-work", response_model=PlannedWork, status_code=201)
def declare_planned_work(house: Here, who: Who, body: DeclarePlannedWork) -> Response:
    """Declare a window in which some alarms are expected."""
    declared = house.commands.declare_planned_work(
        who, body.change_id, body.elements, body.affected, body.expected, body.starts_at, body.ends_at
    )
    return reply(declared, 201)


@router.post("/freezes", response_model=Freeze, status_code=201)
def declare_freeze(house: Here, who: Who, body: DeclareFreeze) -> Response:
    """Declare a time in which nothing may be changed."""
    return reply(house.commands.declare_freeze(who, body.region, body.starts_at, body.ends_at, body.because), 201)


@router.post("/steps/{id}/settle", response_model=Step)
def settle_doubt(house: Here, who: Who, id: Id, body: Settle) -> Response:
    """Say whether a step in doubt happened."""
    return reply(house.commands.settle_doubt(who, id, happened=body.happened, because=body.because))


@router.get("/quarantine", response_model=list[Quarantined])
def quarantine(house: Here, who: Who, limit: Limit = 100) -> Response:
    """Show what came in and could not be taken, with the rule that it broke."""
    return reply(house.queries.quarantine(who, limit))


@router.get("/tallies", response_model=list[Tally])
def tallies(house: Here, who: Who) -> Response:
    """Show what each source sent: received = kept + late + rejected."""
    return reply(house.queries.tallies(who))


@router.get("/models", response_model=list[VersionView])
def models(house: Here, who: Who) -> Response:
    """Show the versions of each model slot, and how often each was wrong."""
    return reply(house.queries.models(who))


@router.get("/state")
def state(house: Here, who: Who, at: Moment | None = None) -> Response:
    """Show topology, loads, alarms, slices and pending actions, now or as they were known at a time."""
    return reply(house.queries.state(who, at))


@router.get("/health")
def health(house: Here) -> Response:
    """Say how the house is. Open to everybody, so it names no element."""
    return reply(house.queries.health())
