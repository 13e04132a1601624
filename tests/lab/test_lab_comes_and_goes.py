"""A lab leaves nothing behind, whatever ends it; and it never touches what is not its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.network.lab import namespaces, ownership
from adapters.network.lab.launcher import RunningLab, running_labs, start_lab
from adapters.network.lab.plan import SMOKE, named
from adapters.network.routers.vty import Vty
from domain.errors import BadInput, NotFound, Refused, Unavailable
from tests.lab.needed import need_a_lab

_HOLD = """
import sys, time
from adapters.network.lab.launcher import start_lab
from adapters.network.lab.plan import SMOKE
with start_lab(SMOKE) as lab:
    print(lab.folder, flush=True)
    time.sleep(60)
"""


def left_of(folder: Path) -> list[str]:
    """Return what is still there of a lab: its folder, its namespaces, its processes."""
    lab = folder.name.rpartition("-")[2]
    names = [name for name in namespaces.existing() if name.startswith(namespaces.namespace(lab, ""))]
    return [*names, *map(str, ownership.processes(folder)), *([str(folder)] if folder.exists() else [])]


def gone(folder: Path) -> bool:
    for _ in range(100):
        if not left_of(folder):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def held() -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A process that holds a lab, and the lab's folder."""
    need_a_lab()
    with subprocess.Popen([sys.executable, "-c", _HOLD], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        try:
            yield process, folder
        finally:
            process.kill()
    ownership.clear_leftovers()


def test_an_exception_inside_ends_the_lab(lab):
    folders = []

    def fail() -> None:
        with start_lab(SMOKE) as running:
            folders.append(running.folder)
            assert left_of(running.folder)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()

    assert left_of(folders[0]) == []
    assert left_of(lab.folder)


def test_two_labs_at_once_do_not_meet(lab, held):
    _process, folder = held
    other = running_labs()[folder.name.rpartition("-")[2]]

    Vty(other.routers[0]).configure(["interface eth-r2", "shutdown"])

    said = Vty(lab.reach.routers[0]).show("show interface eth-r2 json")[0]
    assert said["eth-r2"]["administrativeStatus"] == "up"


def test_what_a_crash_left_is_cleared_and_a_living_lab_is_not_touched(lab, held):
    process, folder = held
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert left_of(folder)

    cleared = ownership.clear_leftovers()

    assert cleared == [folder.name]
    assert gone(folder)
    assert Vty(lab.reach.routers[0]).show("show ip ospf json")


def test_a_mark_that_names_foreign_namespaces_is_not_ours(tmp_path, monkeypatch):
    folder = tmp_path / "nocturne-lab-abcdef"
    folder.mkdir()
    (folder / "owner.json").write_text('{"pid": 1, "began": "0", "namespaces": ["production-r1"]}')
    monkeypatch.setattr(ownership.tempfile, "gettempdir", lambda: str(tmp_path))

    assert ownership.clear_leftovers() == []
    assert folder.exists()


def test_a_machine_that_cannot_says_why(monkeypatch):
    monkeypatch.setattr("adapters.network.lab.launcher.missing", lambda: "network namespaces need root")

    with pytest.raises(Unavailable, match="no lab can run here: network namespaces need root"), start_lab(SMOKE):
        raise AssertionError("it started")


def test_root_without_the_right_to_make_namespaces_is_told_so():
    need_a_lab()
    words = ["setpriv", "--bounding-set", "-sys_admin,-net_admin", sys.executable, "-c"]
    ask = "from adapters.network.lab.daemons import missing; print(missing())"

    said = subprocess.run([*words, ask], capture_output=True, text=True, check=True).stdout

    assert "netns add" in said
    assert "Operation not permitted" in said


def test_there_are_no_other_labs():
    with pytest.raises(BadInput, match="there is no lab `large`; the labs are smoke"):
        named("large")


def test_the_lab_has_no_fifth_router(lab: RunningLab):
    with pytest.raises(NotFound, match="r5"):
        lab.configure(("r5", "r1"), "shutdown")


def test_a_real_router_parses_without_carrying_out(lab: RunningLab):
    vty = Vty(lab.reach.routers[0])
    before = vty.running()

    with pytest.raises(Refused, match="no shutdwn"):
        vty.check(["interface eth-r2", "no shutdwn"])
    vty.check(["interface eth-r2", "shutdown", "ip ospf cost 65535"])

    assert vty.running() == before
