"""A field can be emptied for ever: the chain still verifies, the record says who did it, and nothing else can do it."""

import pytest

from control_plane.audit.verifying import verify
from control_plane.ports import Written
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.records import REDACTED, Entry, Record, Redaction
from tests.control_plane.audit.conftest import Room

SUBSCRIBER = "imsi-001010123456789"


@pytest.fixture
def told(room: Room) -> Record:
    """A record that holds a subscriber's id, in a field and among what it mentions."""
    entry = Entry(
        kind="test.call.failed",
        actor="tester",
        refs=(SUBSCRIBER,),
        fields={"subscriber": SUBSCRIBER, "cause": {"code": 0.5, "text": '"subscriber":{"salt":"'}},
        event_time=room.stage.clock.now(),
    )
    room.stage.ledger.do(lambda _: Written(None, (entry,)))
    return room.stage.ledger.records()[-1]


def test_a_redacted_field_is_gone_and_the_chain_verifies(room: Room, told: Record) -> None:
    room.keeper.sign("default")

    said = room.desk.redact(room.auditor, told.id, "subscriber", "a subscriber asked for it")

    (found,) = room.stage.ledger.records(after=told.sequence - 1, limit=1)
    assert (found.fields["subscriber"].value, found.fields["subscriber"].salt) == (None, None)
    assert found.fields["cause"] == told.fields["cause"]
    assert (found.hash, found.commitments) == (told.hash, told.commitments)
    verdict = verify(room.stage.ledger, room.vault, "default")
    assert (verdict.verified, verdict.redactions) == (True, 1)
    assert said.still_named


def test_a_redaction_is_recorded_with_who_and_why(room: Room, told: Record) -> None:
    room.desk.redact(room.auditor, told.id, "subscriber", "a subscriber asked for it")

    last = room.stage.ledger.records()[-1]
    assert (last.kind, last.actor, last.refs) == (REDACTED, "auditor", (told.id,))
    assert last.fields["because"].value == "a subscriber asked for it"


def test_what_was_redacted_is_not_found_by_searching_for_it(room: Room, told: Record) -> None:
    room.desk.redact(room.auditor, told.id, "subscriber", "asked")

    rows = room.stage.ledger.rows()
    assert all(SUBSCRIBER.encode() not in row.fields for row in rows)


def test_every_field_of_a_record_can_be_redacted_one_by_one(room: Room, told: Record) -> None:
    for name in told.fields:
        room.desk.redact(room.auditor, told.id, name, "all of it")

    verdict = verify(room.stage.ledger, room.vault, "default")
    assert (verdict.verified, verdict.redactions) == (True, 2)


@pytest.mark.parametrize(
    ("id", "field", "error"),
    [("999999", "x", NotFound), ("other:000000000001", "x", NotFound), ("", "x", NotFound), ("1" * 30, "x", NotFound)],
)
def test_what_is_not_there_cannot_be_redacted(room: Room, told: Record, id: str, field: str, error: type) -> None:
    before = room.stage.ledger.tip()

    with pytest.raises(error):
        room.desk.redact(room.auditor, id, field, "why not")

    assert room.stage.ledger.tip() == before


def test_a_field_that_is_not_there_or_empty_already_is_refused_and_nothing_is_written(room: Room, told: Record) -> None:
    with pytest.raises(
        NotFound, match=r"no field `nothing`; it has `subscriber`, `cause`|it has `cause`, `subscriber`"
    ):
        room.desk.redact(room.auditor, told.id, "nothing", "why not")
    room.desk.redact(room.auditor, told.id, "subscriber", "asked")
    before = room.stage.ledger.tip()

    with pytest.raises(Conflict, match="empty already"):
        room.desk.redact(room.auditor, told.id, "subscriber", "again")

    assert room.stage.ledger.tip() == before


def test_who_may_only_read_empties_nothing(room: Room, told: Record) -> None:
    with pytest.raises(Refused):
        room.desk.redact(room.viewer, told.id, "subscriber", "I want it gone")

    assert room.stage.ledger.records(after=told.sequence - 1, limit=1) == [told]


def test_a_record_of_a_redaction_cannot_be_redacted(room: Room, told: Record) -> None:
    room.desk.redact(room.auditor, told.id, "subscriber", "asked")

    with pytest.raises(BadInput, match="what was done to the record itself"):
        room.desk.redact(room.auditor, room.stage.ledger.records()[-1].id, "because", "hide it")


def test_the_store_empties_nothing_without_the_record_that_says_so(room: Room, told: Record) -> None:
    where = Redaction("default", told.sequence, "subscriber")
    silent = Entry(kind="a.b.c", actor="x", event_time=room.stage.clock.now())

    for entries in ((), (silent,)):
        with pytest.raises(ValueError, match="gave no entry"):
            room.stage.ledger.do(lambda _, entries=entries: Written(None, entries, redactions=(where,)))

    assert room.stage.ledger.records(after=told.sequence - 1, limit=1) == [told]
