"""What the roster keeps, it keeps on every store that we ship."""

from pathlib import Path

import pytest

from domain.clock import ManualClock
from domain.identity import Role
from domain.roster import NoticeKind
from tests.control_plane.roster.conftest import Room
from tests.stores import STORES, opened


@pytest.mark.parametrize("store", STORES)
def test_a_gap_a_hand_over_and_a_seeded_card(store: str, tmp_path: Path, clock: ManualClock) -> None:
    with opened(store, tmp_path, clock) as ledger:
        room = Room(clock, ledger=ledger)
        room.on_call(Role.APPROVER, "one", 0, 0.1)
        room.on_call(Role.APPROVER, "two", 0.1, 10)
        proposal = room.stage.begin()
        room.pass_time(361)
        id = room.desks.attention.seed(room.admin, "two", "inverted")

        room.stage.commands.reject(room.stage.two, id, "the wrong way round")
        room.desks.roster.accept(room.stage.two)

        assert {notice.ref for notice in room.told("two", NoticeKind.DECIDE)} == {proposal.id, id}
        (handed,) = room.desks.roster.take_over(room.stage.two).hand_overs
        assert (handed.moved, handed.accepted_at) == ((proposal.id,), clock.now())
        gaps = ledger.read(lambda t: [gap for gap in t.roster_gaps.find(open=True) if gap.role is Role.APPROVER])
        assert len(gaps) == 1
        assert room.stage.queries.health()["roster_gaps"] == ledger.read(lambda t: t.roster_gaps.count(open=True))
