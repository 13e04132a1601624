"""One suite for every keeper of checkpoints: what the `Wakes` port promises; losing all of it costs nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from adapters.store.checkpoints import SCHEMA, MemoryWakes, PostgresWakes, SqliteWakes
from control_plane.ports import Wakes
from tests.postgresql import ask, fresh_database

STORES = ("memory", "sqlite", "postgresql")


class Keeper:
    """One kind of checkpoints: `open` gives the port as a process would, `forget` deletes all that was kept."""

    def __init__(self, open_: Callable[[], Any], forget: Callable[[], object]) -> None:
        self._open, self._forget = open_, forget
        self.wakes: Wakes = open_()

    def restart(self) -> None:
        self.close()
        self.wakes = self._open()

    def lose_everything(self) -> None:
        self.close()
        self._forget()
        self.wakes = self._open()

    def close(self) -> None:
        getattr(self.wakes, "close", lambda: None)()


@contextmanager
def kept_in(store: str, folder: Path) -> Iterator[Keeper]:
    path = folder / "wakes.db"
    match store:
        case "memory":
            yield Keeper(MemoryWakes, lambda: None)
        case "sqlite":
            yield Keeper(lambda: SqliteWakes(path), lambda: [each.unlink() for each in folder.glob("wakes.db*")])
        case _:
            with fresh_database() as address:
                yield Keeper(lambda: PostgresWakes(address), lambda: ask(address, f"DROP SCHEMA {SCHEMA} CASCADE"))


@pytest.fixture(params=STORES)
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keeper]:
    with kept_in(request.param, tmp_path) as keeper:
        yield keeper
        keeper.close()


class Matter(TypedDict):
    id: str
    seen: list[str]


def graph(wakes: Wakes, name: str) -> Any:
    """A graph that sleeps in its first step until it is told something, and then goes on."""
    built = StateGraph(Matter)
    built.add_node("wait", lambda matter: {"seen": [*matter["seen"], f"{name}:{interrupt('asleep')}"]})
    built.add_node("go", lambda matter: {"seen": [*matter["seen"], f"{name}:went"]})
    built.add_edge(START, "wait")
    built.add_edge("wait", "go")
    built.add_edge("go", END)
    return built.compile(checkpointer=wakes.saver())


def about(id: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": id}}


def asleep(wakes: Wakes, id: str, name: str = "one") -> Any:
    """Send a matter into a graph, where it falls asleep."""
    sleeping = graph(wakes, name)
    sleeping.invoke({"id": id, "seen": []}, about(id))
    return sleeping


def told(sleeping: Any, id: str, word: str) -> list[str]:
    """Wake a matter with a word and return what it has seen in the end."""
    seen: list[str] = sleeping.invoke(Command(resume=word), about(id))["seen"]
    return seen


def test_a_sleeping_graph_is_remembered(keeper: Keeper) -> None:
    sleeping = asleep(keeper.wakes, "inc_1")

    assert sleeping.get_state(about("inc_1")).next == ("wait",)
    assert sleeping.get_state(about("inc_2")).next == ()


def test_two_graphs_sleep_side_by_side_and_each_is_woken_with_its_own_word(keeper: Keeper) -> None:
    one, other = asleep(keeper.wakes, "inc_1", "one"), asleep(keeper.wakes, "inc_ü", "other")

    assert told(other, "inc_ü", "b") == ["other:b", "other:went"]
    assert one.get_state(about("inc_1")).next == ("wait",)
    assert told(one, "inc_1", "a") == ["one:a", "one:went"]


@pytest.mark.parametrize("keeper", ["sqlite", "postgresql"], indirect=True)
def test_a_sleeping_graph_is_woken_after_a_restart(keeper: Keeper) -> None:
    asleep(keeper.wakes, "inc_1")

    keeper.restart()

    assert told(graph(keeper.wakes, "one"), "inc_1", "a") == ["one:a", "one:went"]


def test_when_everything_is_deleted_a_matter_enters_from_the_top_and_arrives(keeper: Keeper) -> None:
    asleep(keeper.wakes, "inc_1")

    keeper.lose_everything()

    assert graph(keeper.wakes, "one").get_state(about("inc_1")).next == ()
    assert told(asleep(keeper.wakes, "inc_1"), "inc_1", "a") == ["one:a", "one:went"]


def test_a_matter_can_be_forgotten_alone(keeper: Keeper) -> None:
    one, other = asleep(keeper.wakes, "inc_1"), asleep(keeper.wakes, "inc_2")

    keeper.wakes.saver().delete_thread("inc_1")

    assert one.get_state(about("inc_1")).next == ()
    assert other.get_state(about("inc_2")).next == ("wait",)
