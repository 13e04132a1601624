"""One suite for every ledger: what the `Ledger` and `Shelf` ports promise, on each store that we ship."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from string import ascii_letters
from typing import Any, get_type_hints

import pytest

from adapters.memory import MemoryLedger
from adapters.store.ledger import SqlLedger
from adapters.store.rules import MOST_BYTES
from control_plane.ports import Change, Ledger, Written
from control_plane.tables import SHELVES, Message, Tables
from domain.alarms import Alarm, AlarmKey, AlarmType, Severity
from domain.bookkeeping import Cursor, Quarantined, Tally
from domain.chains import first_break
from domain.clock import ManualClock
from domain.errors import BadInput, Conflict, NotFound, Unavailable
from domain.ids import new_id
from domain.measurements import Batch, Metric, Reading
from domain.records import GENESIS, REDACTED, Entry, Field, Redaction, row_of
from tests.postgresql import fresh_store
from tests.stores import empty_file


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Ledger]:
    with ExitStack() as opened:
        match request.param:
            case "memory":
                ledger: Ledger = MemoryLedger(clock)
            case "sqlite":
                ledger = SqlLedger(empty_file(tmp_path), clock)
            case _:
                ledger = SqlLedger(opened.enter_context(fresh_store()), clock)
        opened.callback(ledger.close)
        yield ledger


@pytest.fixture
def entry(clock: ManualClock) -> Callable[..., Entry]:
    def make(*refs: str, tenant: str = "default", **fields: Any) -> Entry:
        return Entry(
            kind="test.thing.written", actor="tester", refs=refs, fields=fields, event_time=clock.now(), tenant=tenant
        )

    return make


@pytest.fixture
def alarm(clock: ManualClock) -> Callable[..., Alarm]:
    def make(id: str, resource: str = "tp:1", **fields: Any) -> Alarm:
        now = clock.now()
        known = {"source": "test", "event_time": now, "last_event_time": now, "known_time": now}
        key = AlarmKey(resource=resource, type=AlarmType.LINK_DOWN)
        return Alarm(id=id, key=key, severity=Severity.MAJOR, highest_severity=Severity.MAJOR, **{**known, **fields})

    return make


def added(entry: Callable[..., Entry], shelf: str, *records: Any) -> Change[None]:
    """A change that puts records on a shelf and records it."""

    def change(tables: Tables) -> Written[None]:
        getattr(tables, shelf).add(*records)
        return Written(None, (entry(*(record.id for record in records)),))

    return change


def ids(records: Sequence[Any]) -> list[str]:
    return [record.id for record in records]


def in_threads(work: Sequence[Callable[[], None]]) -> None:
    """Run all at once; raise what one of them raised."""
    start = threading.Barrier(len(work))

    def run(one: Callable[[], None]) -> None:
        start.wait()
        one()

    with ThreadPoolExecutor(len(work)) as pool:
        for future in [pool.submit(run, one) for one in work]:
            future.result()


# --- shelves


def test_every_shelf_of_the_port_is_there(ledger: Ledger) -> None:
    def shelves(tables: Tables) -> set[str]:
        return {name for name in dir(tables) if not name.startswith("_") and getattr(tables, name).count() == 0}

    there = ledger.read(shelves)

    assert there == set(SHELVES) == set(get_type_hints(Tables))


def test_what_was_added_is_got_back_equal(ledger: Ledger, entry: Any, alarm: Any) -> None:
    one = alarm("alm_1", text='quoted "text" with ü and \x00', cleared=True)

    ledger.do(added(entry, "alarms", one))

    assert ledger.read(lambda tables: tables.alarms.get("alm_1")) == one


def test_getting_what_is_not_there_gives_none(ledger: Ledger) -> None:
    assert ledger.read(lambda tables: tables.alarms.get("alm_1")) is None


def test_a_change_sees_what_it_wrote_itself(ledger: Ledger, entry: Any, alarm: Any) -> None:
    def change(tables: Tables) -> Written[int]:
        tables.alarms.add(alarm("alm_1"), alarm("alm_2"))
        return Written(tables.alarms.count(cleared=False), (entry(),))

    assert ledger.do(change) == 2


def test_found_records_come_in_order_of_id(ledger: Ledger, entry: Any, alarm: Any) -> None:
    ledger.do(added(entry, "alarms", alarm("alm_2"), alarm("alm_10"), alarm("alm_1"), alarm("Alm_3")))

    assert ids(ledger.read(lambda tables: tables.alarms.find())) == ["Alm_3", "alm_1", "alm_10", "alm_2"]
    newest = ledger.read(lambda tables: tables.alarms.find(newest=True, limit=2))
    assert ids(newest) == ["alm_2", "alm_10"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"after": "c2"}, ["c3", "c4"]),
        ({"after": "c2", "newest": True}, ["c1"]),
        ({"after": "c0", "limit": 2}, ["c1", "c2"]),
        ({"after": "c25", "limit": 1}, ["c3"]),
        ({"limit": 0}, []),
        ({"limit": 9}, ["c1", "c2", "c3", "c4"]),
    ],
)
def test_a_listing_can_be_paged(ledger: Ledger, entry: Any, options: dict[str, Any], expected: list[str]) -> None:
    ledger.do(added(entry, "cursors", *(Cursor(id=f"c{n}", position=n) for n in (1, 2, 3, 4))))

    assert ids(ledger.read(lambda tables: tables.cursors.find(**options))) == expected


def test_a_limit_below_zero_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        ledger.read(lambda tables: tables.cursors.find(limit=-1))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"resource": "tp:a"}, ["a1", "a2"]),
        ({"resource": "tp:a", "cleared": True}, ["a2"]),
        ({"resource": ("tp:a", "tp:b")}, ["a1", "a2", "b1"]),
        ({"resource": {"tp:b", "tp:nowhere"}}, ["b1"]),
        ({"resource": []}, []),
        ({"incident_id": None}, ["a1", "b1"]),
        ({"incident_id": (None, "inc_1")}, ["a1", "a2", "b1"]),
        ({"identity": "tp:b|link_down|"}, ["b1"]),
        ({"source": "TEST"}, []),
    ],
)
def test_records_are_found_by_their_searchable_fields(
    ledger: Ledger, entry: Any, alarm: Any, where: dict[str, Any], expected: list[str]
) -> None:
    second = alarm("a2", "tp:a", cleared=True, incident_id="inc_1")
    ledger.do(added(entry, "alarms", alarm("a1", "tp:a"), second, alarm("b1", "tp:b")))

    assert ids(ledger.read(lambda tables: tables.alarms.find(**where))) == expected
    assert ledger.read(lambda tables: tables.alarms.count(**where)) == len(expected)


def test_any_of_very_many_values_is_found_once_and_in_order(ledger: Ledger, entry: Any, alarm: Any) -> None:
    names = [f"tp:{n}" for n in range(1201)]
    ledger.do(added(entry, "alarms", *(alarm(f"alm_{n:04}", names[n]) for n in range(0, 1201, 100))))

    wanted = (*names, *names)
    found = ledger.read(lambda tables: tables.alarms.find(resource=wanted, source=["test", "other"], limit=5))

    assert ids(found) == ["alm_0000", "alm_0100", "alm_0200", "alm_0300", "alm_0400"]
    assert ledger.read(lambda tables: tables.alarms.count(resource=wanted)) == 13


def test_searching_by_another_field_is_refused(ledger: Ledger) -> None:
    with pytest.raises(KeyError, match="text"):
        ledger.read(lambda tables: tables.alarms.find(text="x"))
    with pytest.raises(KeyError, match="severity"):
        ledger.read(lambda tables: tables.alarms.count(severity="major"))


def test_a_record_on_the_wrong_shelf_is_refused(ledger: Ledger, entry: Any) -> None:
    with pytest.raises(TypeError, match="Cursor"):
        ledger.do(added(entry, "alarms", Cursor(id="c", position=1)))


def test_half_a_character_is_refused_wherever_it_is_looked_for(ledger: Ledger) -> None:
    half = "tp:\ud800"
    looks: list[Callable[[Tables], Any]] = [
        lambda tables: tables.alarms.get(half),
        lambda tables: tables.alarms.find(resource=half),
        lambda tables: tables.alarms.find(after=half),
        lambda tables: tables.alarms.count(resource=["x", half]),
    ]

    for look in looks:
        with pytest.raises(BadInput, match="surrogate"):
            ledger.read(look)
    with pytest.raises(BadInput, match="surrogate"):
        ledger.records(ref=half)


def test_a_text_to_search_by_may_be_long_and_not_longer(
    ledger: Ledger, entry: Any, clock: ManualClock, seed: int
) -> None:
    letters = "".join(Random(seed).choices(ascii_letters, k=MOST_BYTES + 1))  # nothing that a database could shorten
    known = {"rule": "r", "reason": "", "value": "", "payload": "", "known_time": clock.now()}
    longest, longer = (Quarantined(id=f"q{n}", source=letters[:n], **known) for n in (MOST_BYTES - 5, MOST_BYTES - 4))

    ledger.do(added(entry, "quarantine", longest))
    for change in (
        added(entry, "quarantine", longer),
        added(entry, "cursors", Cursor(id=letters, position=1)),
        lambda tables: Written(None, (entry(letters),)),
    ):
        with pytest.raises(BadInput, match="at most"):
            ledger.do(change)

    assert ledger.read(lambda tables: tables.quarantine.find(source=longest.source)) == [longest]
    assert len(ledger.records()) == 1


# --- swap


def test_a_swap_replaces_what_was_read_and_is_found_anew(ledger: Ledger, entry: Any, alarm: Any) -> None:
    old = alarm("alm_1")
    ledger.do(added(entry, "alarms", old))

    swapped = ledger.do(lambda tables: Written(tables.alarms.swap(old, old.but(cleared=True)), (entry(),)))

    assert swapped
    assert ids(ledger.read(lambda tables: tables.alarms.find(cleared=True))) == ["alm_1"]
    assert ledger.read(lambda tables: tables.alarms.find(cleared=False)) == []


def test_a_swap_of_what_has_changed_since_does_nothing(ledger: Ledger, entry: Any) -> None:
    old = Cursor(id="c", position=1)
    ledger.do(added(entry, "cursors", old.but(position=2)))

    swapped = ledger.do(lambda tables: Written(tables.cursors.swap(old, old.but(position=9)), (entry(),)))
    missing = ledger.do(lambda tables: Written(tables.tallies.swap(Tally(id="t"), Tally(id="t", kept=1)), (entry(),)))

    assert (swapped, missing) == (False, False)
    assert ledger.read(lambda tables: tables.cursors.get("c")) == old.but(position=2)


def test_a_swap_keeps_the_id(ledger: Ledger, entry: Any) -> None:
    one, other = Cursor(id="c", position=1), Cursor(id="d", position=1)
    ledger.do(added(entry, "cursors", one))

    with pytest.raises(ValueError, match="keeps the id"):
        ledger.do(lambda tables: Written(tables.cursors.swap(one, other), (entry(),)))


def test_of_many_threads_that_swap_the_same_record_one_wins(ledger: Ledger, entry: Any) -> None:
    old, wins = Cursor(id="c", position=0), []
    ledger.do(added(entry, "cursors", old))

    def race(n: int) -> None:
        won = ledger.do(lambda tables: Written(tables.cursors.swap(old, old.but(position=n)), (entry(),)))
        wins.extend([n] if won else [])

    in_threads([lambda n=n: race(n) for n in range(1, 17)])

    assert len(wins) == 1
    assert ledger.read(lambda tables: tables.cursors.get("c")) == old.but(position=wins[0])


# --- one change is one whole


def test_a_change_that_raises_leaves_nothing(ledger: Ledger, entry: Any, clock: ManualClock) -> None:
    ledger.do(added(entry, "cursors", Cursor(id="c", position=1)))

    def change(tables: Tables) -> Written[None]:
        tables.cursors.add(Cursor(id="d", position=1))
        tables.cursors.swap(Cursor(id="c", position=1), Cursor(id="c", position=2))
        raise LookupError("changed my mind")

    with pytest.raises(LookupError, match="changed my mind"):
        ledger.do(change)
    assert ledger.read(lambda tables: tables.cursors.find()) == [Cursor(id="c", position=1)]
    assert len(ledger.records()) == 1
    assert ledger.next_due() is None


def test_a_taken_id_takes_the_whole_change_back(ledger: Ledger, entry: Any) -> None:
    ledger.do(added(entry, "cursors", Cursor(id="c5", position=0)))

    with pytest.raises(Conflict, match="`c5`"):
        ledger.do(added(entry, "cursors", *(Cursor(id=f"c{n}", position=n) for n in range(9))))
    with pytest.raises(Conflict, match="`d`"):
        ledger.do(added(entry, "cursors", Cursor(id="d", position=1), Cursor(id="d", position=2)))
    assert ids(ledger.read(lambda tables: tables.cursors.find())) == ["c5"]


def test_a_change_may_go_on_after_a_taken_id_and_none_of_that_add_is_there(ledger: Ledger, entry: Any) -> None:
    ledger.do(added(entry, "cursors", Cursor(id="c5", position=0)))

    def change(tables: Tables) -> Written[None]:
        with pytest.raises(Conflict):
            tables.cursors.add(*(Cursor(id=f"c{n}", position=n) for n in range(9)))
        tables.tallies.add(Tally(id="t"))
        return Written(None, (entry(),))

    ledger.do(change)
    assert ids(ledger.read(lambda tables: tables.cursors.find())) == ["c5"]
    assert ids(ledger.read(lambda tables: tables.tallies.find())) == ["t"]


def test_a_taken_message_id_takes_the_whole_change_back(ledger: Ledger, entry: Any, clock: ManualClock) -> None:
    message = Message(id="msg_1", topic="wake", ref="inc_1", due_at=clock.now())
    ledger.do(lambda tables: Written(None, (entry(),), (message,)))

    def change(tables: Tables) -> Written[None]:
        tables.tallies.add(Tally(id="t"))
        return Written(None, (entry(),), (message,))

    with pytest.raises(Conflict, match="message"):
        ledger.do(change)
    assert ledger.read(lambda tables: tables.tallies.find()) == []
    assert len(ledger.records()) == 1


def test_nothing_is_written_unrecorded(ledger: Ledger) -> None:
    def change(tables: Tables) -> Written[None]:
        tables.tallies.add(Tally(id="t"))
        return Written(None)

    with pytest.raises(ValueError, match="unrecorded"):
        ledger.do(change)
    assert ledger.read(lambda tables: tables.tallies.find()) == []


def test_a_refusal_is_recorded_without_a_write_and_looking_needs_no_record(ledger: Ledger, entry: Any) -> None:
    ledger.do(lambda tables: Written(None, (entry("prop_1", why="not allowed"),)))
    looked = ledger.do(lambda tables: Written(tables.tallies.count()))

    assert looked == 0
    assert [record.fields["why"].value for record in ledger.records()] == ["not allowed"]


def test_a_value_that_cannot_be_recorded_takes_the_change_back(ledger: Ledger, entry: Any) -> None:
    def change(tables: Tables) -> Written[None]:
        tables.tallies.add(Tally(id="t"))
        return Written(None, (entry(share=float("nan")),))

    with pytest.raises(ValueError, match=r"(?i)nan"):
        ledger.do(change)
    assert ledger.read(lambda tables: tables.tallies.find()) == []


def test_a_change_within_a_change_is_refused(ledger: Ledger, entry: Any) -> None:
    def change(tables: Tables) -> Written[None]:
        ledger.do(lambda inner: Written(None, (entry(),)))
        return Written(None)

    with pytest.raises(RuntimeError, match="may not start another"):
        ledger.do(change)
    ledger.do(added(entry, "tallies", Tally(id="t")))  # and the writer's turn was given back


# --- reading


def test_a_view_cannot_be_written(ledger: Ledger, entry: Any) -> None:
    ledger.do(added(entry, "tallies", Tally(id="t")))

    with pytest.raises(TypeError, match="read-only"):
        ledger.read(lambda tables: tables.tallies.add(Tally(id="u")))
    with pytest.raises(TypeError, match="read-only"):
        ledger.read(lambda tables: tables.tallies.swap(Tally(id="t"), Tally(id="t", kept=1)))
    assert ledger.read(lambda tables: tables.tallies.find()) == [Tally(id="t")]


def test_a_view_stays_as_it_was_while_others_write(ledger: Ledger, entry: Any) -> None:
    ledger.do(added(entry, "tallies", Tally(id="t")))

    def query(tables: Tables) -> tuple[int, int]:
        before = tables.tallies.count()
        in_threads([lambda: ledger.do(added(entry, "tallies", Tally(id="u")))])
        return before, tables.tallies.count()

    assert ledger.read(query) == (1, 1)
    assert ledger.read(lambda tables: tables.tallies.count()) == 2


# --- the outbox


def test_messages_appear_when_due_in_order_and_are_hidden_while_leased(
    ledger: Ledger, entry: Any, clock: ManualClock
) -> None:
    now = clock.now()
    late, early, later = (
        Message(id=f"msg_{name}", topic="wake", ref="inc_1", due_at=now + timedelta(seconds=after))
        for name, after in (("a", 2), ("b", 1), ("c", 60))
    )
    ledger.do(lambda tables: Written(None, (entry(),), (late, early, later)))

    assert ledger.due(now) == []
    assert ledger.next_due() == early.due_at
    clock.advance(5)
    assert ledger.due(clock.now(), lease_s=10) == [early, late]
    assert ledger.due(clock.now()) == []
    assert ledger.next_due() == clock.now() + timedelta(seconds=10)


def test_a_message_comes_back_after_its_lease_unless_it_was_done(
    ledger: Ledger, entry: Any, clock: ManualClock
) -> None:
    first, second = (Message(id=f"msg_{n}", topic="wake", ref="inc_1", due_at=clock.now()) for n in (1, 2))
    ledger.do(lambda tables: Written(None, (entry(),), (first, second)))

    ledger.done(ledger.due(clock.now(), lease_s=10, limit=1))
    ledger.due(clock.now(), lease_s=10)
    clock.advance(10)

    assert ledger.due(clock.now()) == [second]
    ledger.done([first, second])
    assert ledger.next_due() is None


def test_many_threads_never_take_the_same_message(ledger: Ledger, entry: Any, clock: ManualClock) -> None:
    messages = tuple(Message(id=f"msg_{n:03}", topic="wake", ref="", due_at=clock.now()) for n in range(60))
    ledger.do(lambda tables: Written(None, (entry(),), messages))
    taken: list[str] = []

    in_threads([lambda: taken.extend(ids(ledger.due(clock.now(), limit=10))) for _ in range(8)])

    assert sorted(taken) == ids(messages)


# --- the record


def test_records_come_in_order_with_the_time_they_were_known(ledger: Ledger, entry: Any, clock: ManualClock) -> None:
    ledger.do(lambda tables: Written(None, (entry("a", n=1), entry("b", n=2))))
    clock.advance(3)
    ledger.do(lambda tables: Written(None, (entry("a", "b", n=3),)))

    records = ledger.records()
    assert [record.fields["n"].value for record in records] == [1, 2, 3]
    assert [record.sequence for record in records] == [1, 2, 3]
    assert records[2].known_time - records[1].known_time == timedelta(seconds=3)
    assert first_break(records) is None


def test_records_are_found_by_what_they_mention_and_paged(ledger: Ledger, entry: Any) -> None:
    ledger.do(lambda tables: Written(None, tuple(entry(f"r{n % 2}", f"r{n % 2}", "all") for n in range(1, 7))))

    assert [record.sequence for record in ledger.records(ref="r1")] == [1, 3, 5]
    assert [record.sequence for record in ledger.records(ref="r1", after=1, limit=1)] == [3]
    assert [record.sequence for record in ledger.records(after=4)] == [5, 6]
    assert ledger.records(ref="r") == []


def test_each_tenant_has_a_chain_of_its_own(ledger: Ledger, entry: Any) -> None:
    ledger.do(lambda tables: Written(None, (entry("x", tenant="a"), entry("x", tenant="b"), entry("y", tenant="a"))))

    chains = {tenant: ledger.records(tenant) for tenant in ("a", "b", "default")}

    assert {tenant: [record.id for record in chain] for tenant, chain in chains.items()} == {
        "a": ["a:000000000001", "a:000000000002"],
        "b": ["b:000000000001"],
        "default": [],
    }
    assert [first_break(chain) for chain in chains.values()] == [None, None, None]
    assert [record.tenant for record in ledger.records("b", ref="x")] == ["b"]


def test_the_chain_verifies_after_fifty_writers_at_once(ledger: Ledger, entry: Any) -> None:
    def write(n: int) -> None:
        for turn in range(4):
            ledger.do(added(entry, "cursors", Cursor(id=f"c{n}-{turn}", position=turn)))

    in_threads([lambda n=n: write(n) for n in range(50)])

    records = ledger.records()
    assert first_break(records) is None
    assert Counter(record.refs[0] for record in records) == Counter(
        ids(ledger.read(lambda tables: tables.cursors.find()))
    )
    assert len(records) == 200


def test_what_was_recorded_cannot_be_changed_through_the_caller_s_own_data(ledger: Ledger, entry: Any) -> None:
    data = {"list": [1, 2]}
    ledger.do(lambda tables: Written(None, (entry(data=data),)))

    data["list"].append(3)

    assert ledger.records()[0].fields["data"].value == {"list": [1, 2]}
    assert first_break(ledger.records()) is None


def test_a_closed_ledger_says_so(ledger: Ledger, entry: Any, clock: ManualClock) -> None:
    ledger.close()

    with pytest.raises(Unavailable, match="closed"):
        ledger.do(added(entry, "tallies", Tally(id="t")))
    with pytest.raises(Unavailable, match="closed"):
        ledger.read(lambda tables: tables.tallies.count())
    with pytest.raises(Unavailable, match="closed"):
        ledger.records()
    with pytest.raises(Unavailable, match="closed"):
        ledger.due(clock.now())


def test_old_readings_are_forgotten_and_newer_ones_stay(ledger: Ledger, entry: Callable[..., Entry]) -> None:
    noon = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
    reading = Reading(element="tp:1", metric=Metric.OPER_UP, value=None, event_time=noon)
    times = [noon, noon + timedelta(minutes=20)]
    batches = [
        Batch(
            id=new_id("batch", at),
            source="pm",
            known_time=at,
            first_event_time=at,
            last_event_time=at,
            readings=(reading,),
        )
        for at in times
    ]
    ledger.do(added(entry, "batches", *batches))

    forgotten = ledger.forget_readings(noon + timedelta(minutes=10))

    assert forgotten == 1
    assert ledger.read(lambda tables: tables.batches.find()) == [batches[1]]


def test_rows_are_the_records_byte_for_byte_and_the_tip_is_the_last(ledger: Ledger, entry: Any) -> None:
    for n in range(3):
        ledger.do(lambda _, n=n: Written(None, (entry("r", n=n, share=0.5), entry("s", tenant="other"))))

    records = ledger.records()
    assert ledger.rows() == [row_of(record) for record in records]
    assert ledger.rows(after=1, limit=1) == [row_of(records[1])]
    assert ledger.tip() == (3, records[-1].hash)
    assert ledger.tip("nobody") == (0, GENESIS)
    assert ledger.tenants() == ["default", "other"]


def test_a_field_is_emptied_with_its_record_or_not_at_all(ledger: Ledger, entry: Any, clock: ManualClock) -> None:
    ledger.do(lambda _: Written(None, (entry("r", subscriber="imsi-1", cause="x"),)))
    said = {"record": "default:000000000001", "field": "subscriber"}
    told = Entry(kind=REDACTED, actor="a", fields=said, event_time=clock.now())
    where = Redaction("default", 1, "subscriber")
    gone = Redaction("default", 1, "cause")
    with pytest.raises(ValueError, match="gave no entry"):
        ledger.do(lambda _: Written(None, (told,), redactions=(where, gone)))
    assert ledger.records()[0].fields["subscriber"].value == "imsi-1"

    ledger.do(lambda _: Written(None, (told,), redactions=(where,)))

    first, last = ledger.records()
    assert (first.fields["subscriber"], first.fields["cause"].value) == (Field(), "x")
    assert last.kind == REDACTED
    assert first_break(ledger.records()) is None
    with pytest.raises(Conflict, match="empty already"):
        ledger.do(lambda _: Written(None, (told,), redactions=(where,)))
    assert len(ledger.records()) == 2


def test_many_that_write_at_once_lose_nothing_to_a_redaction_that_fails(ledger: Ledger, entry: Any) -> None:
    fields = {"record": "default:000000009999", "field": "x"}
    told = entry(**fields).but(kind=REDACTED)

    def attempt(n: int) -> bool:
        try:
            missing = (Redaction("default", 9999, "x"),) if n % 4 == 0 else ()
            ledger.do(lambda _: Written(None, (told if missing else entry(f"r{n}"),), redactions=missing))
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(attempt, range(40)))

    assert kept == [n % 4 != 0 for n in range(40)]
    assert len(ledger.records()) == 30
    assert first_break(ledger.records()) is None
