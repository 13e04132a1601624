"""The doors of the twin: what it believes, what would follow, what to push and to build, and its state for viewers."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from api.http.context import Here, Who
from api.http.reply import reply
from api.http.schemas import Moment
from control_plane.whatif.desk import Steering, Sweep, TwinView, WhatIf
from control_plane.whatif.planning_desk import Capacities, Checked
from control_plane.whatif.sweeping import SweepKind
from domain.capacity import Terms
from domain.changes import Change
from domain.configuration import ProtectedFlow, PushPolicy
from twin.planning.export import as_csv
from twin.planning.history import parse

router = APIRouter(tags=["twin"])

_Element = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=2 << 20)]
_Form = Literal["json", "csv"]


def _modest(terms: Terms) -> Terms:
    """Refuse what would keep the machine busy for long; the command line plans at any size, from a file."""
    most = Terms()
    for name, bound in (("futures", most.futures), ("failures", most.failures), ("screened", most.screened)):
        if getattr(terms, name) > bound:
            raise ValueError(f"`{name}` is at most {bound} here; ask for less, or plan from a file")
    if terms.upgrades > 2 * most.upgrades:
        raise ValueError(f"remedies are compared for at most {2 * most.upgrades} links here; ask for fewer")
    return terms


class Ask(BaseModel):
    """What is to fail (elements, or shared-risk groups), and what else is to be different.

    `hours`: how long it has been so (batteries last that long). `cascade`: links that are far too full drop out, too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fail: Annotated[tuple[_Element, ...], Field(max_length=1000)] = ()
    changes: Annotated[tuple[Change, ...], Field(max_length=1000)] = ()
    at: Moment | None = None
    hours: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    cascade: bool = False


class Push(BaseModel):
    """A configuration as text (see `twin.configuration.reading`), the one in force, and what a push may do.

    `flows` are protected beside the sessions themselves: they must pass, or must not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    configuration: _Text
    against: _Text | None = None
    order: Annotated[tuple[_Element, ...], Field(max_length=1000)] | None = None
    max_routers: Annotated[int, Field(ge=1)] = 10
    max_demand_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    max_utilisation: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    flows: Annotated[tuple[ProtectedFlow, ...], Field(max_length=1000)] = ()


class Plan(BaseModel):
    """What a capacity plan is to keep to (see `domain.capacity.Terms`), and a history of the caller's own.

    `history` has the form of `twin.planning.history`; without one, what the house itself has measured is taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    history: dict[str, Any] | None = None
    terms: Annotated[Terms, AfterValidator(_modest)] = Terms()


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
    desk = house.desks.twin
    return reply(desk.what_if(who, body.fail, body.changes, body.at, hours=body.hours, spreading=body.cascade))


@router.get("/twin/steering", response_model=Steering)
def steering(house: Here, who: Who, limit: Annotated[int, Query(ge=0, le=100)] = 10) -> Response:
    """Say which few moves would relieve the fullest link. Nothing is changed, and nothing is proposed."""
    return reply(house.desks.twin.steer(who, limit))


@router.get("/twin/sweep", response_model=Sweep)
def sweep(house: Here, who: Who, kind: SweepKind = SweepKind.LINKS) -> Response:
    """Say what each failure of a kind would do, the worst first."""
    return reply(house.desks.twin.sweep(who, kind))


@router.post("/twin/check", response_model=Checked)
def check(house: Here, who: Who, body: Push) -> Response:
    """Say what pushing a configuration would bring: findings with their lines, and a safe order. Nothing is pushed."""
    policy = PushPolicy(
        max_routers=body.max_routers,
        max_demand_share=body.max_demand_share,
        max_utilisation=body.max_utilisation,
        flows=body.flows,
    )
    return reply(house.desks.planning.check(who, body.configuration, body.against, body.order, policy))


@router.get("/twin/capacity", response_model=Capacities)
def capacity(house: Here, who: Who, form: _Form = "json") -> Response:
    """Say what will be too full by the loads that this house has measured, by when, and what is worth its cost."""
    return _planned(house.desks.planning.capacity(who), form)


@router.post("/twin/capacity", response_model=Capacities)
def capacity_of(house: Here, who: Who, body: Plan, form: _Form = "json") -> Response:
    """Say the same on other terms, or by a history that is sent along."""
    history = None if body.history is None else parse(body.history)
    return _planned(house.desks.planning.capacity(who, history, body.terms), form)


def _planned(found: Capacities, form: _Form) -> Response:
    """Return the whole answer, or a row for each remedy that was compared."""
    return reply(found) if form == "json" else Response(as_csv(found.plan), media_type="text/csv")
