"""What every keeper of accounts does, whoever vouches for the account: the house itself, or a provider."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from adapters.identity.issuers import Issuers
from adapters.memory import MemoryLedger
from control_plane.accounts.ports import Doorkeeper
from domain.clock import ManualClock
from domain.errors import BadInput, Conflict, NotAuthenticated, NotFound, Refused
from domain.identity import Principal, Role
from tests.identity_provider import small_provider


@dataclass
class Kept:
    """A keeper, a way to show something to it, and one approver whom it knows; `demote` takes the role away."""

    door: Doorkeeper
    show: Callable[[str], Principal]
    approver: Principal
    secret: str
    demote: Callable[[], None]


@pytest.fixture(params=["house", "provider"])
def kept(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[Kept]:
    ledger = MemoryLedger(clock)
    with small_provider(clock) as provider:
        issuers = Issuers(ledger, clock, trust=provider.trust())
        if request.param == "house":
            who, secret = issuers.issue("ana", {Role.APPROVER}, "Ana")
            yield Kept(issuers, issuers.authenticate, who, secret, lambda: issuers.revoke(who.id))
        else:
            says = {"realm_access": {"roles": ["noc-approver"]}}
            provider.says["u-ana"] = says
            secret = provider.token("u-ana", "noc-approver")
            who = issuers.authenticate(secret)
            yield Kept(issuers, issuers.authenticate, who, secret, says.clear)


def test_an_account_that_holds_may_sign_and_one_that_lost_it_may_not(kept: Kept) -> None:
    assert kept.show(kept.secret) == kept.approver
    kept.door.still_holds(kept.approver)
    kept.demote()
    with pytest.raises(Refused):
        kept.door.still_holds(kept.approver)


def test_an_account_that_nobody_knows_does_not_hold(kept: Kept) -> None:
    for id in ("acc_nobody", "sso_nobody"):
        with pytest.raises(Refused):
            kept.door.still_holds(kept.approver.but(id=id))


def test_a_revoked_account_is_refused_and_a_renewed_one_is_let_in(kept: Kept) -> None:
    kept.door.revoke(kept.approver.id)
    with pytest.raises(NotAuthenticated):
        kept.show(kept.secret)
    token = kept.door.renew(kept.approver.id)
    assert kept.show(token or kept.secret) == kept.approver


def test_an_account_is_made_once_and_a_feed_gets_keys(kept: Kept) -> None:
    feed, token = kept.door.issue("feed", {Role.FEED})
    assert kept.show(token) == feed
    with pytest.raises(Conflict):
        kept.door.issue("feed", {Role.FEED})
    with pytest.raises(BadInput):
        kept.door.issue("x", set())
    key, secret = kept.door.issue_key(feed.id, "", timedelta(days=1), by="root")
    assert kept.show(secret) == feed
    kept.door.revoke_key(key.id, by="root")
    with pytest.raises(NotAuthenticated):
        kept.show(secret)


def test_what_is_not_there_cannot_be_changed(kept: Kept) -> None:
    day = timedelta(days=1)
    for call in (
        lambda: kept.door.renew("acc_nobody"),
        lambda: kept.door.revoke("acc_nobody"),
        lambda: kept.door.issue_key("acc_nobody", "", day, by="root"),
        lambda: kept.door.rotate_key("key_none", day, day, by="root"),
        lambda: kept.door.revoke_key("key_none", by="root"),
    ):
        with pytest.raises(NotFound):
            call()
