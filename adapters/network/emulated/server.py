"""The plant's HTTP front: JSON over the loopback address, a bad request is answered with `{code, reason}`.

Front: `GET /about /inventory /history /feed?after=&wait= /state?element= /look?key=`, `POST /send /cancel`.
Hidden side, with the umpire's token: `GET /umpire/truth /umpire/suffering /umpire/journal
/umpire/choose?seed=&kind=`, `POST /umpire/inject /umpire/calm /umpire/lose-answers /umpire/advance`.
"""

import hmac
import json
import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from adapters.network.emulated.runtime import Plant
from domain.errors import BadInput, NocturneError, NotFound, Refused, TooLarge

_log = logging.getLogger(__name__)

#: The header that carries the umpire's token.
TOKEN_HEADER = "X-Umpire-Token"  # noqa: S105  # the name of a header, no secret
_MOST_BYTES = 1_000_000
_LONGEST_WAIT_S = 30.0

Fields = dict[str, Any]


class PlantServer(ThreadingHTTPServer):
    """One thread per connection; they end with the process."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, plant: Plant, port: int, token: str) -> None:
        """Listen on 127.0.0.1 (port 0: any free one)."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.token = token
        self.gets = _gets(plant)
        self.posts = _posts(plant)


def _gets(plant: Plant) -> dict[str, Callable[[Fields], Any]]:
    return {
        "/about": lambda _: plant.about(),
        "/inventory": lambda _: plant.inventory().model_dump(mode="json"),
        "/history": lambda _: _Raw(f'{{"items": [{",".join(plant.history())}]}}'),
        "/state": lambda asked: plant.state(_text(asked, "element")),
        "/look": lambda asked: {"seen": plant.look(_text(asked, "key"))},
        "/umpire/truth": lambda _: {"faults": plant.truth()},
        "/umpire/journal": lambda _: {"lines": plant.journal()},
        "/umpire/suffering": lambda _: plant.suffering(),
        "/umpire/choose": lambda asked: dict(
            zip(("kind", "element"), plant.choose(int(_number(asked, "seed", 0)), asked.get("kind")), strict=True)
        ),
        "/feed": lambda asked: _feed(plant, asked),
    }


def _posts(plant: Plant) -> dict[str, Callable[[Fields], Any]]:
    return {
        "/send": lambda asked: _send(plant, asked),
        "/cancel": lambda asked: {"seen": plant.cancel(_text(asked, "key"))},
        "/umpire/inject": lambda asked: plant.inject(
            _text(asked, "kind"),
            asked.get("element"),
            _optional(asked, "size"),
            _optional(asked, "self_heals_after"),
            _text(asked, "executor"),
        ),
        "/umpire/calm": lambda _: plant.calm(),
        "/umpire/advance": lambda asked: plant.drive(_number(asked, "seconds", 0.0)),
        "/umpire/lose-answers": lambda asked: plant.lose_answers(int(_number(asked, "count", 1))),
    }


class _Raw(str):
    """An answer that is JSON text already."""

    __slots__ = ()


class _NoAnswer(Exception):
    """The answer gets lost on its way."""


def _feed(plant: Plant, asked: Fields) -> _Raw:
    wait_s = min(max(_number(asked, "wait", 0.0), 0.0), _LONGEST_WAIT_S)
    items, position = plant.feed(int(_number(asked, "after", 0)), wait_s)
    return _Raw(f'{{"items": [{",".join(items)}], "position": {position}}}')


def _send(plant: Plant, asked: Fields) -> Fields:
    action = asked.get("action")
    if not isinstance(action, dict):
        raise BadInput("`action` must be an object; see the list of action kinds")
    seen, answered = plant.send(_text(asked, "key"), action)
    if not answered:
        raise _NoAnswer
    return {"seen": seen}


def _text(asked: Fields, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 256:
        raise BadInput(f"`{name}` must be a text of 1 to 256 characters")
    return value


def _number(asked: Fields, name: str, otherwise: float) -> float:
    try:
        value = float(asked.get(name, otherwise))
    except (TypeError, ValueError):
        raise BadInput(f"`{name}` must be a number") from None
    if not abs(value) < 2**53:
        raise BadInput(f"`{name}` must be a finite number")
    return value


def _optional(asked: Fields, name: str) -> float | None:
    return None if asked.get(name) is None else _number(asked, name, 0.0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together
    server: PlantServer

    def do_GET(self) -> None:  # the name is http.server's
        self._answer(self.server.gets, lambda: {name: values[-1] for name, values in self._query().items()})

    def do_POST(self) -> None:  # the name is http.server's
        self._answer(self.server.posts, self._body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: the plant's log is for defects."""

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True, max_num_fields=16)

    def _body(self) -> Fields:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise BadInput("a body needs a `Content-Length`")
        if int(length) > _MOST_BYTES:
            self.close_connection = True
            raise TooLarge(f"a body has at most {_MOST_BYTES} bytes")
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError):
            raise BadInput("the body is no JSON that can be read") from None
        if not isinstance(body, dict):
            raise BadInput("the body must be a JSON object")
        return body

    def _answer(self, routes: dict[str, Callable[[Fields], Any]], asked: Callable[[], Fields]) -> None:
        try:
            status, value = 200, self._found(routes)(asked())
        except _NoAnswer:
            self.close_connection = True
            return
        except NocturneError as error:
            status, value = error.status, error.body()
        except (ValueError, TypeError) as error:
            status, value = 400, {"code": "bad_input", "reason": f"this request cannot be read: {error}"[:300]}
        except Exception:  # noqa: BLE001  # one bad request must not take the network down
            _log.exception("a request failed")
            status, value = 500, {"code": "internal", "reason": "the plant failed on this; see its log"}
        self._write(status, value)

    def _found(self, routes: dict[str, Callable[[Fields], Any]]) -> Callable[[Fields], Any]:
        path = urlsplit(self.path).path
        if path not in routes:
            raise NotFound(f"there is no `{path[:100]}` here; see the plant's front")
        offered = self.headers.get(TOKEN_HEADER, "").encode()
        if path.startswith("/umpire/") and not hmac.compare_digest(offered, self.server.token.encode()):
            raise Refused("only the umpire may ask this; send its token")
        return routes[path]

    def _write(self, status: int, value: Any) -> None:
        body = (value if isinstance(value, _Raw) else json.dumps(value)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
