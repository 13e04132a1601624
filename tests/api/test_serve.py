"""The server as a process: it comes up, an incident comes to wait for a person, and SIGTERM ends it all."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.demo_host import clear_stage
from domain.errors import BadInput, Conflict

PROGRAM = "from api.cli import main; main()"


@contextlib.contextmanager
def serving(data, *options):
    command = [sys.executable, "-c", PROGRAM, "serve", "--demo", "--data", str(data), "--port", "0", *options]
    with (data.parent / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def waited(look, process, out, within_s=120):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, httpx.HTTPError):
            if found := look():
                return found
        time.sleep(0.2)
    pytest.fail(f"waited in vain: {out.read_text()}")


@pytest.mark.slow
def test_a_demo_server_has_an_incident_wait_for_a_person_and_ends_when_told(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    with serving(data, "--network", "generated:60") as process:
        waited(lambda: "An incident waits for you" in out.read_text(), process, out)
        url = (data / "server.url").read_text().strip()
        tokens = json.loads((data / "identities.json").read_text())
        cards = httpx.get(f"{url}/inbox", headers={"Authorization": f"Bearer {tokens['viewer']}"}, timeout=30).json()
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=60)
    assert f"nocturne show {cards[0]['proposal']['id']}" in out.read_text()
    assert status == 0
    assert not (data / "identities.json").exists()
    assert not (data / "server.url").exists()
    assert "Traceback" not in out.read_text()


def test_a_taken_port_is_told_at_once(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = CliRunner().invoke(app, ["serve", "--data", str(tmp_path), "--port", str(port)])
    assert isinstance(said.exception, Conflict)
    assert f"port {port}" in said.exception.reason


def test_a_server_without_a_network_says_what_to_do(tmp_path, own_logging):
    said = CliRunner().invoke(app, ["serve", "--data", str(tmp_path), "--port", "0"])
    assert isinstance(said.exception, BadInput)
    assert "--demo" in said.exception.reason


def test_a_demo_moves_aside_what_an_earlier_one_left(tmp_path):
    for _ in range(3):
        clear_stage(tmp_path)
        (tmp_path / "nocturne.db").write_text("something")
    assert (tmp_path / "earlier" / "2" / "nocturne.db").read_text() == "something"


def test_a_demo_never_touches_the_data_of_a_real_network(tmp_path):
    (tmp_path / "nocturne.db").write_text("precious")
    with pytest.raises(Conflict, match="real network"):
        clear_stage(tmp_path)
    assert (tmp_path / "nocturne.db").read_text() == "precious"
