"""Commands around a signature: ask, take back, lend, break the glass, review; and the change records."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Because, Data, Url, client, write_json
from domain.errors import BadInput

_APPROVER, _AUDITOR, _VIEWER = "approver-one", "auditor", "viewer"
_DECIDE, _LOOK = "Decide", "Look"

Id = Annotated[str, typer.Argument(help="A proposal's id, or an unambiguous part of it.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("question", rich_help_panel=_DECIDE)(question)
    app.command("answer", rich_help_panel=_DECIDE)(answer)
    app.command("revoke", rich_help_panel=_DECIDE)(revoke)
    app.command("break-glass", rich_help_panel=_DECIDE)(break_glass)
    app.command("review-glass", rich_help_panel=_DECIDE)(review_glass)
    app.command("delegate", rich_help_panel=_DECIDE)(delegate)
    app.command("end-delegation", rich_help_panel=_DECIDE)(end_delegation)
    app.command("delegations", rich_help_panel=_LOOK)(delegations)
    app.command("glass", rich_help_panel=_LOOK)(glass)
    app.command("changes", rich_help_panel=_LOOK)(changes)
    app.command("chains", rich_help_panel=_LOOK)(chains)


def question(
    id: Id,
    text: Annotated[str, typer.Argument(metavar="QUESTION", help="What you want to know before you decide.")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Ask about a proposal before deciding; it waits on."""
    door = client(as_, url, data, _APPROVER)
    found = door.post(f"/proposals/{_proposal(door, id)['id']}/ask", {"question": text})
    _tell(found, as_json, f"{found['id']}: {found['advice'] or 'the record does not say; people are asked'}")


def answer(
    id: Annotated[str, typer.Argument(help="The id of a question.")],
    text: Annotated[str, typer.Argument(metavar="ANSWER", help="What you know.")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question about a proposal."""
    found = client(as_, url, data, _APPROVER).post(f"/enquiries/{_quoted(id)}/answer", {"answer": text})
    _tell(found, as_json, f"{found['id']}: answered")


def revoke(
    id: Id, because: Because, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Take your signature back; a plan that is being carried out is stopped."""
    door = client(as_, url, data, _APPROVER)
    found = door.post(f"/proposals/{_proposal(door, id)['id']}/revoke", {"because": because})
    _tell(found, as_json, f"{found['id']}: {found['state']}")


def break_glass(
    id: Id, because: Because, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Sign alone, in an emergency; you must have just logged in, and it is reviewed on the next working day."""
    door = client(as_, url, data, _APPROVER)
    proposal = _proposal(door, id)
    body = {"because": because, "plan_digest": proposal["plan_digest"]}
    found = door.post(f"/proposals/{proposal['id']}/break-glass", body)
    _tell(found, as_json, f"{found['id']}: {found['state']}, by broken glass")


def review_glass(
    id: Annotated[str, typer.Argument(help="The id of a broken glass, as `glass` shows it.")],
    because: Because,
    justified: Annotated[bool, typer.Option("--justified/--not-justified", help="What you find.")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Review a broken glass, as somebody else than who broke it."""
    body = {"because": because, "justified": justified}
    found = client(as_, url, data, _AUDITOR).post(f"/broken-glass/{_quoted(id)}/review", body)
    _tell(found, as_json, f"{found['id']}: {found['verdict']}")


def delegate(
    to: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account that borrows.")],
    because: Because,
    hours: Annotated[float, typer.Option(help="For how long.", min=0.1, max=31 * 24)] = 8.0,
    permission: Annotated[list[str] | None, typer.Option(help="approve, stop or settle (repeat it).")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only in this region (repeat it).")] = None,
    stand_in: Annotated[bool, typer.Option("--stand-in", help="While you are away.")] = False,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Lend a part of your rights to another person for a while."""
    from domain.clock import SystemClock

    now = SystemClock().now()
    body: dict[str, Any] = {
        "to_account": to,
        "because": because,
        "permissions": permission or ["approve"],
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=hours)).isoformat(),
        "kind": "stand_in" if stand_in else "delegation",
    }
    if region:
        body["scope"] = {"regions": region}
    found = client(as_, url, data, _APPROVER).post("/delegations", body)
    _tell(found, as_json, f"{found['id']}: {', '.join(found['permissions'])} until {found['ends_at']}")


def end_delegation(
    id: Annotated[str, typer.Argument(help="A delegation's id, as `delegations` shows it.")],
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """End a delegation at once."""
    found = client(as_, url, data, _APPROVER).post(f"/delegations/{_quoted(id)}/revoke", {"because": because})
    _tell(found, as_json, f"{found['id']}: ended")


def delegations(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show what you lent and what you borrow."""
    rows = client(as_, url, data, _APPROVER).get("/delegations")
    columns = ("id", "from_account", "to_account", "permissions", "ends_at", "revoked_at")
    _table(rows, columns, as_json, "nothing is lent or borrowed")


def glass(
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose review is late.")] = False,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show every broken glass and what came of its review."""
    rows = client(as_, url, data, _AUDITOR).get("/broken-glass", overdue=str(overdue).lower())
    columns = ("id", "proposal_id", "person", "broken_at", "review_due", "verdict")
    _table(rows, columns, as_json, "no glass was broken")


def changes(
    id: Annotated[str | None, typer.Argument(help="A change's id; without it, all are listed.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those in this state, for example `approved`.")] = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show change records, or one of them with its plan and what people said."""
    door = client(as_, url, data, _VIEWER)
    if id is not None:
        write_json(door.get(f"/changes/{_quoted(id)}"))
        return
    columns = ("id", "state", "kind", "requested_by", "approved_by", "ticket_ids", "title")
    _table(door.get("/changes", state=state), columns, as_json, "no change was asked for yet")


def chains(
    check: Annotated[str | None, typer.Option(help="Check the chains of a folder instead.", metavar="DIR")] = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the chains of approval in force, or check those of a folder."""
    if check is not None:
        from pathlib import Path

        from policies.chain_files import Chains

        found = Chains.load(Path(check))
        typer.echo(f"{len(found.all)} chains, version {found.version[:12]}: " + ", ".join(c.id for c in found.all))
        return
    view = client(as_, url, data, _VIEWER).get("/chains")
    if as_json:
        write_json(view)
        return
    for chain in view["chains"]:
        stages = " then ".join(f"{stage['count']} of {' or '.join(stage['roles'])}" for stage in chain["stages"])
        typer.echo(f"{chain['id']}: {stages}  ({chain['because']})")


def _proposal(door: Any, id: str) -> dict[str, Any]:
    """Return the proposal that a (shortened) id speaks of."""
    proposal: dict[str, Any] = door.get(f"/proposals/{_quoted(id)}")["proposal"]
    return proposal


def _tell(result: dict[str, Any], as_json: bool, line: str) -> None:
    from api.views.text import plain

    if as_json:
        write_json(result)
    else:
        typer.echo(plain(line, 4000))


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool, none: str) -> None:
    """Write rows as one line each."""
    from api.views.text import plain

    if as_json:
        write_json(rows)
        return
    for row in rows or []:
        cells = (row[name] for name in columns)
        typer.echo(plain("  ".join(_cell(cell) for cell in cells if cell not in (None, "", [])), 2000))
    if not rows:
        typer.echo(none)


def _cell(value: Any) -> str:
    return ",".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _quoted(id: str) -> str:
    from urllib.parse import quote

    if not id:
        raise BadInput("name one: the id is empty")
    return quote(id, safe="")
