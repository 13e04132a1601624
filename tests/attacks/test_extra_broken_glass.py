"""The way through broken glass: a fresh proof, one plan, on the record, and never past a forbid."""

import pytest

from domain.approvals import BrokenGlass
from domain.proposals import Proposal, ProposalState
from tests.attacks.ring_house import RingHouse


def smash(ring: RingHouse, who: str, proposal: Proposal, **body: str) -> int:
    asked = {"because": "customers are down", "plan_digest": proposal.plan_digest} | body
    return int(ring.post(who, f"/proposals/{proposal.id}/break-glass", asked).status_code)


def proven(ring: RingHouse, who: str) -> str:
    """Exchange an account's token for a fresh proof, and return the name under which it is kept."""
    answer = ring.post(who, "/identity/proof", {"token": ring.tokens[who]})
    assert answer.status_code == 201, answer.text
    ring.tokens[f"{who}, freshly"] = answer.json()["token"]
    return f"{who}, freshly"


def broken(ring: RingHouse) -> list[BrokenGlass]:
    return ring.house.road.ledger.read(lambda tables: tables.broken_glass.find())


def test_who_proves_it_anew_breaks_it_once_and_all_of_it_is_on_record(ring: RingHouse) -> None:
    proposal = ring.held()

    assert smash(ring, proven(ring, "approver_a"), proposal) == 200

    (glass,) = broken(ring)
    (record,) = ring.records("gate.glass.broken")
    assert (record.actor, record.fields["because"].value) == ("approver_a", "customers are down")
    assert {proposal.id, glass.id} <= {*record.refs}
    shown = ring.get("auditor", "/broken-glass").json()
    assert [row["id"] for row in shown] == [glass.id]
    assert ring.get("auditor", "/audit/verify").json()["verified"]


@pytest.mark.parametrize("who", ["approver_a", "operator", "viewer", "robot", "auditor", "feed"])
def test_without_a_fresh_proof_or_the_right_it_holds_and_the_try_is_recorded(ring: RingHouse, who: str) -> None:
    proposal = ring.held()

    assert smash(ring, who, proposal) == 403

    assert broken(ring) == []
    assert ring.repairs()[0].state is ProposalState.HELD
    assert [record for record in ring.records() if record.actor == who and "refused" in record.kind]


def test_a_proof_that_has_grown_old_breaks_nothing(ring: RingHouse) -> None:
    proposal, who = ring.held(), proven(ring, "approver_a")
    ring.clock.advance(ring.house.road.settings.fresh_s + 1)

    assert smash(ring, who, proposal) in {401, 403}
    assert broken(ring) == []


def test_another_plan_than_the_one_that_was_read_is_not_let_through(ring: RingHouse) -> None:
    proposal = ring.held()

    assert smash(ring, proven(ring, "approver_a"), proposal, plan_digest="0" * 64) == 409
    assert broken(ring) == []


def test_it_cures_no_forbid_and_no_switch(ring: RingHouse) -> None:
    proposal, who = ring.held(), proven(ring, "approver_a")
    ring.post("operator", "/switches", {"kind": "all", "because": "it runs away"})

    assert smash(ring, who, proposal) in {403, 409}
    assert ring.network.journal == []
    assert ring.repairs()[0].state is not ProposalState.GRANTED


def test_nobody_reviews_their_own_glass(ring: RingHouse) -> None:
    smash(ring, proven(ring, "approver_a"), ring.held())
    (glass,) = broken(ring)

    for who in ("approver_a", "approver_a-at-night"):
        body = {"justified": True, "because": "I was right"}
        assert ring.post(who, f"/broken-glass/{glass.id}/review", body).status_code == 403
    assert ring.post("auditor", f"/broken-glass/{glass.id}/review", body).status_code == 200
