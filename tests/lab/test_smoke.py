"""One mistake goes the whole road on real routers; and the commands around it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.network.lab.launcher import RunningLab
from adapters.network.lab.ownership import living
from api import lab as played
from api.cli import app
from api.client import ADDRESS
from tests.lab.needed import need_a_lab

_LIMIT_S = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """A server over a lab of its own, and its data folder; it comes up while the smoke test is played beside it."""
    need_a_lab()
    data = tmp_path_factory.mktemp("served")
    words = [sys.executable, "-m", "api.cli", "serve", "--network", "lab:smoke", "--port", "0", "--data", str(data)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process, data
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def report(server: object) -> dict[str, Any]:  # it is started first
    return played.run(limit_s=_LIMIT_S)


@pytest.mark.slow
def test_a_shut_interface_is_found_repaired_and_verified_within_a_minute(report):
    top = report["diagnosis"]["ranked"][0]

    assert (top["element"], top["fault"]) == ("tp:r1-r2", "interface_locked")
    assert report["injected"] == [{"element": "tp:r1-r2", "fault": "interface_locked"}]
    assert report["proposal"]["plan"]["steps"][0]["kind"] == "interface_up"
    assert [approval["person"] for approval in report["approvals"]] == ["approver-one"]
    assert report["outcome"] == "restored"
    assert all(check["passed"] for check in report["execution"]["outcome"]["checks"])
    assert report["audit"]["verified"]
    assert report["lab"]["fault_to_verified_s"] < _LIMIT_S


@pytest.mark.slow
def test_pings_are_lost_meanwhile_and_neither_before_nor_after(report):
    loss = report["lab"]["loss"]["demand:r1-r2"]

    assert loss["before"] < 0.05
    assert loss["during"] > 0.2
    assert loss["after"] < 0.05


@pytest.mark.slow
def test_serve_runs_over_a_lab_that_can_be_broken_and_leaves_nothing(server):
    process, data = server
    _wait_for((data / ADDRESS).exists, process)
    name, folder = next((name, at) for name, at in living().items() if _owner(at) == process.pid)

    assert CliRunner().invoke(app, ["lab", "break", "r1", "eth-r2", "--lab", name]).exit_code == 0
    _wait_for(lambda: "Bring interface" in _inbox(data), process)
    process.terminate()

    assert process.wait(30) == 0
    assert not folder.exists()


def test_a_smoke_test_that_is_told_to_end_leaves_its_lab_in_order(monkeypatch):
    left = []

    def run(**_: Any) -> dict[str, Any]:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(_LIMIT_S)
        finally:
            left.append("in order")
        return {}

    monkeypatch.setattr("adapters.network.lab.daemons.missing", lambda: "")
    monkeypatch.setattr("api.lab.run", run)
    before = signal.getsignal(signal.SIGTERM)

    result = CliRunner().invoke(app, ["lab", "smoke"])

    assert (result.exit_code, left) == (128 + signal.SIGTERM, ["in order"])
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_what_it_needs_the_smoke_test_says_so(monkeypatch):
    monkeypatch.setattr("adapters.network.lab.daemons.missing", lambda: "network namespaces need root")
    monkeypatch.delenv("REQUIRE_SERVICES", raising=False)

    result = CliRunner().invoke(app, ["lab", "smoke"])

    assert (result.exit_code, result.stderr) == (0, "skipped: network namespaces need root\n")


def test_where_every_service_must_be_there_a_skip_is_a_failure(monkeypatch):
    monkeypatch.setattr("adapters.network.lab.daemons.missing", lambda: "network namespaces need root")
    monkeypatch.setenv("REQUIRE_SERVICES", "1")

    result = CliRunner().invoke(app, ["lab", "smoke"])

    assert result.exit_code == 1
    assert "need root" in str(result.exception)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["r1", "eth-r7"], "r1 has no interface `eth-r7`; its interfaces are eth-r2, eth-r4, lo"),
        (["r9", "eth-r2"], "the lab has no router `r9`; its routers are r1, r2, r3, r4"),
        (["r1", "eth-r2", "--lab", "other"], "there is no lab `other`"),
    ],
)
def test_a_mistyped_name_changes_nothing(lab: RunningLab, words: list[str], said: str) -> None:
    which = [] if "--lab" in words else ["--lab", lab.id]
    before = lab.taken()

    result = CliRunner().invoke(app, ["lab", "break", *words, *which])

    assert said in str(result.exception)
    assert lab.taken() == before


def _owner(folder: Path) -> int:
    return int(json.loads((folder / "owner.json").read_text())["pid"])


def _inbox(folder: Path) -> str:
    return CliRunner().invoke(app, ["inbox", "--data", str(folder)]).stdout


def _wait_for(what: Any, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not what():
        assert server.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
