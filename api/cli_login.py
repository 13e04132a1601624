"""Commands by which people and machines get their tokens from an identity provider. No secret is ever an argument."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_shared import Account, Data, Url, client, note
from domain.errors import BadInput

if TYPE_CHECKING:
    from adapters.identity.trust import Trust
    from api.settings import Settings

Issuer = Annotated[str | None, typer.Option(help="The identity provider (as in NOCTURNE_OIDC).", metavar="URL")]
ClientId = Annotated[str | None, typer.Option("--client", help="The client that people sign in with.", metavar="ID")]
Audience = Annotated[str | None, typer.Option(help="What the provider calls the server.", metavar="NAME")]
Name = Annotated[str, typer.Option("--as", metavar="NAME", help="The name under which it is kept.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (login, logout, token, prove):
        app.command(command.__name__, rich_help_panel="Accounts")(command)


def login(
    issuer: Issuer = None,
    client_id: ClientId = None,
    audience: Audience = None,
    as_: Name = "me",
    fresh: Annotated[bool, typer.Option("--fresh", help="Prove who you are, even if you are remembered.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    data: Data = None,
) -> None:
    """Log in at the identity provider, in a browser."""
    from adapters.identity.signing_in import SigningIn
    from api.sessions import Sessions
    from api.settings import load
    from api.views.text import plain
    from domain.clock import SystemClock

    settings, clock = load(data=data), SystemClock()
    issuer, audience = _provider(settings, issuer, audience)
    door = SigningIn(issuer, client_id or _only_client(settings), clock, audience=audience)
    session = door.as_person(lambda url: _bring(url, browser=browser), fresh=fresh)
    Sessions(settings.data, clock).keep(as_, session)
    note(plain(f"logged in as {session.name}"))


def logout(as_: Name = "me", data: Data = None) -> None:
    """End a login, here and at the identity provider."""
    from adapters.identity.signing_in import SigningIn
    from api.sessions import Sessions
    from api.settings import load
    from domain.clock import SystemClock
    from domain.errors import NotAuthenticated, Unavailable

    clock = SystemClock()
    sessions = Sessions(load(data=data).data, clock)
    session = sessions.get(as_)
    sessions.forget(as_)
    try:
        SigningIn(session.issuer, session.client, clock, audience=session.audience).revoke(session)
    except (NotAuthenticated, Unavailable) as error:
        note(f"logged out here; the identity provider was not told: {error.reason}")
    else:
        note("logged out")


def token(
    issuer: Issuer = None,
    audience: Audience = None,
    as_: Annotated[str | None, typer.Option("--as", metavar="NAME", help="A login instead of this machine.")] = None,
    data: Data = None,
) -> None:
    """Write a token that holds: this machine's (NOCTURNE_CLIENT_ID and its secret), or a login's."""
    from api.identities import MINE
    from api.sessions import Sessions
    from api.settings import load
    from domain.clock import SystemClock

    settings = load(data=data)
    if as_ is None and os.environ.get("NOCTURNE_CLIENT_ID"):
        typer.echo(machines(settings, issuer, audience))
    else:
        typer.echo(Sessions(settings.data, SystemClock()).token(as_ or MINE))


def prove(as_: Account = None, url: Url = None, data: Data = None) -> None:
    """Write a proof that you are here now, to be sent as NOCTURNE_TOKEN for five minutes (local accounts)."""
    from api.client import token_for
    from api.settings import load

    account = as_ or "approver-one"
    own = token_for(load(data=data), as_, account)
    typer.echo(client(as_, url, data, account).post("/identity/proof", {"token": own})["token"])


def machines(settings: "Settings", issuer: str | None = None, audience: str | None = None) -> str:
    """Return the token of the machine that the environment names. Raises BadInput, NotAuthenticated, Unavailable."""
    from api.sessions import Sessions, machine_token
    from domain.clock import SystemClock

    clock = SystemClock()
    issuer, audience = _provider(settings, issuer, audience)
    return machine_token(
        Sessions(settings.data, clock),
        issuer=issuer,
        audience=audience,
        client=os.environ.get("NOCTURNE_CLIENT_ID", ""),
        secret=_secret(),
        clock=clock,
    )


def _provider(settings: "Settings", issuer: str | None, audience: str | None) -> tuple[str, str]:
    trust = settings.oidc
    found = issuer or (trust.issuer if trust else os.environ.get("NOCTURNE_OIDC__ISSUER", ""))
    if not found:
        raise BadInput("no identity provider is named; give --issuer, or set NOCTURNE_OIDC")
    from adapters.identity.trust import is_safe

    if not is_safe(found):
        raise BadInput(f"`{found[:200]}` is no issuer: write its https address")
    return found, audience if audience is not None else (trust.audience if trust else "")


def _only_client(settings: "Settings") -> str:
    trust: Trust | None = settings.oidc
    if trust is None or len(trust.clients) != 1:
        raise BadInput("say with --client which client of the identity provider people sign in with")
    return next(iter(trust.clients))


def _secret() -> str:
    """Return this machine's secret from the environment or a file; an argument would be seen by everybody on it."""
    path = os.environ.get("NOCTURNE_CLIENT_SECRET_FILE")
    if not path:
        return os.environ.get("NOCTURNE_CLIENT_SECRET", "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadInput(f"the secret's file `{path}` cannot be read: {error.strerror}") from None


def _bring(url: str, *, browser: bool) -> None:
    import webbrowser

    note(f"log in here: {url}")
    if browser:
        webbrowser.open(url)
