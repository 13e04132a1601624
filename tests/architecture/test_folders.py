"""One list of rooms, told five times, and each name is ours.

Another distribution ships a top-level `agents`. Installed beside us it wins silently: imports succeed and the
wrong code runs. So each of our names must resolve to this repository, and the folders on disk must be the folders
that the contracts, the type checker and the installer know of: one that is missing from a list is not checked.
"""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = PROJECT["tool"]["importlinter"]
ROOMS = tuple(CONTRACTS["root_packages"])


def folders_with_python() -> set[str]:
    folders = {path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    no_rooms = {"tests", "docs", "build"}
    environments = {path for path in folders if (path / "pyvenv.cfg").exists()}
    return {
        path.name for path in folders - environments if path.name not in no_rooms and next(path.rglob("*.py"), None)
    }


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_resolves_to_this_repository(room: str) -> None:
    found = importlib.util.find_spec(room)

    assert found is not None
    assert found.origin == str(ROOT / room / "__init__.py")


def test_the_folders_on_disk_are_the_rooms_of_the_contracts() -> None:
    assert folders_with_python() == set(ROOMS)


def test_the_layers_hold_every_room_once() -> None:
    layers = next(contract["layers"] for contract in CONTRACTS["contracts"] if contract["type"] == "layers")

    named = [room.strip() for layer in layers for room in layer.split("|")]

    assert sorted(named) == sorted(ROOMS)


def test_the_type_checker_the_linter_and_the_installer_know_every_room() -> None:
    installed = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]

    assert PROJECT["tool"]["mypy"]["packages"] == list(ROOMS)
    assert PROJECT["tool"]["ruff"]["lint"]["isort"]["known-first-party"] == list(ROOMS)
    assert installed == [f"{room}*" for room in ROOMS]


def test_every_folder_of_a_room_that_holds_python_is_a_package() -> None:
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}

    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_the_installed_program_finds_our_rooms_from_any_folder(tmp_path: Path) -> None:
    script = (
        "import importlib.util as u, importlib.metadata as m, sys\n"
        "try: m.version('nocturne')\n"
        "except m.PackageNotFoundError: sys.exit(77)\n"
        f"print(*(u.find_spec(room).origin for room in {ROOMS!r}), sep='\\n')"
    )

    run = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    if run.returncode == 77:
        pytest.skip("nocturne is not installed in this interpreter: `make setup` does it")
    assert run.stdout.split() == [str(ROOT / room / "__init__.py") for room in ROOMS], run.stderr
