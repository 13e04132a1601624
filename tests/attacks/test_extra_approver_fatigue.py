"""Extra: tired approvers. What could hurt is not waved through in a batch, and how much they miss is measured."""

import pytest

from domain.identity import Role
from tests.attacks.ring_house import RingHouse


@pytest.fixture
def ring(ring: RingHouse) -> RingHouse:
    for name, role in (("admin", Role.ADMIN), ("owner", Role.TENANT_OWNER)):
        ring.tokens[name] = ring.house.issuer.issue(name, {role}, person=name)[1]
    return ring


def test_two_hundred_at_once_are_refused_and_none_of_them_is_decided(ring: RingHouse) -> None:
    proposal = ring.held()
    ids = [proposal.id, *(f"prop_{number:026d}" for number in range(199))]

    answer = ring.post("approver_a", "/inbox/approve-batch", {"ids": ids, "because": "all of them"})

    assert answer.status_code == 400
    assert "one by one" in answer.json()["reason"]
    body = {"ids": [proposal.id], "because": "all of them"}
    for who in ("viewer", "operator", "robot", "feed"):
        assert ring.post(who, "/inbox/approve-batch", body).status_code == 403
    assert ring.records("gate.proposal.approved") == []


def test_a_card_that_tests_attention_cannot_be_carried_out_by_any_door(ring: RingHouse) -> None:
    ring.held()
    made = ring.post("admin", "/attention/seed", {"account": "approver_a", "mutation": "inverted"})
    assert made.status_code == 201, made.text
    id = made.json()["id"]
    assert id in {card["proposal"]["id"] for card in ring.get("approver_a", "/inbox").json()}
    assert id not in {card["proposal"]["id"] for card in ring.get("approver_b", "/inbox").json()}
    assert ring.get("approver_b", f"/proposals/{id}").status_code == 404
    assert ring.post("approver_b", f"/proposals/{id}/approve", {"because": "yes"}).status_code == 404

    answer = ring.post("approver_a", f"/proposals/{id}/approve", {"because": "yes"})
    ring.walk()

    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
    assert "tested attention" in answer.json()["state_reason"]
    assert ring.post("approver_a", f"/proposals/{id}/approve", {"because": "yes"}).status_code == 409
    assert ring.network.journal == []
    assert [step for step in ring.steps() if id.replace("prop_", "exec_") in step.execution_id] == []

    for who in ("viewer", "operator", "approver_a", "auditor", "owner"):
        assert ring.post(who, "/attention/seed", {"account": "approver_b"}).status_code == 403


def test_bad_bodies_are_bad_requests(ring: RingHouse) -> None:
    bad = (
        ("/roster/shifts", {"role": "king", "account": "approver_a", "starts_at": "now", "ends_at": "then"}),
        ("/roster/import", {}),
        ("/roster/import", {"csv": "role\nking\n"}),
        ("/roster/import", {"shifts": [], "csv": ""}),
        ("/reviews/rev_none/hold", {"attendees": [], "decisions": ["x"]}),
        ("/reviews", {"kind": "", "ref": "x", "due_at": "2026-01-01T00:00:00Z"}),
        ("/attention/seed", {"account": ""}),
        ("/inbox/approve-batch", {"ids": "all", "because": "x"}),
    )
    for path, body in bad:
        answer = ring.post("admin", path, body)
        assert answer.status_code in {400, 403}, (path, answer.text)
        assert set(answer.json()) == {"code", "reason"}


def test_a_roster_by_http_and_what_follows_from_it(ring: RingHouse) -> None:
    shift = {
        "role": "approver",
        "account": "approver_a",
        "starts_at": "2026-01-12T11:00:00Z",
        "ends_at": "2026-01-13T11:00:00Z",
    }
    assert ring.post("admin", "/roster/shifts", shift).status_code == 201
    roster = ring.get("viewer", "/roster", role="approver").json()
    assert [row["account"] for row in roster["on_call"]] == ["approver_a"]
    assert ring.get("viewer", "/health").json()["roster_kept"] is True
    ring.held()

    pending = ring.get("approver_a", "/handover").json()["pending"]

    assert [row["kind"] for row in pending] == ["decide"]
    assert ring.get("approver_b", "/handover").json()["pending"] == []
    assert ring.post("approver_a", "/handover/accept", {}).status_code == 200
    assert ring.get("approver_a", "/notices").status_code == 200
    assert ring.get("viewer", "/trust").status_code == 200
    assert ring.get("admin", "/attention").status_code == 200
    assert ring.get("approver_a", "/attention").status_code == 403
    assert ring.get("viewer", "/reviews", owed=True).status_code == 200
