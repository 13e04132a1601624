"""The port of this machine to which a browser brings the answer to a login (RFC 8252, section 7.3)."""

import hmac
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from domain.errors import Unavailable

_PATH = "/callback"
_PAGE = b"<!doctype html><title>Nocturne</title><p>You can close this window and go back to the terminal.</p>"
_SOCKET_S = 5.0


class Redirect:
    """Listens on a free loopback port, for one answer. Whatever does not carry our `state` is not the answer."""

    def __init__(self) -> None:
        self._server = _Server()
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The redirect URI."""
        return f"http://127.0.0.1:{self._server.server_port}{_PATH}"

    def wait(self, state: str, seconds: float) -> dict[str, str]:
        """Return the answer that carries `state`. Raises Unavailable when none came in time."""
        self._server.expect(state)
        if not self._server.came.wait(seconds):
            raise Unavailable("nobody logged in in time; say `nocturne login` again")
        return self._server.answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.came = Event()
        self.answer: dict[str, str] = {}
        self._state = b""
        self._expects = Event()

    def expect(self, state: str) -> None:
        self._state = state.encode()
        self._expects.set()

    def take(self, answer: dict[str, str]) -> bool:
        """Keep the first answer that carries our state; say whether this was it."""
        self._expects.wait(_SOCKET_S)
        if self.came.is_set() or not hmac.compare_digest(answer.get("state", "").encode(), self._state):
            return False
        self.answer = answer
        self.came.set()
        return True


class _Page(BaseHTTPRequestHandler):
    timeout = _SOCKET_S
    server: _Server

    def do_GET(self) -> None:
        """Take the answer, if it is one."""
        parts = urlsplit(self.path)
        pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=20)
        answer = dict(pairs)
        good = parts.path == _PATH and len(answer) == len(pairs) and self.server.take(answer)
        self.send_response(200 if good else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(_PAGE if good else b"")

    def log_message(self, format: str, *_args: object) -> None:
        """Say nothing: the answer holds a code that stands for a login."""
