"""No row of the list of attacks is without its test, and none that is owed gets a door unseen."""

import re
from pathlib import Path
from typing import Any

import pytest

from api.http.access import ACCESS, DOCS
from tests.attacks.live.rows import ROWS
from tests.attacks.ring_house import RingHouse
from tests.attacks.rows import EXTRAS, OWED, STANDING, opened

HERE = Path(__file__).parent


def named_after(number: int) -> list[str]:
    """Return the names of the tests in the files of a row."""
    files = sorted(HERE.glob(f"test_{number:02}_*.py"))
    return [name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)]


def doors(ring: RingHouse) -> tuple[list[str], list[str]]:
    """Return the paths of the app and the names of what may be asked along with them."""
    app: Any = ring.door.app
    described = app.openapi()["paths"]
    verbs = [verb for path in described.values() for verb in path.values()]
    asked = [each["name"] for verb in verbs for each in verb.get("parameters", [])]
    served = [route.path for route in app.routes if hasattr(route, "path")]  # a page that is mounted is in no schema
    return [*described, *served, *(path for _, path in ACCESS)], asked


def test_the_list_is_whole() -> None:
    assert sorted({*STANDING, *OWED}) == list(range(1, 26))
    assert not {*STANDING} & {*OWED}


@pytest.mark.parametrize("number", STANDING)
def test_a_row_whose_door_stands_has_tests_named_after_it(number: int) -> None:
    assert named_after(number)


@pytest.mark.parametrize("number", STANDING)
def test_a_row_whose_door_stands_is_played_against_a_running_server(number: int) -> None:
    assert number in {row.number for row in ROWS} | {19, 20}, "models have no door by which a client could send one"


@pytest.mark.parametrize("file", sorted({*EXTRAS.values()}))
def test_what_has_no_number_has_a_file(file: str) -> None:
    assert re.search(r"^def test_\w+", (HERE / file).read_text(), re.MULTILINE)


def test_no_owed_row_has_a_door_without_an_attack(ring: RingHouse) -> None:
    standing = {number: door for number, door in opened(*doors(ring)).items() if not named_after(number)}
    assert standing == {}, "this door stands: write the attack on it, and move its row to the standing ones"


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/console/inbox", 9),
        ("/tmf-api/alarmManagement/v4/hub", 11),
        ("/tmf-api/alarmManagement/v4/hub", 12),
        ("/events", 12),
        ("/search", 22),
        ("/tmf-api/alarmManagement/v4/ackAlarms", 23),
        ("/mcp", 25),
        ("/.well-known/agent.json", 25),
    ],
)
def test_such_a_door_would_be_seen(path: str, number: int) -> None:
    assert opened([path])[number] == path


def test_a_parameter_that_filters_by_an_expression_would_be_seen() -> None:
    assert opened([], ["limit", "name.regex"]) == {22: "?name.regex="}


def test_models_have_no_door_by_which_a_stranger_could_send_one() -> None:
    """Rows 19 to 21 are attacked at the store: as soon as a route takes a model, it needs its attack as well."""
    takes = [path for method, path in ACCESS if method != "GET" and "model" in path and not path.startswith(DOCS)]
    assert takes == []
