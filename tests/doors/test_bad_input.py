"""Bad input at every door of a real house on SQLite: a clear 4xx or a counted quarantine, never 500, nothing lost.

While it is thrown, a repair waits for a person; afterwards it must be as it was, and every tally must add up.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.http.access import ACCESS
from domain.clock import ManualClock
from domain.proposals import Proposal
from domain.records import first_break
from tests.attacks.ring_house import ALARMS, TICKETS, WEBHOOK, RingHouse, ring_house, tallies_add_up
from tests.doors.bad_bodies import BODIES
from tests.stage import CULPRIT

POSTS = sorted(path for method, path in ACCESS if method == "POST")
GETS = sorted(path for method, path in ACCESS if method == "GET" and "docs" not in path and "openapi" not in path)
SENDER = {WEBHOOK: "feed", "/tmf-api/alarmManagement/v4/alarm": "feed", "/tmf-api/alarm/v4/alarm": "feed"}
WRONG = (None, True, 17, -1, 1e308, "", "x", "x" * 5000, [], [[]], {}, {"a": {"b": []}}, "\u0000", "☠")
CLOCKS = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")


@pytest.fixture
def ring(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    """A house on SQLite in which a repair waits; whatever a test does to it, nothing may be lost or changed."""
    house = ring_house(clock, tmp_path, in_memory=False)
    waits = house.held()
    yield house
    unharmed(house, waits)
    house.close()


def unharmed(house: RingHouse, waits: Proposal) -> None:
    house.walk(1)
    assert house.repairs() == [waits]
    assert house.network.journal == []
    assert tallies_add_up(house.tallies().values())
    assert first_break(house.records()) is None


def at(path: str, house: RingHouse) -> str:
    """Fill the id into a path: of the proposal that waits, or of its incident."""
    incident, proposal = house.incidents()[0].id, house.repairs()[0].id
    return path.replace("{id}", incident if path.startswith("/incidents") else proposal)


def told(answer: Any, *, expected: int | None = None) -> None:
    """Check the one shape of a refusal: 4xx with `{code, reason}`, one line, no stack trace."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert expected in {None, answer.status_code}, (answer.status_code, answer.text[:300])
    said = answer.json()
    assert set(said) == {"code", "reason"}
    assert said["code"]
    assert 0 < len(said["reason"]) < 1500
    assert "\n" not in said["reason"]
    assert "Traceback" not in said["reason"]


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_told_at_every_door(ring: RingHouse, name: str) -> None:
    body, headers, status = BODIES[name]
    before = ring.tallies()

    answers = [
        ring.post(SENDER.get(path, "ada-at-night"), at(path, ring), content=body, headers=headers) for path in POSTS
    ]

    for path, answer in zip(POSTS, answers, strict=True):
        told(answer, expected=status if SENDER.get(path, path) == "feed" or path not in {ALARMS} else None)
    tallied = {source: row["received"] - before.get(source, {"received": 0})["received"] for source, row in ring.tallies().items()}
    assert not any(tallied.values()) or set(tallied) >= {"tmf642"}


@pytest.mark.parametrize("path", [path for path in POSTS if path not in SENDER])
def test_an_unknown_field_and_an_empty_object_are_told(ring: RingHouse, path: str) -> None:
    for body in ({}, {"colour": "blue"}, {"because": "x", "colour": "blue"}):
        told(ring.post("ada-at-night", at(path, ring), body), expected=400)


BECAUSE = {"because": "x"}
WINDOW = {"starts_at": "2026-01-12T12:00:00Z", "ends_at": "2026-01-12T13:00:00Z"}
STEP = {"kind": "drain_link", "target": "link:b-c", "previous_metric": 10}
SOUND: dict[str, dict[str, Any]] = {
    "/proposals/{id}/approve": BECAUSE | {"plan_digest": "0" * 64},
    "/proposals/{id}/reject": BECAUSE,
    "/proposals/{id}/stop": BECAUSE,
    "/proposals/{id}/defer": BECAUSE | {"until": "2026-01-12T13:00:00Z"},
    "/proposals/{id}/change": BECAUSE | {"plan": {"steps": [STEP]}},
    "/incidents/{id}/close": BECAUSE,
    "/planned-work": WINDOW | {"change_id": "chg_1", "elements": [CULPRIT], "affected": [], "expected": ["link_down"]},
    "/freezes": BECAUSE | WINDOW | {"region": "default"},
    "/steps/{id}/settle": BECAUSE | {"happened": True},
    "/chat": {"question": "why?"},
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, body in SOUND.items() for name in body])
def test_a_field_of_the_wrong_type_is_told(ring: RingHouse, path: str, name: str) -> None:
    takes = {"because": {"x", "x" * 5000, "☠"}, "change_id": {"x", "☠"}, "region": {"x", "☠", ""}, "question": {"x", "☠"}}
    for wrong in WRONG:
        if isinstance(wrong, str) and wrong in takes.get(name, set()):
            continue
        if (name, wrong) == ("plan_digest", None) or (name in {"affected", "expected"} and wrong == []):
            continue
        told(ring.post("ada-at-night", at(path, ring), SOUND[path] | {name: wrong}), expected=400)


@pytest.mark.parametrize("moment", [*CLOCKS, "2026-01-12T12:00:00", "now", "", "2026-02-30T00:00:00Z", 10**15])
@pytest.mark.parametrize("path", ["/proposals/{id}/defer", "/planned-work", "/freezes"])
def test_an_impossible_time_is_told(ring: RingHouse, path: str, moment: object) -> None:
    name = "until" if path.endswith("defer") else "ends_at"
    if (path, moment) in {(path, "2100-01-01T00:00:00Z"), (path, 10**15)} and name == "ends_at":
        pytest.skip("a window may end late")

    told(ring.post("ada-at-night", at(path, ring), SOUND[path] | {name: moment}), expected=400)


@pytest.mark.parametrize("steps", [
    [],
    [{"kind": "reboot_the_world", "target": CULPRIT}],
    [{"target": CULPRIT}],
    [{"kind": "interface_up"}],
    [{"kind": "interface_up", "target": ""}],
    [{"kind": "interface_up", "target": "tp:nowhere"}],
    [{"kind": "interface_up", "target": "node:a"}],
    [{"kind": "drain_link", "target": "link:b-c", "previous_metric": 0}],
    [{"kind": "drain_link", "target": "link:b-c", "previous_metric": 65536}],
    [{"kind": "drain_link", "target": "link:b-c", "previous_metric": "ten"}],
    [{"kind": "steer_demand", "target": "demand:a-b", "via": "node:nowhere"}],
    [{"kind": "steer_demand", "target": "demand:a-b", "via": 7}],
    [{"kind": "interface_up", "target": CULPRIT, "harm": "none"}],
    [STEP] * 65,
    [None],
    "interface_up",
], ids=lambda steps: str(steps)[:60])  # fmt: skip
def test_a_plan_that_cannot_be_leaves_the_one_that_waits_alone(ring: RingHouse, steps: object) -> None:
    proposal = ring.repairs()[0]

    answer = ring.post("ada", f"/proposals/{proposal.id}/change", BECAUSE | {"plan": {"steps": steps}})

    told(answer, expected=400)


@pytest.mark.parametrize("path", GETS)
def test_a_method_that_a_path_does_not_take_is_told_with_those_it_takes(ring: RingHouse, path: str) -> None:
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        answer = ring.door.request(method, at(path, ring), headers=ring.bearer("operator"))

        told(answer, expected=405)
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path", [path for path in (*GETS, *POSTS) if "{id}" in path])
def test_an_unknown_id_is_told(ring: RingHouse, path: str) -> None:
    for id in ("inc_00000000000000000000000000", "nothing", "%20", "x" * 250):
        method = "GET" if path in GETS else "POST"
        filled = path.replace("{id}", id)
        answer = ring.door.request(
            method, filled, json=SOUND.get(path) if method == "POST" else None, headers=ring.bearer("ada-at-night")
        )
        told(answer, expected=404)


@pytest.mark.parametrize("value", ["-1", "null", "", "1e9", "10000000000", "1.5", "ten", "٣", "0x10", " 5", "NaN"])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        *((ALARMS, name) for name in ("limit", "offset")),
        (TICKETS, "limit"),
        *((path, "limit") for path in ("/incidents", "/quarantine", "/audit")),
    ],
)
def test_a_page_that_cannot_be_is_told(ring: RingHouse, path: str, name: str, value: str) -> None:
    if value == " 5":
        pytest.skip("a space around a number is harmless")

    told(ring.get("auditor", path, **{name: value}), expected=400)


@pytest.mark.parametrize(("path", "name"), [("/state", "at"), ("/incidents", "state"), ("/incidents", "after")])
def test_a_question_that_cannot_be_is_told(ring: RingHouse, path: str, name: str) -> None:
    for value in ("null", "yesterday", "2026-01-12T12:00:00", *CLOCKS[1:], "x" * 300, "-1", "\x00"):
        answer = ring.get("viewer", path, **{name: value})
        if (path, name) == ("/incidents", "after") and len(value) <= 256:
            assert answer.status_code in {200, 400}
        elif (name, value) != ("at", CLOCKS[2]):
            told(answer, expected=400)


def test_the_state_of_a_moment_before_everything_is_an_answer(ring: RingHouse) -> None:
    answer = ring.get("viewer", "/state", at=CLOCKS[0])

    assert answer.status_code == 200
    assert answer.json()["alarms"] == []
