"""One mistake goes the whole road on real routers; and the commands around it."""

import json
import signal
import subprocess
import sys
import time
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
def report() -> dict[str, Any]:
    need_a_lab()
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
def test_serve_runs_over_a_lab_that_can_be_broken_and_leaves_nothing(tmp_path):
    need_a_lab()
    words = [sys.executable, "-m", "api.cli", "serve", "--network", "lab:smoke", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for((tmp_path / ADDRESS).exists, server)
            (name, folder) = next((name, at) for name, at in living().items() if _owner(at) == server.pid)
            assert CliRunner().invoke(app, ["lab", "break", "r1", "eth-r2", "--lab", name]).exit_code == 0
            _wait_for(lambda: "Bring interface" in _inbox(tmp_path), server)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)

    assert server.returncode == 0
    assert not folder.exists()


@pytest.mark.slow
def test_a_smoke_test_that_is_told_to_end_leaves_nothing():
    need_a_lab()
    with subprocess.Popen([sys.executable, "-m", "api.cli", "lab", "smoke"], stdout=subprocess.PIPE) as smoke:
        _wait_for(lambda: any(_owner(folder) == smoke.pid for folder in living().values()), smoke)
        folder = next(folder for folder in living().values() if _owner(folder) == smoke.pid)
        smoke.terminate()
        smoke.communicate()

    assert smoke.returncode == 128 + signal.SIGTERM
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
