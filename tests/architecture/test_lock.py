"""What is installed is what was locked: every package by hash, and nothing that only one machine could find."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def plain(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    """Return the text of each locked package's entry by its name."""
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE | re.IGNORECASE)
    return {plain(entry.split("==")[0]): entry for entry in entries if "==" in entry}


def test_every_locked_package_has_a_hash() -> None:
    assert len(locked()) > 50
    assert [name for name, entry in locked().items() if "--hash=sha256:" not in entry] == []


def test_every_dependency_has_a_floor_and_is_locked() -> None:
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    named = {plain(re.split(r"[<>=\[ ]", text)[0]): text for text in wanted}

    assert [text for text in wanted if ">=" not in text] == []
    assert sorted(set(named) - set(locked())) == []


def test_the_lock_names_no_host_no_path_and_no_local_build() -> None:
    lines = [line for line in LOCK.splitlines() if not line.lstrip().startswith("#")]

    assert [line for line in lines if re.search(r"://|^-|@ |==[^ ]*\+", line)] == []
    assert "://" not in LOCK
