"""The whole way with a real provider (`oidc-provider` on node): log in by code and PKCE, renew, log out; machines, too.

It is looked for in the folder `NOCTURNE_NODE`, else in `~/.cache/nocturne/node`; `.ci/run` installs it there.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import urljoin

import httpx
import pytest

from adapters.identity.issuers import Issuers
from adapters.identity.provider import Provider
from adapters.identity.signing_in import SigningIn
from adapters.identity.trust import Trust
from adapters.memory import MemoryLedger
from domain.clock import SystemClock
from domain.errors import NotAuthenticated
from domain.identity import Role
from tests.identity_provider import ROLES

AUDIENCE, CLIENT, MACHINE = "https://nocturne.test", "nocturne-cli", "probe-7"
ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("NOCTURNE_NODE") or Path.home() / ".cache/nocturne/node")


def no_provider(reason: str) -> None:
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES=1 and {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module", params=["RS256", "ES256"])
def issuer(request: pytest.FixtureRequest) -> Iterator[str]:
    node = shutil.which("node")
    if node is None:
        no_provider("`node` is not installed, on which a real OpenID Connect provider runs")
    if not (FOLDER / "node_modules/oidc-provider").is_dir():
        no_provider(f"the npm package `oidc-provider` is not in {FOLDER}")
    words = [str(node), str(Path(__file__).with_name("provider.mjs")), str(FOLDER), request.param]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture
def house(issuer: str) -> Issuers:
    clock = SystemClock()
    trust = Trust(
        issuer=issuer,
        audience=AUDIENCE,
        clients=frozenset({CLIENT}),
        machines=frozenset({MACHINE}),
        roles=ROLES,
    )
    return Issuers(MemoryLedger(clock), clock, trust=trust, at_home=False)


def person(name: str) -> Callable[[str], None]:
    """Return a browser in which somebody logs in and agrees; the last redirect goes to our own port."""

    def browse(url: str) -> None:
        with httpx.Client(trust_env=False, timeout=10) as browser:
            for _ in range(12):
                answer = browser.get(url)
                if answer.is_success and (form := re.search(r'action="([^"]+)"', answer.text)):
                    prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                    assert prompt is not None
                    body = {"prompt": prompt[1], "login": name, "password": "x"}
                    answer = browser.post(urljoin(url, form[1]), data=body)
                if not answer.is_redirect:
                    return
                url = urljoin(str(answer.url), answer.headers["location"])

    return lambda url: Thread(target=browse, args=(url,), daemon=True).start()


def test_people_log_in_by_code_and_pkce_renew_and_log_out(issuer: str, house: Issuers) -> None:
    door = SigningIn(issuer, CLIENT, SystemClock(), audience=AUDIENCE)
    session = door.as_person(person("ana"), fresh=True, wait_s=30)
    who = house.authenticate(session.access_token)

    assert (session.name, who.name, who.person) == ("ana", "sso:ana", "ana")
    assert who.roles == {Role.APPROVER, Role.OPERATOR}
    renewed = door.renewed(session)
    assert renewed.access_token != session.access_token
    assert house.authenticate(renewed.access_token) == who

    door.revoke(renewed)
    with pytest.raises(NotAuthenticated):
        door.renewed(renewed)


def test_a_code_is_worth_nothing_without_the_secret_that_was_hashed_into_the_question(issuer: str) -> None:
    door = SigningIn(issuer, CLIENT, SystemClock(), audience=AUDIENCE)
    provider = Provider(issuer)
    honest, seen = provider.post, []

    def thief(url: str, form: dict[str, str], **more: object) -> object:
        seen.append(form)
        return honest(url, form | {"code_verifier": "x" * 43}, **more)

    provider.post = thief
    door._provider = provider
    with pytest.raises(NotAuthenticated, match="invalid_grant"):
        door.as_person(person("ana"), fresh=False, wait_s=30)
    assert len(seen) == 1


def test_machines_come_by_their_secret_and_are_nobody(issuer: str, house: Issuers) -> None:
    door = SigningIn(issuer, MACHINE, SystemClock(), audience=AUDIENCE, secret="of-one-test-run")
    who = house.authenticate(door.as_machine().access_token)

    assert (who.person, who.roles) == ("", {Role.FEED})
    wrong = SigningIn(issuer, MACHINE, SystemClock(), audience=AUDIENCE, secret="of-another")
    with pytest.raises(NotAuthenticated, match="invalid_client"):
        wrong.as_machine()


@pytest.mark.slow
def test_the_command_line_logs_in_sends_its_token_and_logs_out(issuer: str, house: Issuers, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("NOCTURNE_")}
    env |= {"NOCTURNE_DATA": str(tmp_path)}
    words = [sys.executable, "-m", "api.cli"]
    login = [*words, "login", "--no-browser", "--issuer", issuer, "--client", CLIENT, "--audience", AUDIENCE]
    with subprocess.Popen(login, stderr=subprocess.PIPE, text=True, env=env, cwd=ROOT) as process:
        assert process.stderr is not None
        person("bea")(process.stderr.readline().removeprefix("log in here: ").strip())
        assert process.stderr.readline().strip() == "logged in as bea"
    assert process.returncode == 0

    def nocturne(word: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*words, word], capture_output=True, text=True, env=env, cwd=ROOT, check=False)

    assert house.authenticate(nocturne("token").stdout.strip()).roles == {Role.VIEWER}
    assert (tmp_path / "sessions.json").stat().st_mode & 0o777 == 0o600
    assert nocturne("logout").stderr.strip() == "logged out"
    assert "nobody is logged in" in nocturne("token").stderr
