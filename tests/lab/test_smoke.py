"""One mistake goes the whole road on real routers; and the commands around it."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.network.lab.launcher import running_labs
from api import lab
from api.cli import app
from api.client import ADDRESS
from tests.lab.needed import need_a_lab

_LIMIT_S = 60.0


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    need_a_lab()
    return lab.run(limit_s=_LIMIT_S)


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
def test_serve_runs_over_a_lab_that_can_be_broken_and_leaves_nothing(tmp_path):
    need_a_lab()
    words = [sys.executable, "-m", "api.cli", "serve", "--network", "lab:smoke", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(lambda: (tmp_path / ADDRESS).exists(), server)
            folder = running_labs()[-1].routers[0].sockets.parent
            assert CliRunner().invoke(app, ["lab", "break", "r1", "eth-r2"]).exit_code == 0
            _wait_for(lambda: "Bring interface" in _inbox(tmp_path), server)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)

    assert server.returncode == 0
    assert not folder.exists()


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


def test_a_mistyped_interface_makes_no_new_one(lab):
    result = CliRunner().invoke(app, ["lab", "break", "r1", "eth-r7"])

    assert "its interfaces are eth-r2, eth-r4, lo" in str(result.exception)


def _inbox(folder: Path) -> str:
    words = [sys.executable, "-m", "api.cli", "inbox", "--data", str(folder)]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def _wait_for(what: Any, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not what():
        assert server.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
