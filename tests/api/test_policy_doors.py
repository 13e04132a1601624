"""The policy book at the doors: read, explained, compared, loaded and put in force, over HTTP and by command."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.cli import app
from api.http.app import create_app
from api.logs import configure
from api.settings import Settings
from control_plane.desks import Desks
from control_plane.policy import activation
from domain.clock import ManualClock
from domain.errors import NocturneError
from domain.identity import Principal, Role
from policies.engine import BOOK, Book
from tests.served import served
from tests.stage import Stage, make_stage

NEVER = '@id("never") @because("never again") forbid (principal, action in Action::"network_change", resource);'


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    made = make_stage(clock)
    activation.adopt(made.road)
    return made


@pytest.fixture
def http(stage: Stage, settings: Settings) -> object:
    """Return the HTTP door on the stage's road; a token is a name."""
    people = {role.value: Principal(id=role, name=role, person=role, roles=frozenset({role})) for role in Role}
    issuer = SimpleNamespace(authenticate=people.__getitem__)
    house = SimpleNamespace(
        commands=stage.commands,
        queries=stage.queries,
        desks=Desks(stage.road),
        issuer=issuer,
        clock=stage.clock,
        road=stage.road,
    )
    return create_app(house, settings.model_copy(update={"max_body_bytes": 1 << 20, "max_items": 1000}))


@pytest.fixture
def door(http: object) -> Callable[[str], TestClient]:
    return lambda name: TestClient(http, headers={"Authorization": f"Bearer {name}"})  # type: ignore[arg-type]


@pytest.fixture
def nocturne(http: object, clock: ManualClock, own_logging: None) -> Iterator[Callable[..., Result]]:
    """Return `nocturne(role, *words)`, over a real socket."""
    configure("error", clock)
    with served(http) as url:
        yield lambda role, *words: CliRunner().invoke(
            app, list(words), env={"NOCTURNE_URL": url, "NOCTURNE_TOKEN": role, "COLUMNS": "200"}
        )


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    """Return a folder with the book that ships and one rule more."""
    for name, text in Book.load().texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "99_never.cedar").write_text(NEVER, "utf-8")
    return tmp_path


def test_the_book_in_force_is_shown_with_its_rules(stage: Stage, door: Callable[[str], TestClient]) -> None:
    shown = door("viewer").get("/policy").json()

    assert (shown["version"], shown["loaded"]) == (stage.road.book.version,) * 2
    assert {rule["id"] for rule in shown["rules"]} == set(stage.road.book.rules)


def test_a_proposal_is_explained(stage: Stage, door: Callable[[str], TestClient]) -> None:
    held = stage.begin()

    said = door("approver").get(f"/policy/explain/{held.id}").json()

    assert (said["answer"], said["needed"]) == ("hold", 1)
    assert door("approver").get("/policy/explain/prop_nowhere").status_code == 404


def test_a_book_goes_from_load_to_notice_to_force(stage: Stage, door: Callable[[str], TestClient]) -> None:
    files = dict(Book.load().texts) | {"99.cedar": NEVER}

    loaded = door("admin").post("/policy/load", json={"files": files})
    assert loaded.status_code == 201, loaded.json()
    (offered,) = door("admin").get("/policy").json()["offered"]
    body = {"version": offered["version"], "notice_digest": offered["notice_digest"], "because": "agreed"}
    refused = door("admin").post("/policy/activate", json=body | {"notice_digest": "0" * 64})
    active = door("admin").post("/policy/activate", json=body)

    assert (refused.status_code, active.status_code) == (409, 200)
    assert offered["notice"]["added"] == ["`never` (forbids): never again"]
    assert stage.road.book.version == offered["version"]


def test_a_bad_book_is_a_clear_refusal_and_shows_in_health(stage: Stage, door: Callable[[str], TestClient]) -> None:
    answer = door("admin").post("/policy/load", json={"files": {"a.cedar": "permit ("}})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert "`a.cedar` does not parse" in answer.json()["reason"]
    assert door("viewer").get("/health").json()["policy"]["note"].startswith("old book kept because `a.cedar`")


def test_a_body_that_is_no_book_is_refused(door: Callable[[str], TestClient]) -> None:
    for body in ({}, {"files": []}, {"files": {"a.cedar": 3}}, {"files": {}, "x": 1}, {"files": {}}):
        assert door("admin").post("/policy/load", json=body).status_code == 400


def test_nobody_else_loads_or_activates(door: Callable[[str], TestClient]) -> None:
    body = {"version": "0" * 64, "notice_digest": "0" * 64, "because": "please"}

    for role in set(Role) - {Role.ADMIN}:
        assert door(role).post("/policy/load", json={"files": {"a.cedar": NEVER}}).status_code == 403
        assert door(role).post("/policy/activate", json=body).status_code == 403


def test_windows_are_declared_shown_and_withdrawn(door: Callable[[str], TestClient]) -> None:
    body = {"region": "default", "starts_at": "2027-01-01T00:00:00Z", "ends_at": "2027-01-01T04:00:00Z"}

    made = door("operator").post("/change-windows", json=body | {"because": "weekly"})
    shown = door("viewer").get("/change-windows").json()
    gone = door("operator").post(f"/change-windows/{made.json()['id']}/withdraw", json={"because": "a slip"})

    assert (made.status_code, gone.status_code) == (201, 200)
    assert [window["id"] for window in shown["windows"]] == [made.json()["id"]]
    assert door("viewer").get("/change-windows").json() == {"windows": [], "freezes": []}


@pytest.mark.slow
def test_the_command_line_goes_the_same_way(stage: Stage, nocturne: Callable[..., Result], strict: Path) -> None:
    held = stage.begin()

    diff = nocturne("auditor", "policy", "diff", str(strict))
    loaded = nocturne("admin", "policy", "load", str(strict))
    version = Book.load(strict).version
    notice = json.loads(nocturne("viewer", "policy", "show", "--json").stdout)["offered"][0]["notice_digest"]
    explained = nocturne("viewer", "policy", "explain", held.id)
    unread = nocturne("admin", "policy", "activate", version[:16], "--notice", "0000", "--because", "x")
    active = nocturne("admin", "policy", "activate", version[:16], "--notice", notice[:16], "--because", "agreed")

    assert "1 of 1 recorded decisions" in diff.stdout
    assert "new rule `never` (forbids): never again" in loaded.stdout
    assert f"nocturne policy activate {version[:16]} --notice {notice[:16]}" in loaded.stdout
    assert "network-needs-one" in explained.stdout
    assert isinstance(unread.exception, NocturneError)
    assert (active.exit_code, active.stdout) == (0, f"in force: {version[:16]}\n")
    assert stage.road.book.version == version
    assert f"in force: {version[:16]}" in nocturne("viewer", "policy", "show").stdout


def test_the_calendar_at_the_command_line(stage: Stage, nocturne: Callable[..., Result]) -> None:
    times = ("--from", "2027-01-01T00:00:00Z", "--to", "2027-01-01T04:00:00Z")

    made = nocturne("operator", "change-window", "default", *times, "--because", "weekly")
    id = made.stdout.split(":")[0]
    shown = nocturne("viewer", "policy", "windows")
    gone = nocturne("operator", "withdraw", id, "--because", "a slip")

    assert id in shown.stdout
    assert gone.stdout == f"{id}: default withdrawn\n"
    assert "No change window" in nocturne("viewer", "policy", "windows").stdout


def test_a_book_is_checked_and_tested_without_a_server(tmp_path: Path) -> None:
    run = CliRunner().invoke

    assert run(app, ["policy", "check"]).exit_code == 0
    assert run(app, ["policy", "test"]).exit_code == 0
    (tmp_path / "a.cedar").write_text(NEVER, "utf-8")
    empty = run(app, ["policy", "check", str(tmp_path), "--json"])
    assert empty.exit_code == 1
    assert "no rule permits anything" in empty.stdout
    assert isinstance(run(app, ["policy", "test", str(tmp_path)]).exception, NocturneError)
    (tmp_path / "cases").mkdir()
    plain = (BOOK / "cases" / "never.toml").read_text("utf-8").split("[[case]]")[0]
    case = '[[case]]\nname = "x"\nask = {}\nanswer = "allow"\nrules = ["never"]\n'
    (tmp_path / "cases" / "a.toml").write_text(plain + case, "utf-8")
    wrong = run(app, ["policy", "test", str(tmp_path)])
    assert (wrong.exit_code, "1 cases, 1 failures" in wrong.stdout) == (1, True)


def test_a_question_is_explained_without_a_server(tmp_path: Path) -> None:
    plain = (BOOK / "cases" / "never.toml").read_text("utf-8").split("[plain]")[1].split("[[case]]")[0]
    (tmp_path / "q.toml").write_text(plain + "collides = true\n", "utf-8")

    said = CliRunner().invoke(app, ["policy", "explain", "--question", str(tmp_path / "q.toml"), "--signatures", "1"])

    assert said.exit_code == 0
    assert "hold with 1 signatures; allowed with 2 signatures" in said.stdout
    assert "better if no other plan stood in its way" in said.stdout
    (tmp_path / "q.toml").write_text(plain + "mood = 3\n", "utf-8")
    bad = CliRunner().invoke(app, ["policy", "explain", "--question", str(tmp_path / "q.toml")])
    assert isinstance(bad.exception, NocturneError)
