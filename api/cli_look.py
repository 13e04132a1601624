"""Commands that look: at what waits, at the network, at the record."""

from typing import Annotated

import typer

from api.cli_shared import Account, AsJson, Data, Url, client, show, write_json

_LOOK = "Look"
_READER = "viewer"

Id = Annotated[str, typer.Argument(help="An id, or an unambiguous part of one.")]
Limit = Annotated[int, typer.Option(help="At most so many rows.", min=1, max=1000)]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (inbox, show_card, incidents, state, ask, models, quarantine, tallies):
        name = "show" if command is show_card else command.__name__
        app.command(name, rich_help_panel=_LOOK)(command)


def inbox(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """What waits for a person."""
    cards = client(as_, url, data, _READER).get("/inbox")
    if as_json:
        write_json(cards)
        return
    from api.views import terminal
    from api.views.cards import CardView

    show(terminal.inbox([CardView.model_validate(card) for card in cards]))


def show_card(id: Id, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """Everything about one proposal or incident."""
    from urllib.parse import quote

    from domain.errors import NotFound

    door = client(as_, url, data, _READER)
    try:
        found, has_plan = door.get(f"/proposals/{quote(id, safe='')}"), True
    except NotFound:  # an incident for which nothing has been proposed
        found, has_plan = door.get(f"/incidents/{quote(id, safe='')}"), False
    if as_json:
        write_json(found)
        return
    from api.views import terminal
    from api.views.cards import CardView, IncidentPage

    show(
        terminal.card(CardView.model_validate(found))
        if has_plan
        else terminal.incident(IncidentPage.model_validate(found))
    )


def incidents(
    state: Annotated[str | None, typer.Option(help="open or closed.")] = None,
    limit: Limit = 20,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """The incidents, the newest first."""
    rows = client(as_, url, data, _READER).get("/incidents", state=state, limit=limit)
    if as_json:
        write_json(rows)
        return
    from api.views import terminal
    from domain.incidents import Incident

    show(terminal.incidents([Incident.model_validate(row) for row in rows]))


def state(
    at: Annotated[str | None, typer.Option(help="A past moment, for example 2026-01-31T12:00:00Z.")] = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Topology, loads, alarms and pending actions, now or at a past moment."""
    found = client(as_, url, data, _READER).get("/state", at=at)
    if as_json:
        write_json(found)
        return
    from api.views import reports

    show(reports.pairs(found))


def ask(
    question: Annotated[str, typer.Argument(help='For example "why prop_…?"')],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """An answer from recorded facts, with the ids that it rests on."""
    said = client(as_, url, data, _READER).post("/chat", {"question": question})
    if as_json:
        write_json(said)
        return
    from api.views import reports
    from domain.answers import Answer

    show(reports.answer(Answer.model_validate(said)))


def models(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """The versions of each model slot: what serves, what waits, and how often each was wrong."""
    _listed("/models", as_, url, data, as_json)


def quarantine(
    limit: Limit = 20, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False
) -> None:
    """What came in and could not be taken, with the rule that it broke."""
    _listed("/quarantine", as_, url, data, as_json, limit=limit)


def tallies(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """What each source sent, and what became of it."""
    _listed("/tallies", as_, url, data, as_json)


def _listed(path: str, as_: Account, url: Url, data: Data, as_json: bool, **params: int) -> None:
    rows = client(as_, url, data, _READER).get(path, **params)
    if as_json:
        write_json(rows)
        return
    from api.views import reports

    show(reports.rows(rows))
