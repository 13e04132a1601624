"""Autonomy at the doors: the same words over HTTP and on the command line, and no way to raise a level."""

from io import StringIO
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from rich.console import Console
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.cli import app
from api.http.app import create_app
from api.settings import Settings
from api.views import autonomy as views
from api.views import terminal
from api.views.cards import CardView
from control_plane.autonomy.views import Disagreements, GroundPage, GroundView
from control_plane.desks import Desks
from domain.clock import ManualClock
from domain.identity import Principal, Role
from domain.incidents import Resolution
from tests.control_plane.autonomy.earning import GROUND, Earning, make_earning


class Door:
    """Knows the manager, an approver, a viewer and an operator by their names."""

    def __init__(self, earning: Earning, settings: Settings) -> None:
        people = {"manager": earning.manager, "one": earning.stage.one, "operator": earning.stage.operator}
        people["viewer"] = Principal(id="acc_v", name="viewer", person="viewer", roles=frozenset({Role.VIEWER}))
        self.earning = earning
        issuer = SimpleNamespace(authenticate=people.__getitem__)
        stage = earning.stage
        house = SimpleNamespace(
            commands=stage.commands,
            queries=stage.queries,
            desks=Desks(stage.road),
            issuer=issuer,
            clock=stage.clock,
            road=stage.road,
        )
        self._app = create_app(house, settings)

    def __call__(self, name: str) -> TestClient:
        return TestClient(self._app, headers={"Authorization": f"Bearer {name}"})


@pytest.fixture
def door(clock: ManualClock, settings: Settings) -> Door:
    return Door(make_earning(clock), settings)


def waiver(door: Door, **changes: object) -> dict[str, object]:
    plain = {"ground": GROUND.key, "level": 1, "ends_at": "2026-01-15T12:00:00Z", "because": "a trial week"}
    return plain | changes


def test_grounds_are_shown_with_what_is_missing(door: Door) -> None:
    door.earning.settle(Resolution.RESTORED, 80)

    (row,) = door("viewer").get("/autonomy").json()
    assert (row["ground"], row["level"], row["outcomes"], row["clean_outcomes_to_go"]) == (GROUND.key, 0, 80, 8)


def test_one_ground_is_shown_with_its_history(door: Door) -> None:
    door.earning.promote()

    page = door("viewer").get(f"/autonomy/{quote(GROUND.key, safe='')}").json()
    assert page["view"]["level"] == 1
    assert [move["level"] for move in page["moves"]] == [1]
    assert len(page["credits"]) == 50


def test_a_waiver_is_signed_and_revoked(door: Door) -> None:
    signed = door("manager").post("/autonomy/waivers", json=waiver(door))
    assert (signed.status_code, door.earning.level()) == (201, 1)

    ended = door("manager").post(f"/autonomy/waivers/{signed.json()['id']}/revoke", json={"because": "enough"})
    assert (ended.status_code, door.earning.level()) == (200, 0)


@pytest.mark.parametrize("name", ["viewer", "one", "operator"])
def test_nobody_else_signs_a_waiver(door: Door, name: str) -> None:
    answer = door(name).post("/autonomy/waivers", json=waiver(door))

    assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert door.earning.level() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"level": 0},
        {"level": 3},
        {"level": True},
        {"ends_at": "2026-03-01T12:00:00Z"},
        {"ends_at": "tomorrow"},
        {"ends_at": 5},
        {"because": " "},
        {"ground": "all"},
        {"ground": "a|b|c|d"},
        {"tenant": "other"},
        {"autonomyLevel": 2},
    ],
)
def test_a_bad_waiver_is_a_clear_400(door: Door, changes: dict[str, object]) -> None:
    answer = door("manager").post("/autonomy/waivers", json=waiver(door, **changes))

    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "reason"}


@pytest.mark.parametrize(
    ("path", "status"), [("/autonomy/nonsense", 400), (f"/autonomy/{quote(GROUND.key, safe='')}", 404)]
)
def test_what_is_not_there_is_said_so(door: Door, path: str, status: int) -> None:
    assert door("viewer").get(path).status_code == status


def test_operators_take_a_level_back(door: Door) -> None:
    door.earning.promote()
    lowered = door("operator").post("/autonomy/lower", json={"ground": GROUND.key, "because": "a big event"})

    assert (lowered.status_code, door.earning.level()) == (200, 0)
    again = door("operator").post("/autonomy/lower", json={"ground": GROUND.key, "because": "again"})
    assert again.status_code == 409


def test_disagreements_acceptance_coverage_and_reviews_are_shown(door: Door) -> None:
    stage = door.earning.stage
    stage.commands.reject(stage.one, door.earning.sample.id, "not that one")

    found = door("viewer").get("/disagreements").json()
    assert found["rows"][0]["because"] == "not that one"
    assert door("viewer").get("/autonomy/acceptance").json()[0]["accepted"] == 0
    assert door("viewer").get("/autonomy/coverage").json()["n"] == 0
    assert door("viewer").get("/autonomy/reviews").json() == []


def test_the_tables_say_what_the_doors_say(door: Door) -> None:
    door.earning.promote()
    stage = door.earning.stage
    stage.commands.reject(stage.one, door.earning.sample.id, "not [red]that\x1b one")
    rows = [GroundView.model_validate(row) for row in door("viewer").get("/autonomy").json()]
    page = GroundPage.model_validate(door("viewer").get(f"/autonomy/{quote(GROUND.key, safe='')}").json())
    found = Disagreements.model_validate(door("viewer").get("/disagreements").json())
    console = Console(width=200, markup=False, record=True, file=StringIO())
    for view in (views.grounds(rows), views.ground(page), views.disagreements(found)):
        console.print(view)
    text = console.export_text()

    assert "1 acts where harmless" in text
    assert "88 of 89" in text
    assert "“not [red]that\\x1b one”" in text


def test_the_command_line_has_a_command_for_each() -> None:
    shown = CliRunner().invoke(app, ["autonomy", "--help"]).output
    for name in ("show", "history", "acceptance", "disagreements", "reviews", "review", "waive", "revoke", "lower"):
        assert name in shown


def test_the_card_of_a_promotion_shows_what_one_signs_on(door: Door) -> None:
    asked = door.earning.earn()
    card = CardView.model_validate(door("viewer").get(f"/proposals/{asked.id}").json())
    console = Console(width=200, markup=False, record=True, file=StringIO())
    console.print(terminal.card(card))
    text = console.export_text()

    assert "88 clean of 88" in text
    assert "88, of which 0 went wrong" in text
