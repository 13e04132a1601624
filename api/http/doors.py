"""Where other systems knock: Alertmanager's webhook, TM Forum alarms (TMF642) and trouble tickets (TMF621)."""

from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.http import tmf
from api.http.access import TMF621_BASE, TMF642_BASES
from api.http.context import Body, Here, Id, Who
from api.http.listing import chosen_fields, page, project
from api.http.reply import reply
from domain.errors import BadInput

router = APIRouter()

_ALARM_EXAMPLE = {
    "alarmType": "communicationsAlarm",
    "perceivedSeverity": "major",
    "probableCause": "lossOfSignal",
    "alarmedObject": {"id": "tp:example"},
    "sourceSystemId": "ems-1",
    "state": "raised",
    "alarmRaisedTime": "2026-01-31T12:00:00Z",
}


def _json_body(description: str, example: Any = None) -> dict[str, Any]:
    content = {"schema": {"type": "object"}} | ({"example": example} if example else {})
    return {"requestBody": {"required": True, "description": description, "content": {"application/json": content}}}


@router.post("/webhooks/alertmanager", tags=["doors"], openapi_extra=_json_body("Alertmanager webhook, version 4"))
def alertmanager(house: Here, who: Who, body: Body) -> Response:
    """Take a group of alerts. Alerts that cannot be taken are quarantined and named in the receipt.

    Alertmanager repeats what is answered 5xx and drops what is answered 4xx, so content gets 200 always; 400 says that
    this is no webhook body at all.
    """
    return reply(house.commands.receive(who, "alertmanager", body))


@router.get(f"{TMF621_BASE}/troubleTicket", tags=["tickets"])
def list_tickets(request: Request, house: Here, who: Who) -> Response:
    """Show trouble tickets, oldest first: `limit` (at most 1000), `offset`, `fields`, and any attribute as a filter."""
    return page(request.query_params, tmf.TICKETS, partial(house.queries.tickets, who))


@router.get(f"{TMF621_BASE}/troubleTicket/{{id}}", tags=["tickets"])
def show_ticket(request: Request, house: Here, who: Who, id: Id) -> Response:
    """Show one trouble ticket."""
    fields = chosen_fields(request.query_params, tmf.TICKET_ATTRIBUTES)
    return reply(project(tmf.show_ticket(house.queries.ticket(who, id)), fields))


def _add_alarm_routes(base: str) -> None:
    """Serve TMF642 at one of the two paths that clients know it by."""

    @router.post(f"{base}/alarm", tags=["alarms"], status_code=201, openapi_extra=_json_body("Alarm", _ALARM_EXAMPLE))
    def create_alarm(house: Here, who: Who, body: Body) -> Response:
        """Take one alarm. The same alarm again is counted on the first; too late a one is kept aside (202)."""
        receipt = house.commands.receive(who, "tmf642", body)
        if receipt.rejections:
            first = receipt.rejections[0]
            raise BadInput(first.reason, code=first.rule)
        if not receipt.alarm_ids:
            return reply(receipt, 202)
        alarm_id = receipt.alarm_ids[0]
        href = f"{base}/alarm/{alarm_id}"
        shown = tmf.show_alarm(house.queries.alarm(who, alarm_id), base)
        return reply(shown, 201, {"Location": href})

    @router.get(f"{base}/alarm", tags=["alarms"])
    def list_alarms(request: Request, house: Here, who: Who) -> Response:
        """Show alarms, oldest first: `limit` (at most 1000), `offset`, `fields`, and any attribute as a filter."""
        return page(request.query_params, tmf.alarms(base), partial(house.queries.alarms, who))

    @router.get(f"{base}/alarm/{{id}}", tags=["alarms"])
    def show_alarm(request: Request, house: Here, who: Who, id: Id) -> Response:
        """Show one alarm."""
        fields = chosen_fields(request.query_params, tmf.ALARM_ATTRIBUTES)
        return reply(project(tmf.show_alarm(house.queries.alarm(who, id), base), fields))


for _base in TMF642_BASES:
    _add_alarm_routes(_base)
