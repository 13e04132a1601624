"""The third layer: may this account knock here. Asked before a byte of the body is read.

What has no row in the table of access goes on to the router, which knows no such route either.
"""

from anyio import to_thread
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.house import House
from api.http.access import DOCS, OPEN, methods
from api.http.authentication import WHO
from api.http.errors import MethodNotAllowed
from api.http.reply import refusal
from control_plane.rights import need
from domain.errors import Refused
from domain.identity import Permission, Principal

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Sieve:
    """ASGI middleware: what the table of access does not give is refused, and what would have changed is recorded."""

    def __init__(self, app: ASGIApp, house: House, *, open_docs: bool) -> None:
        self._app = app
        self._house = house
        self._open_docs = open_docs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._stop(scope) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
        else:
            await answer(scope, receive, send)

    async def _stop(self, scope: Scope) -> Response | None:
        """Return what to say to somebody who may not pass, or None."""
        path, method = scope["path"], scope["method"]
        known = methods(path)
        if not known:
            return None
        if method not in known:
            return _other_methods(path, method, {*known})
        if path in OPEN or (self._open_docs and path.startswith(DOCS)):
            return None
        return await to_thread.run_sync(self._refused, scope[WHO], known[method], method, path)

    def _refused(self, who: Principal, permission: Permission | None, method: str, path: str) -> Response | None:
        try:
            need(who, permission)
        except Refused as error:
            if who.person and self._house.desks.approvals.borrows(who, permission):
                return None
            if method not in _READING:
                self._house.commands.refused(who, f"{method} {path}", error.reason)
            return refusal(error)
        return None


def _other_methods(path: str, method: str, known: set[str]) -> Response:
    allow = ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))
    if method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allow})
    answer = refusal(MethodNotAllowed(f"`{path[:200]}` does not take {method[:20]}; it takes {allow}"))
    answer.headers["Allow"] = allow
    return answer
