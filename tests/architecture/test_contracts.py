"""The contracts of `pyproject.toml` hold, and each of them can be broken.

import-linter draws the layers and fences. The allowlists are ours: a forbidden list names the libraries that one
thought of, an allowlist also stops the ones that nobody has thought of yet. Agents read text that strangers wrote,
so theirs is a safety property: no socket, no process, no file.
"""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]
SEALED = "adapters.network.emulated.plant"

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"

PURE = frozenset({"orjson", "pydantic", "rfc8785"}) | sys.stdlib_module_names
NUMBERS = PURE | {"numpy", "scipy"}
TOOLS_OF_AGENTS = (
    "pydantic numpy networkx __future__ abc bisect collections contextlib copy dataclasses datetime decimal enum "
    "fractions functools hashlib heapq itertools json logging math numbers operator re statistics string textwrap "
    "time types typing unicodedata"
)
ALLOWED_OUTSIDE = {"domain": PURE, "stats": NUMBERS, "agents": frozenset(TOOLS_OF_AGENTS.split())}

#: Ways to a file, a process or other code that need no import.
HANDS = frozenset({"open", "exec", "eval", "compile", "__import__", "breakpoint", "input"})
FILE_CALLS = "load save savez savez_compressed savetxt loadtxt genfromtxt fromfile tofile memmap fromregex DataSource"

#: What the contracts name; a planted tree needs it, or import-linter refuses to start.
NAMED = (
    "policies/engine.py",
    "twin/gnn.py",
    "twin/ground/__init__.py",
    "control_plane/flow.py",
    "agents/narrator.py",
    "adapters/store/__init__.py",
    "adapters/store/checkpoints.py",
    "adapters/identity/__init__.py",
    "adapters/network/__init__.py",
    "adapters/network/emulated/__init__.py",
    "adapters/network/emulated/plant.py",
    "benchmarks/postgresql.py",
    "benchmarks/exactly_once_langgraph.py",
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, include_external_packages=True, cache_dir=None)


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A house with every room and nothing in it, under our contracts."""
    for name in (*(f"{room}/__init__.py" for room in ROOMS), *NAMED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    fenced = {
        "adapters/store/tables.py": "import sqlalchemy, alembic, psycopg, psycopg_pool",
        "api/app.py": "import fastapi",
        "policies/engine.py": "import cedarpy",
        "causal/model.py": "import dowhy",
        "control_plane/flow.py": "import langgraph",
        "twin/gnn.py": "import torch, torch_geometric",
        "twin/ground/__init__.py": "import gymnasium",
        "adapters/identity/__init__.py": "import joserfc",
    }
    for name, line in fenced.items():
        (tmp_path / name).write_text(line + "\n")
    return tmp_path


def test_every_contract_is_kept() -> None:
    run = lint(ROOT)

    assert run.returncode == 0, run.stdout + run.stderr


def test_an_empty_house_keeps_every_contract(planted: Path) -> None:
    run = lint(planted)

    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("domain/bad.py", "import stats", "1 layers"),
        ("telemetry/bad.py", "import twin", "1 layers"),
        ("control_plane/bad.py", "import agents", "1 layers"),
        ("adapters/bad.py", "import api", "1 layers"),
        ("agents/bad.py", "import policies", "2 agents"),
        ("twin/bad.py", "from sqlalchemy import text", "3a only the store"),
        ("adapters/bad.py", "import fastapi", "3b only the doors"),
        ("policies/bad.py", "import cedarpy", "3c only the policy engine"),
        ("twin/bad.py", "import dowhy", "3d only the causal room"),
        ("control_plane/bad.py", "def late():\n    import langgraph", "3e only the road"),
        ("adapters/bad.py", "def late():\n    import torch", "3f only the twin's GNN"),
        ("causal/bad.py", "from torch_geometric.nn import SAGEConv", "3f only the twin's GNN"),
        ("api/bad.py", "import joserfc", "3g only identity"),
        ("control_plane/bad.py", "def late():\n    import gymnasium", "3h only the training ground"),
        ("api/bad.py", "from adapters.network.emulated import plant", "5 the plant"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(planted: Path, module: str, line: str, contract: str) -> None:
    (planted / module).write_text(line + "\n")

    run = lint(planted)

    assert run.returncode != 0
    broken = [text for text in run.stdout.splitlines() if contract in text and "BROKEN" in text]
    assert broken, run.stdout


@pytest.mark.parametrize("room", ALLOWED_OUTSIDE)
def test_a_room_with_an_allowlist_imports_nothing_else_from_outside(graph: grimp.ImportGraph, room: str) -> None:
    modules = {room, *graph.find_descendants(room)}
    imported = {(name, found) for name in modules for found in graph.find_modules_directly_imported_by(name)}

    strange = {
        f"{name} imports {found}"
        for name, found in imported
        if found.partition(".")[0] not in {*ALLOWED_OUTSIDE[room], *ROOMS}
    }

    assert strange == set()


def test_nobody_imports_the_plant(graph: grimp.ImportGraph) -> None:
    in_tests = [path.name for path in (ROOT / "tests").rglob("*.py") if imports_the_plant(path.read_text("utf-8"))]

    assert graph.find_modules_that_directly_import(SEALED) == set()
    assert in_tests == []


def imports_the_plant(source: str) -> bool:
    home, _, name = SEALED.rpartition(".")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(alias.name == SEALED for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == SEALED:
            return True
        if isinstance(node, ast.ImportFrom) and node.module == home and name in {alias.name for alias in node.names}:
            return True
    return False


def reaches_for(source: str) -> list[str]:
    """Return what in `source` would open a file or run code without an import that shows it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id in HANDS:
            found.append(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            of_a_library = node.value.id in {"np", "numpy", "nx", "networkx"}
            if of_a_library and (node.attr in FILE_CALLS.split() or node.attr.startswith(("read_", "write_"))):
                found.append(f"{node.value.id}.{node.attr}")
    return found


def test_agents_open_no_file_and_run_no_text() -> None:
    found = {str(path): reaches_for(path.read_text("utf-8")) for path in (ROOT / "agents").rglob("*.py")}

    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("line", ["open('x')", "np.load('x')", "nx.write_gml(graph, 'x')", "eval(text)"])
def test_an_agent_that_opens_a_file_or_runs_text_would_be_found(line: str) -> None:
    assert reaches_for(line) != []
