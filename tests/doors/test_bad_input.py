"""Bad input at every door of a real house on SQLite: a clear 4xx or a counted quarantine, never 500, nothing lost.

While it is thrown, a repair waits for a person; after each throw it must be as it was, and every tally must add up.
All is thrown at one house: what one bad input broke, the next would find broken.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.http.access import ACCESS
from api.http.app import ROUTERS
from domain.chains import first_break
from domain.clock import ManualClock
from domain.proposals import Proposal
from tests.attacks.ring_house import ALARMS, TICKETS, WEBHOOK, RingHouse, ring_house, tallies_add_up
from tests.doors.bad_bodies import BODIES
from tests.stage import CULPRIT

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)

#: The routes that take a body.
POSTS = sorted(
    route.path
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and "POST" in route.methods and (route.body_field or route.openapi_extra)
)
GETS = sorted(path for method, path in ACCESS if method == "GET" and "docs" not in path and "openapi" not in path)
SENDERS = [path for path in POSTS if path == WEBHOOK or path.endswith("/alarm")]
CLOCKS = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RingHouse, Proposal]]:
    """A house on SQLite in which a repair waits; at the end its record holds together, and its walk goes on."""
    house = ring_house(ManualClock(NOON), tmp_path_factory.mktemp("besieged"), in_memory=False)
    waits = house.held()
    yield house, waits
    house.walk(1)
    unharmed(house, waits)
    assert first_break(house.records()) is None
    house.close()


@pytest.fixture
def ring(besieged: tuple[RingHouse, Proposal]) -> Iterator[RingHouse]:
    """The house; whatever a test does to it, nothing may be lost or changed."""
    house, waits = besieged
    yield house
    unharmed(house, waits)


def unharmed(house: RingHouse, waits: Proposal) -> None:
    assert house.repairs() == [waits]
    assert house.network.journal == []
    assert tallies_add_up(house.tallies().values())


def filled(path: str, house: RingHouse) -> str:
    """Put the id of what waits, or of its incident, into a path."""
    incident, proposal = house.incidents()[0].id, house.repairs()[0].id
    return path.replace("{id}", incident if path.startswith("/incidents") else proposal)


def sent(house: RingHouse, path: str, body: Any = None, **named: Any) -> Any:
    return house.post("feed" if path in SENDERS else "all_roles", filled(path, house), body, **named)


def wrong(answer: Any, *expected: int) -> str:
    """Return what is wrong with a refusal, or nothing: it is `{code, reason}`, one line, no stack trace."""
    if answer.status_code not in expected:
        return f"{answer.status_code} {answer.text[:300]}"
    said = answer.json()
    if set(said) != {"code", "reason"} or not said["code"]:
        return f"shape {answer.text[:300]}"
    reason = said["reason"]
    fine = 0 < len(reason) < 1500 and reason.isprintable() and "Traceback" not in reason
    return "" if fine else f"reason {reason[:300]}"


def faults(answers: dict[Any, Any], *expected: int) -> dict[Any, str]:
    """Return which answers are not as they should be."""
    return {name: found for name, answer in answers.items() if (found := wrong(answer, *expected))}


# --- what is no JSON, no object, or no body at all ---


@pytest.mark.parametrize("path", POSTS)
def test_a_bad_body_is_told(ring: RingHouse, path: str) -> None:
    answers = {name: sent(ring, path, content=body, headers=more) for name, (body, more, _) in BODIES.items()}

    assert {name: found for name, answer in answers.items() if (found := wrong(answer, BODIES[name][2]))} == {}


# --- alarms ---

ALARM_FAULTS: dict[str, dict[str, Any]] = {
    "alarm.resource.unknown": {"alarmedObject": {"id": "tp:nowhere"}},
    "type.unknown": {"alarmType": "teapotAlarm"},
    "severity.unknown": {"perceivedSeverity": "apocalyptic"},
    "status.unknown": {"state": "approved"},
    "time.before_2000": {"alarmRaisedTime": CLOCKS[0]},
    "time.in_future": {"alarmRaisedTime": CLOCKS[1]},
    "time.unreadable": {"alarmRaisedTime": CLOCKS[2]},
    "time.without_zone": {"alarmRaisedTime": "2026-01-12T12:00:00"},
    "text.too_long": {"sourceSystemId": "x" * 1_000_000},
    "text.not_printable": {"specificProblem": "a\u0000b"},
    "shape.missing": {"probableCause": None},
    "shape.wrong_type": {"alarmDetails": {"a": []}},
}
ALERT_FAULTS: dict[str, dict[str, Any]] = {
    "alarm.resource.unknown": {"labels": {"alertname": "InterfaceDown", "element": "tp:nowhere"}},
    "status.unknown": {"status": "pending"},
    "time.before_2000": {"startsAt": CLOCKS[0]},
    "time.in_future": {"startsAt": CLOCKS[1]},
    "time.unreadable": {"startsAt": CLOCKS[3]},
    "time.without_zone": {"startsAt": "2026-01-12T12:00:00"},
    "text.too_long": {"labels": {"alertname": "x" * 1_000_000, "element": CULPRIT}},
    "text.not_printable": {"labels": {"alertname": "\u001b[2J", "element": CULPRIT}},
    "shape.missing": {"labels": None},
    "shape.wrong_type": {"annotations": [1]},
}


@pytest.mark.parametrize("rule", ALARM_FAULTS)
def test_a_bad_alarm_is_refused_by_its_rule_counted_and_kept_aside(ring: RingHouse, rule: str) -> None:
    before = counts(ring, "tmf642")
    seen = {row["id"] for row in ring.get("viewer", "/quarantine", limit=1000).json()}
    answer = ring.post("feed", ALARMS, ring.tmf_alarm(**ALARM_FAULTS[rule]))

    assert wrong(answer, 400) == ""
    assert answer.json()["code"] == rule
    assert counts(ring, "tmf642") - before == Counter(received=1, rejected=1)
    aside = [row for row in ring.get("viewer", "/quarantine", limit=1000).json() if row["id"] not in seen]
    assert [(row["rule"], row["source"], len(row["payload"]) <= 2000) for row in aside] == [(rule, "tmf642", True)]


@pytest.mark.parametrize("rule", ALERT_FAULTS)
def test_a_bad_alert_does_not_take_the_good_ones_with_it(ring: RingHouse, rule: str) -> None:
    before = counts(ring, "alertmanager")
    over = {"status": "resolved", "endsAt": ring.clock.now().isoformat()}
    good, bad = ring.alert("tp:c-d") | over, ring.alert(CULPRIT) | ALERT_FAULTS[rule]
    receipt = ring.post("feed", WEBHOOK, {"alerts": [bad, good, bad]}).json()

    assert (receipt["received"], receipt["kept"], receipt["rejected"]) == (3, 1, 2)
    assert [rejection["rule"] for rejection in receipt["rejections"]] == [rule, rule]
    assert counts(ring, "alertmanager") - before == Counter(received=3, kept=1, rejected=2)


def counts(house: RingHouse, source: str) -> Counter[str]:
    """Return what came from a source so far, and what became of it."""
    tally = house.tallies().get(source, {})
    return Counter({name: tally.get(name, 0) for name in ("received", "kept", "late", "rejected")})


def test_late_alarms_are_kept_aside_and_counted(ring: RingHouse) -> None:
    answer = ring.post("feed", ALARMS, ring.tmf_alarm(alarmRaisedTime="2026-01-01T00:00:00Z"))

    assert (answer.status_code, answer.json()["late"]) == (202, 1)
    assert ring.tallies()["tmf642"]["late"] == 1


@pytest.mark.parametrize(
    "alerts", [[], [None], [[]], [0] * 1000, ["x" * 10_000], [{}], [{"labels": {}}] * 200], ids=len
)
def test_a_webhook_full_of_nonsense_is_counted_to_the_last_item(ring: RingHouse, alerts: list[Any]) -> None:
    receipt = ring.post("feed", WEBHOOK, {"alerts": alerts}).json()

    assert (receipt["received"], receipt["rejected"]) == (len(alerts), len(alerts))


# --- commands ---

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
NO_TEXT: tuple[Any, ...] = (None, True, 17, -1, 1e308, [], [[]], {}, {"a": {"b": []}}, "x" * 5000, "\u0000", "\u200b")
EMPTY = ("", "  ", "\n")
NO_TIME: tuple[Any, ...] = (
    None,
    False,
    0,
    10**15,
    -1.5,
    "17",
    "-1",
    "",
    "now",
    "2026-02-30T00:00:00Z",
    "2026-01-12T12:00:00",
    [],
    {},
)
IMPOSSIBLE: dict[str, tuple[Any, ...]] = {
    "because": NO_TEXT + EMPTY,
    "question": (*NO_TEXT[:-2], *EMPTY),
    "region": NO_TEXT,
    "change_id": (*NO_TEXT, ""),
    "plan_digest": (0, "x", "0" * 63, "Z" * 64, "٠" * 64, [], {}),
    "until": NO_TIME + CLOCKS,
    "starts_at": (*NO_TIME, "2026-01-12T14:00:00Z", *CLOCKS[1:]),
    "ends_at": (*NO_TIME, "2026-01-12T12:00:00Z", CLOCKS[0], *CLOCKS[2:]),
    "elements": (None, 1, "x", {}, [], [1], [[]], [""], ["tp:nowhere"], ["x" * 300], [CULPRIT, None]),
    "affected": (None, 1, "x", {}, [1], [[]], [""], ["tp:nowhere"]),
    "expected": (None, 1, "link_down", {}, ["teapot"], [1]),
    "happened": (None, 0, 1, "true", "yes", [], {}),
    "plan": (None, 1, "x", [], {}, {"steps": None}, {"steps": {}}, {"steps": [STEP], "digest": "0" * 64}),
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, body in SOUND.items() for name in body])
def test_a_value_that_cannot_be_is_told(ring: RingHouse, path: str, name: str) -> None:
    answers = {repr(value)[:40]: sent(ring, path, SOUND[path] | {name: value}) for value in IMPOSSIBLE[name]}

    assert faults(answers, 400) == {}


@pytest.mark.parametrize("path", SOUND)
def test_a_field_too_few_or_too_many_is_told(ring: RingHouse, path: str) -> None:
    optional = {"plan_digest", "affected", "expected", "region"}
    fewer = {name: {n: v for n, v in SOUND[path].items() if n != name} for name in SOUND[path] if name not in optional}

    answers = {name: sent(ring, path, body) for name, body in fewer.items()}
    answers["too many"] = sent(ring, path, SOUND[path] | {"colour": "blue"})

    assert faults(answers, 400) == {}


IMPOSSIBLE_PLANS: tuple[Any, ...] = (
    [],
    [{"kind": "reboot_the_world", "target": CULPRIT}],
    [{"target": CULPRIT}],
    [{"kind": "interface_up"}],
    [{"kind": "interface_up", "target": ""}],
    [{"kind": "interface_up", "target": "tp:nowhere"}],
    [{"kind": "interface_up", "target": "node:a"}],
    [{"kind": "interface_up", "target": CULPRIT}, {"kind": "lock_cell", "target": "node:a"}],
    [STEP | {"previous_metric": 0}],
    [STEP | {"previous_metric": 65536}],
    [STEP | {"previous_metric": "ten"}],
    [STEP | {"previous_metric": 1e300}],
    [{"kind": "steer_demand", "target": "demand:a-b", "via": "node:nowhere"}],
    [{"kind": "steer_demand", "target": "demand:a-b", "via": "power:a"}],
    [{"kind": "steer_demand", "target": "demand:a-b", "via": 7}],
    [{"kind": "interface_up", "target": CULPRIT, "harm": "none"}],
    [STEP] * 65,
    [None],
    "interface_up",
)


def test_a_plan_that_cannot_be_leaves_the_one_that_waits_alone(ring: RingHouse) -> None:
    bodies = {str(steps)[:90]: BECAUSE | {"plan": {"steps": steps}} for steps in IMPOSSIBLE_PLANS}

    answers = {name: sent(ring, "/proposals/{id}/change", body) for name, body in bodies.items()}

    assert faults(answers, 400) == {}


# --- questions ---


def test_a_method_that_a_path_does_not_take_is_told_with_those_it_takes(ring: RingHouse) -> None:
    for path in {*GETS, *POSTS}:
        taken = {method for method, row in ACCESS if row == path}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "X" * 30} - taken:
            answer = ring.door.request(method, filled(path, ring), headers=ring.bearer("operator"))

            assert wrong(answer, 405) == "", (method, path)
            assert taken <= set(answer.headers["Allow"].split(", ")), (method, path)


@pytest.mark.parametrize("id", ["inc_00000000000000000000000000", "nothing", "%20", "x" * 250])
def test_an_unknown_id_is_told(ring: RingHouse, id: str) -> None:
    gets = {path: ring.get("auditor", path.replace("{id}", id)) for path in GETS if "{id}" in path}
    posts = {
        path: ring.post("approver_a-at-night", path.replace("{id}", id), SOUND[path])
        for path in SOUND
        if "{id}" in path
    }

    assert faults(gets, 404) == {}
    assert faults(posts, 404) == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [(ALARMS, "limit"), (ALARMS, "offset"), (TICKETS, "limit"), ("/incidents", "limit"), ("/quarantine", "limit")],
)
def test_a_page_that_cannot_be_is_told(ring: RingHouse, path: str, name: str) -> None:
    values = ("-1", "null", "", "1e9", "10000000000", "1.5", "ten", "0x10", "NaN", "9" * 5000)

    answers = {value[:20]: ring.get("auditor", path, **{name: value}) for value in values}

    assert faults(answers, 400) == {}


@pytest.mark.parametrize(
    ("path", "name", "values"),
    [
        ("/state", "at", ("null", "yesterday", "17", "-1", "2026-01-12T12:00:00", *CLOCKS[1:], "x" * 300)),
        ("/incidents", "state", ("null", "broken", "OPEN", "", "\x00")),
        ("/incidents", "after", ("x" * 300,)),
        ("/audit", "ref", ("", "x" * 300)),
        ("/audit", "limit", ("-1", "0", "null", "1e9", "1001")),
    ],
)
def test_a_question_that_cannot_be_is_told(ring: RingHouse, path: str, name: str, values: tuple[str, ...]) -> None:
    answers = {value[:20]: ring.get("auditor", path, **{name: value}) for value in values}

    assert faults(answers, 400) == {}


def test_the_state_of_a_moment_before_everything_is_an_answer(ring: RingHouse) -> None:
    answer = ring.get("viewer", "/state", at=CLOCKS[0])

    assert (answer.status_code, answer.json()["alarms"]) == (200, [])
