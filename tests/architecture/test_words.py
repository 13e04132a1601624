"""House rules that no type checker sees, read off the syntax tree.

*Time.* A replayed road must come to the same end as the first time, and a test must be able to stand at midnight.
One `datetime.now()` in a scorer is enough to lose both, and nobody notices for weeks. So time comes from a `Clock`;
only the machine's clock itself, the plant (a process of its own, with real time as real networks have) and the
program's entry points may ask the machine. Measuring a duration with `time.perf_counter` is no question of time.

*Chance.* The same for dice: every draw comes from a generator that was given a seed. DoWhy draws from the hidden
states that all code shares, so the one module that calls it may set them, and puts them back.

*Pickle.* Reading a pickle runs whatever its writer wanted. There is none, nor a library that makes them.

*Silence.* A bare `except:` also swallows the order to stop.

*Names.* A class called Manager, Helper or Utils says nothing about what it does.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]

MACHINE_TIME = (
    "datetime.now datetime.utcnow datetime.today datetime.datetime.now datetime.datetime.utcnow "
    "datetime.datetime.today date.today datetime.date.today time.time time.time_ns time.localtime time.gmtime"
)
MAY_ASK_THE_MACHINE = ("domain/clock.py", "adapters/network/emulated/plant.py", "api/cli.py", "api/serve.py")

MAY_TOUCH_HIDDEN_DICE = ("causal/attribution.py",)

PICKLES = frozenset({"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"})
EMPTY_NAMES = ("Manager", "Helper", "Helpers", "Util", "Utils")


def broken_rules(source: str, place: str = "") -> Iterator[str]:
    """Yield `line: what is wrong` for each house rule that `source` breaks; `place` is its path from the root."""
    for node in ast.walk(ast.parse(source)):
        for problem in (*_time(node, place), *_chance(node, place), *_pickle(node), *_silence(node), *_name(node)):
            yield f"{place}:{getattr(node, 'lineno', 0)}: {problem}"


def _time(node: ast.AST, place: str) -> Iterator[str]:
    if place in MAY_ASK_THE_MACHINE:
        return
    if isinstance(node, ast.Attribute) and ast.unparse(node) in MACHINE_TIME.split():
        yield f"`{ast.unparse(node)}` asks the machine for the time: take a `Clock`"
    if isinstance(node, ast.ImportFrom) and node.module == "time":
        for alias in node.names:
            if f"time.{alias.name}" in MACHINE_TIME.split():
                yield f"`from time import {alias.name}`: take a `Clock`"


def _chance(node: ast.AST, place: str) -> Iterator[str]:
    if place in MAY_TOUCH_HIDDEN_DICE:
        return
    imports_random = (isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names)) or (
        isinstance(node, ast.ImportFrom) and node.module == "random"
    )
    if imports_random:
        yield "`random` has one hidden state for all: take a seeded numpy Generator"
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called.endswith("default_rng") and not node.args and not node.keywords:
            yield "a generator without a seed draws differently each time"
        drawn = called.rpartition("random.")[2]
        if called.startswith(("np.random.", "numpy.random.")) and drawn.islower() and drawn != "default_rng":
            yield f"`{called}` draws from one hidden state for all: take a seeded numpy Generator"


def _pickle(node: ast.AST) -> Iterator[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    yield from (f"imports `{name}`: no pickle" for name in names if name.partition(".")[0] in PICKLES)
    if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
        yield "`allow_pickle`: no pickle"


def _silence(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        yield "a bare `except:` swallows the order to stop"


def _name(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef) and node.name.endswith(EMPTY_NAMES):
        yield f"class `{node.name}` does not say what it does"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_keeps_the_house_rules(room: str) -> None:
    paths = sorted((ROOT / room).rglob("*.py"))

    broken = [
        problem for path in paths for problem in broken_rules(path.read_text("utf-8"), str(path.relative_to(ROOT)))
    ]

    assert paths != []
    assert broken == []


@pytest.mark.parametrize(
    "line",
    [
        "now = datetime.now(UTC)",
        "stamp = time.time()",
        "old = datetime.datetime.utcnow()",
        "from time import time",
        "import random",
        "rng = np.random.default_rng()",
        "x = np.random.normal(0, 1)",
        "import pickle",
        "from joblib import load",
        "import dill.source",
        "a = np.load(path, allow_pickle=True)",
        "try: pass\nexcept: pass",
        "class AlarmManager: pass",
    ],
)
def test_a_broken_rule_would_be_found(line: str) -> None:
    assert len(list(broken_rules(line))) == 1


@pytest.mark.parametrize(
    "line", ["now = clock.now()", "t = time.perf_counter()", "rng = np.random.default_rng(seed)", "class Plan: pass"]
)
def test_what_the_rules_allow_is_left_alone(line: str) -> None:
    assert list(broken_rules(line)) == []


def test_the_clock_itself_may_ask_the_machine() -> None:
    assert list(broken_rules("datetime.now(UTC)", "domain/clock.py")) == []
