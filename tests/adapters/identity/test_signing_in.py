"""A login from the terminal: what comes back is believed only if it answers exactly what was asked."""

import base64
import hashlib
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from adapters.identity.provider import Provider
from adapters.identity.signing_in import Session, SigningIn
from domain.clock import ManualClock
from domain.errors import NotAuthenticated, Unavailable
from tests.identity_provider import AUDIENCE, CLIENT, MACHINE, SmallProvider, signed


class Browser:
    """Stands for a person at the provider: says yes, and brings the answer back, changed as a test likes."""

    def __init__(self, provider: SmallProvider, **answer: str | None) -> None:
        self.provider = provider
        self.changes = answer
        self.asked: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []
        self.said: dict[str, Any] = {}
        self.codes: list[int] = []
        provider.gives = self._token

    def __call__(self, url: str) -> None:
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        answer = {"code": "c-1", "state": self.asked["state"], "iss": self.provider.issuer} | self.changes
        query = urlencode({name: value for name, value in answer.items() if value is not None})
        Thread(target=self._knock, args=(f"{self.asked['redirect_uri']}?{query}",), daemon=True).start()

    def _knock(self, url: str) -> None:
        self.codes.append(httpx.get(url, trust_env=False).status_code)

    def _token(self, form: dict[str, str]) -> dict[str, Any]:
        self.forms.append(form)
        identity = self.provider.claims("u-ana", aud=CLIENT, azp=None, nonce=self.asked.get("nonce"))
        id_token = signed(identity | self.said.get("claims", {}), **({"typ": "JWT"} | self.said.get("header", {})))
        return {"access_token": "at", "token_type": "Bearer", "expires_in": 300, "refresh_token": "rt",
                "id_token": id_token} | self.said.get("answer", {})  # fmt: skip


@pytest.fixture
def door(provider: SmallProvider, clock: ManualClock) -> SigningIn:
    return SigningIn(provider.issuer, CLIENT, clock, audience=AUDIENCE)


def test_a_login_gives_a_session_and_the_code_is_bound_to_a_secret_of_ours(door, provider, clock) -> None:
    browser = Browser(provider)
    session = door.as_person(browser, fresh=False)

    assert (session.access_token, session.refresh_token, session.name) == ("at", "rt", "ana")
    assert session.holds(clock.now())
    asked, form = browser.asked, browser.forms[0]
    proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert (asked["code_challenge_method"], asked["code_challenge"]) == ("S256", proof)
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")
    assert form["redirect_uri"] == asked["redirect_uri"]
    assert len({asked["state"], asked["nonce"], form["code_verifier"]}) == 3
    assert min(len(asked["state"]), len(asked["nonce"]), len(form["code_verifier"])) >= 43
    assert form["client_id"] == CLIENT
    assert "max_age" not in asked


def test_a_fresh_login_asks_the_provider_to_ask_the_person(door, provider) -> None:
    browser = Browser(provider)
    door.as_person(browser, fresh=True)
    assert "login" in browser.asked["prompt"].split()
    assert browser.asked["max_age"] == "0"


@pytest.mark.parametrize(
    "changes",
    [{"iss": "https://evil.example"}, {"code": None, "error": "access_denied"}, {"code": None, "error": "\x1b[2J"}],
)
def test_an_answer_of_another_provider_or_a_no_ends_the_login(door, provider, changes: dict[str, str | None]) -> None:
    browser = Browser(provider, **changes)
    with pytest.raises(NotAuthenticated) as refused:
        door.as_person(browser, fresh=False)
    assert "\x1b" not in refused.value.reason
    assert browser.forms == []


@pytest.mark.parametrize("state", [None, "", "another"])
def test_an_answer_to_another_question_is_no_answer(door, provider, state: str | None) -> None:
    browser = Browser(provider, state=state)
    with pytest.raises(Unavailable, match="in time"):
        door.as_person(browser, fresh=False, wait_s=0.5)
    assert browser.codes == [404]
    assert browser.forms == []


@pytest.mark.parametrize(
    "said",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"aud": "another"}},
        {"claims": {"aud": [CLIENT, "another"]}},
        {"claims": {"azp": "another"}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"exp": 1, "iat": 0}},
        {"header": {"typ": "at+jwt"}},
        {"header": {"kid": "no-such"}},
        {"header": {"alg": "none"}},
        {"answer": {"id_token": None}},
        {"answer": {"id_token": "a.b.c"}},
    ],
)
def test_an_id_token_that_does_not_answer_this_login_ends_it(door, provider, said: dict[str, Any]) -> None:
    browser = Browser(provider)
    browser.said = said
    with pytest.raises(NotAuthenticated, match="cannot be believed"):
        door.as_person(browser, fresh=False)


@pytest.mark.parametrize("answer", [{"access_token": None}, {"access_token": 7}, {"token_type": "mac"}])
def test_an_answer_without_a_token_that_can_be_sent_is_no_answer(door, provider, answer: dict[str, Any]) -> None:
    browser = Browser(provider)
    browser.said = {"answer": answer}
    with pytest.raises(Unavailable):
        door.as_person(browser, fresh=False)


def test_a_machine_shows_its_secret_to_the_token_endpoint_alone(provider, clock) -> None:
    forms: list[dict[str, str]] = []
    provider.gives = lambda form: forms.append(form) or {"access_token": "at", "token_type": "bearer"}
    session = SigningIn(provider.issuer, MACHINE, clock, audience="https://noc.example", secret="s3cret").as_machine()

    (form,) = forms
    assert (form["grant_type"], form["resource"]) == ("client_credentials", "https://noc.example")
    assert form["authorization"] == "Basic " + base64.b64encode(f"{MACHINE}:s3cret".encode()).decode()
    assert "s3cret" not in session.model_dump_json()
    assert (session.expires_at - clock.now()).total_seconds() == 60


def test_a_session_is_renewed_and_keeps_its_refresh_token_where_none_is_given_anew(door, provider, clock) -> None:
    session = door.as_person(Browser(provider), fresh=False)
    provider.gives = lambda _form: {"access_token": "at-2", "token_type": "Bearer", "expires_in": 60}
    renewed = door.renewed(session)
    assert (renewed.access_token, renewed.refresh_token, renewed.name) == ("at-2", "rt", "ana")

    provider.pages["/token"] = (400, b'{"error": "invalid_grant"}')
    with pytest.raises(NotAuthenticated, match="invalid_grant"):
        door.renewed(session)
    with pytest.raises(NotAuthenticated, match="log in again"):
        door.renewed(session.but(refresh_token=""))


def test_a_logout_tells_the_provider(door, provider) -> None:
    door.revoke(door.as_person(Browser(provider), fresh=False))
    assert provider.asked["/revoke"] == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (302, b""), (200, b"[]"), (200, b"{"), (200, b'{"issuer": "https://evil.example"}'), (404, b"{}"),
     (200, b'{"issuer": 1, "issuer": 2}'), (200, b" " * 300_000)],
)  # fmt: skip
def test_a_provider_that_describes_itself_badly_is_not_believed(door, provider, status: int, body: bytes) -> None:
    provider.pages["/.well-known/openid-configuration"] = (status, body)
    with pytest.raises(Unavailable):
        door.as_person(lambda _url: None, fresh=False, wait_s=0)


@pytest.mark.parametrize(
    "url", ["http://id.example.org/token", "file:///etc/passwd", "http://127.0.0.1@evil.example/", ""]
)
def test_nothing_is_sent_where_others_could_read_it(url: str) -> None:
    with pytest.raises(Unavailable):
        Provider("https://id.example.org").post(url, {"client_secret": "x"})


def test_a_session_holds_until_shortly_before_its_end(clock: ManualClock) -> None:
    session = Session(issuer="i", client="c", access_token="a", expires_at=clock.now())
    assert not session.holds(clock.now())
