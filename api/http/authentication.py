"""The second layer: who is asking, and may this account knock here. Asked before a byte of the body is read."""

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.house import Issuer
from api.http.access import DOCS, OPEN, methods
from api.http.errors import MethodNotAllowed
from api.http.reply import refusal
from domain.errors import NocturneError, NotAuthenticated, Refused
from domain.identity import Principal, Role

#: Where the account is kept for the routes.
WHO = "nocturne.who"
_LONGEST_TOKEN = 4096


class Authentication:
    """ASGI middleware: no token, no answer; deny by default."""

    def __init__(self, app: ASGIApp, issuer: Issuer, *, open_docs: bool) -> None:
        self._app = app
        self._issuer = issuer
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
        path, method = scope["path"], scope["method"]
        try:
            if not self._is_open(path):
                scope[WHO] = await to_thread.run_sync(self._issuer.authenticate, _token(Headers(scope=scope)))
            known = methods(path)
            if known and method not in known:
                return _other_methods(path, method, {*known})
            if known and not self._is_open(path):
                _check_role(scope[WHO], known[method], method, path)
        except NocturneError as error:
            return refusal(error)
        return None

    def _is_open(self, path: str) -> bool:
        return path in OPEN or (self._open_docs and path.startswith(DOCS))


def _token(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST_TOKEN:
        raise NotAuthenticated("who is asking? send `Authorization: Bearer TOKEN`")
    return token


def _check_role(who: Principal, allowed: frozenset[Role], method: str, path: str) -> None:
    if not who.roles & allowed:
        wanted = " or ".join(sorted(allowed))
        raise Refused(f"account `{who.name}` may not {method} `{path[:200]}`; it needs the role {wanted}")


def _other_methods(path: str, method: str, known: set[str]) -> Response:
    allow = ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))
    if method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allow})
    answer = refusal(MethodNotAllowed(f"`{path[:200]}` does not take {method[:20]}; it takes {allow}"))
    answer.headers["Allow"] = allow
    return answer
