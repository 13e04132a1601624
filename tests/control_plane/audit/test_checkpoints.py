"""Heads of the chain are signed now and then and kept elsewhere; what does not continue them is never signed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.memory import MemoryLedger
from control_plane.audit.desk import AuditDesk
from control_plane.audit.keeper import SIGNED, Keeper, Pace
from control_plane.audit.verifying import verify
from control_plane.ports import Ledger, Written
from domain.clock import ManualClock
from domain.errors import NotFound, Refused, Unavailable
from domain.keeping import Checkpoint
from domain.merkle import consistent, proves, root
from domain.records import Entry
from tests.control_plane.audit.conftest import Room


def note(room: Room, count: int = 1) -> None:
    now = room.stage.clock.now()
    for _ in range(count):
        entry = Entry(kind="test.it.happened", actor="tester", fields={"n": 1}, event_time=now)
        room.stage.ledger.do(lambda _, entry=entry: Written(None, (entry,)))


def signed(room: Room) -> Checkpoint:
    made = room.keeper.sign("default")
    assert made is not None
    return made


def test_a_checkpoint_names_the_head_and_the_root_over_all_records(room: Room) -> None:
    note(room, 5)

    made = signed(room)

    hashes = [record.hash for record in room.stage.ledger.records()][: made.sequence]
    assert made.head == hashes[-1]
    assert made.root == root([bytes.fromhex(each) for each in hashes])
    assert room.vault.signer.signed(made.key_id, made.payload, made.signature)
    assert room.vault.anchor.read("default") == [made]


def test_a_checkpoint_is_recorded_and_is_itself_no_reason_for_another(room: Room) -> None:
    note(room)
    signed(room)

    assert room.stage.ledger.records()[-1].kind == SIGNED
    assert room.keeper.sign("default") is None


def test_a_chain_is_signed_after_so_many_records_or_so_much_time(room: Room) -> None:
    keeper = Keeper(room.stage.ledger, room.stage.clock, room.vault, Pace(records=10, seconds=60.0))
    note(room, 10)
    assert len(keeper.look()) == 1

    note(room, 3)
    assert keeper.look() == []
    room.stage.clock.advance(61)
    assert len(keeper.look()) == 1
    room.stage.clock.advance(61)
    assert keeper.look() == []


def test_a_chain_is_signed_in_time_though_the_time_of_day_was_set_back(room: Room) -> None:
    keeper = Keeper(room.stage.ledger, room.stage.clock, room.vault, Pace(records=10, seconds=60.0))
    note(room, 10)
    keeper.look()

    room.stage.clock.jump(-86_400)
    note(room, 3)
    room.stage.clock.advance(61)

    assert len(keeper.look()) == 1


def test_the_last_records_are_signed_when_the_house_rests(room: Room) -> None:
    room.keeper.start()
    note(room, 3)
    room.keeper.close()

    assert room.vault.anchor.read("default")[-1].sequence >= 3


def test_each_checkpoint_continues_the_one_before(room: Room) -> None:
    made = []
    for count in (1, 2, 7):
        note(room, count)
        made.append(signed(room))

    for first in made:
        for second in made[made.index(first) :]:
            found = room.desk.prove_growth(room.auditor, first.sequence, second.sequence)
            assert consistent(first.sequence, second.sequence, found.path, first.root, second.root)


def test_every_record_is_proved_against_the_newest_checkpoint(room: Room) -> None:
    note(room, 20)
    made = signed(room)

    for record in room.stage.ledger.records()[: made.sequence]:
        found = room.desk.prove(room.auditor, record.id)
        assert proves(bytes.fromhex(record.hash), found.index, made.sequence, found.path, made.root)


def test_a_record_behind_the_newest_checkpoint_cannot_be_proved_yet(room: Room) -> None:
    note(room)
    signed(room)
    note(room)

    with pytest.raises(NotFound, match="no checkpoint covers"):
        room.desk.prove(room.auditor, room.stage.ledger.records()[-1].id)


def test_a_chain_that_lost_what_was_signed_is_never_signed_again(room: Room) -> None:
    note(room, 5)
    signed(room)
    shorter = MemoryLedger(room.stage.clock)
    for n in range(2):
        entry = Entry(kind="a.b.c", actor="x", fields={"n": n}, event_time=room.stage.clock.now())
        shorter.do(lambda _, entry=entry: Written(None, (entry,)))

    with pytest.raises(Refused, match="verify the audit chain"):
        Keeper(shorter, room.stage.clock, room.vault).sign("default")
    verdict = verify(shorter, room.vault, "default")
    assert not verdict.verified
    assert verdict.first_bad == "default:000000000003"
    assert "the tail is lost" in verdict.reason


def test_a_forged_checkpoint_is_named_and_stops_the_signing(room: Room) -> None:
    note(room, 5)
    good = signed(room)
    note(room)
    last = room.stage.ledger.records()[-1]
    forged = good.but(id=last.id, sequence=last.sequence, head=last.hash)
    room.vault.anchor.append(forged)

    verdict = verify(room.stage.ledger, room.vault, "default")

    assert not verdict.verified
    assert "forged" in verdict.reason
    assert verdict.first_bad == last.id
    with pytest.raises(Refused):
        room.keeper.sign("default")


def test_a_new_key_goes_on_and_the_old_signatures_still_count(room: Room) -> None:
    note(room)
    first = signed(room)
    admin = room.auditor.but(roles=frozenset({"admin"}))

    keys = room.desk.rotate(admin, "the yearly change")
    second = signed(room)

    assert first.key_id != second.key_id == keys.key_id
    assert verify(room.stage.ledger, room.vault, "default").verified


class ReadOnly:
    """A store that can be read and not written."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def do(self, _change: Any) -> Any:
        raise Unavailable("the store is read-only")


def test_no_key_is_given_up_that_could_not_vouch_for_the_next_one_in_the_record(room: Room) -> None:
    admin, before = room.auditor.but(roles=frozenset({"admin"})), room.vault.signer.key_id
    desk = AuditDesk(replace(room.stage.road, ledger=ReadOnly(room.stage.ledger)))

    with pytest.raises(Unavailable):
        desk.rotate(admin, "the yearly change")

    assert room.vault.signer.key_id == before


def test_quick_verifying_begins_at_the_newest_checkpoint(room: Room) -> None:
    note(room, 30)
    made = signed(room)
    note(room, 4)

    verdict = verify(room.stage.ledger, room.vault, "default", full=False)

    assert verdict.verified
    assert verdict.since == made.sequence
    assert verdict.records == room.stage.ledger.tip()[0]


def test_each_tenant_has_a_chain_and_checkpoints_of_its_own(room: Room, clock: ManualClock) -> None:
    note(room, 2)
    entry = Entry(kind="a.b.c", actor="x", tenant="other", event_time=clock.now() - timedelta(seconds=1))
    room.stage.ledger.do(lambda _: Written(None, (entry,)))

    made = room.keeper.look(at_once=True)

    assert {each.tenant for each in made} == {"default", "other"}
    assert verify(room.stage.ledger, room.vault, "other").signed_to == 1
