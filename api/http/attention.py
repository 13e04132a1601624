"""What people look at before they decide, how much they miss, how far they trust agents, and deciding in batches."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from api.http.context import Here, Id, Who
from api.http.reply import reply
from api.http.schemas import Because, Name
from control_plane.roster.attention_desk import Answered, Attention
from control_plane.roster.trust import Trust
from domain.roster import Viewing

router = APIRouter(tags=["attention"])


class View(BaseModel):
    """Which evidence of a card was opened; the time is the server's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence: Annotated[tuple[Name, ...], Field(max_length=500)] = ()


class Seed(BaseModel):
    """Whom a card that is wrong on purpose is shown to; how it is made wrong and from which card are drawn if empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Name
    mutation: Annotated[str, StringConstraints(max_length=64)] = ""
    proposal_id: Annotated[str, StringConstraints(max_length=256)] = ""


class Seeded(BaseModel):
    id: str


class ApproveBatch(BaseModel):
    """Several harmless proposals, approved with one reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ids: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)]
    because: Because


@router.get("/attention", response_model=Attention)
def attention(house: Here, who: Who) -> Response:
    """Show how attentive people are, by person and shift."""
    return reply(house.desks.attention.attention(who))


@router.post("/attention/seed", response_model=Seeded, status_code=201)
def seed(house: Here, who: Who, body: Seed) -> Response:
    """Put a card that is wrong on purpose before somebody. Nothing of it is ever carried out."""
    return reply({"id": house.desks.attention.seed(who, body.account, body.mutation, body.proposal_id)}, 201)


@router.get("/trust", response_model=list[Trust])
def trust(house: Here, who: Who) -> Response:
    """Show how far people trust each agent, by class of action."""
    return reply(house.desks.attention.trust(who))


@router.post("/proposals/{id}/view", response_model=Viewing | None)
def view(house: Here, who: Who, id: Id, body: View) -> Response:
    """Say which evidence of a card was opened."""
    return reply(house.desks.attention.opened(who, id, body.evidence))


@router.post("/inbox/approve-batch", response_model=list[Answered])
def approve_batch(house: Here, who: Who, body: ApproveBatch) -> Response:
    """Approve several harmless proposals at once; what could hurt anybody is refused here."""
    return reply(house.desks.attention.approve_batch(who, body.ids, body.because))
