"""Changes that share a transaction: each is whole or leaves nothing, and is answered by itself, after the commit."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory import MemoryLedger
from adapters.store.engine import Database
from adapters.store.group_commit import GroupCommit
from adapters.store.ledger import SqlLedger
from adapters.store.shared import SharedTransaction
from control_plane.ports import Change, Ledger, Written
from control_plane.tables import Message, Tables
from domain.bookkeeping import Cursor
from domain.chains import first_break
from domain.clock import ManualClock
from domain.errors import Conflict, Unavailable
from domain.records import Entry
from tests.postgresql import fresh_store

Work = Callable[[SharedTransaction], Any]


class Group:
    """One ledger, and the group commit of another on the same database: what one writes, the other must see."""

    def __init__(self, where: str, clock: ManualClock) -> None:
        self.clock = clock
        self.beside = SqlLedger(where, clock)
        self.database = Database(where, busy_s=10.0)
        self.commit = GroupCommit(self.database, clock, open_s=30.0)

    def do(self, change: Change[Any]) -> Any:
        return self.commit.run(lambda shared: shared.carry_out(change))

    def in_one_round(self, works: Sequence[Work]) -> list[object]:
        """Keep the writer busy until all wait, in this order; return what each was answered."""
        busy, go = threading.Event(), threading.Event()

        def hold(_: SharedTransaction) -> None:
            busy.set()
            assert go.wait(30)

        with ThreadPoolExecutor(len(works) + 1) as pool:
            first = pool.submit(self.commit.run, hold)
            assert busy.wait(30)
            answers: list[Future[object]] = []
            for count, work in enumerate(works, 1):
                answers.append(pool.submit(self.commit.run, work))
                while self.commit.waiting < count:
                    time.sleep(0.0002)
            go.set()
            outcome(first)
            return [outcome(answer) for answer in answers]

    def changes_in_one_round(self, changes: Sequence[Change[Any]]) -> list[object]:
        return self.in_one_round([lambda shared, change=change: shared.carry_out(change) for change in changes])

    def close(self) -> None:
        self.commit.close()
        self.beside.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def group(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Group]:
    with fresh_store() if request.param == "postgresql" else nullcontext(str(tmp_path / "nocturne.db")) as where:
        group = Group(where, clock)
        yield group
        group.close()


def outcome(answer: "Future[object]") -> object:
    """Return the result, or the error as it was raised."""
    return answer.exception() or answer.result()


def adds(clock: ManualClock, id: str, *, then: BaseException | None = None, tenant: str = "default") -> Change[str]:
    """A change that puts a cursor on the shelf, records it, wakes somebody, and may raise after all that."""

    def change(tables: Tables) -> Written[str]:
        tables.cursors.add(Cursor(id=id, position=tables.cursors.count()))
        if then is not None:
            raise then
        entry = Entry(kind="test.cursor.added", actor="writer", refs=(id,), event_time=clock.now(), tenant=tenant)
        return Written(id, (entry,), (Message(id=f"msg_{id}", topic="t", ref=id, due_at=clock.now()),))

    return change


def standing(ledger: Ledger, clock: ManualClock) -> dict[str, Any]:
    """Everything that is in a store, as others see it."""
    return {
        "cursors": ledger.read(lambda tables: tables.cursors.find()),
        "records": [(record.sequence, record.refs, record.tenant) for record in ledger.records()],
        "messages": [message.ref for message in ledger.due(clock.now(), lease_s=0, limit=1000)],
        "broken": first_break(ledger.records()),
    }


# --- one round


def test_of_a_round_only_what_raised_is_lost_and_each_caller_gets_its_own_answer(group: Group) -> None:
    refusals = {3: Conflict("somebody was faster"), 5: LookupError("changed my mind"), 6: SystemExit(2)}
    changes = [adds(group.clock, f"c{n}", then=refusals.get(n)) for n in range(10)]

    answers = group.changes_in_one_round(changes)

    kept = [n for n in range(10) if n not in refusals]
    assert answers == [refusals.get(n, f"c{n}") for n in range(10)]
    assert standing(group.beside, group.clock) == {
        "cursors": [Cursor(id=f"c{n}", position=place) for place, n in enumerate(kept)],
        "records": [(place, (f"c{n}",), "default") for place, n in enumerate(kept, 1)],
        "messages": [f"c{n}" for n in kept],
        "broken": None,
    }


def test_a_taken_message_id_and_a_missing_entry_lose_that_change_only(group: Group) -> None:
    def unrecorded(tables: Tables) -> Written[None]:
        tables.cursors.add(Cursor(id="unrecorded", position=1))
        return Written(None)

    def same_message(tables: Tables) -> Written[None]:
        tables.cursors.add(Cursor(id="same message", position=1))
        message = Message(id="msg_c1", topic="t", ref="", due_at=group.clock.now())
        return Written(None, (Entry(kind="a.b.c", actor="x", event_time=group.clock.now()),), (message,))

    answers = group.changes_in_one_round(
        [adds(group.clock, "c1"), unrecorded, same_message, adds(group.clock, "c1"), adds(group.clock, "c2")]
    )

    assert [type(answer) for answer in answers] == [str, ValueError, Conflict, Conflict, str]
    found = standing(group.beside, group.clock)
    assert [cursor.id for cursor in found["cursors"]] == ["c1", "c2"]
    assert found["records"] == [(1, ("c1",), "default"), (2, ("c2",), "default")]


def test_what_raises_at_its_very_end_leaves_no_record_and_no_gap_in_the_chain(group: Group) -> None:
    def interrupted(shared: SharedTransaction) -> None:
        shared.carry_out(adds(group.clock, "b"))
        raise LookupError

    first, last = ((lambda shared, id=id: shared.carry_out(adds(group.clock, id))) for id in ("a", "c"))

    assert [type(answer) for answer in group.in_one_round([first, interrupted, last])] == [str, LookupError, str]
    found = standing(group.beside, group.clock)
    assert (found["records"], found["broken"]) == ([(1, ("a",), "default"), (2, ("c",), "default")], None)


def test_every_tenant_has_a_chain_of_its_own_in_one_round(group: Group) -> None:
    tenants = ["north", "south", "north", "south", "north"]
    first = [adds(group.clock, f"a{n}", tenant=tenant) for n, tenant in enumerate(tenants)]
    again = [adds(group.clock, f"b{n}", tenant=tenant) for n, tenant in enumerate(tenants)]

    group.changes_in_one_round(first)
    group.changes_in_one_round(again)

    chains = {tenant: group.beside.records(tenant) for tenant in ("north", "south", "default")}
    assert {tenant: len(chain) for tenant, chain in chains.items()} == {"north": 6, "south": 4, "default": 0}
    assert all(first_break(chain) is None for chain in chains.values())


def lost(shared: SharedTransaction) -> None:
    """Lose the transaction below a change, as a full disk or a server that goes does."""
    if shared.connection.dialect.name == "postgresql":
        shared.connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    shared.connection.exec_driver_sql("ROLLBACK")


def test_a_round_that_is_lost_is_lost_for_all_and_the_next_one_works(group: Group) -> None:
    kept = [lambda shared, id=id: shared.carry_out(adds(group.clock, id)) for id in ("a", "b", "c")]

    answers = group.in_one_round([kept[0], kept[1], lost, kept[2]])

    assert [type(answer) for answer in answers] == [Unavailable] * 4
    assert len({id(answer) for answer in answers}) == 4  # an error is written to when it is raised: one for each caller
    assert standing(group.beside, group.clock)["cursors"] == []
    assert group.do(adds(group.clock, "later")) == "later"
    assert standing(group.beside, group.clock)["records"] == [(1, ("later",), "default")]


def test_a_failure_of_the_database_in_one_change_is_told_to_that_caller_alone(group: Group) -> None:
    def misspelt(shared: SharedTransaction) -> None:
        shared.connection.exec_driver_sql("SELECT nothing FROM nowhere")

    answers = group.in_one_round([misspelt, lambda shared: shared.carry_out(adds(group.clock, "c"))])

    assert [type(answers[0]), answers[1]] == [Unavailable, "c"]


def test_a_change_within_somebody_elses_round_may_not_start_another(group: Group) -> None:
    def nested(tables: Tables) -> Written[None]:
        group.do(adds(group.clock, "inner"))
        return Written(None)

    answers = group.changes_in_one_round([nested, adds(group.clock, "c"), nested])

    assert [type(answer) for answer in answers] == [RuntimeError, str, RuntimeError]


def test_a_change_runs_in_the_context_of_its_caller(group: Group) -> None:
    request: ContextVar[str] = ContextVar("request", default="none")

    def called(name: str) -> str:
        request.set(name)
        return group.commit.run(lambda _: request.get())

    with ThreadPoolExecutor(8) as pool:
        names = [f"request {n}" for n in range(40)]
        assert list(pool.map(called, names)) == names


def test_whoever_waits_when_the_store_is_closed_is_told_so(group: Group) -> None:
    group.commit = GroupCommit(group.database, group.clock, open_s=0.0)  # whoever comes later waits for the next round
    busy, go = threading.Event(), threading.Event()

    def hold(shared: SharedTransaction) -> str:
        busy.set()
        assert go.wait(30)
        return shared.carry_out(adds(group.clock, "first"))

    with ThreadPoolExecutor(7) as pool:
        first = pool.submit(group.commit.run, hold)
        assert busy.wait(30)
        waiting = [pool.submit(group.do, adds(group.clock, f"c{n}")) for n in range(5)]
        while group.commit.waiting < len(waiting):
            time.sleep(0.0002)
        closed = pool.submit(group.commit.close)
        time.sleep(0.05)  # so that the closing stands in line
        go.set()
        answers = [outcome(answer) for answer in waiting]
        assert outcome(first) == "first"
        assert closed.result() is None

    with pytest.raises(Unavailable, match="closed"):
        group.do(adds(group.clock, "after"))
    there = {cursor.id for cursor in group.beside.read(lambda tables: tables.cursors.find())}
    told = {f"c{n}" if isinstance(answer, Unavailable) else answer for n, answer in enumerate(answers)}
    assert told == {f"c{n}" for n in range(5)}
    assert there == {"first"} | {answer for answer in answers if isinstance(answer, str)}


def test_the_main_thread_can_be_interrupted_in_its_own_change(group: Group) -> None:
    with pytest.raises(KeyboardInterrupt):
        group.do(adds(group.clock, "c", then=KeyboardInterrupt()))

    assert group.do(adds(group.clock, "d")) == "d"
    assert [cursor.id for cursor in standing(group.beside, group.clock)["cursors"]] == ["d"]


def test_an_interrupt_while_others_are_served_ends_the_round_and_not_the_others(group: Group) -> None:
    """The leader may be the main thread, which is where Ctrl-C arrives: in the middle of anybody's change."""
    with ThreadPoolExecutor(3) as pool:
        others: list[Future[object]] = []

        def leads(shared: SharedTransaction) -> None:
            changes = [adds(group.clock, "a"), adds(group.clock, "b", then=KeyboardInterrupt()), adds(group.clock, "c")]
            for count, change in enumerate(changes, 1):
                others.append(pool.submit(group.do, change))
                while group.commit.waiting < count:
                    time.sleep(0.0002)

        with pytest.raises(KeyboardInterrupt):
            group.commit.run(leads)
        assert [type(outcome(answer)) for answer in others] == [Unavailable] * 3

    assert group.do(adds(group.clock, "later")) == "later"
    assert [cursor.id for cursor in standing(group.beside, group.clock)["cursors"]] == ["later"]


@pytest.mark.parametrize("cut_off", [False, True], ids=["connected", "cut off"])
@pytest.mark.parametrize("time_it_runs", [1, 2], ids=["light", "careful"])
def test_an_interrupt_in_its_own_change_is_not_lost_when_the_round_is_shared(
    group: Group, time_it_runs: int, cut_off: bool
) -> None:
    """A real Ctrl-C comes once: what is run again would not raise it again. It may cut a statement off, too."""
    group.commit = GroupCommit(group.database, group.clock, open_s=0.0)  # whoever comes later waits for the next round
    busy, go, runs = threading.Event(), threading.Event(), []

    def hold(_: SharedTransaction) -> None:
        busy.set()
        assert go.wait(30)

    def interrupted(shared: SharedTransaction) -> str:
        runs.append(1)
        result: str = shared.carry_out(adds(group.clock, "own"))
        if len(runs) == time_it_runs:
            if cut_off:
                shared.connection.invalidate()  # as SQLAlchemy does when a statement is interrupted
            raise KeyboardInterrupt
        return result

    def join_behind() -> list[Future[object]]:
        while group.commit.waiting < 1:
            time.sleep(0.0002)
        changes = [adds(group.clock, "a"), adds(group.clock, "b", then=Conflict("refused after it wrote"))]
        others = [pool.submit(group.do, change) for change in changes]
        while group.commit.waiting < 3:
            time.sleep(0.0002)
        go.set()
        return others

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(group.commit.run, hold)
        assert busy.wait(30)
        others = pool.submit(join_behind)
        with pytest.raises(KeyboardInterrupt):
            group.commit.run(interrupted)
        assert [type(outcome(answer)) for answer in others.result()] == [Unavailable] * 2
        assert outcome(first) is None

    assert standing(group.beside, group.clock)["cursors"] == []
    assert group.do(adds(group.clock, "later")) == "later"


def test_a_message_that_no_store_can_keep_loses_that_change_only(group: Group) -> None:
    def unkeepable(tables: Tables) -> Written[None]:
        message = Message(id="msg_odd", topic="t", ref="half \ud800 a pair", due_at=group.clock.now())
        return Written(None, (), (message,))

    answers = group.changes_in_one_round([adds(group.clock, "a"), unkeepable, adds(group.clock, "b")])

    assert (answers[0], answers[2]) == ("a", "b")
    assert isinstance(answers[1], Exception)
    found = standing(group.beside, group.clock)
    assert (found["messages"], found["broken"]) == (["a", "b"], None)


def test_messages_that_can_be_read_once_are_forgotten_by_a_round_that_is_run_twice(group: Group) -> None:
    ledger = group.beside
    for id in ("a", "b"):
        ledger.do(adds(group.clock, id))
    dealt_with = iter(ledger.due(group.clock.now(), lease_s=0))

    def leads(_: Tables) -> Written[None]:
        """Have two stand in line for one round: the first says what is done, the second raises after it wrote."""
        works: list[Callable[[], Any]] = [
            lambda: ledger.done(dealt_with),
            lambda: ledger.do(adds(group.clock, "c", then=Conflict("refused"))),
        ]
        for count, work in enumerate(() if others else works, 1):  # it may be run twice itself
            others.append(pool.submit(work))
            while ledger._group.waiting < count:
                time.sleep(0.0002)
        return Written(None)

    with ThreadPoolExecutor(2) as pool:
        others: list[Future[Any]] = []
        ledger.do(leads)
        assert [type(outcome(answer)) for answer in others] == [type(None), Conflict]

    assert ledger.due(group.clock.now(), lease_s=0) == []


def test_an_error_carries_nothing_of_another_callers_error_and_no_ring(group: Group) -> None:
    def ruins(shared: SharedTransaction) -> None:
        lost(shared)
        shared.connection.exec_driver_sql("SELECT nothing FROM nowhere")

    refused = [adds(group.clock, id, then=Conflict(f"{id} was refused")) for id in ("a", "b")]

    answers = group.changes_in_one_round(refused)
    assert [(str(answer), behind(answer)) for answer in answers] == [("a was refused", []), ("b was refused", [])]

    ruined = group.in_one_round([lambda shared: shared.carry_out(refused[0]), ruins])
    assert [type(answer) for answer in ruined] == [Unavailable] * 2
    assert all(len(set(map(id, behind(answer)))) == len(behind(answer)) for answer in ruined)


def behind(error: object) -> list[BaseException]:
    """Return the errors that a traceback shows above this one; a ring goes on until somebody stops it."""
    chain: list[BaseException] = []
    while isinstance(error, BaseException) and len(chain) < 20:
        error = error.__cause__ or error.__context__
        chain += [error] if error is not None else []
    return chain


# --- many threads


def test_nobody_is_answered_before_others_can_see_what_was_done(group: Group) -> None:
    def write_and_look(n: int) -> bool:
        id = group.do(adds(group.clock, f"c{n}"))
        return group.beside.read(lambda tables: tables.cursors.get(id)) is not None and bool(
            group.beside.records(ref=id)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write_and_look, range(80)))


def test_under_load_with_refusals_every_answer_is_true(group: Group) -> None:
    def write(n: int) -> object:
        refusal = Conflict(f"c{n} is refused") if n % 10 == 0 else None
        try:
            return group.do(adds(group.clock, f"c{n}", then=refusal))
        except Conflict as error:
            return error.reason

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(write, range(200)))

    kept = {f"c{n}" for n in range(200) if n % 10}
    assert answers == [f"c{n}" if n % 10 else f"c{n} is refused" for n in range(200)]
    found = standing(group.beside, group.clock)
    assert {cursor.id for cursor in found["cursors"]} == kept == set(found["messages"])
    assert sorted(cursor.position for cursor in found["cursors"]) == list(range(len(kept)))
    assert {ref for _, refs, _ in found["records"] for ref in refs} == kept
    assert found["broken"] is None


def test_two_groups_on_one_database_extend_one_chain(group: Group) -> None:
    with ThreadPoolExecutor(8) as pool:
        mine = [pool.submit(group.do, adds(group.clock, f"a{n}")) for n in range(40)]
        others = [pool.submit(group.beside.do, adds(group.clock, f"b{n}")) for n in range(40)]
        for answer in [*mine, *others]:
            answer.result()

    records = group.beside.records()
    assert len(records) == 80
    assert first_break(records) is None


# --- the law

STORY = st.lists(
    st.fixed_dictionaries(
        {
            "add": st.sampled_from(["a", "b", "c", None]),
            "swap": st.sampled_from(["a", "b", "c", None]),
            "message": st.sampled_from(["m1", "m2", "m3", None]),
            "entries": st.integers(0, 2),
            "raises": st.sampled_from([False, False, False, True]),
        }
    ),
    min_size=1,
    max_size=7,
)


def told(clock: ManualClock, part: dict[str, Any]) -> Change[object]:
    def change(tables: Tables) -> Written[object]:
        if part["add"]:
            tables.cursors.add(Cursor(id=part["add"], position=0))
        old = tables.cursors.get(part["swap"]) if part["swap"] else None
        swapped = old is not None and tables.cursors.swap(old, old.but(position=old.position + 1))
        if part["raises"]:
            raise LookupError
        now = clock.now()
        entries = tuple(Entry(kind="a.b.c", actor="x", refs=(f"{n}",), event_time=now) for n in range(part["entries"]))
        messages = (Message(id=part["message"], topic="t", ref=part["message"], due_at=now),) if part["message"] else ()
        return Written((swapped, tables.cursors.find()), entries, messages)

    return change


def attempt(ledger: Ledger, change: Change[object]) -> object:
    try:
        return ledger.do(change)
    except (Conflict, LookupError, ValueError) as error:
        return type(error)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories=st.lists(STORY, min_size=1, max_size=2))
def test_a_round_answers_and_leaves_what_its_changes_would_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, clock: ManualClock, stories: list[list[dict[str, Any]]]
) -> None:
    model = MemoryLedger(clock)
    group = Group(str(tmp_path_factory.mktemp("law") / "nocturne.db"), clock)
    for story in stories:
        changes = [told(clock, part) for part in story]

        answers = group.changes_in_one_round(changes)

        as_types = [type(answer) if isinstance(answer, Exception) else answer for answer in answers]
        assert as_types == [attempt(model, change) for change in changes]
    assert standing(group.beside, clock) == standing(model, clock)
    group.close()
