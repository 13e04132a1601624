"""The doors without a token, with a stranger's, and those that are open; who passes where: see the deny matrix."""

import re

import pytest
from starlette.testclient import TestClient

from api.http.access import ACCESS
from api.http.app import ROUTERS, create_app

ROUTES = sorted(
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    for method in route.methods
    if route.path != "/health"
)


def knock(door: TestClient, method: str, path: str):
    return door.request(method, re.sub(r"\{id\}", "alm_001", path), json={} if method == "POST" else None)


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
