"""What undoes passes the same gate: one right per inverse, consumed once, the same switches, the same record."""

import pytest

from control_plane import flow
from control_plane.gate import grant_id_of
from domain.gate import RightKind
from tests.attacks.ring_house import RingHouse
from tests.stage import CULPRIT


def carried_out(ring: RingHouse) -> str:
    """Have the repair carried out, and return its proposal's id."""
    proposal = ring.held()
    assert ring.approve("approver_a", proposal).status_code == 200
    flow.act(ring.house.road, proposal.incident_id)
    assert len(ring.network.journal) == 1
    return proposal.id


def rights(ring: RingHouse, id: str, kind: RightKind) -> list[bool]:
    """Say of each right of a proposal's grant, of one kind, whether it was consumed."""
    found = ring.house.road.ledger.read(lambda tables: tables.rights.find())
    mine = [right for right in found if right.grant_id == grant_id_of(id) and right.kind is kind]
    return [right.consumed_by is not None for right in mine]


def test_a_stopped_plan_is_undone_by_the_right_of_its_inverse_and_once(ring: RingHouse) -> None:
    id = carried_out(ring)
    assert rights(ring, id, RightKind.INVERSE) == [False]

    assert ring.post("operator", f"/proposals/{id}/stop", {"because": "the wrong one"}).status_code == 200
    for _ in range(3):
        ring.walk(1)

    assert rights(ring, id, RightKind.INVERSE) == [True]
    assert len(ring.network.journal) == 2
    assert ring.network.state(CULPRIT)["administrative"] == "locked"


@pytest.mark.parametrize("who", ["viewer", "feed", "robot", "auditor"])
def test_who_may_not_stop_undoes_nothing(ring: RingHouse, who: str) -> None:
    id = carried_out(ring)

    assert ring.post(who, f"/proposals/{id}/stop", {"because": "mine"}).status_code == 403
    ring.walk(1)
    assert len(ring.network.journal) == 1


def test_without_its_right_nothing_is_undone(ring: RingHouse) -> None:
    """A right that is used up already, as by a forged undo, gives nobody a second one."""
    id = carried_out(ring)
    ring.post("operator", f"/proposals/{id}/stop", {"because": "the wrong one"})
    ring.walk(2)
    effects = len(ring.network.journal)

    again = ring.post("operator", f"/proposals/{id}/stop", {"because": "once more"})
    ring.walk(2)

    assert again.status_code == 409, again.text
    assert len(ring.network.journal) == effects


def test_every_undo_is_on_the_record_with_its_right(ring: RingHouse) -> None:
    id = carried_out(ring)
    ring.post("operator", f"/proposals/{id}/stop", {"because": "the wrong one"})
    ring.walk(2)

    kinds = [record.kind for record in ring.records()]
    begun = [kind for kind in kinds if kind.startswith("act.step.")]
    assert len(begun) >= 4, kinds
    assert ring.get("auditor", "/audit/verify").json()["verified"]
