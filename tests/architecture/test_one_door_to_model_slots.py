"""What a model slot serves changes through the executor's hands alone; nobody else moves its rows or sends to hands."""

import ast

from tests.architecture.test_no_pickle import ROOMS, ROOT

#: The hands themselves; the shipped version on a house's first day; the demo that begins with a worn one.
MOVERS = {"adapters/models/slots.py", "adapters/models/registry.py", "api/demo_worn.py"}
WRITES = frozenset({"add", "swap", "remove"})
SLOTS = frozenset({"model_versions", "model_moves"})


def called(source: str, methods: frozenset[str], on: frozenset[str]) -> bool:
    """Say whether one of these methods is called on something of one of these names."""
    if not any(name in source for name in on):
        return False
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    methods_of = [call for call in calls if isinstance(call, ast.Attribute) and call.attr in methods]
    return any(ast.unparse(call.value).rpartition(".")[2] in on for call in methods_of)


def those_that_call(methods: frozenset[str], on: frozenset[str]) -> set[str]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {str(path.relative_to(ROOT)) for path in files if called(path.read_text("utf-8"), methods, on)}


def test_only_hands_and_beginnings_move_the_rows_of_a_slot() -> None:
    assert those_that_call(WRITES, SLOTS) == MOVERS


def test_only_the_executor_sends_to_hands() -> None:
    assert those_that_call(frozenset({"send"}), frozenset({"hands", "slots", "network"})) == {
        "control_plane/executor.py"
    }


def test_a_second_door_would_be_seen() -> None:
    assert called("tables.model_versions.swap(old, new)", WRITES, SLOTS)
    assert called("road.known_models().slots.send(key, action)", frozenset({"send"}), frozenset({"slots"}))
    assert not called("tables.model_versions.get(id)", WRITES, SLOTS)
