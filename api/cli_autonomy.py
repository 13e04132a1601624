"""`nocturne autonomy`: what agents may do by themselves, how they earned it, and taking it back."""

from typing import Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Because, Data, Url, client, show, write_json

_READER, _MANAGER, _APPROVER, _OPERATOR = "viewer", "change-manager", "approver-one", "operator"

Ground = Annotated[
    str, typer.Argument(help='A ground as `nocturne autonomy show` lists it: "agent|action|domain|band".')
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    room = typer.Typer(help="What agents may do by themselves, and how they earned it.", no_args_is_help=True)
    for command in (show_grounds, history, acceptance, disagreements, reviews, review, waive, revoke, lower):
        name = "show" if command is show_grounds else command.__name__
        room.command(name)(command)
    app.add_typer(room, name="autonomy", rich_help_panel="Prove")


def show_grounds(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """Every ground: its level, its evidence, and what is missing."""
    rows = client(as_, url, data, _READER).get("/autonomy")
    if as_json:
        write_json(rows)
        return
    from api.views import autonomy
    from control_plane.autonomy.views import GroundView

    show(autonomy.grounds([GroundView.model_validate(row) for row in rows]))


def history(ground: Ground, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """One ground: its levels, waivers and newest credits."""
    page = client(as_, url, data, _READER).get(f"/autonomy/{_quoted(ground)}")
    if as_json:
        write_json(page)
        return
    from api.views import autonomy
    from control_plane.autonomy.views import GroundPage

    show(autonomy.ground(GroundPage.model_validate(page)))


def acceptance(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """How often people accept what agents ask for, and how often the twin's intervals held."""
    door = client(as_, url, data, _READER)
    rows, held = door.get("/autonomy/acceptance"), door.get("/autonomy/coverage")
    if as_json:
        write_json({"acceptance": rows, "coverage": held})
        return
    from api.views import autonomy
    from control_plane.autonomy.acceptance import Acceptance
    from control_plane.autonomy.realised import Coverage

    show(autonomy.acceptance([Acceptance.model_validate(row) for row in rows], Coverage.model_validate(held)))


def disagreements(
    agent: Annotated[str, typer.Option(help="Only with this agent, for example agent:provisioning.")] = "",
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Where people and agents wanted different things, and what came of it."""
    found = client(as_, url, data, _READER).get("/disagreements", requester=agent)
    if as_json:
        write_json(found)
        return
    from api.views import autonomy
    from control_plane.autonomy.views import Disagreements

    show(autonomy.disagreements(Disagreements.model_validate(found)))


def reviews(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """The reviews that are owed of plans which agents carried out alone."""
    rows = client(as_, url, data, _READER).get("/autonomy/reviews")
    if as_json:
        write_json(rows)
        return
    from api.views import autonomy
    from domain.keeping import Review

    show(autonomy.reviews([Review.model_validate(row) for row in rows]))


def review(
    id: Annotated[str, typer.Argument(help="A review's id.")],
    because: Because,
    wrong: Annotated[bool, typer.Option("--wrong/--right", help="The level falls when it was wrong.")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a plan that an agent carried out alone was right."""
    door = client(as_, url, data, _APPROVER)
    held = door.post(f"/autonomy/reviews/{_quoted(id)}", {"right": not wrong, "because": because})
    _tell(held, f"{held['id']}: {held['decisions'][0]}", as_json)


def waive(
    ground: Ground,
    because: Because,
    days: Annotated[float, typer.Option(help="For how long.", min=0.01, max=14)],
    level: Annotated[int, typer.Option(help="1: where harmless; 2: where narrow.", min=1, max=2)] = 1,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Lend a level without the evidence, for days at most. It is recorded and told."""
    from datetime import timedelta

    from domain.clock import SystemClock

    # a second less than asked for: the two clocks need not agree to it
    ends_at = SystemClock().now() + timedelta(days=days, seconds=-1)
    body = {"ground": ground, "level": level, "ends_at": ends_at.isoformat(), "because": because}
    signed = client(as_, url, data, _MANAGER).post("/autonomy/waivers", body)
    _tell(signed, f"{signed['id']}: level {signed['level']} on {signed['ground']} until {signed['ends_at']}", as_json)


def revoke(
    id: Annotated[str, typer.Argument(help="A waiver's id.")],
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """End a waiver."""
    ended = client(as_, url, data, _MANAGER).post(f"/autonomy/waivers/{_quoted(id)}/revoke", {"because": because})
    _tell(ended, f"{ended['id']}: ended", as_json)


def lower(
    ground: Ground,
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Take the level of a ground back, waivers included: people sign there again."""
    moved = client(as_, url, data, _OPERATOR).post("/autonomy/lower", {"ground": ground, "because": because})
    _tell(moved, f"{moved['ground']}: level {moved['previous']} taken back", as_json)


def _tell(result: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        write_json(result)
        return
    from api.views.text import plain

    typer.echo(plain(text, 600))


def _quoted(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")
