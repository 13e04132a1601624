"""The outermost layer of the HTTP door: every request has an id, one log line, safe headers, and an end.

Whatever breaks further in is logged here with its stack, and answered without it.
"""

import re
import secrets
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import Internal
from api.http.reply import refusal
from domain.clock import Clock

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_log = structlog.get_logger("http")


class Requests:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        out = _Outgoing(send, request_id, bodyless=scope["method"] == "HEAD")
        started = self._clock.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(_as_get(scope), receive, out)
            except Exception:  # noqa: BLE001 - the last wall: a caller gets an id, the log gets the stack
                _log.exception("request failed", method=scope["method"], path=scope["path"])
                if not out.status:
                    await refusal(Internal(request_id))(scope, receive, out)
            seconds = self._clock.monotonic() - started
            _log.info(
                "request",
                method=scope["method"],
                path=scope["path"],  # without the query: a mistaken client may have put a secret there
                status=out.status,
                ms=round(1000 * seconds, 1),
            )


class _Outgoing:
    """Passes a response on: with our headers, and without its body when the question was HEAD."""

    def __init__(self, send: Send, request_id: str, *, bodyless: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._bodyless = bodyless
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Cache-Control"] = "no-store"
        elif self._bodyless:
            message = {**message, "body": b""}
        await self._send(message)


def _as_get(scope: Scope) -> MutableMapping[str, Any]:
    """HEAD is GET whose body stays at home."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
