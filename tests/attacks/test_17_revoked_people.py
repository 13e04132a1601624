"""Attack 17: somebody who was sent away goes on working with what is still in their hands.

What a token says holds for as long as the token, which is bounded; a signature that can let something dangerous happen
asks again. (The API has no stream that stays open for long; where one comes, it must ask again as well.)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.clock import ManualClock
from domain.identity import Role
from domain.proposals import Proposal
from tests.attacks.ring_house import RingHouse, ring_house
from tests.identity_provider import SmallProvider, small_provider

APPROVER = "noc-approver"


@contextmanager
# The ring's repair needs one signature; that is made enough to ask again.
def house_on(
    clock: ManualClock, folder: Path, provider: SmallProvider, recheck_from: int = 1, **trust: object
) -> Iterator[RingHouse]:
    house = ring_house(clock, folder, identity="oidc", oidc=provider.trust(**trust), recheck_from=recheck_from)
    yield house
    house.close()


@pytest.fixture
def provider(clock: ManualClock) -> Iterator[SmallProvider]:
    with small_provider(clock) as running:
        yield running


def approve(house: RingHouse, proposal: Proposal, token: str):
    body = {"because": "it fits", "plan_digest": proposal.plan_digest}
    headers = {"Authorization": f"Bearer {token}"}
    return house.door.post(f"/proposals/{proposal.id}/approve", json=body, headers=headers)


def test_a_role_lost_at_the_provider_is_lost_here_when_the_token_ends(
    clock: ManualClock, tmp_path: Path, provider: SmallProvider
) -> None:
    with house_on(clock, tmp_path, provider) as house:
        old = provider.token("u-ana", "noc-auditor")
        ask = {"Authorization": f"Bearer {old}"}
        assert house.door.get("/audit", headers=ask).status_code == 200

        clock.advance(320)
        assert house.door.get("/audit", headers=ask).status_code == 401
        new = {"Authorization": f"Bearer {provider.token('u-ana', 'noc-viewer')}"}
        assert house.door.get("/audit", headers=new).status_code == 403
        assert house.door.get("/inbox", headers=new).status_code == 200


def test_a_token_that_would_outlive_the_bound_is_refused_at_once(
    clock: ManualClock, tmp_path: Path, provider: SmallProvider
) -> None:
    with house_on(clock, tmp_path, provider, longest_token_s=600) as house:
        long = provider.token("u-ana", exp=provider.claims()["iat"] + 601)
        assert house.door.get("/inbox", headers={"Authorization": f"Bearer {long}"}).status_code == 401


@pytest.mark.parametrize("asked", ["userinfo", "introspection"])
@pytest.mark.parametrize("lost", ["role", "account", "silence about roles", "another account"])
def test_a_dangerous_signature_is_refused_at_once_when_the_provider_has_changed_its_mind(
    clock: ManualClock, tmp_path: Path, provider: SmallProvider, asked: str, lost: str
) -> None:
    ours = {"our_id": "nocturne-api", "our_secret": "not in any log"}
    with house_on(clock, tmp_path, provider, asked=asked, **ours) as house:
        proposal = house.held()
        token = provider.token("u-ana", APPROVER)
        provider.says["u-ana"] = {"realm_access": {"roles": ["noc-viewer"]}} if lost == "role" else {}
        if lost == "account":
            provider.ended.add("u-ana")
        if lost == "another account":
            provider.says["u-ana"] = {"sub": "u-bea", "realm_access": {"roles": [APPROVER]}}

        refused = approve(house, proposal, token)
        assert (refused.status_code, refused.json()["code"]) == (403, "refused")
        assert house.records("gate.proposal.refused", about=proposal.id)
        assert not house.records("gate.proposal.approved", about=proposal.id)

        provider.ended.clear()
        provider.says["u-ana"] = {"realm_access": {"roles": [APPROVER]}}
        assert approve(house, proposal, token).status_code == 200


def test_a_provider_that_does_not_answer_lets_nobody_sign_and_nothing_is_lost(
    clock: ManualClock, tmp_path: Path, provider: SmallProvider
) -> None:
    with house_on(clock, tmp_path, provider) as house:
        proposal = house.held()
        token = provider.token("u-ana", APPROVER)
        provider.pages["/userinfo"] = (500, b"oops")

        assert approve(house, proposal, token).status_code == 503
        del provider.pages["/userinfo"]
        provider.says["u-ana"] = {"realm_access": {"roles": [APPROVER]}}
        assert approve(house, proposal, token).status_code == 200


def test_a_plan_that_needs_one_signature_does_not_wait_for_the_provider(
    clock: ManualClock, tmp_path: Path, provider: SmallProvider
) -> None:
    with house_on(clock, tmp_path, provider, recheck_from=2) as house:
        proposal = house.held()
        assert approve(house, proposal, provider.token("u-ana", APPROVER)).status_code == 200
        assert provider.asked["/userinfo"] == 0


def test_an_account_that_is_revoked_here_ends_at_once_whoever_vouches_for_it(
    clock: ManualClock, tmp_path: Path, provider: SmallProvider
) -> None:
    with house_on(clock, tmp_path, provider) as house:
        ana, admin = provider.token("u-ana"), house.house.issuer.issue("root", {Role.ADMIN}, "root")[1]
        ask, keep = {"Authorization": f"Bearer {ana}"}, {"Authorization": f"Bearer {admin}"}
        assert house.door.get("/inbox", headers=ask).status_code == 200

        assert house.door.post("/accounts/sso:ana/revoke", json={}, headers=keep).status_code == 200
        assert house.door.get("/inbox", headers=ask).status_code == 401
        assert (
            house.door.get("/inbox", headers={"Authorization": f"Bearer {provider.token('u-ana')}"}).status_code == 401
        )

        assert house.door.post("/accounts/sso:ana/renew", json={}, headers=keep).json()["token"] == ""
        assert house.door.get("/inbox", headers=ask).status_code == 200


def test_a_local_account_that_was_revoked_signs_nothing_any_more(clock: ManualClock, tmp_path: Path) -> None:
    house = ring_house(clock, tmp_path, recheck_from=1)
    proposal = house.held()
    approver = house.house.issuer.named("approver_a")
    assert approver is not None
    house.house.issuer.revoke(approver.id)

    assert house.approve("approver_a", proposal).status_code == 401
    assert house.approve("approver_b", proposal).status_code == 200
    house.close()
