"""Checkpoints wake a sleeping graph; losing them must cost nothing but the wake-up."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from adapters.store.checkpoints import SCHEMA, PostgresWakes, SqliteWakes, open_wakes
from adapters.store.ledger import SqlLedger
from control_plane.ports import Wakes, Written
from domain.clock import ManualClock
from domain.errors import Unavailable
from domain.records import Entry
from tests.postgresql import ask, end_connections, fresh_database, fresh_store


class Matter(TypedDict):
    id: str


def sleeper(wakes: Wakes) -> Any:
    """A graph of one node that sleeps until it is entered again."""
    graph = StateGraph(Matter)
    graph.add_node("wait", lambda matter: {"id": f"{matter['id']}:{interrupt('asleep')}"})
    graph.add_edge(START, "wait")
    graph.add_edge("wait", END)
    return graph.compile(checkpointer=wakes.saver())


def run(wakes: Wakes) -> Any:
    config = {"configurable": {"thread_id": "inc_1"}}
    graph = sleeper(wakes)
    if not graph.get_state(config).next:
        graph.invoke({"id": "inc_1"}, config)
    return graph.get_state(config)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"not a database" * 99)])
def test_a_deleted_or_damaged_file_is_made_anew(damage: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "wakes.db"
    wakes = SqliteWakes(path)
    run(wakes)
    wakes.close()
    damage(path)

    again = SqliteWakes(path)

    assert sleeper(again).get_state({"configurable": {"thread_id": "inc_1"}}).next == ()
    assert run(again).next == ("wait",)
    again.close()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        SqliteWakes(tmp_path / "nowhere" / "wakes.db")


# --- on a server


@pytest.fixture
def address() -> Iterator[str]:
    with fresh_store() as address:
        yield address


@pytest.fixture
def on_a_server(address: str) -> Iterator[PostgresWakes]:
    wakes = PostgresWakes(address, busy_s=2)
    yield wakes
    wakes.close()


def test_checkpoints_deleted_under_a_running_house_are_made_anew(on_a_server: PostgresWakes, address: str) -> None:
    run(on_a_server)
    ask(address, f"DROP SCHEMA {SCHEMA} CASCADE")

    with pytest.raises(Unavailable, match="cannot be used"):
        run(on_a_server)

    assert run(on_a_server).next == ("wait",)


def test_a_lost_connection_is_replaced(on_a_server: PostgresWakes, address: str) -> None:
    run(on_a_server)
    end_connections(address)

    assert run(on_a_server).next == ("wait",)


def test_checkpoints_and_ledger_share_a_database_and_nothing_else(
    on_a_server: PostgresWakes, address: str, clock: ManualClock
) -> None:
    ledger = SqlLedger(address, clock)
    entry = Entry(kind="test.thing.written", actor="tester", event_time=clock.now())
    ledger.do(lambda _: Written(None, (entry,)))
    run(on_a_server)

    ask(address, f"DROP SCHEMA {SCHEMA} CASCADE")

    assert len(ledger.records()) == 1
    ledger.close()
    SqlLedger(address, clock).close()  # and it is opened again as if they had never been there


def test_two_houses_that_open_new_checkpoints_at_once_both_find_them_made() -> None:
    with fresh_database() as address, ThreadPoolExecutor(4) as pool:
        for wakes in pool.map(lambda _: PostgresWakes(address), range(4)):
            assert wakes.saver().get_tuple({"configurable": {"thread_id": "inc_1"}}) is None
            wakes.close()


def test_checkpoints_are_opened_where_the_database_is(address: str, tmp_path: Path) -> None:
    opened = [open_wakes(database, tmp_path) for database in (address, "", f"sqlite:///{tmp_path / 'x.db'}")]

    assert [type(wakes) for wakes in opened] == [PostgresWakes, SqliteWakes, SqliteWakes]
    for wakes in opened:
        wakes.close()
