"""The doors around a signature: ask, take back, lend, break the glass, review; and the change records."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints
from starlette.responses import Response

from api.http.context import Here, Id, Who
from api.http.reply import reply
from api.http.schemas import Because, Moment, Name, Reason
from api.http.schemas import Question as Asked
from control_plane.approvals.desk import ChainView, ChangeView
from domain.approvals import BrokenGlass, ChangeRecord, ChangeState, Delegation, DelegationKind, Enquiry
from domain.identity import EVERYWHERE, Permission, Scope
from domain.proposals import Proposal
from policies.stages import Progress

router = APIRouter(tags=["approvals"])

Limit = Annotated[int, Query(ge=1, le=1000)]
_Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Answer(BaseModel):
    """What a person answers to a question about a proposal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: Because


class Lend(Reason):
    """A part of one's own rights, for a while; `scope` is cut to one's own."""

    to_account: Name
    permissions: Annotated[tuple[Permission, ...], Field(min_length=1, max_length=len(Permission))]
    starts_at: Moment
    ends_at: Moment
    scope: Scope = EVERYWHERE
    kind: DelegationKind = DelegationKind.DELEGATION


class Break(Reason):
    """An emergency signature: for exactly the plan with this digest."""

    plan_digest: _Digest


class Reviewed(Reason):
    justified: StrictBool


@router.post("/proposals/{id}/ask", response_model=Enquiry, status_code=201)
def ask(house: Here, who: Who, id: Id, body: Asked) -> Response:
    """Ask before deciding. What the record can answer is answered at once, as advice; the proposal waits on."""
    return reply(house.desks.approvals.ask(who, id, body.question), 201)


@router.get("/proposals/{id}/enquiries", response_model=list[Enquiry])
def enquiries(house: Here, who: Who, id: Id) -> Response:
    """Show what was asked about a proposal."""
    return reply(house.desks.approvals.enquiries(who, id))


@router.get("/proposals/{id}/progress", response_model=Progress)
def progress(house: Here, who: Who, id: Id) -> Response:
    """Show how far the chain of approval is: who signed in which stage, and what is missing."""
    return reply(house.desks.approvals.progress(who, id))


@router.post("/proposals/{id}/revoke", response_model=Proposal)
def revoke(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """Take one's own signature back; once the plan is being carried out, it is stopped."""
    return reply(house.desks.approvals.revoke(who, id, body.because))


@router.post("/proposals/{id}/break-glass", response_model=Proposal)
def break_glass(house: Here, who: Who, id: Id, body: Break) -> Response:
    """Sign alone, in an emergency; it is reviewed on the next working day."""
    return reply(house.desks.approvals.break_glass(who, id, body.plan_digest, body.because))


@router.post("/enquiries/{id}/answer", response_model=Enquiry)
def answer(house: Here, who: Who, id: Id, body: Answer) -> Response:
    """Answer a question about a proposal, as a person."""
    return reply(house.desks.approvals.answer(who, id, body.answer))


@router.get("/delegations", response_model=list[Delegation])
def delegations(house: Here, who: Who) -> Response:
    """Show what one lent and borrows."""
    return reply(house.desks.approvals.delegations(who))


@router.post("/delegations", response_model=Delegation, status_code=201)
def delegate(house: Here, who: Who, body: Lend) -> Response:
    """Lend a part of one's own rights to another person for a while."""
    made = house.desks.approvals.delegate(
        who,
        body.to_account,
        body.permissions,
        body.starts_at,
        body.ends_at,
        body.because,
        where=body.scope,
        kind=body.kind,
    )
    return reply(made, 201)


@router.post("/delegations/{id}/revoke", response_model=Delegation)
def revoke_delegation(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """End a delegation at once."""
    return reply(house.desks.approvals.revoke_delegation(who, id, body.because))


@router.get("/broken-glass", response_model=list[BrokenGlass])
def broken_glass(house: Here, who: Who, overdue: bool = False) -> Response:
    """Show every broken glass; `overdue`: those whose review is late."""
    return reply(house.desks.approvals.broken_glass(who, overdue=overdue))


@router.post("/broken-glass/{id}/review", response_model=BrokenGlass)
def review(house: Here, who: Who, id: Id, body: Reviewed) -> Response:
    """Record what somebody else finds of a broken glass."""
    return reply(house.desks.approvals.review(who, id, justified=body.justified, because=body.because))


@router.get("/changes", response_model=list[ChangeRecord])
def changes(
    house: Here,
    who: Who,
    state: ChangeState | None = None,
    limit: Limit = 100,
    after: Annotated[str | None, Query(max_length=256)] = None,
) -> Response:
    """Show change records, the newest first; `after` continues behind an id."""
    return reply(house.desks.approvals.changes(who, state=state, limit=limit, after=after))


@router.get("/changes/{id}", response_model=ChangeView)
def change(house: Here, who: Who, id: Id) -> Response:
    """Show one change record with its plan and what people said of it."""
    return reply(house.desks.approvals.change(who, id))


@router.get("/chains", response_model=ChainView)
def chains(house: Here, who: Who) -> Response:
    """Show the chains of approval that are in force."""
    return reply(house.desks.approvals.chains(who))
