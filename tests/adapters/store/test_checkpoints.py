"""Checkpoints wake a sleeping graph; losing them must cost nothing but the wake-up."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from adapters.store.checkpoints import MemoryWakes, SqliteWakes
from control_plane.ports import Wakes


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


@pytest.mark.parametrize("make", [lambda folder: MemoryWakes(), lambda folder: SqliteWakes(folder / "wakes.db")])
def test_a_sleeping_graph_is_remembered(make: Callable[[Path], Any], tmp_path: Path) -> None:
    wakes = make(tmp_path)

    state = run(wakes)

    assert state.next == ("wait",)
    assert state.values == {"id": "inc_1"}
    getattr(wakes, "close", lambda: None)()


def test_a_sleeping_graph_is_remembered_after_a_restart(tmp_path: Path) -> None:
    wakes = SqliteWakes(tmp_path / "wakes.db")
    run(wakes)
    wakes.close()

    again = SqliteWakes(tmp_path / "wakes.db")

    assert sleeper(again).get_state({"configurable": {"thread_id": "inc_1"}}).next == ("wait",)
    again.close()


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
