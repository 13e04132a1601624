"""Keeping accounts from the command line, over a real connection to a real house."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.client import ADDRESS, Client
from api.http.app import create_app
from api.identities import IDENTITIES, write_identities
from api.logs import configure
from domain.clock import ManualClock
from domain.errors import NotFound
from domain.identity import Role
from tests.attacks.ring_house import WEBHOOK, RingHouse, ring_house
from tests.served import served

Nocturne = Callable[..., SimpleNamespace]


@pytest.fixture
def house(clock: ManualClock, tmp_path: Path, own_logging: None) -> Iterator[RingHouse]:
    configure("error", clock)
    built = ring_house(clock, tmp_path)
    built.tokens["admin"] = built.house.issuer.issue("root", {Role.ADMIN}, "The Keeper")[1]
    write_identities(tmp_path / IDENTITIES, built.tokens)
    with served(create_app(built.house, built.settings)) as url:
        (tmp_path / ADDRESS).write_text(f"{url}\n")
        yield built
    built.close()


@pytest.fixture
def nocturne(house: RingHouse, tmp_path: Path) -> Nocturne:
    """Return `nocturne(*words)`: what the command wrote to each side, and the error it ended with."""

    def run(*words: str) -> SimpleNamespace:
        env = {"NOCTURNE_DATA": str(tmp_path), "NOCTURNE_TOKEN": "", "NOCTURNE_CLIENT_ID": ""}
        done = CliRunner().invoke(app, list(words), env=env)
        return SimpleNamespace(out=done.stdout, err=done.stderr, error=done.exception)

    return run


def client(tmp_path: Path, token: str) -> Client:
    return Client((tmp_path / ADDRESS).read_text().strip(), token)


def test_the_token_of_a_new_account_is_all_that_stands_on_standard_output(nocturne: Nocturne, tmp_path: Path) -> None:
    made = nocturne("accounts", "add", "ana", "--role", "operator", "--person", "Ana", "--region", "r1")
    assert made.error is None
    assert "only time" in made.err
    me = client(tmp_path, made.out.strip()).get("/identity")
    assert (me["name"], me["scope"]["regions"]) == ("ana", ["r1"])

    listed = nocturne("accounts", "list")
    assert "ana  operator  default  Ana" in listed.out
    assert made.out.strip() not in listed.out


def test_accounts_are_renewed_and_ended_by_name(nocturne: Nocturne, tmp_path: Path) -> None:
    renewed = nocturne("accounts", "renew", "viewer").out.strip()
    assert client(tmp_path, renewed).get("/identity")["name"] == "viewer"
    assert "ended" in nocturne("accounts", "revoke", "viewer").out
    assert "ended" in nocturne("accounts", "list").out
    assert isinstance(nocturne("accounts", "revoke", "nobody").error, NotFound)


def test_keys_are_made_listed_rotated_and_ended(nocturne: Nocturne, house: RingHouse, tmp_path: Path) -> None:
    made = json.loads(nocturne("keys", "add", "feed", "--label", "rack 4", "--json").out)
    assert client(tmp_path, made["secret"]).post(WEBHOOK, house.webhook())
    key = made["key"]["id"]
    assert "rack 4" in nocturne("keys", "list").out
    assert nocturne("keys", "rotate", key, "--overlap-hours", "1").out.startswith("nck_")
    assert "ended" in nocturne("keys", "revoke", key).out
    assert len(json.loads(nocturne("keys", "list", "--json").out)) == 2


def test_who_keeps_no_accounts_is_told_so_in_the_houses_words(nocturne: Nocturne) -> None:
    refused = nocturne("accounts", "list", "--as", "viewer")
    assert "`viewer` may not do this; it needs the role admin or tenant_owner" in refused.error.reason


def test_a_proof_is_written_alone_and_says_that_one_is_here_now(nocturne: Nocturne, tmp_path: Path) -> None:
    made = nocturne("prove", "--as", "approver_a")
    assert made.error is None
    me = client(tmp_path, made.out.strip()).get("/identity")
    assert me["name"] == "approver_a"
    assert me["authenticated_at"] is not None
