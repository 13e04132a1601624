"""The third layer: a body is taken whole, small, in time and as strict JSON, or not at all.

What was read is kept for the routes, so no body is parsed twice by doors that see much traffic.
"""

import asyncio

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import strict_json
from api.http.errors import NotAcceptable, TooSlow, UnsupportedMedia
from api.http.reply import refusal
from domain.errors import BadInput, NocturneError, TooLarge

#: Where the parsed body is kept for the routes.
BODY = "nocturne.body"
_SMALL = 64 * 1024  # parsed on the spot: a thread would cost more
_TAKES_BODY = frozenset({"POST", "PUT", "PATCH"})


class Limits:
    """ASGI middleware; see the module. Sizes are bytes, the timeout is seconds."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_depth: int, max_items: int, timeout_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._shape = (max_depth, max_items)
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_accept(scope)
            body = await self._whole(Headers(scope=scope), receive)
            if body and scope["method"] in _TAKES_BODY:
                _check_media(Headers(scope=scope))
                scope[BODY] = await self._parsed(body)
        except NocturneError as error:
            answer = refusal(error)
            answer.headers["Connection"] = "close"  # what is still on its way is not waited for
            await answer(scope, receive, send)
            return
        await self._app(scope, _Again(body, receive), send)

    async def _whole(self, headers: Headers, receive: Receive) -> bytes:
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or len(declared) > 18:
            raise BadInput(f"content length `{declared[:40]}` is no number of bytes; send one")
        if int(declared) > self._max_bytes:
            raise self._too_large()
        chunks, size, more = [], 0, True
        try:
            async with asyncio.timeout(self._timeout_s):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise BadInput("the connection ended before the body did; send it again", code="cut_off")
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > self._max_bytes:
                        raise self._too_large()
                    more = message.get("more_body", False)
        except TimeoutError:
            raise TooSlow(f"the body did not arrive within {self._timeout_s:g} s; send it again") from None
        return b"".join(chunks)

    async def _parsed(self, body: bytes) -> object:
        if len(body) <= _SMALL:
            return strict_json.read(body, *self._shape)
        value, refusals = await to_thread.run_sync(self._read, body)
        if refusals:
            raise refusals.pop()  # popped: a frame that holds its own error would hold the body as well
        return value

    def _read(self, body: bytes) -> tuple[object, list[NocturneError]]:
        """Return a refusal instead of raising it: carried from thread to thread, its trace would hold the body."""
        try:
            return strict_json.read(body, *self._shape), []
        except NocturneError as refused:
            refused.__context__ = None
            return None, [refused.with_traceback(None)]

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is larger than {self._max_bytes} bytes; send it in parts")


class _Again:
    """Gives a body that was read already to whoever reads next."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _check_media(headers: Headers) -> None:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise UnsupportedMedia(f"content encoding `{encoding[:40]}` is not taken; send the body as it is")
    media, *parameters = [part.strip().lower() for part in headers.get("content-type", "").split(";")]
    if media != "application/json":
        raise UnsupportedMedia(f"content type `{media[:80]}` is not taken; send application/json")
    charset = next((part.partition("=")[2].strip('" ') for part in parameters if part.startswith("charset=")), "utf-8")
    if charset not in {"utf-8", "utf8"}:
        raise UnsupportedMedia(f"charset `{charset[:40]}` is not taken; send UTF-8")


def _check_accept(scope: Scope) -> None:
    accept = Headers(scope=scope).get("accept", "*/*")
    ranges = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    if not ranges & {"*/*", "application/*", "application/json", "text/html", ""}:
        raise NotAcceptable(f"nothing here is written as `{accept[:80]}`; accept application/json")
