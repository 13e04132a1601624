"""The HTTP half of the ingest bench: a server process, and clients that send until every alarm is acknowledged."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import httpx

from adapters.identity.local import LocalIssuer
from adapters.store.ledger import SqlLedger
from api.client import ADDRESS
from api.identities import IDENTITIES, token_of, write_identities
from benchmarks.ingest_alarms import SOURCE, Alarms, batches
from benchmarks.processes import failed, program
from benchmarks.report import Figures, quantile
from domain.clock import SystemClock
from domain.errors import Unavailable
from domain.identity import Role

CONNECTIONS = 2
BATCH = 500
_WEBHOOK, _ALARMS = "/webhooks/alertmanager", "/tmf-api/alarmManagement/v4/alarm"
_READY_WITHIN_S, _VISIBLE_WITHIN_S = 60.0, 30.0
_SERVE = "from api.cli import main; main()"


@dataclass(frozen=True)
class Load:
    """How many alarms are sent: in webhook batches, one by one, and one by one while somebody looks."""

    batched: int
    single: int
    watched: int


@contextmanager
def durable_server(folder: Path, network_url: str) -> Iterator[httpx.Client]:
    """`nocturne serve` on a free port, its data in `folder`; its one account is made before it starts."""
    folder.mkdir()
    ledger = SqlLedger(folder / "nocturne.db", SystemClock())
    token = LocalIssuer(ledger, SystemClock()).issue(SOURCE, {Role.FEED, Role.OPERATOR}, person=SOURCE)[1]
    ledger.close()
    write_identities(folder / IDENTITIES, {SOURCE: token})
    command = ("-c", _SERVE, "serve", "--data", str(folder), "--port", "0")
    with _served(folder, command, {"NOCTURNE_NETWORK_URL": network_url, "NOCTURNE_DATABASE": ""}) as client:
        yield client


@contextmanager
def forgetful_server(folder: Path, network_url: str) -> Iterator[httpx.Client]:
    """The same server on a ledger in memory."""
    folder.mkdir()
    with _served(folder, ("-m", "benchmarks.ingest_memory_server", str(folder), network_url), {}) as client:
        yield client


def measure(client: httpx.Client, load: Load, elements: Sequence[str]) -> Figures:
    """Send everything and return the figures of the doors. `lost`: sent, acknowledged, and then not to be found."""
    alarms = Alarms(elements, SystemClock().now())
    watched = [alarms.tmf642(number) for number in range(load.watched)]
    visible = [_seconds_until_visible(client, body) for body in watched]
    singles = [alarms.tmf642(number) for number in range(load.watched, load.watched + load.single)]
    single_s = _spread(singles, lambda body: _accepted(client.post(_ALARMS, content=body)))
    bodies = [alarms.alertmanager(numbers) for numbers in batches(load.batched, BATCH)]
    batched_s = _spread(bodies, lambda body: _accepted(client.post(_WEBHOOK, content=body)))
    return {
        "http_per_s": round(load.batched / batched_s, 1),
        "http_single_per_s": round(load.single / single_s, 1),
        "p50_visible_s": quantile(visible, 0.5),
        "p99_visible_s": quantile(visible, 0.99),
        "lost": _lost(client, "alertmanager", "alertmanager", load.batched)
        + _lost(client, "tmf642", SOURCE, load.single + load.watched),
    }


def _lost(client: httpx.Client, door: str, source: str, sent: int) -> int:
    """Return how many alarms the tally of the door does not account for, and how many kept ones the store has not."""
    tallies = {tally["id"]: tally for tally in client.get("/tallies").json()}
    told = tallies.get(door, dict.fromkeys(("kept", "late", "rejected", "repeats"), 0))
    accounted = told["kept"] + told["late"] + told["rejected"]
    stored = int(client.get(_ALARMS, params={"sourceSystemId": source, "limit": 1}).headers["X-Total-Count"])
    return int(abs(sent - accounted) + abs(told["kept"] - told["repeats"] - stored))


def _spread(bodies: Sequence[bytes], send: Callable[[bytes], object]) -> float:
    """Send bodies over `CONNECTIONS` connections; return the seconds until the last was acknowledged."""
    started = perf_counter()
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        for _ in pool.map(send, bodies):
            pass
    return perf_counter() - started


def _seconds_until_visible(client: httpx.Client, body: bytes) -> float:
    started = perf_counter()
    href = _accepted(client.post(_ALARMS, content=body)).headers["Location"]
    while perf_counter() - started < _VISIBLE_WITHIN_S:
        if client.get(href).is_success:
            return perf_counter() - started
    raise Unavailable("an acknowledged alarm did not become visible; look at the server's log")


def _accepted(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise Unavailable(f"the server answered {answer.status_code}: `{answer.text[:200]}`; look at its log")
    return answer


@contextmanager
def _served(folder: Path, command: Sequence[str], environment: dict[str, str]) -> Iterator[httpx.Client]:
    log = folder / "server.log"
    with program(log, *command, heard=False, **environment) as process:
        deadline = time.monotonic() + _READY_WITHIN_S
        while not (folder / ADDRESS).exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise failed(process, log, "the server")
            time.sleep(0.05)
        headers = {"Authorization": f"Bearer {token_of(folder, SOURCE)}", "Content-Type": "application/json"}
        url = (folder / ADDRESS).read_text(encoding="utf-8").strip()
        transport = httpx.HTTPTransport(retries=20)  # between the address and the first answer lies a moment
        with httpx.Client(base_url=url, headers=headers, timeout=60.0, trust_env=False, transport=transport) as client:
            client.get("/health")
            yield client
