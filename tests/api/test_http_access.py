"""Every route, asked by every role, by nobody and by a stranger: deny by default."""

import re

import pytest
from starlette.testclient import TestClient

from api.http.access import ACCESS, KNOWN
from api.http.app import ROUTERS, create_app
from domain.identity import Role

READERS = {"viewer", "operator", "approver", "auditor"}
SENDERS = {"feed", "operator"}
EVERYBODY = {str(role) for role in Role}
ALARM_PATHS = ("/tmf-api/alarmManagement/v4/alarm", "/tmf-api/alarm/v4/alarm")
TICKETS = "/tmf-api/troubleTicket/v4/troubleTicket"

#: Written out by hand, so that a change of the table is a change of two files.
EXPECTED = {
    ("POST", "/webhooks/alertmanager"): SENDERS,
    **{("POST", path): SENDERS for path in ALARM_PATHS},
    **{("GET", path): READERS | SENDERS for path in ALARM_PATHS},
    **{("GET", path + "/{id}"): READERS | SENDERS for path in ALARM_PATHS},
    ("GET", TICKETS): READERS,
    ("GET", TICKETS + "/{id}"): READERS,
    **{("GET", path): READERS for path in ("/inbox", "/proposals/{id}", "/incidents", "/incidents/{id}", "/state")},
    **{("GET", path): READERS for path in ("/quarantine", "/tallies", "/models")},
    **{("POST", f"/proposals/{{id}}/{verb}"): EVERYBODY for verb in ("approve", "reject", "change", "defer", "stop")},
    **{
        ("POST", path): EVERYBODY
        for path in ("/incidents/{id}/close", "/planned-work", "/freezes", "/steps/{id}/settle")
    },
    ("POST", "/chat"): READERS,
    ("GET", "/audit"): {"auditor", "operator", "approver"},
    ("GET", "/audit/verify"): {"auditor", "operator", "approver"},
    ("GET", "/lineage/{id}"): READERS,
}
ROUTES = sorted(
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    for method in route.methods
    if route.path != "/health"
)


def knock(door: TestClient, method: str, path: str):
    return door.request(method, re.sub(r"\{id\}", "alm_001", path), json={} if method == "POST" else None)


def test_every_route_has_a_row_here():
    assert set(ROUTES) == set(EXPECTED)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
@pytest.mark.parametrize("role", [*Role, "nobody"])
def test_a_role_passes_exactly_where_the_table_says(client, route, role):
    answer = knock(client(role), *route)
    assert (answer.status_code != 403) == (str(role) in EXPECTED[route])


@pytest.mark.parametrize(
    "route", [*ROUTES, ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/nowhere")], ids=" ".join
)
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer stranger"}, {"Authorization": "Basic dG9rZW4="}])
def test_without_a_known_token_every_route_is_401(house, settings, route, header):
    answer = knock(TestClient(create_app(house, settings), headers=header), *route)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert set(answer.json()) == {"code", "reason"}
    assert house.commands.calls == house.queries.calls == []


def test_health_is_open(house, settings):
    answer = TestClient(create_app(house, settings)).get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "OK")


def test_docs_open_only_where_the_setting_says_so(house, settings):
    door = TestClient(create_app(house, settings.model_copy(update={"open_docs": True})))
    page = door.get("/docs")
    assert page.status_code == 200
    assert "cdn" not in page.text
    for asset in re.findall(r'"(/static-offline-docs/[^"]+)"', page.text):
        assert door.get(asset).status_code == 200
    assert door.get("/openapi.json").status_code == 200
    assert door.get("/inbox").status_code == 401


def test_a_route_without_a_row_stops_the_start(house, settings, monkeypatch):
    rows = {route: roles for route, roles in ACCESS.items() if route != ("GET", "/inbox")}
    monkeypatch.setattr("api.http.app.ACCESS", rows)
    with pytest.raises(RuntimeError, match="inbox"):
        create_app(house, settings)


def test_commands_are_let_through_to_be_refused_on_the_record():
    assert ACCESS["POST", "/proposals/{id}/approve"] == KNOWN
