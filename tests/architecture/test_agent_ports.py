"""What an agent is handed can be read and not written.

Agents read text that strangers wrote. What such a text could talk an agent into is bounded by what the agent can
reach, so no port of `agents/ports.py` has a method whose name says that it changes something. A name is a promise;
that the promise is kept is the business of the tests of whoever implements the port.
"""

import ast
from pathlib import Path

import pytest

PORTS = Path(__file__).parents[2] / "agents" / "ports.py"

VERBS = (
    "add append apply approve assign cancel change claim clear close commit consume create declare defer delete "
    "discard dispatch do drop emit enqueue erase execute expire extend forget grant insert issue lock mark merge "
    "modify move open patch pop post publish purge push put raise record register reject release remove rename "
    "replace reset restart revoke rollback run save send set settle start steer stop store submit swap take "
    "transfer undo unlock update upsert withdraw write"
)
WRITING = frozenset(VERBS.split())


def writing_methods(source: str) -> list[str]:
    """Return `Port.method` for each method, property or attribute of a Protocol whose first word is a writing verb."""
    found = []
    for port in ast.walk(ast.parse(source)):
        if not isinstance(port, ast.ClassDef) or not any("Protocol" in ast.unparse(base) for base in port.bases):
            continue
        names = [part.name for part in port.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
        names += [ast.unparse(part.target) for part in port.body if isinstance(part, ast.AnnAssign)]
        found += [f"{port.name}.{name}" for name in names if name.strip("_").split("_")[0] in WRITING]
    return found


def test_no_port_of_the_agents_has_a_method_that_writes() -> None:
    assert writing_methods(PORTS.read_text(encoding="utf-8")) == []


def test_the_ports_of_the_agents_are_protocols_and_nothing_else() -> None:
    classes = [node for node in ast.parse(PORTS.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)]

    assert len(classes) >= 4
    assert [port.name for port in classes if [ast.unparse(base) for base in port.bases] != ["Protocol"]] == []


@pytest.mark.parametrize(
    "method",
    ["def add(self, record: Record) -> None: ...", "async def send_alarm(self) -> None: ...", "set: Setter"],
)
def test_a_port_with_a_method_that_writes_is_refused(method: str) -> None:
    planted = f"class Facts(Protocol):\n    def find(self, ref: str) -> str: ...\n    {method}\n"

    assert len(writing_methods(planted)) == 1


def test_a_name_that_only_begins_like_a_writing_verb_is_taken() -> None:
    planted = "class Facts(Protocol):\n    def settings(self) -> str: ...\n    def addresses(self) -> str: ...\n"

    assert writing_methods(planted) == []
