"""Every route of the running app, asked by every role: it passes exactly where the table of permissions says so.

The routes are those of the app itself, the house behind it is real: a new route is in the matrix by being there.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api.http.access import ACCESS, DOCS, OPEN
from api.http.app import ROUTERS, create_app
from control_plane.ports import Written
from control_plane.tables import Tables
from domain.clock import ManualClock
from domain.decisions import Ruling
from domain.identity import Permission, Principal, Role
from domain.records import Entry
from policies.engine import Book
from policies.permissions import PERMISSIONS
from tests.attacks.ring_house import RingHouse, ring_house
from tests.stage import make_stage

ROUTES = sorted(
    {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    - {("GET", path) for path in OPEN}
)
NOTHING = "nothing_00000000"
_NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingHouse]:
    """A house with one account per role, each with a person behind it, and one whose roles are gone."""
    house = ring_house(ManualClock(_NOON), tmp_path_factory.mktemp("deny"))
    for role in Role:
        machine = role in {Role.FEED, Role.AGENT}
        named = house.house.issuer.issue(f"role-{role}", {role}, "" if machine else f"the {role}")
        house.tokens[role] = named[1]
    bare, token = house.house.issuer.issue("bare", {Role.VIEWER}, "bare")
    house.tokens["nobody"] = token
    house.house.road.ledger.do(lambda tables: _without_roles(tables, bare))
    yield house
    house.close()


def _without_roles(tables: Tables, account: Principal) -> Written[None]:
    tables.principals.swap(account, account.but(roles=frozenset()))
    entry = Entry(kind="identity.account.emptied", actor="test", event_time=_NOON)
    return Written(None, (entry,))


def knock(house: RingHouse, who: str, method: str, path: str) -> Any:
    """Ask for something that is not there, with a body that says nothing."""
    filled = re.sub(r"\{\w+\}", NOTHING, path)
    return house.door.request(method, filled, headers=house.bearer(who), json={} if method != "GET" else None)


def served(routes: Iterable[Any]) -> set[tuple[str, str]]:
    """Return method and path of every route of ours, those of included routers too."""
    found: set[tuple[str, str]] = set()
    for route in routes:
        if isinstance(route, APIRoute):
            found |= {(method, route.path) for method in route.methods}
        elif (included := getattr(route, "original_router", None)) is not None:
            found |= served(included.routes)
    return found


def may(role: Role, permission: Permission | None) -> bool:
    return permission is None or permission in PERMISSIONS[role]


def test_every_route_of_the_app_has_a_row_and_every_row_a_route(ring: RingHouse) -> None:
    app = create_app(ring.house, ring.settings)
    rows = {row for row in ACCESS if not row[1].startswith(DOCS)}
    ours = {(method, path) for method, path in served(app.routes) if path not in OPEN and not path.startswith(DOCS)}
    assert ours == rows == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_route_lets_pass_exactly_the_roles_that_the_table_names(ring: RingHouse, route: tuple[str, str]) -> None:
    answers = {role: knock(ring, role, *route) for role in Role}

    passed = {role for role, answer in answers.items() if answer.status_code not in {401, 403}}
    assert passed == {role for role in Role if may(role, ACCESS[route])}
    assert all(answer.status_code < 500 for answer in answers.values())
    for role in set(Role) - passed:
        assert answers[role].json()["code"] == "refused"


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_no_token_is_401_and_no_role_is_403_everywhere(ring: RingHouse, route: tuple[str, str]) -> None:
    path = re.sub(r"\{\w+\}", NOTHING, route[1])
    assert ring.door.request(route[0], path, json={}).status_code == 401
    assert knock(ring, "nobody", *route).status_code == 403


#: What the least trusted may change, by hand: a role that gains a route shows here.
CHANGED_BY = {
    Role.VIEWER: {
        *("/chat", "/enquiries/{id}/answer", "/proposals/{id}/view", "/handover/accept"),
        *("/twin/whatif", "/twin/check", "/twin/capacity"),
    },
    Role.FEED: {"/webhooks/alertmanager", "/tmf-api/alarmManagement/v4/alarm", "/tmf-api/alarm/v4/alarm"},
    Role.AGENT: {"/proposals"},
}


@pytest.mark.parametrize("role", CHANGED_BY)
def test_the_least_trusted_change_only_what_is_written_here(role: Role) -> None:
    known = {path for (method, path), needed in ACCESS.items() if method != "GET" and needed and may(role, needed)}
    assert known == CHANGED_BY[role]


def test_what_a_command_is_refused_is_on_the_record(ring: RingHouse) -> None:
    proposal = "prop_01abcdefgh"
    answer = knock(ring, Role.VIEWER, "POST", f"/proposals/{proposal}/approve")

    assert answer.status_code == 403
    last = ring.records("rights.command.refused")[-1]
    assert (last.actor, last.refs) == ("role-viewer", (proposal,))
    assert last.fields["reason"].value == answer.json()["reason"]


def test_every_desk_records_what_it_refuses(ring: RingHouse) -> None:
    services = [ring.house.commands, *(desk for name, desk in vars(ring.house.desks).items() if name != "_road")]
    assert all(getattr(type(service), "records_refusals", False) for service in services)


def test_an_empty_book_denies_everything(clock: ManualClock) -> None:
    stage = make_stage(clock)
    shipped = Book.load()
    stage.road.book = Book({}, shipped.schema)
    stage.network.put("tp:a-b", administrative="locked")
    stage.road.live.twin.configured("tp:a-b", "administrative", "locked", clock.now())
    stage.say_readings(up=False)
    stage.raise_alarms()
    stage.walk_all()

    decided = stage.ledger.read(lambda tables: tables.decisions.find())
    assert decided
    assert {decision.judgement.answer for decision in decided} == {Ruling.DENY}
    assert stage.ledger.read(lambda tables: tables.grants.count()) == 0


def test_the_docs_are_for_readers(ring: RingHouse) -> None:
    assert ring.get(Role.VIEWER, "/openapi.json").status_code == 200
    assert ring.get(Role.AGENT, "/openapi.json").status_code == 403
    assert TestClient(create_app(ring.house, ring.settings)).get("/openapi.json").status_code == 401
