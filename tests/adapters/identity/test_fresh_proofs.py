"""Proofs that somebody was here a moment ago."""

import pytest

from adapters.identity.issuers import Issuers
from adapters.memory import MemoryLedger
from domain.clock import ManualClock
from domain.errors import BadInput, NotAuthenticated
from domain.identity import Role
from tests.identity_provider import SmallProvider


@pytest.fixture
def issuers(ledger: MemoryLedger, clock: ManualClock) -> Issuers:
    return Issuers(ledger, clock)


def test_a_proof_says_when_it_was_made_and_ends_after_five_minutes(issuers: Issuers, clock: ManualClock) -> None:
    ana, token = issuers.issue("ana", {Role.APPROVER}, "Ana")
    assert issuers.authenticate(token).authenticated_at is None

    made_at = clock.now()
    _, proof = issuers.prove(ana, token)
    clock.advance(299)
    assert issuers.authenticate(proof) == ana.but(authenticated_at=made_at)
    clock.advance(1)
    with pytest.raises(NotAuthenticated):
        issuers.authenticate(proof)


def test_a_proof_is_given_for_ones_own_token_only(issuers: Issuers) -> None:
    ana, token = issuers.issue("ana", {Role.APPROVER}, "Ana")
    _, other = issuers.issue("bea", {Role.APPROVER}, "Bea")
    _, proof = issuers.prove(ana, token)
    for wrong in (other, proof, "", token[:-1]):
        with pytest.raises(NotAuthenticated):
            issuers.prove(ana, wrong)


def test_a_proof_ends_with_the_token_that_it_was_had_with(issuers: Issuers, clock: ManualClock) -> None:
    ana, token = issuers.issue("ana", {Role.APPROVER}, "Ana")
    _, proof = issuers.prove(ana, token)
    clock.advance(1)
    issuers.renew(ana.id)
    with pytest.raises(NotAuthenticated):
        issuers.authenticate(proof)


def test_a_login_at_the_provider_says_itself_when_it_was(ledger, clock: ManualClock, provider: SmallProvider) -> None:
    issuers = Issuers(ledger, clock, trust=provider.trust(), at_home=False)
    now = int(clock.now().timestamp())

    fresh = issuers.authenticate(provider.token("u-ana", auth_time=now - 60))
    assert fresh.authenticated_at is not None
    assert (clock.now() - fresh.authenticated_at).total_seconds() == 60
    assert issuers.authenticate(provider.token("u-ana")).authenticated_at is None
    for nonsense in (now + 3600, True, "now", -1):
        assert issuers.authenticate(provider.token("u-ana", auth_time=nonsense)).authenticated_at is None
    with pytest.raises(BadInput, match="login --fresh"):
        issuers.prove(fresh, "anything")


def test_beyond_this_machine_local_tokens_are_no_tokens(ledger, clock: ManualClock, provider: SmallProvider) -> None:
    at_home = Issuers(ledger, clock)
    ana, token = at_home.issue("ana", {Role.APPROVER}, "Ana")
    _, proof = at_home.prove(ana, token)
    abroad = Issuers(ledger, clock, trust=provider.trust(), at_home=False)
    for secret in (token, proof):
        with pytest.raises(NotAuthenticated):
            abroad.authenticate(secret)
    assert provider.asked.total() == 0
