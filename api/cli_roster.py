"""Commands about people: who is on call, what they were told, what a shift hands over, how attentive they are."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Because, Data, Url, client, show, write_json
from domain.errors import BadInput

_LOOK, _DECIDE, _DECLARE = "Look", "Decide", "Declare"
_READER, _APPROVER, _KEEPER = "viewer", "approver-one", "admin"

Moment = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When (now, unless said otherwise).")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (roster, notices, handover, attention, trust, reviews):
        app.command(command.__name__, rich_help_panel=_LOOK)(command)
    app.command("approve-batch", rich_help_panel=_DECIDE)(approve_batch)
    app.command("on-call", rich_help_panel=_DECLARE)(on_call)
    app.command("off-call", rich_help_panel=_DECLARE)(off_call)
    app.command("roster-import", rich_help_panel=_DECLARE)(roster_import)
    app.command("review-called", rich_help_panel=_DECLARE)(review_called)
    app.command("review-held", rich_help_panel=_DECLARE)(review_held)
    app.command("seed-card", rich_help_panel=_DECLARE)(seed_card)


def roster(
    at: Moment = None,
    role: Annotated[str | None, typer.Option(help="Only this role.")] = None,
    region: Annotated[str | None, typer.Option(help="Only who covers this region.")] = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Who is on call, and where nobody is."""
    found = client(as_, url, data, _READER).get("/roster", at=at, role=role, region=region)
    if as_json:
        write_json(found)
        return
    from api.views import people

    show(people.roster(found))


def notices(
    unseen: Annotated[bool, typer.Option("--unseen", help="Only what was not marked as seen.")] = False,
    seen: Annotated[str | None, typer.Option("--seen", metavar="ID", help="Mark this notice as seen.")] = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """What you were told."""
    door = client(as_, url, data, _APPROVER)
    found = [door.post(f"/notices/{_quoted(seen)}/seen", {})] if seen else door.get("/notices", unseen=unseen)
    if as_json:
        write_json(found)
        return
    from api.views import people

    show(people.notices(found))


def handover(
    accept: Annotated[bool, typer.Option("--accept", help="Take over what was handed to you.")] = False,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """What you have to look after, and what changed since you last took over."""
    door = client(as_, url, data, _APPROVER)
    found = door.get("/handover")
    taken = door.post("/handover/accept", {}) if accept else []
    if as_json:
        write_json(found | ({"accepted": taken} if accept else {}))
        return
    from api.views import people

    show(people.take_over(found, accepted=accept))


def attention(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """How attentive people are, by person and shift."""
    found = client(as_, url, data, _KEEPER).get("/attention")
    if as_json:
        write_json(found)
        return
    from api.views import people

    show(people.attention(found))


def trust(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """How far people trust each agent."""
    found = client(as_, url, data, _READER).get("/trust")
    if as_json:
        write_json(found)
        return
    from api.views import people

    show(people.trust(found))


def reviews(
    owed: Annotated[bool, typer.Option("--owed", help="Only those that were not held yet.")] = False,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """What was looked back at, and what still is to be."""
    found = client(as_, url, data, _READER).get("/reviews", owed=owed)
    if as_json:
        write_json(found)
        return
    from api.views import people

    show(people.reviews(found))


def approve_batch(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Proposals that can do no harm.")],
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Approve several harmless proposals with one reason."""
    rows = client(as_, url, data, _APPROVER).post("/inbox/approve-batch", {"ids": ids, "because": because})
    if as_json:
        write_json(rows)
        return
    from api.views.text import plain

    for row in rows:
        typer.echo(f"{plain(row['id'])}: {plain(row['state'] or row['reason'])}")


def on_call(
    account: Annotated[str, typer.Argument(help="The account of the person.")],
    role: Annotated[str, typer.Option(help="In which role.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Start, for example 2026-01-31T06:00:00Z.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="End.")],
    region: Annotated[str, typer.Option(help="Where (everywhere, unless said otherwise).")] = "*",
    domain: Annotated[str, typer.Option(help="For what (everything, unless said otherwise).")] = "*",
    order: Annotated[int, typer.Option(help="1 is asked first.", min=1, max=9)] = 1,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Put somebody on call."""
    body = {"role": role, "account": account, "region": region, "domain": domain, "order": order}
    body |= {"starts_at": start, "ends_at": end}
    _shifts(client(as_, url, data, _KEEPER).post("/roster/shifts", body), as_json)


def roster_import(
    file: Annotated[Path, typer.Argument(help="A CSV with a header, or JSON: a list of shifts.")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Take in a whole roster: all of its shifts, or none."""
    from api import strict_json

    try:
        content = file.read_bytes()
        text = content.decode()
    except OSError as error:
        raise BadInput(f"the file `{file}` cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"the file `{file}` is no UTF-8 text; save it as UTF-8") from None
    body = {"csv": text} if file.suffix.lower() == ".csv" else {"shifts": _listed(strict_json.read(content))}
    _shifts(client(as_, url, data, _KEEPER).post("/roster/import", body), as_json)


def off_call(
    shift: Annotated[str, typer.Argument(help="The id of a shift.")],
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Take somebody off call."""
    door = client(as_, url, data, _KEEPER)
    _shifts([door.post(f"/roster/shifts/{_quoted(shift)}/withdraw", {"because": because})], as_json)


def review_called(
    kind: Annotated[str, typer.Argument(help="What kind of thing: model, agent, autonomy, …")],
    ref: Annotated[str, typer.Argument(help="Which one.")],
    due: Annotated[str, typer.Option("--until", metavar="TIME", help="Until when.")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Ask for something to be looked back at."""
    body = {"kind": kind, "ref": ref, "due_at": due}
    _review(client(as_, url, data, "auditor").post("/reviews", body), as_json)


def review_held(
    review: Annotated[str, typer.Argument(help="The id of a review.")],
    attendee: Annotated[list[str], typer.Option(help="Who was there (repeat it).")],
    decision: Annotated[list[str], typer.Option(help="What was decided (repeat it).")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Record that a review was held."""
    body = {"attendees": attendee, "decisions": decision}
    _review(client(as_, url, data, "auditor").post(f"/reviews/{_quoted(review)}/hold", body), as_json)


def seed_card(
    account: Annotated[str, typer.Argument(help="The account of an approver.")],
    mutation: Annotated[str, typer.Option(help="How the card is made wrong (drawn, unless said).")] = "",
    proposal: Annotated[str, typer.Option(help="From which proposal it is made (drawn, unless said).")] = "",
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Put a card that is wrong on purpose before somebody, to learn how much is missed."""
    body = {"account": account, "mutation": mutation, "proposal_id": proposal}
    found = client(as_, url, data, _KEEPER).post("/attention/seed", body)
    if as_json:
        write_json(found)
    else:
        typer.echo(f"{found['id']}: shown; nothing of it is ever carried out")


def _shifts(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        write_json(rows)
        return
    from api.views.text import plain

    for row in rows:
        ends = "withdrawn" if row["withdrawn_at"] else f"{row['starts_at']} to {row['ends_at']}"
        typer.echo(f"{row['id']}: {plain(row['account'])} as {row['role']}, {ends}")


def _review(row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(row)
    else:
        typer.echo(f"{row['id']}: {'held at ' + row['held_at'] if row['held_at'] else 'due at ' + row['due_at']}")


def _listed(found: Any) -> Any:
    return found["shifts"] if isinstance(found, dict) and set(found) == {"shifts"} else found


def _quoted(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")
