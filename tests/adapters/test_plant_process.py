"""The plant as a process: its front, its hidden side, and that it never outlives whoever started it."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.network.emulated.launcher import RunningPlant, start_plant
from adapters.network.emulated.umpire import Umpire
from control_plane.ports import Seen
from domain.actions import InterfaceUp
from domain.diagnosis import FaultKind
from domain.errors import Refused, Unavailable
from twin.generator import operator_network

INVENTORY = operator_network(4, 60)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plant(tmp_path_factory) -> Iterator[RunningPlant]:
    with start_plant(INVENTORY, 9, tmp_path_factory.mktemp("plant"), period_s=0.2) as running:
        yield running


BAD = {
    "no_json": b"{",
    "not_utf8": b'{"key": "\xff"}',
    "deep": b"[" * 900 + b"]" * 900,
    "deeper": b'{"action":' * 50_000 + b"1" + b"}" * 50_000,
    "list": b"[]",
    "no_action": b'{"key": "k"}',
    "unknown_kind": b'{"key": "k", "action": {"kind": "explode", "target": "x"}}',
    "wrong_type": b'{"key": 7, "action": {}}',
    "nan": b'{"key": "k", "action": {"kind": "undrain_link", "target": "x", "metric": NaN}}',
    "huge_key": b'{"key": "' + b"k" * 10_000 + b'", "action": {}}',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_a_bad_request_is_answered_with_code_and_reason(plant, body):
    answer = httpx.post(f"{plant.url}/send", content=body, timeout=10)

    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "reason"}
    assert httpx.get(f"{plant.url}/about").status_code == 200


@pytest.mark.parametrize("path", ["/feed?after=x", "/feed?after=nan", "/feed?after=1e400", "/state", "/look?key="])
def test_a_bad_question_is_answered_with_code_and_reason(plant, path):
    answer = httpx.get(plant.url + path)

    assert (answer.status_code, set(answer.json())) == (400, {"code", "reason"})


def test_a_body_that_is_too_large_is_refused_unread(plant):
    door = http.client.HTTPConnection(plant.url.removeprefix("http://"), timeout=10)
    door.putrequest("POST", "/send")
    door.putheader("Content-Length", "5000000")
    door.endheaders()

    answer = door.getresponse()

    assert answer.status == 413
    door.close()


def test_the_hidden_side_needs_the_token(plant):
    stranger = Umpire(plant.url, "guessed")

    with pytest.raises(Refused):
        stranger.truth()
    with pytest.raises(Refused):
        stranger.inject(FaultKind.LINK_DOWN)
    assert "seed" not in httpx.get(f"{plant.url}/about").text
    stranger.close()


def test_a_lost_answer_leaves_the_sender_in_doubt_until_it_looks(plant):
    network, umpire = plant.network(), plant.umpire()
    umpire.lose_answers(1)

    with pytest.raises(Unavailable):
        network.send("in-doubt", InterfaceUp(target=INVENTORY.links[0].source))

    while (seen := network.look("in-doubt")) is Seen.PENDING:
        time.sleep(0.02)
    assert seen is Seen.DONE


def test_the_umpire_sees_a_repair_in_truth_journal_and_file(plant):
    network, umpire = plant.network(), plant.umpire()
    umpire.calm()
    umpire.inject(FaultKind.INTERFACE_LOCKED, INVENTORY.links[1].source)

    network.send("mend", InterfaceUp(target=INVENTORY.links[1].source))
    while network.look("mend") is Seen.PENDING:
        time.sleep(0.02)

    assert umpire.truth()[-1]["by"] == "mend"
    assert [line["changed"] for line in umpire.journal() if line["key"] == "mend"] == [True]
    assert '"mend"' in plant.journal_path.read_text(encoding="utf-8")


def test_the_process_ends_with_whoever_started_it(tmp_path):
    starter = """
import sys, pathlib
from twin.generator import operator_network
from adapters.network.emulated.launcher import start_plant
plant = start_plant(operator_network(4, 60), 1, pathlib.Path(sys.argv[1]))
print(plant.url, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", starter, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        url = parent.stdout.readline().strip()
        assert httpx.get(f"{url}/about").status_code == 200
        parent.kill()

    assert gone(url)


def gone(url: str) -> bool:
    """Wait until nobody answers there any more; at most ten seconds."""
    for _ in range(200):
        try:
            httpx.get(f"{url}/about", timeout=1)
        except httpx.TransportError:
            return True
        time.sleep(0.05)
    return False


def test_a_plant_that_cannot_start_says_so(tmp_path):
    with pytest.raises(Unavailable, match=r"plant\.log"):
        start_plant(INVENTORY, 1, tmp_path, period_s=0.5, ready_within_s=0.01)
