"""Who is on call, what people were told, what one shift hands to the next, and what is to be looked back at."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.responses import Response

from api.http.context import Here, Id, Who
from api.http.reply import reply
from api.http.schemas import Because, Moment, Name
from control_plane.roster.desk import RosterView
from control_plane.roster.handover import TakeOver
from control_plane.roster.shifts import MOST, Line
from control_plane.roster.weeks import read_csv
from domain.identity import ANY, Role
from domain.keeping import Review
from domain.roster import HandOver, Notice, Shift

router = APIRouter(tags=["roster"])

_LINES = 50


class DeclareShift(BaseModel):
    """One person on call, from `starts_at` to before `ends_at`; `order` 1 is asked first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    account: Name
    region: Name = ANY
    domain: Name = ANY
    order: Annotated[int, Field(ge=1, le=9, strict=True)] = 1
    starts_at: Moment
    ends_at: Moment

    def line(self) -> Line:
        return Line(**self.model_dump())


class ImportRoster(BaseModel):
    """Many shifts, all or none: as a list, or as the text of a CSV with a header."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shifts: Annotated[tuple[DeclareShift, ...], Field(max_length=MOST)] = ()
    csv: Annotated[str, StringConstraints(max_length=1_000_000)] = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> "ImportRoster":
        if bool(self.shifts) == bool(self.csv):
            raise ValueError("send either `shifts` or `csv`")
        return self

    def lines(self) -> list[Line]:
        return [shift.line() for shift in self.shifts] or read_csv(self.csv)


class Withdraw(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    because: Because


class CallReview(BaseModel):
    """What is to be looked back at, until when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    ref: Name
    due_at: Moment


class HoldReview(BaseModel):
    """Who was there, and what was decided."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attendees: Annotated[tuple[Because, ...], Field(min_length=1, max_length=_LINES)]
    decisions: Annotated[tuple[Because, ...], Field(min_length=1, max_length=_LINES)]


@router.get("/roster", response_model=RosterView)
def roster(
    house: Here,
    who: Who,
    at: Moment | None = None,
    role: Role | None = None,
    region: Annotated[str, Query(max_length=256)] = "",
    domain: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Show who is on call, now or at a time, the shifts from then on, and the gaps."""
    return reply(house.desks.roster.roster(who, at=at, role=role, region=region, domain=domain))


@router.post("/roster/shifts", response_model=list[Shift], status_code=201)
def declare(house: Here, who: Who, body: DeclareShift) -> Response:
    """Put a person on call."""
    return reply(house.desks.roster.declare(who, [body.line()]), 201)


@router.post("/roster/import", response_model=list[Shift], status_code=201)
def import_roster(house: Here, who: Who, body: ImportRoster) -> Response:
    """Put many people on call: all of these shifts, or none."""
    return reply(house.desks.roster.declare(who, body.lines()), 201)


@router.post("/roster/shifts/{id}/withdraw", response_model=Shift)
def withdraw(house: Here, who: Who, id: Id, body: Withdraw) -> Response:
    """Take a person off call."""
    return reply(house.desks.roster.withdraw(who, id, body.because))


@router.get("/notices", response_model=list[Notice])
def notices(house: Here, who: Who, unseen: bool = False, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
    """Show what the caller was told, the newest first."""
    return reply(house.desks.roster.notices(who, unseen=unseen, limit=limit))


@router.post("/notices/{id}/seen", response_model=Notice)
def seen(house: Here, who: Who, id: Id) -> Response:
    """Mark a notice as seen."""
    return reply(house.desks.roster.seen(who, id))


@router.get("/handover", response_model=TakeOver)
def take_over(house: Here, who: Who) -> Response:
    """Show what the caller has to look after now, and what changed since they last took over."""
    return reply(house.desks.roster.take_over(who))


@router.post("/handover/accept", response_model=list[HandOver])
def accept(house: Here, who: Who) -> Response:
    """Take over what was handed to the caller."""
    return reply(house.desks.roster.accept(who))


@router.get("/reviews", response_model=list[Review])
def reviews(house: Here, who: Who, owed: bool = False) -> Response:
    """Show what was looked back at, and what still is to be."""
    return reply(house.desks.roster.reviews(who, owed=owed))


@router.post("/reviews", response_model=Review, status_code=201)
def call_review(house: Here, who: Who, body: CallReview) -> Response:
    """Ask for something to be looked back at."""
    return reply(house.desks.roster.call_review(who, body.kind, body.ref, body.due_at), 201)


@router.post("/reviews/{id}/hold", response_model=Review)
def hold_review(house: Here, who: Who, id: Id, body: HoldReview) -> Response:
    """Record a review: who was there, and what was decided."""
    return reply(house.desks.roster.hold_review(who, id, body.attendees, body.decisions))
