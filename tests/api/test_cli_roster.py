"""The commands about people, over a real connection to a whole house."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from adapters.identity.local import LocalIssuer
from api.cli import app
from api.client import ADDRESS
from api.http.app import create_app
from api.identities import IDENTITIES, write_identities
from api.logs import configure
from api.settings import Settings
from control_plane.desks import Desks
from domain.clock import ManualClock
from domain.errors import NocturneError
from domain.identity import Role
from tests.served import served
from tests.stage import Stage, make_stage

Nocturne = Callable[..., str]
WEEK = """role,account,region,domain,order,starts_at,ends_at
approver,one,*,*,1,2026-01-12T11:00:00Z,2026-01-12T19:00:00Z
approver,two,*,*,2,2026-01-12T11:00:00Z,2026-01-12T19:00:00Z
"""


@pytest.fixture
def stage(clock: ManualClock, tmp_path: Path, own_logging: None) -> Iterator[Stage]:
    configure("error", clock)
    stage = make_stage(clock)
    issuer = LocalIssuer(stage.ledger, clock)
    tokens = {name: issuer.renew(getattr(stage, name).id) for name in ("one", "two", "operator")}
    for name, role in (("admin", Role.ADMIN), ("manager", Role.CHANGE_MANAGER), ("viewer", Role.VIEWER)):
        tokens[name] = issuer.issue(name, {role}, person=name)[1]
    desks = Desks(stage.road)
    house = SimpleNamespace(commands=stage.commands, queries=stage.queries, desks=desks, issuer=issuer, clock=clock)
    http = create_app(house, Settings(data=tmp_path))  # type: ignore[arg-type]
    with served(http) as url:
        (tmp_path / ADDRESS).write_text(f"{url}\n")
        write_identities(tmp_path / IDENTITIES, tokens)
        yield stage


@pytest.fixture
def nocturne(stage: Stage, tmp_path: Path) -> Nocturne:
    def run(*words: str, by: str) -> str:
        result = CliRunner().invoke(app, [*words, "--as", by, "--data", str(tmp_path)])
        if isinstance(result.exception, NocturneError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_a_week_of_people_from_a_file_to_a_taken_over_shift(stage: Stage, nocturne: Nocturne, tmp_path: Path) -> None:
    (tmp_path / "week.csv").write_text(WEEK)

    assert nocturne("roster-import", str(tmp_path / "week.csv"), by="admin").count("as approver") == 2
    assert "two" in nocturne("roster", "--role", "approver", by="viewer")
    proposal = stage.begin()
    assert proposal.id in nocturne("handover", by="one")
    assert "For you now: none" in nocturne("handover", "--accept", by="two")
    assert json.loads(nocturne("notices", "--json", by="one")) == []


def test_what_is_missed_and_whom_people_trust(stage: Stage, nocturne: Nocturne) -> None:
    stage.begin()
    made = nocturne("seed-card", "one", "--mutation", "inverted", by="admin")
    id = made.partition(":")[0]

    answer = nocturne("reject", id, "--because", "it is the wrong way round", by="one")

    assert "rejected" in answer
    assert "0 of 1" in nocturne("attention", by="admin")
    assert "Trust" in nocturne("trust", by="viewer")


def test_looking_back_by_command(stage: Stage, nocturne: Nocturne) -> None:
    id = nocturne("review-called", "model", "m-1", "--until", "2026-02-01T00:00:00Z", by="manager").partition(":")[0]
    held = nocturne("review-held", id, "--attendee", "manager", "--decision", "keep it", by="manager")

    assert "held at" in held
    assert "keep it" in nocturne("reviews", by="viewer")


def test_the_command_line_gives_the_refusals_of_the_desk(stage: Stage, nocturne: Nocturne, tmp_path: Path) -> None:
    (tmp_path / "week.csv").write_text(WEEK.replace("two", "viewer"))
    refusals = (
        (("roster-import", str(tmp_path / "week.csv")), "admin", "shift 2"),
        (("roster-import", str(tmp_path / "none.csv")), "admin", "cannot be read"),
        (("off-call", "shift_none", "--because", "ill"), "admin", "no shift"),
        (("attention",), "one", "needs the role"),
        (("seed-card", "two"), "one", "needs the role"),
        (("approve-batch", "prop_none00", "--because", "all"), "one", "no proposal"),
    )
    for words, by, reason in refusals:
        with pytest.raises(NocturneError, match=reason):
            nocturne(*words, by=by)
