"""The doors of the twin: what it believes, what would follow, and its state for outside viewers."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from api.http.context import Here, Who
from api.http.reply import reply
from api.http.schemas import Moment
from control_plane.whatif.desk import Steering, Sweep, TwinView, WhatIf
from control_plane.whatif.sweeping import SweepKind
from domain.changes import Change

router = APIRouter(tags=["twin"])

_Element = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Ask(BaseModel):
    """What is to fail (elements, or shared-risk groups), and what else is to be different."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fail: Annotated[tuple[_Element, ...], Field(max_length=1000)] = ()
    changes: Annotated[tuple[Change, ...], Field(max_length=1000)] = ()
    at: Moment | None = None


@router.get("/twin", response_model=TwinView)
def show(house: Here, who: Who, at: Moment | None = None) -> Response:
    """Show what the twin believes now, or believed at a past moment."""
    return reply(house.desks.twin.show(who, at))


@router.get("/twin/scene")
def scene(house: Here, who: Who, at: Moment | None = None) -> Response:
    """Show the twin's nodes and links with their places, loads and losses."""
    return reply(house.desks.twin.scene(who, at))


@router.post("/twin/whatif", response_model=WhatIf)
def what_if(house: Here, who: Who, body: Ask) -> Response:
    """Say what would follow. Nothing is changed, and nothing is proposed."""
    return reply(house.desks.twin.what_if(who, body.fail, body.changes, body.at))


@router.get("/twin/steering", response_model=Steering)
def steering(house: Here, who: Who, limit: Annotated[int, Query(ge=0, le=100)] = 10) -> Response:
    """Say which few moves would relieve the fullest link. Nothing is changed, and nothing is proposed."""
    return reply(house.desks.twin.steer(who, limit))


@router.get("/twin/sweep", response_model=Sweep)
def sweep(house: Here, who: Who, kind: SweepKind = SweepKind.LINKS) -> Response:
    """Say what each failure of a kind would do, the worst first."""
    return reply(house.desks.twin.sweep(who, kind))
