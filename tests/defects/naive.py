"""How others do it: the wait for a person is an `interrupt()`, and the graph's checkpoint is what one goes on from.

Ten lines of LangGraph as its guides show them. Its defects are reproduced here, so that the tests beside this file say
what they guard against, and would fail on a road that is built like this.
"""

from collections.abc import Callable
from typing import Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt


class State(TypedDict):
    decision: str


def naive_graph(effects: list[str], before: Callable[[], object] = lambda: None) -> Any:
    """Return a graph of one node that does something, asks a person, and acts."""

    def ask_and_act(_: State) -> State:
        before()
        decision = interrupt("may I?")
        effects.append("acted")
        return {"decision": decision}

    graph = StateGraph(State)
    graph.add_node("ask_and_act", ask_and_act)
    graph.add_edge(START, "ask_and_act")
    graph.add_edge("ask_and_act", END)
    return graph.compile(checkpointer=InMemorySaver())


def resume(graph: Any, thread: str = "one") -> Any:
    """Go on with a yes."""
    return graph.invoke(Command(resume="yes"), {"configurable": {"thread_id": thread}})
