"""The second layer: who is asking. Asked before a byte of the body is read; what the account may do, `sieve` asks.

The one thing that says who somebody is, is `Authorization: Bearer`. No cookie does, so no page of another site can
have a browser act in its user's name (CSRF), and no header of CORS is ever sent: other sites' pages read nothing.
"""

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.house import Issuer
from api.http.access import DOCS, OPEN
from api.http.attempts import Attempts
from api.http.reply import refusal
from domain.errors import NocturneError, NotAuthenticated
from domain.identity import Principal

#: Where the account is kept for the routes.
WHO = "nocturne.who"
_LONGEST_TOKEN = 8192


class Authentication:
    """ASGI middleware: no token, no answer; deny by default."""

    def __init__(self, app: ASGIApp, issuer: Issuer, attempts: Attempts, *, open_docs: bool) -> None:
        self._app = app
        self._issuer = issuer
        self._attempts = attempts
        self._open_docs = open_docs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            answer = await self._stop(scope)
            if answer is not None:
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _stop(self, scope: Scope) -> Response | None:
        """Return what to say to somebody who may not pass, or None."""
        if self._is_open(scope["path"]):
            return None
        address = (scope.get("client") or ("unknown", 0))[0]
        try:
            token = _token(Headers(scope=scope))
            self._attempts.may_try(address, token)
            scope[WHO] = await to_thread.run_sync(self._known, address, token)
        except NocturneError as error:
            return refusal(error)
        return None

    def _known(self, address: str, token: str) -> Principal:
        try:
            who = self._issuer.authenticate(token)
        except NotAuthenticated:
            self._attempts.failed(address, token)
            raise
        self._attempts.succeeded(address, token)
        return who

    def _is_open(self, path: str) -> bool:
        return path in OPEN or (self._open_docs and path.startswith(DOCS))


def _token(headers: Headers) -> str:
    given = headers.getlist("authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST_TOKEN:
        raise NotAuthenticated("who is asking? send `Authorization: Bearer TOKEN`")
    return token
