"""Logins on this machine: kept for their owner alone, renewed when they run out, one command at a time."""

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.identity.signing_in import Session
from api.cli import app
from api.client import connect
from api.sessions import Sessions, machine_token
from api.settings import Settings
from domain.clock import ManualClock
from domain.errors import BadInput, NotAuthenticated, Refused
from tests.identity_provider import AUDIENCE, CLIENT, MACHINE, SmallProvider, small_provider


@pytest.fixture
def provider(clock: ManualClock) -> Iterator[SmallProvider]:
    with small_provider(clock) as running:
        yield running


@pytest.fixture
def sessions(tmp_path: Path, clock: ManualClock) -> Sessions:
    return Sessions(tmp_path, clock)


@pytest.fixture
def session(provider: SmallProvider, clock: ManualClock) -> Session:
    until = clock.now() + timedelta(seconds=300)
    return Session(
        issuer=provider.issuer, client=CLIENT, name="ana", access_token="at-1", refresh_token="rt-1", expires_at=until
    )


def rotating(provider: SmallProvider) -> list[dict[str, str]]:
    """Have the provider give a new refresh token each time, and take none twice."""
    forms: list[dict[str, str]] = []

    def give(form: dict[str, str]) -> dict[str, Any]:
        forms.append(form)
        n = len(forms) + 1
        assert form["refresh_token"] == f"rt-{n - 1}"
        return {"access_token": f"at-{n}", "token_type": "Bearer", "expires_in": 300, "refresh_token": f"rt-{n}"}

    provider.gives = give
    return forms


def test_a_login_is_kept_for_its_owner_alone(sessions: Sessions, session: Session, tmp_path: Path) -> None:
    sessions.keep("me", session)
    path = tmp_path / "sessions.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sessions.token("me") == "at-1"
    path.chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        sessions.token("me")


def test_a_token_that_ran_out_is_renewed_once_however_many_ask(sessions, session, provider, clock) -> None:
    forms = rotating(provider)
    sessions.keep("me", session)
    clock.advance(290)
    with ThreadPoolExecutor(8) as many:
        tokens = set(many.map(lambda _: sessions.token("me"), range(16)))
    assert tokens == {"at-2"}
    assert len(forms) == 1
    clock.advance(290)
    assert sessions.token("me") == "at-3"


def test_a_login_that_is_over_says_so_and_one_that_was_forgotten_is_gone(sessions, session, provider, clock) -> None:
    sessions.keep("me", session)
    clock.advance(400)
    provider.pages["/token"] = (400, b'{"error": "invalid_grant"}')
    with pytest.raises(NotAuthenticated):
        sessions.token("me")
    sessions.forget("me")
    with pytest.raises(BadInput, match="nocturne login"):
        sessions.token("me")


def test_a_file_that_is_none_of_ours_is_named(sessions: Sessions, tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    path.touch(mode=0o600)
    path.write_text('{"me": {"issuer": 1}}')
    with pytest.raises(BadInput, match="remove it"):
        sessions.token("me")


def test_a_machine_keeps_its_token_while_it_holds_and_never_its_secret(sessions, provider, clock, tmp_path) -> None:
    count = []
    provider.gives = lambda _form: count.append(1) or {
        "access_token": f"m-{len(count)}", "token_type": "Bearer", "expires_in": 300
    }  # fmt: skip

    def token(secret: str = "s3cret") -> str:
        return machine_token(
            sessions, issuer=provider.issuer, audience=AUDIENCE, client=MACHINE, secret=secret, clock=clock
        )

    assert [token(), token()] == ["m-1", "m-1"]
    clock.advance(290)
    assert token() == "m-2"
    assert "s3cret" not in (tmp_path / "sessions.json").read_text()
    with pytest.raises(NotAuthenticated, match="NOCTURNE_CLIENT_SECRET"):
        token("")


def test_who_is_logged_in_needs_no_other_name(sessions, session, provider, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("NOCTURNE_TOKEN", raising=False)
    far = session.but(expires_at=session.expires_at + timedelta(days=36_500))
    sessions.keep("me", far)
    (tmp_path / "identities.json").touch(mode=0o600)
    (tmp_path / "identities.json").write_text(json.dumps({"viewer": "nct_viewer"}))
    settings = Settings(data=tmp_path)

    def bearer(account: str | None) -> str:
        client = connect(settings, account=account, url="http://127.0.0.1:1", default_account="viewer")
        return client._options["headers"]["Authorization"]

    assert bearer(None) == "Bearer at-1"
    assert bearer("viewer") == "Bearer nct_viewer"
    monkeypatch.setenv("NOCTURNE_TOKEN", "given")
    assert bearer(None) == "Bearer given"
    sessions.forget("me")
    monkeypatch.delenv("NOCTURNE_TOKEN")
    assert bearer(None) == "Bearer nct_viewer"


def test_the_command_line_writes_a_machines_token_and_takes_no_secret_as_an_argument(
    provider: SmallProvider, tmp_path: Path
) -> None:
    provider.gives = lambda form: {
        "access_token": form["authorization"], "token_type": "Bearer", "expires_in": 300
    }  # fmt: skip
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    env = {"NOCTURNE_CLIENT_ID": MACHINE, "NOCTURNE_CLIENT_SECRET_FILE": str(secret), "NOCTURNE_DATA": str(tmp_path)}
    done = CliRunner().invoke(app, ["token", "--issuer", provider.issuer], env=env)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Basic ")
    assert "secret" not in CliRunner().invoke(app, ["token", "--help"]).stdout.replace("its secret", "")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["login"], "no identity provider"),
        (["login", "--issuer", "http://id.example.org"], "https"),
        (["logout"], "nobody is logged in"),
        (["token"], "nobody is logged in"),
    ],
)
def test_a_login_that_cannot_be_says_why(tmp_path: Path, words: list[str], reason: str) -> None:
    done = CliRunner().invoke(app, [*words, "--data", str(tmp_path)], env={"NOCTURNE_CLIENT_ID": ""})
    assert done.exit_code != 0
    assert isinstance(done.exception, BadInput)
    assert reason in done.exception.reason
