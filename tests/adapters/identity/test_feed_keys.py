"""Keys of feeds: for a time, for one thing, rotated without a gap."""

from datetime import timedelta

import pytest

from adapters.identity.keys import FeedKeys
from adapters.identity.local import LocalIssuer
from adapters.memory import MemoryLedger
from domain.clock import ManualClock
from domain.errors import BadInput, Conflict, NotAuthenticated, NotFound
from domain.identity import Role

DAY = timedelta(days=1)


@pytest.fixture
def keys(ledger: MemoryLedger, clock: ManualClock) -> FeedKeys:
    return FeedKeys(ledger, clock)


@pytest.fixture
def feed(issuer: LocalIssuer) -> str:
    return issuer.issue("snmp-gateway", {Role.FEED})[0].id


def refused(keys: FeedKeys, secret: str) -> str:
    with pytest.raises(NotAuthenticated) as error:
        keys.authenticate(secret)
    return error.value.reason


def test_a_key_leads_to_its_feed_until_it_expires(keys: FeedKeys, feed: str, clock: ManualClock) -> None:
    key, secret = keys.issue(feed, "rack 4", 2 * DAY, by="root")

    assert secret.startswith(f"nck_{key.id}_")
    assert keys.authenticate(secret).name == "snmp-gateway"
    clock.advance(2 * 86_400 - 1)
    assert keys.authenticate(secret).roles == {Role.FEED}
    clock.advance(1)
    refused(keys, secret)


def test_a_rotated_key_goes_on_for_its_overlap_beside_the_new_one(keys: FeedKeys, feed: str, clock) -> None:
    old, first = keys.issue(feed, "rack 4", 30 * DAY, by="root")
    new, second = keys.rotate(old.id, timedelta(hours=1), 30 * DAY, by="root")

    assert (new.label, new.account) == ("rack 4", feed)
    assert keys.authenticate(first) == keys.authenticate(second)
    clock.advance(3600)
    refused(keys, first)
    assert keys.authenticate(second).id == feed


def test_a_rotation_never_makes_the_old_key_hold_longer(keys: FeedKeys, feed: str, clock: ManualClock) -> None:
    old, first = keys.issue(feed, "", timedelta(minutes=5), by="root")
    keys.rotate(old.id, 7 * DAY, DAY, by="root")
    clock.advance(300)
    refused(keys, first)
    with pytest.raises(Conflict, match="holds no longer"):
        keys.rotate(old.id, DAY, DAY, by="root")


def test_a_revoked_key_ends_at_once_and_so_do_all_keys_of_a_revoked_account(keys, feed, issuer) -> None:
    one, first = keys.issue(feed, "", DAY, by="root")
    _, second = keys.issue(feed, "", DAY, by="root")

    keys.revoke(one.id, by="root")
    refused(keys, first)
    assert keys.authenticate(second)
    issuer.revoke(feed)
    refused(keys, second)


def test_the_keys_of_a_revoked_account_stay_ended_when_it_lives_again(keys, feed, issuer) -> None:
    _key, secret = keys.issue(feed, "rack 4", 30 * DAY, by="root")
    issuer.revoke(feed)
    issuer.renew(feed)

    refused(keys, secret)
    assert keys.authenticate(keys.issue(feed, "rack 4", DAY, by="root")[1]).id == feed


def test_wrong_keys_are_refused_in_the_same_words(keys: FeedKeys, feed: str, issuer: LocalIssuer) -> None:
    key, secret = keys.issue(feed, "", DAY, by="root")
    token = issuer.renew(feed)
    other = "A" if secret[-1] != "A" else "B"
    cut = ["", "nck_", secret[:-1], secret[:-1] + other, f"{secret} ", secret.replace("nck_", "nct_")]
    mixed = [token, f"nck_{feed}_{token[-43:]}", f"nck_{key.id}_{token[-43:]}"]
    wrong = cut + mixed
    assert len({refused(keys, text) for text in wrong}) == 1


def test_a_key_is_for_a_feed_and_nothing_more(keys: FeedKeys, issuer: LocalIssuer) -> None:
    ana, _ = issuer.issue("ana", {Role.OPERATOR}, "Ana")
    both, _ = issuer.issue("both", {Role.FEED, Role.OPERATOR}, "Ana")
    for account in (ana, both):
        with pytest.raises(Conflict, match="more than a feed"):
            keys.issue(account.id, "", DAY, by="root")
    with pytest.raises(NotFound):
        keys.issue("acc_nobody", "", DAY, by="root")


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_key_holds_for_at_most_a_year(keys: FeedKeys, feed: str, days: int) -> None:
    with pytest.raises(BadInput, match="at most"):
        keys.issue(feed, "", timedelta(days=days), by="root")


def test_use_is_recorded_once_a_day_and_no_secret_is_kept(keys: FeedKeys, feed: str, ledger, clock) -> None:
    key, secret = keys.issue(feed, "", 30 * DAY, by="root")
    for _ in range(3):
        keys.authenticate(secret)
        clock.advance(1)
    clock.advance(86_400)
    keys.authenticate(secret)

    used = [record for record in ledger.records(ref=key.id) if record.kind == "identity.key.used"]
    stored = ledger.read(lambda tables: tables.credentials.get(key.id))
    assert len(used) == 2
    assert stored.last_used_at == clock.now()
    assert secret[-43:] not in stored.model_dump_json() + "".join(r.model_dump_json() for r in ledger.records())
