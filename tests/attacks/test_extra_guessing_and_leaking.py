"""Extras of the attack list: guessing is slow and locks out nobody, no secret leaks, no cookie says who one is."""

import io
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import structlog
from starlette.testclient import TestClient

from api import logs
from api.http.app import create_app
from domain.clock import ManualClock
from tests.attacks.ring_house import RingHouse, ring_house
from tests.identity_provider import small_provider

WRONG = "nct_acc_01k9zzzzzzzzzzzzzzzzzzzzzz_" + "A" * 43


@pytest.fixture
def house(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    built = ring_house(clock, tmp_path, failed_logins=5)
    yield built
    built.close()


@pytest.fixture
def from_address(house: RingHouse):
    """Return `knock(address, token)`: the status of a request from somewhere; all doors are one door."""
    app = create_app(house.house, house.settings)

    def knock(address: str, token: str):
        client = TestClient(app, client=(address, 40_000), raise_server_exceptions=False)
        return client.get("/inbox", headers={"Authorization": f"Bearer {token}"})

    return knock


def test_guessing_from_one_address_is_slowed_and_told_when_to_try_again(from_address, house, clock) -> None:
    codes = [from_address("192.0.2.1", WRONG[:-2] + f"{n:02}").status_code for n in range(8)]
    assert codes == [401] * 5 + [429] * 3

    late = from_address("192.0.2.1", WRONG)
    assert (late.json()["code"], late.headers["Retry-After"]) == ("too_many_tries", "60")
    assert "nct_" not in late.text
    clock.advance(60)
    assert from_address("192.0.2.1", WRONG).status_code == 401


def test_who_guesses_locks_out_nobody_else(from_address, house) -> None:
    for n in range(8):
        from_address("192.0.2.1", WRONG[:-2] + f"{n:02}")
    assert from_address("192.0.2.2", house.tokens["viewer"]).status_code == 200


def test_who_shares_an_address_with_a_guesser_works_on(from_address, house) -> None:
    assert from_address("192.0.2.1", house.tokens["viewer"]).status_code == 200
    for n in range(8):
        from_address("192.0.2.1", WRONG[:-2] + f"{n:02}")
    assert from_address("192.0.2.1", house.tokens["viewer"]).status_code == 200


def test_a_token_that_was_right_and_is_revoked_gives_no_free_tries(from_address, house) -> None:
    account = house.house.issuer.named("viewer")
    assert from_address("192.0.2.1", house.tokens["viewer"]).status_code == 200
    house.house.issuer.revoke(account.id)
    codes = [from_address("192.0.2.1", house.tokens["viewer"]).status_code for _ in range(8)]
    assert codes == [401] * 5 + [429] * 3


def test_a_right_token_wipes_its_address_clean(from_address, house) -> None:
    for _ in range(3):
        codes = [from_address("192.0.2.1", WRONG).status_code for _ in range(4)]
        assert codes == [401] * 4
        assert from_address("192.0.2.1", house.tokens["viewer"]).status_code == 200


def test_an_account_that_many_addresses_try_is_guarded_and_its_holder_gets_in(from_address, house) -> None:
    guess = house.tokens["viewer"][:-43] + "A" * 43
    for n in range(30):
        assert from_address(f"198.51.100.{n}", guess).status_code == 401
    assert from_address("198.51.100.0", guess).status_code == 429
    assert from_address("203.0.113.9", house.tokens["viewer"]).status_code == 200


def test_one_network_of_ipv6_is_one_guesser(from_address, house) -> None:
    codes = [from_address(f"2001:db8:1:2::{n:x}", WRONG).status_code for n in range(7)]
    assert codes == [401] * 5 + [429] * 2
    assert from_address("2001:db8:1:3::1", WRONG).status_code == 401


def test_a_forwarded_address_is_believed_of_nobody(from_address, house) -> None:
    app = create_app(house.house, house.settings)
    client = TestClient(app, client=("192.0.2.1", 1), raise_server_exceptions=False)
    codes = [
        client.get(
            "/inbox", headers={"Authorization": f"Bearer {WRONG}", "X-Forwarded-For": f"203.0.113.{n}"}
        ).status_code
        for n in range(7)
    ]
    assert codes == [401] * 5 + [429] * 2


def test_no_secret_gets_into_logs_or_answers(clock: ManualClock, tmp_path: Path) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    heard = io.StringIO()
    said: list[str] = []
    with redirect_stderr(heard), redirect_stdout(heard), small_provider(clock) as provider:
        logs.configure("debug", clock)
        trust = provider.trust(our_id="nocturne-api", our_secret="the-secret-of-our-own", asked="introspection")
        house = ring_house(clock, tmp_path, identity="oidc", oidc=trust)
        good, bad = provider.token("u-ana"), provider.token("u-ana", aud="somebody else")
        admin = house.house.issuer.issue("root", {*house.house.issuer.named("viewer").roles}, "root")[1]
        for token in (good, bad, admin, admin[:-1] + "x", WRONG):
            ask = {"Authorization": f"Bearer {token}"}
            paths = ("/inbox", "/nowhere", "/accounts", f"/incidents/{token}")
            said.extend(house.door.get(path, headers=ask).text for path in paths)
            said.append(house.door.post("/identity/proof", json={"token": token}, headers=ask).text)
        structlog.get_logger("x").warning("it broke at Bearer %s", good, header=f"Basic {WRONG}", text=f"got {bad}")
        print(repr(house.settings))
        house.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()

    text = heard.getvalue()
    assert "request" in text
    assert "refused" in text
    for secret in (good, bad, admin, WRONG):
        assert secret[-20:] not in text
    assert "the-secret-of-our-own" not in text
    answers = "\n".join(said)
    for secret in (good, bad, WRONG):
        assert secret[-20:] not in answers


def test_no_cookie_says_who_one_is_so_no_other_site_can_act_in_ones_name(house: RingHouse) -> None:
    for path in ("/inbox", "/identity", "/accounts"):
        answer = house.door.get(path, headers={"Cookie": f"token={house.tokens['viewer']}"})
        assert answer.status_code == 401
    answer = house.get("viewer", "/inbox")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_pages_of_other_sites_are_given_nothing(house: RingHouse, method: str) -> None:
    headers = house.bearer("viewer") | {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = house.door.request(method, "/inbox", headers=headers)
    assert [name for name in answer.headers if name.lower().startswith("access-control-")] == []
