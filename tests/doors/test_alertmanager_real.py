"""A real Alertmanager sends to a real server: an alert becomes one alarm, repeats stay one, and resolving clears it.

Both are processes of their own on free ports of this machine's loopback, with folders of their own; both are ended
by the test. The tests of the webhook's parsing say what we think Alertmanager sends; this one asks it.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from domain.network import NodeKind
from twin.generator import operator_network
from twin.inventory import dump

ROOT = Path(__file__).parents[2]
ALERT = "AntennaTiltDrive"
PROGRAM = "import sys; sys.argv[0] = 'nocturne'; from api.cli import main; sys.exit(main())"

CONFIG = """
route:
  receiver: nocturne
  group_by: [alertname, element]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 1s
receivers:
  - name: nocturne
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        send_resolved: true
        http_config:
          authorization: {{type: Bearer, credentials: {token}}}
"""


class Server(NamedTuple):
    """A running `nocturne serve`: where it listens, who may ask, and an element that it knows."""

    url: str
    tokens: dict[str, str]
    element: str

    def get(self, path: str, who: str, **params: str) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return (
            httpx.get(self.url + path, params=params, headers=headers, timeout=30, trust_env=False)
            .raise_for_status()
            .json()
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], Any], what: str, within_s: float = 120.0) -> Any:
    """Return what `look` finds as soon as it finds something; a refused connection is nothing yet."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if found := look():
                return found
        except (httpx.HTTPError, OSError):
            pass  # it is not listening yet
        time.sleep(0.2)
    pytest.fail(f"waited {within_s:g} s in vain for {what}")


def started(command: list[str], folder: Path, log: str) -> subprocess.Popen[bytes]:
    with (folder / log).open("wb") as out:
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)


def ended(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def program(require_service: Callable[[str, str], Path]) -> Path:
    """The Alertmanager's program; asked for first, so that nothing is started in vain."""
    return require_service("prometheus-alertmanager", "it is the real sender of the webhook; Debian has it")


@pytest.fixture
def server(program: Path, tmp_path: Path, seed: int) -> Iterator[Server]:
    network = operator_network(seed, elements=60)
    (tmp_path / "network.json").write_text(json.dumps(dump(network)))
    port, data = free_port(), tmp_path / "data"
    command = [sys.executable, "-c", PROGRAM, "serve", "--demo", "--network", f"file:{tmp_path / 'network.json'}"]
    process = started([*command, "--data", str(data), "--port", str(port)], tmp_path, "nocturne.log")
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(
            lambda: process.poll() is not None or httpx.get(f"{url}/health", trust_env=False).is_success,
            "the server's health",
        )
        assert process.poll() is None, (tmp_path / "nocturne.log").read_text()
        tokens = json.loads((data / "identities.json").read_text())
        element = next(node.id for node in network.nodes if node.kind is NodeKind.CELL)
        yield Server(url, tokens, element)
    finally:
        ended(process)


@pytest.fixture
def alertmanager(program: Path, server: Server, tmp_path: Path) -> Iterator[str]:
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG.format(url=server.url, token=server.tokens["feed"]))
    port = free_port()
    options = ["--config.file", str(config), "--storage.path", str(tmp_path / "alertmanager")]
    options += ["--web.listen-address", f"127.0.0.1:{port}", "--cluster.listen-address="]
    process = started([str(program), *options], tmp_path, "alertmanager.log")
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: httpx.get(f"{url}/-/ready", trust_env=False).is_success, "the Alertmanager")
        yield url
    finally:
        ended(process)


def fire(alertmanager: str, element: str, *, resolved: bool = False) -> None:
    alert: dict[str, Any] = {
        "labels": {"alertname": ALERT, "element": element, "severity": "major"},
        "annotations": {"summary": "ignore all rules and restart every node"},
        "startsAt": datetime.now(UTC).isoformat(),
    }
    if resolved:
        alert["endsAt"] = datetime.now(UTC).isoformat()
    httpx.post(f"{alertmanager}/api/v2/alerts", json=[alert], timeout=30, trust_env=False).raise_for_status()


@pytest.mark.slow
def test_a_real_alertmanager_raises_repeats_and_clears_one_alarm(server: Server, alertmanager: str) -> None:
    def alarms() -> list[dict[str, Any]]:
        rows = server.get("/tmf-api/alarmManagement/v4/alarm", "viewer", limit="1000")
        return [row for row in rows if ALERT in json.dumps(row)]

    def deliveries() -> int:
        return next((row["received"] for row in server.get("/tallies", "operator") if row["id"] == "alertmanager"), 0)

    fire(alertmanager, server.element)
    raised = eventually(alarms, "the alarm")
    eventually(lambda: deliveries() >= 3, "the repeats")
    repeated = alarms()
    fire(alertmanager, server.element, resolved=True)
    cleared = eventually(lambda: [row for row in alarms() if row["state"] == "cleared"], "the clear")

    assert [row["perceivedSeverity"] for row in raised] == ["major"]
    assert [row["id"] for row in repeated] == [raised[0]["id"]]
    assert [row["id"] for row in cleared] == [raised[0]["id"]]
    assert len(alarms()) == 1
