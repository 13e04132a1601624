"""A provider's keys: looked up in memory, read again seldom, and for a while without it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from adapters.identity.published_keys import PublishedKeys, usable
from domain.clock import ManualClock
from domain.errors import Unavailable
from tests.identity_provider import KEYS


class Publisher:
    """Shows keys, or does not answer; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = True
        self.shown = [key.as_dict(private=False) for key in KEYS.values()]

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        if not self.answers:
            raise Unavailable("it does not answer")
        return {"keys": self.shown}


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
def keys(publisher: Publisher, clock: ManualClock) -> PublishedKeys:
    return PublishedKeys(publisher, clock, keys_s=300, refetch_s=30, stale_s=600)


def test_known_keys_are_not_asked_for_again_before_their_time(keys, publisher, clock) -> None:
    for _ in range(50):
        assert keys.get("rsa-1") is not None
    assert publisher.asked == 1
    clock.advance(301)
    assert keys.get("rsa-1") is not None
    assert publisher.asked == 2


def test_a_withdrawn_key_is_forgotten_in_time_though_the_time_of_day_was_set_back(keys, publisher, clock) -> None:
    assert keys.get("rsa-1") is not None
    publisher.shown = [row for row in publisher.shown if row["kid"] != "rsa-1"]
    clock.jump(-86_400)
    clock.advance(301)
    assert keys.get("rsa-1") is None


def test_unknown_names_ask_at_most_once_per_while(keys, publisher, clock) -> None:
    for second in range(120):
        assert keys.get(f"no-{second}") is None
        clock.advance(1)
    assert publisher.asked == 4


def test_keys_serve_for_a_while_without_their_publisher_and_then_no_more(keys, publisher, clock) -> None:
    assert keys.get("rsa-1") is not None
    publisher.answers = False
    clock.advance(880)
    assert keys.get("rsa-1") is not None
    clock.advance(30)
    with pytest.raises(Unavailable):
        keys.get("rsa-1")
    publisher.answers = True
    clock.advance(30)
    assert keys.get("rsa-1") is not None


def test_a_publisher_that_never_answered_is_not_hammered(keys, publisher, clock) -> None:
    publisher.answers = False
    for _ in range(100):
        with pytest.raises(Unavailable):
            keys.get("rsa-1")
    assert publisher.asked == 1


def test_what_is_weak_private_secret_or_ambiguous_is_left_out() -> None:
    def row(key: Any, kid: str, *, private: bool = False, **more: Any) -> dict[str, Any]:
        return key.as_dict(private=private) | {"kid": kid} | more

    rsa, strong = KEYS["RS256"], KEYS["ES256"]
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024)
    shown = [
        row(strong, "good"),
        row(weak, "weak"),
        row(rsa, "private", private=True),
        row(rsa, "for encryption", use="enc"),
        row(ECKey.generate_key("P-521"), "another curve"),
        row(OKPKey.generate_key("X25519"), "for agreement"),
        OctKey.import_key("s" * 32).as_dict() | {"kid": "shared"},
        row(rsa, "twice"),
        row(strong, "twice"),
        {name: value for name, value in rsa.as_dict(private=False).items() if name != "kid"},
        {"kid": "broken", "kty": "RSA", "n": "!", "e": "AQAB"},
        {"kid": "unknown", "kty": "??"},
        {"kid": ["good"], "kty": "EC"},
        "no key",
        None,
    ]
    assert list(usable({"keys": shown})) == ["good"]


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": "x"}, {"keys": []}])
def test_a_document_without_keys_gives_none(document: dict[str, Any]) -> None:
    assert usable(json.loads(json.dumps(document))) == {}
