"""The doors around a signature, on a whole house over the ring."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.clock import ManualClock
from domain.proposals import ProposalState
from tests.attacks.ring_house import RingHouse, ring_house


@pytest.fixture
def ring(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    house = ring_house(clock, tmp_path)
    yield house
    house.close()


def loan(ring: RingHouse, to: str, **more: Any) -> dict[str, Any]:
    now = ring.clock.now()
    ends = (now + timedelta(hours=1)).isoformat()
    plain = {"to_account": to, "permissions": ["approve"], "starts_at": now.isoformat(), "ends_at": ends}
    return plain | {"because": "lunch"} | more


def test_a_question_is_answered_from_the_record_or_by_people(ring: RingHouse) -> None:
    proposal = ring.held()
    path = f"/proposals/{proposal.id}"

    told = ring.post("approver_a", f"{path}/ask", {"question": "why?"})
    ring.clock.advance(1)
    untold = ring.post("approver_a", f"{path}/ask", {"question": "did you feed the cat?"})
    answer = ring.post("operator", f"/enquiries/{untold.json()['id']}/answer", {"answer": "yes"})

    assert [told.status_code, untold.status_code, answer.status_code] == [201, 201, 200]
    assert told.json()["answered_by"] == "agent:narrator"
    assert told.json()["cites"]
    assert untold.json()["advice"] == ""
    assert [row["answer"] for row in ring.get("viewer", f"{path}/enquiries").json()] == ["", "yes"]
    assert ring.repairs()[-1].state is ProposalState.HELD


def test_a_signature_is_taken_back(ring: RingHouse) -> None:
    proposal = ring.held()
    assert ring.approve("approver_a", proposal).json()["state"] == "granted"

    answer = ring.post("approver_a", f"/proposals/{proposal.id}/revoke", {"because": "I misread it"})

    assert (answer.status_code, answer.json()["state"]) == (200, "held")
    progress = ring.get("viewer", f"/proposals/{proposal.id}/progress").json()
    assert [(stage["needs"], stage["signed_by"]) for stage in progress["stages"]] == [(1, [])]


def test_a_stand_in_comes_through_the_sieve_with_what_is_lent_and_no_further(ring: RingHouse) -> None:
    proposal = ring.held()
    assert ring.approve("viewer", proposal).status_code == 403
    lent = ring.post("approver_a", "/delegations", loan(ring, "viewer"))

    signed = ring.approve("viewer", proposal)
    stopped = ring.post("viewer", f"/proposals/{proposal.id}/stop", {"because": "not lent"})

    assert (lent.status_code, signed.status_code, stopped.status_code) == (201, 200, 403)
    assert ring.get("viewer", "/delegations").json() == [lent.json()]
    ended = ring.post("approver_a", f"/delegations/{lent.json()['id']}/revoke", {"because": "back"})
    assert ended.json()["revoked_by"] == "approver_a"


@pytest.mark.parametrize(
    "bad",
    [
        {"permissions": []},
        {"permissions": ["everything"]},
        {"ends_at": "soon"},
        {"ends_at": "2020-01-01T00:00:00Z"},
        {"scope": {"regions": ["north"], "planet": "mars"}},
        {"from_account": "approver_b"},
        {"kind": "gift"},
    ],
)
def test_a_loan_that_cannot_be_meant_is_bad_input(ring: RingHouse, bad: dict[str, Any]) -> None:
    answer = ring.post("approver_a", "/delegations", loan(ring, "viewer", **bad))

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert ring.get("approver_a", "/delegations").json() == []


def test_glass_is_broken_with_a_fresh_proof_and_reviewed(ring: RingHouse) -> None:
    proposal = ring.held()
    body = {"because": "customers are down", "plan_digest": proposal.plan_digest}
    path = f"/proposals/{proposal.id}/break-glass"
    stale = ring.post("approver_a", path, body)
    proof = ring.post("approver_a", "/identity/proof", {"token": ring.tokens["approver_a"]})
    ring.tokens["approver_a"] = proof.json()["token"]

    broken = ring.post("approver_a", path, body)
    glass = ring.get("auditor", "/broken-glass").json()[0]
    own = ring.post("approver_a", f"/broken-glass/{glass['id']}/review", {"because": "mine", "justified": True})
    reviewed = ring.post("auditor", f"/broken-glass/{glass['id']}/review", {"because": "it was", "justified": True})

    assert (stale.status_code, stale.json()["code"]) == (403, "refused")
    assert (broken.status_code, broken.json()["state"]) == (200, "granted")
    assert (own.status_code, reviewed.status_code) == (403, 200)
    assert reviewed.json()["verdict"] == "justified: it was"


def test_change_records_and_chains_are_shown(ring: RingHouse) -> None:
    proposal = ring.held()
    ring.approve("approver_a", proposal)

    listed = ring.get("viewer", "/changes", state="approved").json()
    shown = ring.get("viewer", f"/changes/{proposal.change_id}").json()
    chains = ring.get("viewer", "/chains").json()

    assert [row["id"] for row in listed] == [proposal.change_id]
    assert (shown["change"]["approved_by"], shown["proposal"]["id"]) == (["the first approver"], proposal.id)
    assert chains["version"] == ring.house.road.chains.version
    assert [chain["id"] for chain in chains["chains"]][-1] == "ordinary"
    assert chains["chains"][-1]["stages"][0]["roles"] == ["approver"]


@pytest.mark.parametrize(
    "path", ["/changes/chg_nope", "/proposals/prop_nope/enquiries", "/proposals/prop_nope/progress"]
)
def test_what_is_not_there_is_not_found(ring: RingHouse, path: str) -> None:
    answer = ring.get("viewer", path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
