"""The doors of the guards: kill switches, breakers, and what holds what back."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints
from starlette.responses import Response

from api.http.context import Here, Id, Who
from api.http.reply import reply
from api.http.schemas import Reason
from control_plane.guards.desk import GuardsView
from domain.guards import Breaker, InFlight, Switch, SwitchKind

router = APIRouter(tags=["guards"])

_Name = Annotated[str, StringConstraints(max_length=256)]


class Which(Reason):
    """A switch: of everything, of an agent, or of a domain."""

    kind: SwitchKind
    name: _Name = ""


class Pull(Which):
    in_flight: InFlight = InFlight.UNDO


@router.get("/guards", response_model=GuardsView)
def guards(house: Here, who: Who) -> Response:
    """Show switches, breakers, use of budgets, locks and collisions."""
    return reply(house.desks.guards.show(who))


@router.post("/switches", response_model=Switch, status_code=201)
def pull(house: Here, who: Who, body: Pull) -> Response:
    """Pull a kill switch. When this answers, nothing in its reach starts any more."""
    return reply(house.desks.guards.kill(who, body.kind, body.name, body.because, body.in_flight), 201)


@router.post("/switches/release", response_model=Switch)
def release(house: Here, who: Who, body: Which) -> Response:
    """Release a kill switch."""
    return reply(house.desks.guards.release(who, body.kind, body.name, body.because))


@router.post("/breakers/{id}/close", response_model=Breaker)
def close_breaker(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """Close a breaker by hand."""
    return reply(house.desks.guards.close_breaker(who, id, body.because))
