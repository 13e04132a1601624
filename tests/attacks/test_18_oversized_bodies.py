"""Row 18: what is too large, too deep, said twice, no number, packed or slow is refused, and costs nothing.

The same over a real socket, with memory watched: `tests/doors/test_bad_input_over_the_wire.py` and `make attacks`.
"""

import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator

import anyio
import httpx
import pytest

from api.http.app import create_app
from tests.attacks.ring_house import ALARMS, WEBHOOK, RingHouse

MIB = 2**20
PACKED = {"Content-Encoding": "gzip"}
JSON = {"Content-Type": "application/json"}
DOORS = (WEBHOOK, ALARMS)


def endless() -> Iterator[bytes]:
    for _ in range(200):
        yield b"x" * MIB


BODIES: dict[str, tuple[Callable[[], bytes], dict[str, str], set[int]]] = {
    "more than is taken": (lambda: b'"' + b"x" * (9 * MIB) + b'"', {}, {413}),
    "100,000 open brackets": (lambda: b"[" * 100_000, {}, {400}),
    "100,000 open objects": (lambda: b'{"a":' * 100_000, {}, {400}),
    "100,000 closed brackets": (lambda: b"[" * 100_000 + b"]" * 100_000, {}, {400, 413}),
    "a gzip of a thousand times its size": (lambda: gzip.compress(bytes(32 * MIB)), PACKED, {415}),
    "an array of 100,000": (lambda: json.dumps({"alerts": [0] * 100_000}).encode(), {}, {413}),
    "a key said twice": (lambda: b'{"alerts": [], "alerts": [{}]}', {}, {400}),
    "a key said twice, deep inside": (lambda: b'{"alerts": [{"labels": {"a": "x", "a": "y"}}]}', {}, {400}),
    "NaN": (lambda: b'{"alerts": [], "x": NaN}', {}, {400}),
    "infinity": (lambda: b'{"alerts": [], "x": -Infinity}', {}, {400}),
    "a float without end": (lambda: b'{"x": 1e999}', {}, {400}),
    "an integer of 5,000 digits": (lambda: b'{"x": ' + b"9" * 5000 + b"}", {}, {400}),
    "half a surrogate pair": (lambda: b'{"x": "\\ud800"}', {}, {400}),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_a_body_of_ordinary_size_is_taken(ring: RingHouse, door: str) -> None:
    body = ring.webhook() if door == WEBHOOK else ring.tmf_alarm()

    assert ring.post("feed", door, body).status_code in {200, 201}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("door", DOORS)
def test_a_body_that_hurts_is_refused_and_nothing_is_kept(ring: RingHouse, door: str, name: str) -> None:
    content, headers, right = BODIES[name]

    answer = ring.post("feed", door, content=content(), headers=headers)

    assert answer.status_code in right, answer.text
    assert set(answer.json()) == {"code", "reason"}
    assert ring.house.road.ledger.read(lambda tables: tables.alarms.count()) == 0


@pytest.mark.parametrize(
    "name", ["100,000 open brackets", "100,000 closed brackets", "a gzip of a thousand times its size"]
)
def test_refusing_it_costs_little_memory(ring: RingHouse, name: str) -> None:
    content, headers, _ = BODIES[name]
    sent = content()
    ring.post("feed", WEBHOOK, content=sent, headers=headers)
    tracemalloc.start()
    ring.post("feed", WEBHOOK, content=sent, headers=headers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 24 * len(sent) + 4 * MIB


@pytest.mark.parametrize("verb", ["approve", "reject", "change"])
def test_a_decision_is_held_to_the_same(ring: RingHouse, verb: str) -> None:
    proposal = ring.held()
    for content, headers, right in BODIES.values():
        answer = ring.post("approver_a", f"/proposals/{proposal.id}/{verb}", content=content(), headers=headers)
        assert answer.status_code in right | {400}, answer.text
    assert ring.repairs()[0].state == proposal.state


def test_two_hundred_megabytes_that_nobody_declared_are_refused_as_they_come(ring: RingHouse) -> None:
    taken = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for piece in endless():
            taken += len(piece)
            yield piece

    body = counted()
    answer = asked(ring, body)

    assert answer.status_code == 413
    assert taken <= 16 * MIB


def asked(ring: RingHouse, pieces: Iterator[bytes]) -> httpx.Response:
    """Send a body piece by piece to the app itself: the usual test client would collect it first."""

    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def send() -> httpx.Response:
        transport = _Pieces(create_app(ring.house, ring.settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post(WEBHOOK, content=stream(), headers=JSON | ring.bearer("feed"))

    return anyio.run(send)


class _Pieces(httpx.ASGITransport):
    """The app, spoken to without a socket; a body goes in piece by piece, and no further than it is read."""


def test_a_body_that_never_ends_is_not_waited_for(ring: RingHouse) -> None:
    """The time limit is a setting; here nothing at all comes, and no time is measured."""
    settings = ring.settings.model_copy(update={"body_timeout_s": 0.05})
    app = create_app(ring.house, settings)
    said: list[int] = []

    async def knock() -> None:
        async def receive() -> dict[str, object]:
            await anyio.sleep_forever()
            raise AssertionError

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                said.append(int(str(message["status"])))

        headers = [
            (b"authorization", ring.bearer("feed")["Authorization"].encode()),
            (b"content-type", b"application/json"),
        ]
        scope = {"type": "http", "method": "POST", "path": WEBHOOK, "raw_path": WEBHOOK.encode(), "query_string": b"",
                 "headers": headers, "client": ("127.0.0.1", 1), "server": ("x", 1), "scheme": "http",
                 "http_version": "1.1", "asgi": {"version": "3.0"}, "root_path": ""}  # fmt: skip
        await app(scope, receive, send)

    anyio.run(knock)
    assert said == [408]
