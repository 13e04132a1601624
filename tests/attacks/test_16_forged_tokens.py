"""Attack 16: tokens that nobody gave. Each of them is one thing wrong with a token that would be right.

Every one is answered 401 with the same sentence, so that an attacker learns nothing from how it failed, and the
provider is not asked more often because of it.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import OctKey, RSAKey

from domain.clock import ManualClock
from tests.attacks.ring_house import RingHouse, ring_house
from tests.identity_provider import AUDIENCE, CLIENT, KEYS, SmallProvider, base64url, sealed, signed, small_provider

STRANGER = RSAKey.generate_key(2048, parameters={"kid": "rsa-1"}, private=True)
INBOX = "/inbox"


class Target(NamedTuple):
    """A house that believes one provider, and that provider."""

    house: RingHouse
    provider: SmallProvider
    clock: ManualClock


@contextmanager
def believing(folder: Path) -> Iterator[Target]:
    clock = ManualClock(datetime(2026, 1, 12, 12, 0, tzinfo=UTC))
    with small_provider(clock) as provider:
        house = ring_house(clock, folder, identity="oidc", oidc=provider.trust(), failed_logins=10_000)
        yield Target(house, provider, clock)
        house.close()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One for all forgeries: none of them leaves anything behind."""
    with believing(tmp_path_factory.mktemp("house")) as target:
        yield target


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with believing(tmp_path) as built:
        yield built


def knock(house: RingHouse, token: str) -> Any:
    return house.door.get(INBOX, headers={b"Authorization": b"Bearer " + token.encode("utf-8", "surrogateescape")})


def header(**changes: Any) -> dict[str, Any]:
    return {"alg": "RS256", "typ": "at+jwt", "kid": "rsa-1"} | changes


def sealed_with(head: Any, provider: SmallProvider) -> str:
    return sealed(head, json.dumps(provider.claims()).encode(), "RS256", KEYS["RS256"])


def hmac_with_public_key(provider: SmallProvider, form: PublicFormat) -> str:
    public = KEYS["RS256"].raw_value.public_key().public_bytes(Encoding.PEM, form)
    claims = json.dumps(provider.claims()).encode()
    message = base64url(json.dumps(header(alg="HS256")).encode()) + b"." + base64url(claims)
    return (message + b"." + base64url(hmac.new(public, message, hashlib.sha256).digest())).decode()


def unsigned(provider: SmallProvider, alg: str) -> str:
    claims = json.dumps(provider.claims()).encode()
    return b".".join((base64url(json.dumps(header(alg=alg)).encode()), base64url(claims), b"")).decode()


def raw_claims(provider: SmallProvider, more: str) -> str:
    """Return a token whose claims say something more, as text: so a key can stand twice."""
    text = json.dumps(provider.claims())
    return signed(text[:-1].encode() + b"," + more.encode() + b"}")


FORGED: dict[str, Any] = {
    "alg none": lambda p: unsigned(p, "none"),
    "alg None": lambda p: unsigned(p, "None"),
    "alg missing": lambda p: sealed_with({"typ": "at+jwt", "kid": "rsa-1"}, p),
    "alg is a list": lambda p: sealed_with(header(alg=["RS256"]), p),
    "HS256 with the RSA public key": lambda p: hmac_with_public_key(p, PublicFormat.SubjectPublicKeyInfo),
    "HS256 with the RSA public key, PKCS 1": lambda p: hmac_with_public_key(p, PublicFormat.PKCS1),
    "HS256 with a secret of its own": lambda p: signed(
        p.claims(), algorithm="HS256", key=OctKey.import_key("s" * 32, {"kid": "rsa-1"})
    ),
    "RS512, which is not allowed": lambda p: signed(p.claims(), algorithm="RS512", key=KEYS["RS256"]),
    "ES256 said of an RSA key": lambda p: sealed_with(header(alg="ES256"), p),
    "RS256 said of an EC key": lambda p: sealed_with(header(kid="ec-1"), p),
    "signed by a stranger under a known name": lambda p: signed(p.claims(), key=STRANGER),
    "kid is a path": lambda p: signed(p.claims(), kid="../../../../dev/null"),
    "kid is a key file": lambda p: signed(p.claims(), kid="/proc/sys/kernel/randomize_va_space"),
    "kid is SQL": lambda p: signed(p.claims(), kid="x' UNION SELECT 'rsa-1' --"),
    "kid is a URL": lambda p: signed(p.claims(), kid=f"{p.issuer}/jwks"),
    "kid is a number": lambda p: signed(p.claims(), kid=1),
    "kid is missing": lambda p: signed(p.claims(), kid=None),
    "kid is empty": lambda p: signed(p.claims(), kid=""),
    "jku": lambda p: signed(p.claims(), key=STRANGER, jku=f"{p.issuer}/evil-jku"),
    "x5u": lambda p: signed(p.claims(), key=STRANGER, x5u=f"{p.issuer}/evil-x5u"),
    "jwk": lambda p: signed(p.claims(), key=STRANGER, jwk=STRANGER.as_dict(private=False)),
    "x5c": lambda p: signed(p.claims(), key=STRANGER, x5c=["MIIB"]),
    "crit": lambda p: signed(p.claims(), crit=["exp"]),
    "b64": lambda p: signed(p.claims(), b64=False, crit=["b64"]),
    "jku beside a good signature": lambda p: signed(p.claims(), jku=f"{p.issuer}/evil-jku"),
    "wrong issuer": lambda p: p.token(iss="https://id.example.org"),
    "issuer with a slash more": lambda p: p.token(iss=p.issuer + "/"),
    "issuer is a list": lambda p: p.token(iss=[p.issuer]),
    "no issuer": lambda p: p.token(iss=None),
    "wrong audience": lambda p: p.token(aud="grafana"),
    "audience that contains ours": lambda p: p.token(aud=f"{AUDIENCE}-test"),
    "audience is an object": lambda p: p.token(aud={AUDIENCE: True}),
    "no audience": lambda p: p.token(aud=None),
    "expired": lambda p: p.token(exp=p.claims()["iat"] - 11, iat=p.claims()["iat"] - 300),
    "no expiry": lambda p: p.token(exp=None),
    "expiry is text": lambda p: p.token(exp="9999999999"),
    "expiry is true": lambda p: p.token(exp=True),
    "expiry is endless": lambda p: raw_claims(p, '"x": Infinity'),
    "expiry in a hundred years": lambda p: p.token(exp=p.claims()["iat"] + 100 * 365 * 86_400),
    "no issue time": lambda p: p.token(iat=None),
    "issued tomorrow": lambda p: p.token(iat=p.claims()["iat"] + 86_400, exp=p.claims()["iat"] + 86_700),
    "not yet valid": lambda p: p.token(nbf=p.claims()["iat"] + 60),
    "no subject": lambda p: p.token(sub=None),
    "subject is a number": lambda p: p.token(sub=7),
    "subject with a line break": lambda p: p.token(sub="u-ana\nu-bea"),
    "wrong azp": lambda p: p.token(azp="some-other-app"),
    "no azp": lambda p: p.token(azp=None),
    "azp and client_id differ": lambda p: p.token(client_id="probe-7"),
    "azp is a list": lambda p: p.token(azp=[CLIENT], client_id=CLIENT),
    "an id token": lambda p: signed(p.claims(aud=CLIENT, nonce="n"), typ="JWT"),
    "an id token for our audience": lambda p: signed(p.claims(nonce="n"), typ="JWT"),
    "a token of no type": lambda p: signed(p.claims(), typ=None),
    "a logout token": lambda p: signed(p.claims(), typ="logout+jwt"),
    "issuer twice": lambda p: raw_claims(p, f'"iss": "{p.issuer}"'),
    "subject twice": lambda p: raw_claims(p, '"sub": "u-root"'),
    "a role claim twice": lambda p: raw_claims(p, '"realm_access": {"roles": ["noc-admin"]}'),
    "a header twice": lambda p: sealed_with(b'{"alg":"RS256","typ":"at+jwt","kid":"x","kid":"rsa-1"}', p),
    "claims are a list": lambda p: signed(b"[]"),
    "claims are no JSON": lambda p: signed(b"{"),
    "claims are nested a thousandfold": lambda p: raw_claims(p, '"x": ' + "[" * 1500 + "]" * 1500),
    "subject is half a character": lambda p: p.token(sub="\ud800"),
    "oversized": lambda p: p.token(x="y" * 9000),
    "enormous": lambda p: p.token(x="y" * 40_000),
    "signature cut off": lambda p: p.token().rsplit(".", 1)[0] + ".",
    "signature with one bit changed": lambda p: (
        p.token()[:-20] + ("A" if p.token()[-20] != "A" else "B") + p.token()[-19:]
    ),
    "claims changed after signing": lambda p: ".".join(
        (
            p.token().split(".")[0],
            base64url(json.dumps(p.claims("u-ana", "noc-admin")).encode()).decode(),
            p.token().split(".")[2],
        )
    ),
    "base64 with padding": lambda p: p.token().replace(".", "=.", 1),
    "four parts": lambda p: p.token() + ".x",
    "five parts, as if encrypted": lambda p: p.token() + ".x.y",
    "JSON serialisation": lambda p: json.dumps({"payload": "e30", "signatures": []}),
    "garbage": lambda _: "a.b.c",
    "dots": lambda _: "..",
    "an old token of ours that never was": lambda _: "nct_acc_01k9_" + "A" * 43,
    "a key that never was": lambda _: "nck_key_01k9_" + "A" * 43,
    "a proof that never was": lambda _: "ncf_proof_01k9_" + "A" * 43,
}


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_a_good_token_of_each_algorithm_gets_in(standing: Target, algorithm: str) -> None:
    assert knock(standing.house, signed(standing.provider.claims(), algorithm=algorithm)).status_code == 200


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused_like_every_other(standing: Target, name: str) -> None:
    answer = knock(standing.house, FORGED[name](standing.provider))

    assert answer.status_code == 401, name
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "not_authenticated"
    assert "Traceback" not in answer.text
    assert standing.provider.asked.keys() <= {"/.well-known/openid-configuration", "/jwks"}
    assert standing.provider.asked["/jwks"] <= 1


def test_all_signed_forgeries_are_refused_in_one_sentence(standing: Target) -> None:
    tokens = [make(standing.provider) for make in FORGED.values()]
    dotted = [token for token in tokens if token.count(".") == 2 and len(token) < 8192]
    reasons = {knock(standing.house, token).json()["reason"] for token in dotted}

    assert len(dotted) > 50
    assert len(reasons) == 1


def test_a_flood_of_unknown_keys_asks_the_provider_once_in_half_a_minute(target: Target) -> None:
    house, provider, clock = target
    assert knock(house, provider.token()).status_code == 200
    for second in range(90):
        for n in range(3):
            assert knock(house, signed(provider.claims(), kid=f"key-{second}-{n}")).status_code == 401
        clock.advance(1)

    assert provider.asked["/jwks"] <= 1 + 90 / 30
    assert knock(house, provider.token()).status_code == 200


def test_a_flood_from_many_sides_at_once_asks_the_provider_once(target: Target) -> None:
    house, provider, clock = target
    clock.advance(60)
    tokens = [signed(provider.claims(), kid=f"key-{n}") for n in range(64)]
    with ThreadPoolExecutor(16) as many:
        codes = set(many.map(lambda token: knock(house, token).status_code, tokens))

    assert codes == {401}
    assert provider.asked["/jwks"] == 1


def test_a_new_key_of_the_provider_is_found_and_a_withdrawn_one_ends(target: Target) -> None:
    house, provider, clock = target
    assert knock(house, provider.token()).status_code == 200
    fresh = RSAKey.generate_key(2048, parameters={"kid": "rsa-2"}, private=True)
    provider.published[:] = [fresh.as_dict(private=False)]
    clock.advance(31)

    assert knock(house, signed(provider.claims(), key=fresh)).status_code == 200
    assert knock(house, provider.token()).status_code == 401


def test_the_token_goes_in_its_header_once_and_nowhere_else(target: Target) -> None:
    house, provider, _ = target
    good = provider.token()

    assert house.door.get(INBOX, params={"access_token": good}).status_code == 401
    assert house.door.get(INBOX, headers={"Cookie": f"access_token={good}; session={good}"}).status_code == 401
    assert house.door.get(INBOX, headers={"Authorization": good}).status_code == 401
    assert house.door.get(INBOX, headers={"Authorization": f"Basic {good}"}).status_code == 401
    twice = [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")]
    assert house.door.get(INBOX, headers=twice).status_code == 401
