"""Laws of the doors: whatever bytes or JSON come to whichever path, the answer is never a 5xx, and nothing is lost.

One house serves all examples of a law: what earlier ones left behind is part of what later ones meet.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.http.access import ACCESS
from api.http.app import ROUTERS
from domain.chains import first_break
from domain.clock import ManualClock
from tests.attacks.ring_house import ALARMS, WEBHOOK, RingHouse, ring_house, tallies_add_up
from tests.stage import CULPRIT

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
POSTS = sorted(path for method, path in ACCESS if method == "POST")
#: The routes that take no body: nothing is the only thing that they accept.
WITHOUT_BODY = {
    route.path
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and not (route.body_field or route.openapi_extra)
}
GETS = sorted(path for method, path in ACCESS if method == "GET" and "docs" not in path)
UNHURRIED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

words = st.sampled_from(
    [
        *("firing", "resolved", "raised", "cleared", "major", "communicationsAlarm", "linkFailure", "InterfaceDown"),
        *("interface_up", "drain_link", "link_down", "open", "x", "", "\u0000", "null", "NaN", "-1", "1e9", "٣"),
        *(CULPRIT, "link:b-c", "node:a", "tp:nowhere", "0" * 64),
        *("2026-01-12T12:00:00Z", "2026-01-12T13:00:00+14:00", "1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "now"),
    ]
)
names = st.sampled_from(
    [
        *("alerts", "labels", "annotations", "status", "startsAt", "endsAt", "alertname", "element", "severity"),
        *("alarmType", "perceivedSeverity", "probableCause", "alarmedObject", "id", "sourceSystemId", "state"),
        *("alarmRaisedTime", "specificProblem", "alarmDetails", "because", "plan_digest", "plan", "steps", "kind"),
        *("target", "previous_metric", "via", "until", "change_id", "elements", "affected", "expected", "starts_at"),
        *("ends_at", "region", "happened", "question", "limit", "offset", "fields", "at", "ref", "after", "@type"),
    ]
)
numbers = st.integers(-(2**70), 2**70) | st.floats()
values = st.recursive(
    st.none() | st.booleans() | numbers | words | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=3), inner, max_size=8),
    max_leaves=20,
)
WINDOW = {"starts_at": "2026-01-12T12:00:00Z", "ends_at": "2026-01-12T13:00:00Z"}
SHAPES: list[dict[str, Any]] = [
    {"alerts": [{"status": "firing", "labels": {"alertname": "InterfaceDown", "element": CULPRIT}, "startsAt": "x"}]},
    {"because": "x", "plan": {"steps": [{"kind": "drain_link", "target": "link:b-c", "previous_metric": 10}]}},
    {"because": "x", "until": "2026-01-12T13:00:00Z"},
    {"because": "x", "happened": True},
    {"because": "x", **WINDOW},
    {"change_id": "c", "elements": [CULPRIT], "affected": [], "expected": ["link_down"], **WINDOW},
    {"question": "why?"},
]


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingHouse]:
    """A house in which a repair waits; after all examples its record verifies and its tallies add up."""
    house = ring_house(ManualClock(NOON), tmp_path_factory.mktemp("house"))
    house.held()
    yield house
    assert tallies_add_up(house.tallies().values())
    assert first_break(house.records()) is None
    assert set(house.network.journal) <= {step.id for step in house.steps()}
    house.close()


def spoiled(shape: Any, data: st.DataObject) -> Any:
    """Put something drawn somewhere into a shape."""
    if not isinstance(shape, dict | list) or not shape or data.draw(st.integers(0, 3)) == 0:
        return data.draw(values)
    if isinstance(shape, list):
        return [spoiled(shape[0], data), *shape[1:]]
    key = data.draw(st.sampled_from([*shape, "colour"]))
    return {**shape, key: spoiled(shape.get(key), data)}


def filled(path: str, ring: RingHouse, id: str | None = None) -> str:
    standing = ring.incidents()[0].id if path.startswith("/incidents") else ring.repairs()[-1].id
    return path.replace("{id}", standing if id is None else id)


def fine(answer: Any) -> None:
    assert answer.status_code < 500, answer.text[:500]
    if answer.status_code >= 400:
        assert set(answer.json()) == {"code", "reason"}
        assert answer.json()["reason"].isprintable()


@UNHURRIED
@given(data=st.data(), path=st.sampled_from(POSTS), who=st.sampled_from(["feed", "operator", "approver_a", "viewer"]))
def test_no_json_breaks_a_door(ring: RingHouse, data: st.DataObject, path: str, who: str) -> None:
    shape = data.draw(st.sampled_from([*SHAPES, ring.tmf_alarm()]))
    body = json.dumps(spoiled(shape, data)).encode()

    fine(ring.post(who, filled(path, ring), content=body))


@UNHURRIED
@given(body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode), path=st.sampled_from(POSTS))
def test_no_bytes_break_a_door(ring: RingHouse, body: bytes, path: str) -> None:
    answer = ring.post("operator", filled(path, ring), content=body)

    fine(answer)
    assert answer.status_code >= 400 or (path in WITHOUT_BODY if body == b"" else json.loads(body))


@UNHURRIED
@given(
    path=st.sampled_from(GETS),
    id=st.none() | words | st.text(st.characters(exclude_characters="/?#"), min_size=1, max_size=12),
    params=st.dictionaries(names, words | st.text(max_size=8), max_size=3),
)
def test_no_question_breaks_a_door(ring: RingHouse, path: str, id: str | None, params: dict[str, str]) -> None:
    place = filled(path, ring, None if id is None else quote(id.encode("utf-8", "replace"), safe=""))

    fine(ring.get("auditor", place or "/", **{name: _utf8(value) for name, value in params.items()}))


@UNHURRIED
@given(
    name=names | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20), data=st.data()
)
def test_no_header_breaks_a_door(ring: RingHouse, name: str, data: st.DataObject) -> None:
    known = ("Accept", "Content-Type", "Content-Encoding", "Content-Length", "Authorization", "X-Request-ID", "Cookie")
    header = data.draw(st.sampled_from(known))
    value = data.draw(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))

    fine(ring.post("feed", WEBHOOK, content=b'{"alerts": [{}]}', headers={header: value, "X-Other": name}))


@UNHURRIED
@given(items=st.lists(values, max_size=6))
def test_a_webhook_counts_every_item_whatever_it_is(ring: RingHouse, items: list[Any]) -> None:
    body = json.dumps({"alerts": items})
    before = ring.tallies().get("alertmanager", {"received": 0})["received"]

    answer = ring.post("feed", WEBHOOK, content=body.encode())

    fine(answer)
    after = ring.tallies().get("alertmanager", {"received": 0})["received"]
    assert after - before == (len(items) if answer.status_code == 200 else 0)


@UNHURRIED
@given(data=st.data())
def test_an_alarm_is_counted_once_whatever_it_is(ring: RingHouse, data: st.DataObject) -> None:
    body = json.dumps(spoiled(ring.tmf_alarm(), data)).encode()
    before = ring.tallies().get("tmf642", {"received": 0})["received"]

    answer = ring.post("feed", ALARMS, content=body)

    fine(answer)
    unread = {"bad_number", "bad_text", "duplicate_key", "too_large"}
    read = answer.status_code < 400 or answer.json()["code"] not in unread
    assert ring.tallies().get("tmf642", {"received": 0})["received"] - before == int(read)


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def test_the_house_is_unharmed_by_all_of_it(ring: RingHouse) -> None:
    ring.walk(1)

    assert Path(ring.settings.data).exists()
    assert ring.get("auditor", "/audit/verify").json()["verified"]
