"""Every module can be imported, says nothing while it is, and every name that it promises in `__all__` is there."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]

#: Runs apart, so that what it loads and prints is its own; the last line is the answer.
SCRIPT = """
import importlib, json, sys
broken = {}
for name in json.loads(sys.argv[1]):
    try:
        module = importlib.import_module(name)
        missing = [promised for promised in getattr(module, "__all__", ()) if not hasattr(module, promised)]
        if missing:
            broken[name] = f"`__all__` promises {missing}"
    except BaseException as error:
        broken[name] = repr(error)
print(json.dumps(broken))
"""


def module_names(root: Path, rooms: list[str]) -> list[str]:
    paths = [path.relative_to(root).with_suffix("") for room in rooms for path in sorted((root / room).rglob("*.py"))]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    return [name for name in names if not name.endswith("__main__")]


def import_all(root: Path, rooms: list[str]) -> tuple[dict[str, str], str]:
    """Return what is broken by module, and all else that was printed."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(module_names(root, rooms))],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=280,
        check=True,
    )
    *noise, answer = run.stdout.splitlines()
    return json.loads(answer), "\n".join(noise) + run.stderr


@pytest.mark.slow
def test_every_module_imports_in_silence_and_keeps_its_promises() -> None:
    broken, noise = import_all(ROOT, ROOMS)

    assert broken == {}
    assert noise == ""


def test_a_broken_promise_and_a_broken_import_are_found(tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    (room / "__init__.py").write_text("")
    (room / "promises.py").write_text("__all__ = ['there', 'gone']\nthere = 1\n")
    (room / "fails.py").write_text("import no_such_library_anywhere\n")

    broken, _ = import_all(tmp_path, ["room"])

    assert set(broken) == {"room.promises", "room.fails"}
    assert "gone" in broken["room.promises"]
