"""The baseline: LangGraph's own interrupt as the gate, and its checkpoint as the authority.

    python -m benchmarks.exactly_once_langgraph FOLDER RACES KILLS

A graph proposes, interrupts for approval, acts, and ends; its checkpoints are in SQLite. The act is a line in a
journal. Races resume one interrupt twice at once; kills end the process after or before the effect, and another
process resumes what is left. Writes one JSON line.
"""

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

_EFFECT_S = 0.01


class State(TypedDict, total=False):
    id: str
    approved: bool


def main() -> None:
    """Race and kill so often."""
    folder, races, kills = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(races):
        _race(folder, f"race-{number}")
    for number in range(kills):
        _kill(folder, f"kill-{number}", ("after", "before")[number % 2])
    effects = Counter(_journal(folder).read_text().split())
    ids = [f"race-{number}" for number in range(races)] + [f"kill-{number}" for number in range(kills)]
    told = {
        "races": races,
        "kills": kills,
        "double_executions": sum(times - 1 for times in effects.values()),
        "lost_decisions": sum(id not in effects for id in ids),
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _graph(folder: Path, saver: Any, die: str = "") -> Any:
    def gate(state: State) -> State:
        return {"approved": bool(interrupt(state["id"]))}

    def act(state: State) -> State:
        if die == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(_EFFECT_S)  # a device takes a moment
        with _journal(folder).open("a") as journal:
            journal.write(f"{state['id']}\n")
        if die == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return {}

    graph = StateGraph(State)
    graph.add_node("gate", gate)
    graph.add_node("act", act)
    graph.add_edge(START, "gate")
    graph.add_edge("gate", "act")
    graph.add_edge("act", END)
    return graph.compile(checkpointer=saver)


def _race(folder: Path, id: str) -> None:
    config: Any = {"configurable": {"thread_id": id}}
    with SqliteSaver.from_conn_string(str(folder / "races.db")) as saver:
        graph = _graph(folder, saver)
        graph.invoke({"id": id}, config)
        start = threading.Barrier(2)

        def resume() -> None:
            start.wait()
            graph.invoke(Command(resume=True), config)

        both = [threading.Thread(target=resume) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()


def _kill(folder: Path, id: str, die: str) -> None:
    """Let one process die in the act, and another one go on from the checkpoint."""
    config: Any = {"configurable": {"thread_id": id}}

    def live(*, die: str) -> None:
        with SqliteSaver.from_conn_string(str(folder / "kills.db")) as saver:
            graph = _graph(folder, saver, die)
            if not graph.get_state(config).values:
                graph.invoke({"id": id}, config)
                graph.invoke(Command(resume=True), config)
            elif graph.get_state(config).next:
                graph.invoke(None, config)

    for how in (die, ""):
        child = os.fork()
        if child == 0:
            try:
                live(die=how)
            finally:
                os._exit(0)
        os.waitpid(child, 0)


def _journal(folder: Path) -> Path:
    path = folder / "journal.txt"
    path.touch()
    return path


if __name__ == "__main__":
    main()
