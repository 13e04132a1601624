"""The same over a real socket, against a real process: what a client library would never send, and what it costs."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.attacks.ring_house import ALARMS, WEBHOOK, tallies_add_up
from tests.doors.bad_bodies import BODIES

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024


class Door(NamedTuple):
    """A served house: where it listens, who may knock, which process it is."""

    url: str
    tokens: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    def post(self, path: str, content: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.tokens['feed']}", "Content-Type": "application/json"} | (headers or {})
        return httpx.post(self.url + path, content=content, headers=sent, timeout=30, trust_env=False)

    def get(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens['viewer']}"}
        return httpx.get(self.url + path, headers=headers, timeout=30, trust_env=False).json()

    def raw(self, *pieces: bytes, wait_s: float = 10.0) -> bytes:
        """Send bytes as they are, and return the answer up to where the server closes or falls silent."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=wait_s) as wire:
            for piece in pieces:
                wire.sendall(piece)
            answer = b""
            while not (answer.endswith(b"}") and b"\r\n\r\n" in answer) and (more := wire.recv(65536)):
                answer += more
        return answer

    def head(self, path: str, *lines: str, method: str = "POST") -> bytes:
        usual = ["Host: x", f"Authorization: Bearer {self.tokens['feed']}", "Content-Type: application/json"]
        return "\r\n".join([f"{method} {path} HTTP/1.1", *usual, *lines, "", ""]).encode("latin-1")

    def resident(self) -> int:
        """Return the bytes of memory that the process holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A served house; when all is over it must have no stack trace in its log, and every tally must add up."""
    folder = tmp_path_factory.mktemp("door")
    with (folder / "log").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.doors.door_process", str(folder)], cwd=ROOT, stdout=out, stderr=out
        )
    try:
        address = listening(folder, process)
        served = Door(address["url"], address["tokens"], process, folder / "log")
        yield served
        assert tallies_add_up(served.get("/tallies"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert "Traceback" not in (folder / "log").read_text()
    finally:
        process.kill()
        process.wait()


def listening(folder: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if (folder / "door.json").exists():
            address: dict[str, Any] = json.loads((folder / "door.json").read_text())
            try:
                httpx.get(f"{address['url']}/health", trust_env=False)
            except httpx.HTTPError:
                pass  # it has the port, and does not listen yet
            else:
                return address
        time.sleep(0.1)
    pytest.fail(f"the door did not open: {(folder / 'log').read_text()}")


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def code(answer: bytes) -> str:
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert set(body) == {"code", "reason"}
    return str(body["code"])


def counted(door: Door, source: str) -> int:
    return next((int(row["received"]) for row in door.get("/tallies") if row["id"] == source), 0)


@pytest.mark.parametrize("path", [WEBHOOK, ALARMS])
def test_a_bad_body_is_told(door: Door, path: str) -> None:
    answers = {name: door.post(path, body, headers) for name, (body, headers, _) in BODIES.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == {n: s for n, (_, _, s) in BODIES.items()}
    assert all(set(answer.json()) == {"code", "reason"} for answer in answers.values())


def test_200_megabytes_are_refused_by_their_declaration(door: Door) -> None:
    answer = door.raw(door.head(WEBHOOK, f"Content-Length: {200 * MIB}"), b'{"alerts": [')

    assert (status(answer), code(answer)) == (413, "too_large")
    assert b"connection: close" in answer.lower()


def test_200_megabytes_that_nobody_declared_are_refused_as_they_come(door: Door) -> None:
    before = door.resident()

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * MIB

    try:
        answer = door.post(WEBHOOK, endless())  # type: ignore[arg-type]  # httpx sends an iterator in chunks
        assert answer.status_code == 413
    except httpx.WriteError:
        pass  # it hung up on us while we were still talking
    assert door.resident() - before < 64 * MIB


def test_what_unpacks_to_a_thousand_times_its_size_is_not_unpacked(door: Door) -> None:
    before = door.resident()
    bomb = gzip.compress(b"\x00" * (200 * MIB))

    answers = [door.post(WEBHOOK, bomb, {"Content-Encoding": encoding}) for encoding in ("gzip", "deflate", "br")]

    assert {answer.status_code for answer in answers} == {415}
    assert door.resident() - before < 64 * MIB


def test_deep_bodies_cost_no_memory(door: Door) -> None:
    openings = (b"[", b"{", b'["', b'[[]"\\', b'"\\', b"[],", b'{"a":"\\"')
    door.post(WEBHOOK, b"[" * (7 * MIB))
    before = door.resident()

    answers = [door.post(WEBHOOK, opening * (7 * MIB // len(opening))) for opening in openings]

    assert {answer.status_code for answer in answers} <= {400, 413}
    assert door.resident() - before < 64 * MIB


def test_a_body_that_trickles_is_not_waited_for(door: Door) -> None:
    answer = door.raw(door.head(WEBHOOK, "Content-Length: 1000"), b'{"al')

    assert (status(answer), code(answer)) == (408, "too_slow")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 7\r\n\r\nhello",
        b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
    ids=lambda request: ascii(request[:40]),
)
def test_what_is_hardly_http_is_refused_and_the_door_stays_open(door: Door, request_: bytes) -> None:
    try:
        answer = door.raw(request_)
    except (ConnectionError, TimeoutError):
        answer = b""  # it hung up at once

    assert not answer or 400 <= status(answer) < 500, answer[:200]
    assert door.get("/health")["status"] in {"OK", "DEGRADED"}


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/static-offline-docs/../../../etc/passwd", "/static-offline-docs/%2e%2e%2f%2e%2e%2fetc",
     "//etc/passwd", "/%00", "/proposals/%ff%fe", "/proposals/..%2f..%2fx/approve", "/incidents/a%0d%0aX-Evil:%201",
     "http://evil.example/inbox", "*", "/inbox;a=b", "/inbox%20", "/INBOX"],
)  # fmt: skip
def test_a_path_leads_out_of_nothing(door: Door, path: str) -> None:
    answer = door.raw(door.head(path, method="GET"))

    assert status(answer) in {400, 403, 404}
    assert b"X-Evil" not in answer.partition(b"\r\n\r\n")[0]
    assert b"root:" not in answer


@pytest.mark.parametrize("line", ["Authorization: Bearer x", "Authorization: Basic eDp5", "Cookie: token=x", "X: é"])
def test_a_second_or_a_strange_header_opens_nothing(door: Door, line: str) -> None:
    request = f"GET /inbox HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode("latin-1")

    answer = door.raw(request)

    assert (status(answer), code(answer)) == (401, "not_authenticated")


def test_a_client_that_hangs_up_in_the_middle_loses_nothing_of_others(door: Door) -> None:
    before = counted(door, "alertmanager")
    for _ in range(20):
        host, _, port = door.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as wire:
            wire.sendall(door.head(WEBHOOK, "Content-Length: 1000") + b'{"alerts": [')

    answer = door.post(WEBHOOK, b'{"alerts": [{}, {}]}')

    assert (answer.status_code, answer.json()["rejected"]) == (200, 2)
    assert counted(door, "alertmanager") - before == 2
