"""The command line's way to a running server: one address, one token, and errors in the house's own words."""

import json
import os
from pathlib import Path
from typing import Any

import httpx

from api.identities import MINE, SESSIONS, token_of
from api.settings import Settings
from domain.clock import SystemClock
from domain.errors import NocturneError, NotFound, Unavailable

#: In the data folder: where the server listens.
ADDRESS = "server.url"
_TIMEOUT_S = 60.0
_LONG_S = 600.0  # for what is taken away whole


class ServerError(NocturneError):
    """What the server answered, in its own words."""


class Client:
    """Speaks to one server in the name of one account."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        # `trust_env=False`: a proxy of the environment has no business with this machine's loopback
        self._options: dict[str, Any] = {"base_url": url, "headers": headers, "timeout": _TIMEOUT_S, "trust_env": False}
        self._url = url

    def get(self, path: str, **params: Any) -> Any:
        """Return what the server shows at `path`; parameters that are None are left out."""
        return self._ask("GET", path, params={name: value for name, value in params.items() if value is not None})

    def fetch(self, path: str, **params: Any) -> bytes:
        """Return what the server gives out at `path`, byte for byte."""
        asked = {name: value for name, value in params.items() if value is not None}
        try:
            with httpx.Client(**self._options | {"timeout": _LONG_S}) as http:
                answer = http.get(path, params=asked)
        except httpx.TransportError:
            raise Unavailable(f"no server answers at {self._url}; start one, or name another with --url") from None
        if answer.is_success:
            return answer.content
        try:
            body = answer.json()
        except ValueError:
            body = {}
        raise ServerError(str(body.get("reason", "no reason given")), code=str(body.get("code", "internal")))

    def post(self, path: str, body: dict[str, Any], *, long: bool = False) -> Any:
        """Send a command and return its result; `long`: it may take minutes."""
        return self._ask("POST", path, json=body, timeout=_LONG_S if long else _TIMEOUT_S)

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        try:
            with httpx.Client(**self._options) as http:
                answer = http.request(method, path, **request)
            body = answer.json()
        except httpx.TransportError:
            raise Unavailable(
                f"no server answers at {self._url}; start one with `nocturne serve --demo`, or name another with --url"
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise Unavailable(f"what answers at {self._url} is not Nocturne; name another with --url") from None
        if answer.is_success:
            return body
        reason, code = str(body.get("reason", "no reason given")), str(body.get("code", "internal"))
        raise NotFound(reason) if answer.status_code == httpx.codes.NOT_FOUND else ServerError(reason, code=code)


def connect(settings: Settings, *, account: str | None, url: str | None, default_account: str) -> Client:
    """Return a client for the account that is named, or else for whoever can be told from what is there.

    In this order: `NOCTURNE_TOKEN`, the machine of `NOCTURNE_CLIENT_ID`, who is logged in, the demo's account.

    Raises:
        BadInput: nobody is named and there is no demo server's folder to take an account from.
        NotAuthenticated, Unavailable: the identity provider gives no token.
    """
    address = url or os.environ.get("NOCTURNE_URL") or _address(settings)
    return Client(address, token_for(settings, account, default_account))


def token_for(settings: Settings, account: str | None, default_account: str) -> str:
    """Return the token that `connect` would send."""
    if account is None and os.environ.get("NOCTURNE_TOKEN"):
        return os.environ["NOCTURNE_TOKEN"]
    if account is None and os.environ.get("NOCTURNE_CLIENT_ID"):
        from api.cli_login import machines

        return machines(settings)
    if (settings.data / SESSIONS).exists():
        from api.sessions import Sessions

        sessions = Sessions(settings.data, SystemClock())
        if sessions.has(account or MINE):
            return sessions.token(account or MINE)
    return token_of(settings.data, account or default_account)


def leave_address(folder: Path, url: str) -> None:
    """Leave word in a data folder of where its server listens; who waits for the file never finds half of it."""
    written = folder / f"{ADDRESS}.new"
    written.write_text(f"{url}\n", encoding="utf-8")
    written.replace(folder / ADDRESS)


def _address(settings: Settings) -> str:
    try:
        return (settings.data / ADDRESS).read_text().strip()
    except OSError:
        return settings.url
