"""The plant as the house sees it: `control_plane.ports.Network` over HTTP. Nothing here knows the hidden side."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from control_plane.ports import Feed, Seen
from domain.actions import Action, ActionClass
from domain.errors import BadInput, NotFound, Refused, Unavailable
from domain.network import Inventory

P = TypeVar("P")

_ACTION: TypeAdapter[Action] = TypeAdapter(Action)
_TICKETS = frozenset({ActionClass.OPEN_TICKET, ActionClass.CANCEL_TICKET})
_NO_ANSWER = "the network does not answer; see that the plant runs and try again"


class Door:
    """JSON requests to one plant, each with a time limit. Safe to share between threads."""

    def __init__(self, url: str, *, timeout_s: float, headers: Mapping[str, str] | None = None) -> None:
        self._timeout_s = timeout_s
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=16)
        self._client = httpx.Client(base_url=url, headers=headers, timeout=timeout_s, limits=limits, trust_env=False)

    def get(self, path: str, *, wait_s: float = 0.0, **query: str | float) -> Any:
        """Return the answer to a GET; the time limit is extended by `wait_s`."""
        return self._ask("GET", path, params=query, timeout=self._timeout_s + wait_s)

    def post(self, path: str, **body: Any) -> Any:
        """Return the answer to a POST."""
        return self._ask("POST", path, json=body, timeout=self._timeout_s)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = self._client.request(method, path, **request)
            value = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(_NO_ANSWER) from error
        if answer.status_code != httpx.codes.OK:
            _complain(answer.status_code, value)
        return value


def _complain(status: int, value: Any) -> NoReturn:
    reason = str(value.get("reason", "")) if isinstance(value, dict) else ""
    if status == httpx.codes.NOT_FOUND:
        raise NotFound(reason)
    if httpx.codes.is_client_error(status):
        raise Refused(reason or "the network refused this; look at what was sent")
    raise Unavailable(_NO_ANSWER)


def _part(answer: Any, name: str, kind: type[P]) -> P:
    """Return a part of an answer. Raises Unavailable when whoever answered is no plant."""
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, kind):
        raise Unavailable("what answers there is no emulated network; look at its address")
    return value


class EmulatedNetwork:
    """A `Network`. `keyed` is what the plant declared of its executors when this client was made."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        """Meet the plant at `url`. Raises Unavailable when it does not answer."""
        self._door = Door(url, timeout_s=timeout_s)
        self.keyed: bool = _part(self._door.get("/about"), "keyed", bool)

    def takes(self, action: Action) -> bool:
        return action.kind not in _TICKETS

    def state(self, element: str) -> Mapping[str, str]:
        answer = self._door.get("/state", element=element)
        return {name: _part(answer, name, str) for name in answer}

    def send(self, key: str, action: Action) -> None:
        self._door.post("/send", key=key, action=_ACTION.dump_python(action, mode="json"))

    def look(self, key: str) -> Seen:
        try:
            return Seen(_part(self._door.get("/look", key=key), "seen", str))
        except (Unavailable, Refused, NotFound, ValueError):
            return Seen.CANNOT_TELL

    def cancel(self, key: str) -> None:
        self._door.post("/cancel", key=key)

    def inventory(self) -> Inventory:
        try:
            return Inventory.model_validate(self._door.get("/inventory"))
        except ValidationError as error:
            raise BadInput("the network declares an inventory that cannot be read; look at its version") from error

    def poll(self, after: int, *, wait_s: float = 0.0) -> Feed:
        answer = self._door.get("/feed", wait_s=wait_s, after=after, wait=wait_s)
        return Feed(items=tuple(_part(answer, "items", list)), position=_part(answer, "position", int))

    def history(self) -> Sequence[dict[str, Any]]:
        items: list[dict[str, Any]] = _part(self._door.get("/history", wait_s=30.0), "items", list)
        return items

    def close(self) -> None:
        """Let go of the connections."""
        self._door.close()
