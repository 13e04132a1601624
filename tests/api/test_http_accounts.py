"""Accounts and keys over HTTP: who may give what to whom, and what nobody gets to see."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.clock import ManualClock
from domain.identity import Role, Scope
from tests.attacks.ring_house import RingHouse, ring_house


@pytest.fixture
def house(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    """A house with an administrator, and an owner of the tenant `north` who may do more there."""
    built = ring_house(clock, tmp_path)
    issuer = built.house.issuer
    built.tokens["admin"] = issuer.issue("root", {Role.ADMIN}, "The Keeper")[1]
    held = {Role.TENANT_OWNER, Role.OPERATOR, Role.FEED}
    scope = Scope(regions=frozenset({"r1", "r2"}))
    built.tokens["owner"] = issuer.issue("owner", held, "The Owner", tenant="north", scope=scope)[1]
    yield built
    built.close()


def narrow(*regions: str) -> dict[str, Any]:
    return {"regions": list(regions)}


def test_an_account_that_was_made_works_and_its_token_is_shown_once(house: RingHouse) -> None:
    body = {"name": "ana", "roles": ["operator", "approver"], "person": "Ana", "scope": narrow("r1")}
    made = house.post("admin", "/accounts", body)
    assert made.status_code == 201
    house.tokens["ana"] = made.json()["token"]

    me = house.get("ana", "/identity").json()
    assert (me["name"], me["person"], me["roles"], me["tenant"]) == ("ana", "Ana", ["approver", "operator"], "default")
    assert me["scope"]["regions"] == ["r1"]
    listed = house.get("admin", "/accounts")
    assert "ana" in [row["name"] for row in listed.json()]
    assert made.json()["token"][-43:] not in listed.text
    assert house.post("admin", "/accounts", body).status_code == 409


def test_a_renewed_token_replaces_the_old_one_and_a_revoked_account_ends(house: RingHouse) -> None:
    old = house.tokens["viewer"]
    house.tokens["viewer"] = house.post("admin", "/accounts/viewer/renew", {}).json()["token"]
    assert house.get("viewer", "/inbox").status_code == 200
    assert house.door.get("/inbox", headers={"Authorization": f"Bearer {old}"}).status_code == 401

    ended = house.post("admin", "/accounts/viewer/revoke", {}).json()
    assert ended["ended_at"] is not None
    assert house.get("viewer", "/inbox").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x", "roles": ["operator"], "person": "X", "scope": narrow("r1")}, 201),
        ({"name": "x", "roles": ["operator"], "person": "X", "scope": narrow("r1", "r3")}, 403),
        ({"name": "x", "roles": ["operator"], "person": "X"}, 403),
        ({"name": "x", "roles": ["approver"], "person": "X", "scope": narrow("r1")}, 403),
        ({"name": "x", "roles": ["admin"], "person": "X", "scope": narrow("r1")}, 403),
        ({"name": "x", "roles": ["operator"], "person": "X", "scope": narrow("r1"), "tenant": "south"}, 403),
        ({"name": "x", "roles": ["approver"], "person": "the  OWNER", "scope": narrow("r1")}, 403),
    ],
)
def test_a_tenants_owner_gives_no_more_than_it_has(house: RingHouse, body: dict[str, Any], status: int) -> None:
    answer = house.post("owner", "/accounts", body)
    assert answer.status_code == status, answer.text
    refused = [record for record in house.house.road.ledger.records("north") if record.kind == "rights.command.refused"]
    assert bool(refused) == (status == 403)


def test_who_keeps_the_accounts_of_the_house_ends_no_administrator(house: RingHouse) -> None:
    house.tokens["keeper"] = house.house.issuer.issue("keeper", {Role.TENANT_OWNER}, "The Housekeeper")[1]

    assert house.post("keeper", "/accounts/root/revoke", {}).status_code == 403
    assert house.get("admin", "/accounts").status_code == 200
    assert house.post("keeper", "/accounts/viewer/revoke", {}).status_code == 200


def test_a_tenants_owner_sees_no_account_of_another_tenant(house: RingHouse) -> None:
    assert [row["name"] for row in house.get("owner", "/accounts").json()] == ["owner"]
    viewer = house.house.issuer.named("viewer")
    missing = house.post("owner", "/accounts/acc_nobody/revoke", {})
    for id in (viewer.id, "viewer"):
        for verb in ("renew", "revoke"):
            answer = house.post("owner", f"/accounts/{id}/{verb}", {})
            assert (answer.status_code, answer.json()["code"]) == (404, missing.json()["code"])
    assert house.get("viewer", "/inbox").status_code == 200


def test_nobody_gets_the_token_of_an_account_that_they_could_not_have_made(house: RingHouse) -> None:
    made = house.post("admin", "/accounts", {"name": "bea", "roles": ["approver"], "person": "Bea", "tenant": "north"})
    answer = house.post("owner", f"/accounts/{made.json()['account']['id']}/renew", {})
    assert answer.status_code == 403
    assert "token" not in answer.text.replace("token of", "")


def test_an_administrator_gives_nothing_to_itself(house: RingHouse) -> None:
    mine = {"name": "my-other-hand", "roles": ["approver"], "person": "the keeper"}
    assert house.post("admin", "/accounts", mine).status_code == 403
    assert house.post("admin", "/accounts", mine | {"person": "Cyd"}).status_code == 201


@pytest.mark.parametrize("role", ["viewer", "operator", "approver_a", "auditor", "feed", "robot"])
def test_who_keeps_no_accounts_is_refused_everywhere(house: RingHouse, role: str) -> None:
    assert house.get(role, "/accounts").status_code == 403
    assert house.get(role, "/keys").status_code == 403
    for path in ("/accounts", "/accounts/viewer/renew", "/accounts/viewer/revoke", "/keys", "/keys/k/rotate"):
        assert house.post(role, path, {"name": "x", "roles": ["viewer"]}).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "x", "roles": []},
        {"name": "x", "roles": ["god"]},
        {"name": "x", "roles": "viewer"},
        {"name": "", "roles": ["viewer"]},
        {"name": "x" * 129, "roles": ["viewer"]},
        {"name": "two\nlines", "roles": ["viewer"]},
        {"name": "agent:provisioning", "roles": ["agent"]},
        {"name": "sso:ana", "roles": ["viewer"]},
        {"name": "plane", "roles": ["viewer"]},
        {"name": "x", "roles": ["approver"]},
        {"name": "x", "roles": ["agent", "approver"], "person": "X"},
        {"name": "x", "roles": ["viewer"], "id": "acc_1"},
        {"name": "x", "roles": ["viewer"], "authenticated_at": "2026-01-12T12:00:00Z"},
        {"name": "x", "roles": ["viewer"], "scope": {"planets": ["*"]}},
    ],
)
def test_an_account_that_makes_no_sense_is_refused_and_nothing_is_made(house: RingHouse, body: dict[str, Any]) -> None:
    before = len(house.get("admin", "/accounts").json())
    answer = house.post("admin", "/accounts", body)
    assert answer.status_code == 400, answer.text
    assert len(house.get("admin", "/accounts").json()) == before


def test_somebody_to_act_for_must_be_there(house: RingHouse) -> None:
    body = {"name": "helper", "roles": ["agent"], "acts_for": "acc_nobody"}
    assert house.post("admin", "/accounts", body).status_code == 404
    operator = house.house.issuer.named("operator")
    made = house.post("admin", "/accounts", body | {"acts_for": operator.id})
    house.tokens["helper"] = made.json()["token"]
    assert house.get("helper", "/inbox").status_code == 403  # an agent's right and an operator's: none is both


def test_a_feed_sends_with_its_key_and_reads_nothing(house: RingHouse) -> None:
    made = house.post("admin", "/keys", {"account": "feed", "label": "rack 4", "days": 30})
    assert made.status_code == 201
    house.tokens["rack"] = made.json()["secret"]

    assert house.post("rack", "/webhooks/alertmanager", house.webhook()).status_code == 200
    assert house.get("rack", "/inbox").status_code == 403
    listed = house.get("admin", "/keys")
    assert listed.json()[0]["last_used_at"] is not None
    assert made.json()["secret"][-43:] not in listed.text

    key = made.json()["key"]["id"]
    next_ = house.post("admin", f"/keys/{key}/rotate", {"overlap_hours": 1})
    house.tokens["next"] = next_.json()["secret"]
    assert house.post("rack", "/webhooks/alertmanager", house.webhook()).status_code == 200
    house.clock.advance(3600)
    assert house.post("rack", "/webhooks/alertmanager", house.webhook()).status_code == 401
    assert house.post("next", "/webhooks/alertmanager", house.webhook()).status_code == 200
    house.post("admin", f"/keys/{next_.json()['key']['id']}/revoke", {})
    assert house.post("next", "/webhooks/alertmanager", house.webhook()).status_code == 401


def test_a_key_for_more_than_a_feed_or_for_nobody_is_refused(house: RingHouse) -> None:
    assert house.post("admin", "/keys", {"account": "operator"}).status_code == 409
    assert house.post("admin", "/keys", {"account": "nobody"}).status_code == 404
    assert house.post("admin", "/keys", {"account": "feed", "days": 4000}).status_code == 400
    assert house.post("admin", "/keys/key_1/rotate", {}).status_code == 404
    assert house.post("owner", "/keys", {"account": "feed"}).status_code == 404


def test_a_proof_is_sent_in_the_place_of_the_token_and_says_when(house: RingHouse) -> None:
    made = house.post("approver_a", "/identity/proof", {"token": house.tokens["approver_a"]})
    assert made.status_code == 201
    house.tokens["fresh"] = made.json()["token"]

    assert house.get("approver_a", "/identity").json()["authenticated_at"] is None
    assert house.get("fresh", "/identity").json()["authenticated_at"] is not None
    assert house.get("fresh", "/identity").json()["name"] == "approver_a"
    assert house.post("approver_a", "/identity/proof", {"token": house.tokens["approver_b"]}).status_code == 401
    house.clock.advance(300)
    assert house.get("fresh", "/identity").status_code == 401


def test_everything_about_accounts_is_in_the_record_and_no_secret_is(house: RingHouse) -> None:
    secrets = [house.post("admin", "/accounts", {"name": "x", "roles": ["feed"]}).json()["token"]]
    secrets.append(house.post("admin", "/accounts/x/renew", {}).json()["token"])
    key = house.post("admin", "/keys", {"account": "x"}).json()
    secrets.append(key["secret"])
    secrets.append(house.post("admin", f"/keys/{key['key']['id']}/rotate", {}).json()["secret"])
    house.post("admin", f"/keys/{key['key']['id']}/revoke", {})
    house.post("admin", "/accounts/x/revoke", {})

    made = [record for record in house.records() if record.actor == "root"]
    assert [record.kind for record in made] == [
        "identity.account.issued",
        "identity.account.renewed",
        "identity.key.issued",
        "identity.key.rotated",
        "identity.key.revoked",
        "identity.account.revoked",
    ]
    text = "".join(record.model_dump_json() for record in house.records())
    assert not [secret for secret in secrets if secret[-43:] in text]
