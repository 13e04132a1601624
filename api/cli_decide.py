"""Commands that decide and declare. Each needs a reason, and each is one command of the house."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Because, Data, Url, client, write_json
from domain.errors import BadInput

_DECIDE, _DECLARE = "Decide", "Declare"
_APPROVER, _OPERATOR = "approver-one", "operator"

Id = Annotated[str, typer.Argument(help="A proposal's id, or an unambiguous part of it.")]
Start = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Start (now, unless said otherwise).")]
End = Annotated[str, typer.Option("--to", metavar="TIME", help="End, for example 2026-01-31T12:00:00Z.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (approve, reject, change, defer, stop, settle, close):
        app.command(command.__name__, rich_help_panel=_DECIDE)(command)
    app.command("planned-work", rich_help_panel=_DECLARE)(planned_work)
    app.command("freeze", rich_help_panel=_DECLARE)(freeze)


def approve(
    id: Id, because: Because, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Say yes to exactly the plan that `show` shows."""
    door = client(as_, url, data, _APPROVER)
    proposal = _proposal(door, id)
    body = {"because": because, "plan_digest": proposal["plan_digest"]}
    _tell(door.post(f"/proposals/{proposal['id']}/approve", body), as_json)


def reject(
    id: Id, because: Because, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Say no."""
    _decide("reject", id, {"because": because}, client(as_, url, data, _APPROVER), as_json)


def change(
    id: Id,
    because: Because,
    plan: Annotated[Path, typer.Option(help='A JSON file: {"steps": [{"kind": …, "target": …}]}.')],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Ask for another plan instead; it becomes a proposal of its own."""
    from api import strict_json

    try:
        wanted = strict_json.read(plan.read_bytes())
    except OSError as error:
        raise BadInput(f"the file `{plan}` cannot be read: {error.strerror}") from None
    _decide("change", id, {"because": because, "plan": wanted}, client(as_, url, data, _APPROVER), as_json)


def defer(
    id: Id,
    because: Because,
    minutes: Annotated[int, typer.Option(help="For how long.", min=1, max=24 * 60)] = 10,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Decide later."""
    from datetime import timedelta

    until = _now() + timedelta(minutes=minutes)
    body = {"because": because, "until": until.isoformat()}
    _decide("defer", id, body, client(as_, url, data, _APPROVER), as_json)


def stop(
    id: Id, because: Because, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Stop a plan in flight; what was done is undone."""
    _decide("stop", id, {"because": because}, client(as_, url, data, _OPERATOR), as_json)


def settle(
    step: Annotated[str, typer.Argument(help="The id of a step in doubt.")],
    because: Because,
    happened: Annotated[bool, typer.Option("--happened/--did-not-happen", help="What you found out.")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a step in doubt happened."""
    body = {"because": because, "happened": happened}
    _tell(client(as_, url, data, _OPERATOR).post(f"/steps/{_quoted(step)}/settle", body), as_json)


def close(
    incident: Annotated[str, typer.Argument(help="An incident's id.")],
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Close an incident by hand."""
    _tell(
        client(as_, url, data, _OPERATOR).post(f"/incidents/{_quoted(incident)}/close", {"because": because}), as_json
    )


def planned_work(
    change_id: Annotated[str, typer.Argument(metavar="CHANGE", help="The change that is worked on.")],
    end: End,
    element: Annotated[list[str], typer.Option(help="An element that is worked on (repeat it).")],
    expected: Annotated[list[str], typer.Option(help="An alarm type that is expected (repeat it).")],
    affected: Annotated[list[str] | None, typer.Option(help="An element that suffers (repeat it).")] = None,
    start: Start = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Declare a window in which some alarms are expected."""
    body = {"change_id": change_id, "elements": element, "affected": affected or [], "expected": expected}
    body |= {"starts_at": start or _now().isoformat(), "ends_at": end}
    _tell(client(as_, url, data, _OPERATOR).post("/planned-work", body), as_json)


def freeze(
    because: Because,
    end: End,
    start: Start = None,
    region: Annotated[str, typer.Option(help="Where (everywhere, unless said otherwise).")] = "",
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Declare a time in which nothing may be changed."""
    body = {"region": region, "because": because, "starts_at": start or _now().isoformat(), "ends_at": end}
    _tell(client(as_, url, data, _OPERATOR).post("/freezes", body), as_json)


def _decide(verb: str, id: str, body: dict[str, Any], door: Any, as_json: bool) -> None:
    _tell(door.post(f"/proposals/{_proposal(door, id)['id']}/{verb}", body), as_json)


def _proposal(door: Any, id: str) -> dict[str, Any]:
    """Return the proposal that a (shortened) id speaks of."""
    proposal: dict[str, Any] = door.get(f"/proposals/{_quoted(id)}")["proposal"]
    return proposal


def _tell(result: dict[str, Any], as_json: bool) -> None:
    """Say in one line what came of it."""
    if as_json:
        write_json(result)
        return
    from api.views.text import plain

    state = result.get("state") or f"until {result.get('ends_at')}"
    typer.echo(f"{plain(result['id'])}: {plain(state)}" + (f"  {plain(result['title'])}" if "title" in result else ""))


def _quoted(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")


def _now() -> Any:
    from domain.clock import SystemClock

    return SystemClock().now()
