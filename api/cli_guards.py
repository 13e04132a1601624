"""Commands of the guards: pull and release kill switches, close breakers, see what holds what back."""

from typing import Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Because, Data, Url, client, write_json
from domain.errors import BadInput

_OPERATOR, _ADMIN, _VIEWER = "operator", "admin", "viewer"

All = Annotated[bool, typer.Option("--all", help="Everything.")]
Agent = Annotated[str, typer.Option(help="What one agent asked for, for example `provisioning`.")]
Domain = Annotated[str, typer.Option(help="What acts in one domain, for example `transport` or `ran`.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("kill", rich_help_panel="Decide")(kill)
    app.command("release", rich_help_panel="Decide")(release)
    app.command("close-breaker", rich_help_panel="Decide")(close_breaker)
    app.command("guards", rich_help_panel="Look")(guards)


def kill(
    because: Because,
    all_: All = False,
    agent: Agent = "",
    domain: Domain = "",
    hand_over: Annotated[
        bool, typer.Option("--hand-over", help="Leave plans in flight as they are, instead of undoing them.")
    ] = False,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Pull a kill switch: nothing in its reach starts any more."""
    body = _which(all_, agent, domain) | {"because": because, "in_flight": "hand_over" if hand_over else "undo"}
    _tell(client(as_, url, data, _OPERATOR).post("/switches", body), as_json)


def release(
    because: Because,
    all_: All = False,
    agent: Agent = "",
    domain: Domain = "",
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Release a kill switch; what waited only for it is rehearsed and judged anew."""
    body = _which(all_, agent, domain) | {"because": because}
    _tell(client(as_, url, data, _ADMIN).post("/switches/release", body), as_json)


def close_breaker(
    id: Annotated[str, typer.Argument(help="A breaker's id, as `guards` shows it.")],
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Close a circuit breaker by hand."""
    from urllib.parse import quote

    closed = client(as_, url, data, _ADMIN).post(f"/breakers/{quote(id, safe='')}/close", {"because": because})
    if as_json:
        write_json(closed)
        return
    from api.views.text import plain

    typer.echo(f"{plain(closed['id'])}: {plain(closed['state'])}")


def guards(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show what holds the plane back: switches, breakers, budgets, locks, collisions."""
    found = client(as_, url, data, _VIEWER).get("/guards")
    if as_json:
        write_json(found)
        return
    from api.cli_shared import show
    from api.views.guards import overview

    show(overview(found))


def _which(all_: bool, agent: str, domain: str) -> dict[str, str]:
    if sum((all_, bool(agent), bool(domain))) != 1:
        raise BadInput("say what the switch is of: --all, --agent NAME or --domain NAME")
    if all_:
        return {"kind": "all"}
    return {"kind": "agent", "name": agent} if agent else {"kind": "domain", "name": domain}


def _tell(switch: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(switch)
        return
    from api.views.text import plain

    of = "everything" if switch["kind"] == "all" else f"{switch['kind']} {plain(switch['name'])}"
    typer.echo(f"the kill switch of {of} is {'off: nothing starts' if switch['off'] else 'on again'}")
