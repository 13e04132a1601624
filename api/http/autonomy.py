"""What agents may do by themselves: shown, lent for days by a waiver, taken back. No route raises a level."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from starlette.responses import Response

from api.http.context import Here, Id, Who
from api.http.reply import reply
from api.http.schemas import Because, Moment, Name, Reason
from control_plane.autonomy.acceptance import Acceptance
from control_plane.autonomy.realised import Coverage
from control_plane.autonomy.views import Disagreements, GroundPage, GroundView
from domain.autonomy import LevelMove, Waiver
from domain.keeping import Review

router = APIRouter(tags=["autonomy"])


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewWaiver(_Request):
    """`ground` as `GET /autonomy` shows it; `ends_at` within 14 days."""

    ground: Name
    level: int = Field(ge=1, le=2, strict=True)
    ends_at: Moment
    because: Because


class Lower(Reason):
    ground: Name


class Judged(Reason):
    """What a person finds, looking back at a plan that an agent carried out alone."""

    right: StrictBool


@router.get("/autonomy", response_model=list[GroundView])
def grounds(house: Here, who: Who) -> Response:
    """Show every ground on which something is recorded: its level, its evidence, and what is missing."""
    return reply(house.desks.autonomy.grounds(who))


@router.get("/autonomy/acceptance", response_model=list[Acceptance])
def acceptance(house: Here, who: Who) -> Response:
    """Show how often people accept what each agent asks for, as it was asked."""
    return reply(house.desks.autonomy.acceptance(who))


@router.get("/autonomy/coverage", response_model=Coverage)
def coverage(house: Here, who: Who) -> Response:
    """Show how often the intervals of rehearsals held what was measured afterwards."""
    return reply(house.desks.autonomy.coverage(who))


@router.get("/autonomy/reviews", response_model=list[Review])
def reviews(house: Here, who: Who) -> Response:
    """Show the reviews that are owed of plans which agents carried out alone."""
    return reply(house.desks.autonomy.reviews(who))


@router.post("/autonomy/reviews/{id}", response_model=Review)
def review(house: Here, who: Who, id: Id, body: Judged) -> Response:
    """Say whether such a plan was right; if it was not, the level falls."""
    return reply(house.desks.autonomy.review(who, id, right=body.right, because=body.because))


@router.post("/autonomy/waivers", response_model=Waiver, status_code=201)
def waive(house: Here, who: Who, body: NewWaiver) -> Response:
    """Lend a level without the evidence, for days at most."""
    signed = house.desks.autonomy.waive(who, body.ground, body.level, body.ends_at, body.because)
    return reply(signed, 201)


@router.post("/autonomy/waivers/{id}/revoke", response_model=Waiver)
def revoke(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """End a waiver."""
    return reply(house.desks.autonomy.revoke(who, id, body.because))


@router.post("/autonomy/lower", response_model=LevelMove)
def lower(house: Here, who: Who, body: Lower) -> Response:
    """Take the level of a ground back, waivers included: people sign there again."""
    return reply(house.desks.autonomy.lower(who, body.ground, body.because))


@router.get("/autonomy/{ground}", response_model=GroundPage)
def ground(house: Here, who: Who, ground: Id) -> Response:
    """Show one ground with its levels, waivers and newest credits."""
    return reply(house.desks.autonomy.ground(who, ground))


@router.get("/disagreements", response_model=Disagreements)
def disagreements(
    house: Here,
    who: Who,
    requester: Annotated[str, Query(max_length=256)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Show where people and agents disagreed, what came of it, and how often."""
    return reply(house.desks.autonomy.disagreements(who, requester=requester, limit=limit))
