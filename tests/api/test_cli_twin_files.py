"""`nocturne twin` on files: configurations before a push, and load histories."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli import app
from domain.capacity import CapacityPlan
from domain.errors import BadInput

RING = ["--network", "topohub:topozoo/Abilene"]


def nocturne(*words: str) -> Result:
    return CliRunner().invoke(app, ["twin", *words], catch_exceptions=False)


@pytest.fixture(scope="module")
def sound() -> str:
    done = nocturne("config", *RING)
    assert done.exit_code == 0
    return done.stdout


def kept(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_a_generated_configuration_passes_its_own_checks(sound: str, tmp_path: Path) -> None:
    done = nocturne("check", kept(tmp_path, "sound", sound), *RING)
    assert done.exit_code == 0
    assert done.stdout == "nothing blocks, 0 more\n"


def test_a_one_sided_metric_blocks_with_its_lines_and_the_difference(sound: str, tmp_path: Path) -> None:
    files = kept(tmp_path, "bad", sound.replace("ospf metric 69", "ospf metric 68", 1)), kept(tmp_path, "now", sound)

    told = nocturne("check", files[0], "--against", files[1], *RING)
    found = json.loads(nocturne("check", files[0], "--against", files[1], "--json", *RING).stdout)

    assert told.exit_code == 1
    assert "BLOCKS   CFG-IGP-METRIC" in told.stdout
    assert "+  ospf metric 68" in told.stdout
    assert found["blocks"] is True
    assert [finding["id"] for finding in found["findings"] if finding["blocks"]] == ["CFG-IGP-METRIC"]


@pytest.mark.parametrize(
    ("text", "said"), [("", "empty"), ("nonsense\n", "line 1"), ("router node:x\n colour blue\n", "line 2")]
)
def test_what_cannot_be_read_names_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        nocturne("check", kept(tmp_path, "bad", text), *RING)


@pytest.mark.parametrize("command", ["check", "capacity"])
def test_a_missing_file_is_named(tmp_path: Path, command: str) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        nocturne(command, str(tmp_path / "nowhere"))


@pytest.mark.parametrize("command", ["check", "capacity"])
def test_a_file_that_never_ends_is_refused(command: str) -> None:
    with pytest.raises(BadInput, match="larger than 64 MiB"):
        nocturne(command, "/dev/zero")


def test_line_ends_of_other_systems_are_read(sound: str, tmp_path: Path) -> None:
    (tmp_path / "crlf").write_bytes(sound.replace("\n", "\r\n").encode())
    assert nocturne("check", str(tmp_path / "crlf"), *RING).exit_code == 0


@pytest.mark.parametrize("command", ["check", "capacity"])
def test_the_running_house_has_a_network_of_its_own(command: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="leave out `--network`"):
        nocturne(command, kept(tmp_path, "any", "{}"), "--live", *RING)


def test_a_capacity_plan_says_what_will_fill_up_and_reads_back(tmp_path: Path) -> None:
    hours = 24 * 7 * 12
    loads = {
        "link:atlanta--indianapolis": [2000 + hour + 300 * math.sin(hour / 24 * 2 * math.pi) for hour in range(hours)]
    }
    told = {"slot_minutes": 60, "ends": datetime(2026, 3, 1, tzinfo=UTC).isoformat(), "loads": loads}

    done = nocturne("capacity", kept(tmp_path, "loads", json.dumps(told)), *RING)

    assert done.exit_code == 0
    plan = CapacityPlan.model_validate_json(done.stdout)
    assert [each.element for each in plan.congestion] == ["link:atlanta--indianapolis"]


def test_without_a_file_or_a_house_there_is_nothing_to_plan_by() -> None:
    with pytest.raises(BadInput, match="`--live`"):
        nocturne("capacity")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"slot_minutes": 60, "ends": "2026-03-01T00:00:00Z", "loads": {}}']
)
def test_no_history_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput):
        nocturne("capacity", kept(tmp_path, "loads", text), *RING)
