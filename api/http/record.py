"""The record: read and follow it, verify and prove it, empty a field of it, take it away."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from api.http.context import Here, Id, Who
from api.http.reply import reply
from api.http.schemas import Moment, Name, Reason
from control_plane.audit.desk import Keys, Redacted
from control_plane.audit.export import Format
from control_plane.audit.proofs import ConsistencyProof, InclusionProof
from control_plane.audit.searching import Wanted
from control_plane.audit.trail import Trail
from control_plane.audit.verifying import AuditVerdict
from control_plane.lineage import Lineage
from domain.keeping import Checkpoint
from domain.records import Record

router = APIRouter(tags=["record"])

_Text = Annotated[str | None, Query(min_length=1, max_length=256)]
_Sequence = Annotated[int, Query(ge=1, le=2**53)]
_MEDIA = {Format.CSV: "text/csv; charset=utf-8", Format.JSON: "application/jsonl", Format.OTLP: "application/jsonl"}


class Redact(Reason):
    """Which field is to be emptied, for ever."""

    field: Name


@router.get("/audit", response_model=list[Record])
def audit(
    house: Here,
    who: Who,
    ref: _Text = None,
    actor: _Text = None,
    kind: _Text = None,
    element: _Text = None,
    residency: _Text = None,
    since: Annotated[Moment | None, Query()] = None,
    until: Annotated[Moment | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Show audit records: those that mention an id or an element, of an actor, of a kind (`gate.*`), of a time."""
    wanted = _wanted(ref, actor, kind, element, residency, since, until)
    return reply(house.desks.audit.search(who, wanted, limit=limit, after=after))


@router.get("/audit/verify", response_model=AuditVerdict)
def verify(house: Here, who: Who, full: bool = True) -> Response:
    """Follow the chain through every signed checkpoint and name the first bad record, if there is one.

    `full=false` begins at the newest checkpoint: what was signed before is not followed again.
    """
    return reply(house.desks.audit.verify(who, full=full))


@router.get("/audit/checkpoints", response_model=list[Checkpoint])
def checkpoints(house: Here, who: Who) -> Response:
    """Show the signed heads of the chain, as the second place has them."""
    return reply(house.desks.audit.checkpoints(who))


@router.post("/audit/checkpoints", response_model=Checkpoint | None)
def sign(house: Here, who: Who) -> Response:
    """Sign the head of the chain now."""
    return reply(house.desks.audit.sign(who))


@router.get("/audit/keys", response_model=Keys)
def keys(house: Here, who: Who) -> Response:
    """Show the public keys by which checkpoints are known."""
    return reply(house.desks.audit.keys(who))


@router.post("/audit/keys/rotate", response_model=Keys)
def rotate(house: Here, who: Who, body: Reason) -> Response:
    """Go on with a new key; the old one vouches for it and is destroyed."""
    return reply(house.desks.audit.rotate(who, body.because))


@router.get("/audit/growth", response_model=ConsistencyProof)
def growth(house: Here, who: Who, first: _Sequence, second: _Sequence) -> Response:
    """Show that the chain under one checkpoint is the beginning of that under another."""
    return reply(house.desks.audit.prove_growth(who, first, second))


@router.get("/audit/trail/{id}", response_model=Trail)
def trail(house: Here, who: Who, id: Id, forward: bool = False) -> Response:
    """Show everything behind an action; `forward`: everything that rested on a raw event."""
    return reply(house.desks.audit.trail(who, id, forward=forward))


@router.get("/audit/export")
def export(
    house: Here,
    who: Who,
    format: Format = Format.JSON,
    ref: _Text = None,
    actor: _Text = None,
    kind: _Text = None,
    element: _Text = None,
    residency: _Text = None,
    since: Annotated[Moment | None, Query()] = None,
    until: Annotated[Moment | None, Query()] = None,
) -> StreamingResponse:
    """Give out records as CSV, JSON lines or OpenTelemetry logs (OTLP, one request a line). It is recorded."""
    wanted = _wanted(ref, actor, kind, element, residency, since, until)
    parts = house.desks.audit.export(who, format, wanted)
    named = {"Content-Disposition": f'attachment; filename="record.{format}"'}
    return StreamingResponse((part.encode() for part in parts), media_type=_MEDIA[format], headers=named)


@router.get("/audit/bundle")
def bundle(house: Here, who: Who, residency: _Text = None) -> Response:
    """Give out the whole record as a zip file that verifies without this program. It is recorded."""
    content = house.desks.audit.bundle(who, residency)
    named = {"Content-Disposition": 'attachment; filename="bundle.zip"'}
    return Response(content, media_type="application/zip", headers=named)


@router.get("/audit/{id}/proof", response_model=InclusionProof)
def prove(house: Here, who: Who, id: Id) -> Response:
    """Show that a record lies under the newest signed checkpoint."""
    return reply(house.desks.audit.prove(who, id))


@router.post("/audit/{id}/redact", response_model=Redacted)
def redact(house: Here, who: Who, id: Id, body: Redact) -> Response:
    """Empty one field of a record, for ever. The chain still verifies, and a record says who did it and why."""
    return reply(house.desks.audit.redact(who, id, body.field, body.because))


@router.get("/lineage/{id}", response_model=Lineage)
def lineage(house: Here, who: Who, id: str) -> Response:
    """Show everything behind a proposal, down to raw events, and what came of it."""
    return reply(house.queries.lineage(who, id))


def _wanted(
    ref: str | None,
    actor: str | None,
    kind: str | None,
    element: str | None,
    residency: str | None,
    since: Moment | None,
    until: Moment | None,
) -> Wanted:
    return Wanted(ref=ref, actor=actor, kind=kind, element=element, residency=residency, since=since, until=until)
