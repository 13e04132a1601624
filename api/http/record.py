"""The record: read it, and verify it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.http.context import Here, Who
from api.http.reply import reply
from control_plane.lineage import Lineage
from domain.records import Record

router = APIRouter(tags=["record"])


@router.get("/audit", response_model=list[Record])
def audit(
    house: Here,
    who: Who,
    ref: Annotated[str | None, Query(min_length=1, max_length=256)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Show audit records; `ref` keeps those that mention an id."""
    return reply(house.queries.audit(who, ref=ref, limit=limit))


@router.get("/lineage/{id}", response_model=Lineage)
def lineage(house: Here, who: Who, id: str) -> Response:
    """Show everything behind a proposal, down to raw events, and what came of it."""
    return reply(house.queries.lineage(who, id))


@router.get("/audit/verify")
def verify(house: Here, who: Who) -> Response:
    """Follow the chain from its first record and name the first bad one, if there is one."""
    return reply(house.queries.verify_audit(who))
